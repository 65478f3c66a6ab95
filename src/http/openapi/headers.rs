//! The headers of answers.

use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Header, ObjectBuilder, Ref, Type};

use super::super::cors::PREFLIGHT_MAX_AGE;
use super::super::error::{ALLOWED_METHODS, RETRY_AFTER};

/// What every answer may carry; all but the last two always.
pub(super) const EVERY_ANSWER: [&str; 6] = [
    "X-Request-Id",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Vary",
];

/// What an answer to a preflight carries as well.
pub(super) const PREFLIGHT: [&str; 3] =
    ["Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age"];

/// Where the header of that name is described.
pub(super) fn reference(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// Headers with the same meaning wherever they are, by name.
pub(super) fn shared() -> [(&'static str, Header); 13] {
    [
        (
            "X-Request-Id",
            text(
                "The caller's, when it is 1 to 128 letters, digits or `-_.:/+=@`; else a random one. The log has it, too.",
                "5f0c5a5b0e1b4b7f9d2a3c4d5e6f7081",
            ),
        ),
        ("X-Content-Type-Options", constant("The type of a body is not guessed.", "nosniff")),
        (
            "Referrer-Policy",
            constant("What is reached from an answer does not learn where from.", "no-referrer"),
        ),
        (
            "Access-Control-Allow-Origin",
            text(
                "`*`, or the request's `Origin` when `cors.allowed_origins` lists origins and that one is among them; otherwise absent.",
                "*",
            ),
        ),
        (
            "Access-Control-Expose-Headers",
            text(
                "To requests with `Origin`: what scripts may read besides the body.",
                "etag, retry-after, x-request-id",
            ),
        ),
        ("Vary", text("What of the request the answer depends on.", "accept-encoding")),
        (
            "ETag",
            text(
                "Strong, and one for each coding of the body: send it back as `If-None-Match`.",
                "\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\"",
            ),
        ),
        (
            "Content-Encoding",
            HeaderBuilder::new()
                .description(Some("How the body is coded; absent when it is sent plain."))
                .schema(Some(
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["zstd", "br", "gzip"])),
                ))
                .example(Some("gzip".into()))
                .build(),
        ),
        ("Retry-After", whole_number("When to come back, seconds.", RETRY_AFTER)),
        ("Allow", constant("What every path answers.", ALLOWED_METHODS)),
        ("Access-Control-Allow-Methods", text("To a preflight: what is allowed.", ALLOWED_METHODS)),
        (
            "Access-Control-Allow-Headers",
            text("To a preflight that asks for headers: what is allowed.", "content-type"),
        ),
        (
            "Access-Control-Max-Age",
            whole_number(
                "To a preflight: how long a browser may remember it, seconds.",
                &PREFLIGHT_MAX_AGE.to_string(),
            ),
        ),
    ]
}

/// `Cache-Control` with this value.
pub(super) fn cache_control(value: &str) -> Header {
    constant("Whether and how an answer may be kept.", value)
}

fn constant(description: &str, value: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([value]));
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(value.into()))
        .build()
}

fn text(description: &str, example: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String);
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(example.into()))
        .build()
}

fn whole_number(description: &str, example: &str) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let example = example.parse::<u64>().map_or(Value::Null, Value::from);
    HeaderBuilder::new().description(Some(description)).schema(Some(schema)).example(Some(example)).build()
}
