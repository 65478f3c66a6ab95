//! The answers.

use std::sync::Arc;

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Content, Ref};

use super::super::error::{ApiError, Body, NotReadyBody};
use super::headers::{self, cache_control};
use crate::domain::PersonIdError;
use crate::gallery::{CredentialsWord, GalleryError, RedisWord, Report, TableWord, Tables};

/// The media type of everything but the metrics.
const JSON: &str = "application/json";
/// The request id of all examples.
const REQUEST_ID: &str = "5f0c5a5b0e1b4b7f9d2a3c4d5e6f7081";

/// An answer with the headers that every answer carries.
pub(super) fn answer(description: &str) -> ResponseBuilder {
    with_headers(ResponseBuilder::new().description(description), &headers::EVERY_ANSWER)
}

/// Adds headers that are described once for all.
pub(super) fn with_headers(response: ResponseBuilder, names: &[&str]) -> ResponseBuilder {
    names.iter().fold(response, |response, name| response.header_ref(*name, headers::reference(name)))
}

/// A JSON body of this type.
pub(super) fn body<T: ToSchema>(response: ResponseBuilder, example: Value) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema::<T>())).example(Some(example));
    response.content(JSON, content.build())
}

/// A body of any other kind.
pub(super) fn other_body(response: ResponseBuilder, media_type: &str, content: Content) -> ResponseBuilder {
    response.content(media_type, content)
}

/// A page of a list.
pub(super) fn list<T: ToSchema>(description: &str, example: Value) -> ResponseBuilder {
    let response = with_headers(answer(description), &["ETag", "Content-Encoding"])
        .header("Cache-Control", cache_control("private, no-cache"));
    body::<T>(response, example)
}

/// The client has the answer already.
pub(super) fn not_modified(cache: &str) -> Response {
    with_headers(answer("The client has it already, as it says in `If-None-Match`. No body."), &["ETag"])
        .header("Cache-Control", cache_control(cache))
        .build()
}

/// The query is not accepted; `more` is what else is not.
pub(super) fn bad_request(limit: ApiError, more: Vec<(&str, ApiError)>) -> Response {
    let mut examples = vec![("limit", limit), ("cursor", ApiError::from(Arc::new(GalleryError::Cursor)))];
    examples.extend(more);
    failure("Something in the request is not accepted; the text says what is.", examples).build()
}

/// What a path with a person in it can have against that person.
pub(super) fn bad_person() -> Vec<(&'static str, ApiError)> {
    vec![
        ("path", ApiError::BadPath),
        ("personId", PersonIdError::ControlCharacter.into()),
        ("not UTF-8", PersonIdError::NotUtf8.into()),
    ]
}

/// An identifier that was not encoded leads elsewhere.
pub(super) fn not_found() -> Response {
    let path = ApiError::NotFound("/persons/who".to_owned());
    failure(
        "Another path than was meant: an identifier with `?` or `#` must be percent-encoded.",
        [("path", path)],
    )
    .build()
}

/// What any other method than `GET`, `HEAD` and `OPTIONS` gets.
pub(super) fn method_not_allowed(path: &str) -> Response {
    let error = ApiError::MethodNotAllowed(path.to_owned());
    with_headers(failure("What any other method gets.", [("method", error)]), &["Allow"]).build()
}

/// What a dependency, or the number of requests, can do to a list.
pub(super) fn unavailable() -> Response {
    let errors = [
        ("overload", ApiError::Overloaded),
        ("dependency", ApiError::from(Arc::new(GalleryError::DeadlineExceeded))),
    ];
    let response = failure(
        "DynamoDB is throttled, slow or down, nobody can sign, or too many requests are being worked on.",
        errors,
    );
    with_headers(response, &["Retry-After"]).build()
}

/// Path and query are too long together.
pub(super) fn too_long() -> Response {
    failure("Path and query are too long together.", [("length", ApiError::TargetTooLong)]).build()
}

/// Readiness is off.
pub(super) fn not_ready() -> Response {
    let reached = TableWord::Reached;
    let tables = Tables { persons: reached, occurrences: reached, photos: TableWord::Unreachable };
    let (credentials, redis) = (CredentialsWord::Alive, RedisWord::Used);
    let draining = Report { ready: false, tables: Tables { photos: reached, ..tables }, credentials, redis };
    let no_way = Report { ready: false, tables, credentials, redis };
    let errors = [
        ("draining", ApiError::NotReady("draining", draining)),
        ("table", ApiError::NotReady(no_way.reason(), no_way)),
    ];
    let response = failure_of::<NotReadyBody<'_>>("Not ready; the text says why.", errors);
    with_headers(response, &["Retry-After"]).build()
}

/// A fault of the service itself.
pub(super) fn internal_error() -> Response {
    let error = ApiError::Unrendered("an example".into());
    failure("A fault of this service.", [("rendering", error)]).build()
}

/// What these errors say, as they say it.
fn failure<'a>(description: &str, errors: impl IntoIterator<Item = (&'a str, ApiError)>) -> ResponseBuilder {
    failure_of::<Body<'_>>(description, errors)
}

/// The same, with a body of its own.
fn failure_of<'a, T: ToSchema>(
    description: &str,
    errors: impl IntoIterator<Item = (&'a str, ApiError)>,
) -> ResponseBuilder {
    let examples = errors.into_iter().map(|(name, error)| (name, example(&error)));
    let content = ContentBuilder::new().schema(Some(schema::<T>())).examples_from_iter(examples);
    answer(description).header("Cache-Control", cache_control("no-store")).content(JSON, content.build())
}

fn example(error: &ApiError) -> Example {
    let (_, body) = error.told(REQUEST_ID);
    // texts and words can be JSON
    ExampleBuilder::new().value(serde_json::to_value(body).ok()).build()
}

fn schema<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}
