//! `GET /persons`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::error::ApiError;
use super::page_query::Limits;
use super::{Shared, reply};

const LIMITS: Limits = Limits { default: 100, most: 500 };

pub(super) async fn get_persons(
    shared: web::Data<Shared>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let page = LIMITS.parse(request.query_string())?;
    let answer = shared.gallery.persons(page).await?;
    Ok(reply::reply(&request, &answer))
}
