//! `?limit=` and `?cursor=`.

use actix_web::web;
use serde::Deserialize;

use super::error::ApiError;
use crate::gallery::PageRequest;

/// What a list accepts as its `limit`.
pub(super) struct Limits {
    pub(super) default: usize,
    pub(super) most: usize,
}

#[derive(Deserialize)]
struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

impl Limits {
    /// Reads the query string; other parameters are nobody's business here.
    pub(super) fn parse(&self, query: &str) -> Result<PageRequest, ApiError> {
        if query.is_empty() {
            return Ok(PageRequest { limit: self.default, cursor: None });
        }
        // the only way to fail is a parameter that is given twice
        let query = web::Query::<PageQuery>::from_query(query)
            .map_err(|_| ApiError::Query("limit and cursor are accepted once each".to_owned()))?
            .into_inner();
        let limit = match query.limit.as_deref() {
            None => self.default,
            Some(text) => self.parse_limit(text)?,
        };
        Ok(PageRequest { limit, cursor: query.cursor })
    }

    pub(super) fn parse_limit(&self, text: &str) -> Result<usize, ApiError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|limit| (1..=self.most).contains(limit))
            .ok_or_else(|| {
                let found: String = text.chars().take(20).collect();
                ApiError::Query(format!(
                    "limit: found {found:?}, accepted are whole numbers from 1 to {}",
                    self.most
                ))
            })
    }
}
