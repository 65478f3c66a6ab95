//! What this service answers, as an OpenAPI 3.1 document.
//!
//! Schemas come from the types that are serialised, bounds from the constants that are checked, errors from the table that
//! writes them. What no type knows (headers, which status when, prose) is written here; `tests/it/openapi.rs` holds real answers
//! against it.

mod headers;
mod operations;
mod parameters;
mod responses;

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa::openapi::info::LicenseBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder, Tag,
};

use super::error::{ApiError, Body, NotReadyBody};
use super::ops::Alive;
use super::reply::known_tags;
use crate::gallery::{PersonPhotosPage, PersonsPage, Report};

/// The tag of the lists.
const LISTS: &str = "lists";
/// The tag of what load balancers and monitoring ask.
const OPERATIONS: &str = "operations";

/// What holds for the whole service and has no place elsewhere in the document.
const DESCRIPTION: &str = "\
Lists of persons and their photos, with presigned S3 URLs that stay the same until they must change.

Any other path is a `404`, except `/persons/…/photos` with anything but one segment between, which is a `400`; both have the \
schema `Error`. Query parameters that are not described are ignored. What is not HTTP, and heads of requests that do not end in \
time or are too long, are refused with a `400`, `408` or `431` of the schema `Error`, and the connection closes.";

/// The document, without what depends on where the service runs.
fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(
            LicenseBuilder::new()
                .name(env!("CARGO_PKG_LICENSE"))
                .identifier(Some(env!("CARGO_PKG_LICENSE")))
                .build(),
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").description(Some("Where this document is")).build()]))
        .tags(Some([
            tag(LISTS, "Persons, and the photos that they are in"),
            tag(OPERATIONS, "Health, metrics and this document"),
        ]))
        .paths(operations::paths())
        .components(Some(components()))
        .build()
}

/// The document as it is printed, served and kept in `docs/openapi.json`.
pub fn document_text() -> Result<String, serde_json::Error> {
    let mut text = document().to_pretty_json()?;
    text.push('\n');
    Ok(text)
}

fn tag(name: &str, description: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}

fn components() -> Components {
    // a page's schema names that of its entries, which comes with it
    let mut entries = Vec::new();
    PersonsPage::schemas(&mut entries);
    PersonPhotosPage::schemas(&mut entries);
    Report::schemas(&mut entries);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(entries)
        .schema_from::<PersonsPage>()
        .schema_from::<PersonPhotosPage>()
        .schema_from::<Body<'_>>()
        .schema_from::<Alive>()
        .schema_from::<Report>()
        .schema_from::<NotReadyBody<'_>>();
    let components =
        headers::shared().into_iter().fold(components, |all, (name, header)| all.header(name, header));
    let components = parameters::shared()
        .into_iter()
        .fold(components, |all, (name, parameter)| all.parameter(name, parameter));
    components.build()
}

/// The document and its tag, made at the first request for it.
static STORED: LazyLock<Result<(String, String), serde_json::Error>> = LazyLock::new(|| {
    let text = document_text()?;
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&text)[..16]));
    Ok((text, tag))
});

/// The document.
pub(super) async fn get_openapi(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (text, tag) = STORED.as_ref().map_err(|error| ApiError::Unrendered(error.into()))?;
    let is_known = known_tags(request.headers()).any(|known| known == b"*" || known == tag.as_bytes());
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag.as_str())).insert_header((header::CACHE_CONTROL, "no-cache"));
    Ok(if is_known {
        response.finish()
    } else {
        response.content_type("application/json").body(text.as_str())
    })
}
