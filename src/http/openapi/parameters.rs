//! What requests may carry.

use serde_json::json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Ref, Required, Type};

use super::super::page_query::Limits;
use crate::domain::PersonId;

/// No control characters of ASCII or Latin-1, which are all that there are.
const NO_CONTROL_CHARACTERS: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// Where the header that a request may carry is described.
pub(super) fn reference(name: &str) -> Ref {
    Ref::new(format!("#/components/parameters/{name}"))
}

/// Headers that mean the same in every request, by name. None is ever refused, so none has a form.
pub(super) fn shared() -> [(&'static str, Parameter); 6] {
    [
        header(
            "If-None-Match",
            "The `ETag` of an answer that the client still has.",
            "\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\"",
        ),
        header(
            "Accept-Encoding",
            "`zstd`, `br` and `gzip` are understood, each with a weight; the first of them among equals.",
            "gzip",
        ),
        header(
            "X-Request-Id",
            "Taken over into answer and log when it is 1 to 128 letters, digits or `-_.:/+=@`.",
            "5f0c5a5b0e1b4b7f9d2a3c4d5e6f7081",
        ),
        header(
            "traceparent",
            "[W3C Trace Context](https://www.w3.org/TR/trace-context/): its trace id is logged with the request.",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        header("Origin", "Whose page asks.", "https://photos.example"),
        header("Access-Control-Request-Method", "Makes `OPTIONS` a preflight.", "GET"),
    ]
}

/// Whose photos.
pub(super) fn person_id() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(PersonId::LONGEST_BYTES))
        .pattern(Some(NO_CONTROL_CHARACTERS));
    let description = format!(
        "One percent-encoded path segment: 1 to {} bytes of UTF-8 without control characters, once decoded.",
        PersonId::LONGEST_BYTES
    );
    in_path("personId", &description, schema)
}

/// The same, where nobody looks at it.
pub(super) fn any_person_id() -> Parameter {
    in_path("personId", "Anything.", ObjectBuilder::new().schema_type(Type::String))
}

/// How many entries, and where they begin.
pub(super) fn page(limits: &Limits) -> [Parameter; 2] {
    let limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(limits.most))
        .default(Some(limits.default.into()));
    let cursor = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Za-z0-9_-]+$"));
    [
        in_query("limit", "How many entries at most.", limit).example(Some(limits.default.into())),
        in_query(
            "cursor",
            "The `nextCursor` of an earlier answer to the same list, unchanged; any other is a `400`.",
            cursor,
        ),
    ]
    .map(ParameterBuilder::build)
}

fn header(name: &'static str, description: &str, example: &str) -> (&'static str, Parameter) {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(example.into()));
    (name, parameter.build())
}

fn in_path(name: &str, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(json!("2cd914d8-cd74-4505-acbb-1e6c3e4f174c")))
        .build()
}

fn in_query(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
}
