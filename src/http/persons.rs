//! `GET /persons`.

use actix_web::{HttpRequest, HttpResponse};

use super::error::ApiError;
use super::limit::InFlight;
use super::page_query::Limits;
use super::reply;

pub(super) const LIMITS: Limits = Limits { default: 100, most: 500 };

pub(super) async fn get_persons(place: InFlight, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let page = LIMITS.parse(request.query_string())?;
    let answer = place.shared().gallery.persons(page).await?;
    Ok(reply::reply(&request, &answer))
}
