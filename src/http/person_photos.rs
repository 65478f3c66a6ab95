//! `GET /persons/{personId}/photos`.

use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::percent_decode_str;

use super::error::ApiError;
use super::limit::InFlight;
use super::page_query::Limits;
use super::reply;
use crate::domain::PersonId;

pub(super) const LIMITS: Limits = Limits { default: 200, most: 1000 };

pub(super) async fn get_person_photos(
    place: InFlight,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let person = person_of(request.uri().path())?;
    let page = LIMITS.parse(request.query_string())?;
    let answer = place.shared().gallery.person_photos(person, page).await?;
    Ok(reply::reply(&request, &answer))
}

/// The person in a path that matched the route. From the path as it was sent: actix decodes only some of the escapes.
fn person_of(path: &str) -> Result<PersonId, ApiError> {
    let segment = path.strip_prefix("/persons/").and_then(|rest| rest.strip_suffix("/photos"));
    let segment = segment.filter(|segment| !segment.contains('/')).ok_or(ApiError::BadPath)?;
    let decoded: Vec<u8> = percent_decode_str(segment).collect();
    Ok(PersonId::parse(&decoded)?)
}
