//! Which requests there are. Each path answers `GET`, `HEAD` and `OPTIONS`; the last two follow from the first.

use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, PathItem, PathItemBuilder, Paths, PathsBuilder,
};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};

use super::super::ops::Alive;
use super::super::page_query::Limits;
use super::super::{
    HEALTHZ, METRICS, OPENAPI, PERSON_PHOTOS, PERSONS, READYZ, error::ApiError, person_photos, persons,
};
use super::headers::{self, cache_control};
use super::{LISTS, OPERATIONS, parameters, responses};
use crate::gallery::{PersonPhotosPage, PersonsPage, Report};

/// All paths.
pub(super) fn paths() -> Paths {
    PathsBuilder::new()
        .path(PERSONS, item(PERSONS, list_persons(), None))
        .path(PERSON_PHOTOS, item(PERSON_PHOTOS, list_person_photos(), Some(parameters::any_person_id())))
        .path(HEALTHZ, item(HEALTHZ, get_health(), None))
        .path(READYZ, item(READYZ, get_readiness(), None))
        .path(METRICS, item(METRICS, get_metrics(), None))
        .path(OPENAPI, item(OPENAPI, get_openapi(), None))
        .build()
}

fn list_persons() -> OperationBuilder {
    let example = json!({
        "persons": [{
            "personId": "2cd914d8-cd74-4505-acbb-1e6c3e4f174c",
            "photoCount": 24,
            "repThumbKey": "faces-thumbs/2cd914d8-cd74-4505-acbb-1e6c3e4f174c/96210597_face_1.jpg",
            "repThumbURL": "https://beetroot-thumbs.s3.eu-central-1.amazonaws.com/faces-thumbs/2cd914d8-cd74-4505-acbb-1e6c3e4f174c/96210597_face_1.jpg?x-id=GetObject&X-Amz-Signature=%E2%80%A6",
        }],
        "nextCursor": "OQfalk9uhRm8eYjavdo471siMjQiLCIyY2Q5MTRkOC0",
        "expiresAt": "2026-11-22T10:52:25Z",
    });
    let page = responses::list::<PersonsPage>("A page of the ranking.", example)
        .link(
            "nextPage",
            LinkBuilder::new()
                .operation_id("listPersons")
                .parameter("cursor", "$response.body#/nextCursor")
                .description("While there is more.")
                .build(),
        )
        .link(
            "photos",
            LinkBuilder::new()
                .operation_id("listPersonPhotos")
                .parameter("personId", "$response.body#/persons/0/personId")
                .description("The photos of one of them.")
                .build(),
        );
    list(&persons::LIMITS, vec![])
        .operation_id(Some("listPersons"))
        .summary(Some("Everybody, by photo count from the largest"))
        .description(Some("Ties are ordered by `personId`, so that pages and tags are stable. The ranking covers every person."))
        .response("200", page.build())
}

fn list_person_photos() -> OperationBuilder {
    let example = json!({
        "personId": "2cd914d8-cd74-4505-acbb-1e6c3e4f174c",
        "photos": [{
            "photoId": "96210597-a3ce-4ee7-a899-b4b1a5068078",
            "photoBucket": "beetroot-raw",
            "photoKey": "photos-raw/96210597-a3ce-4ee7-a899-b4b1a5068078.jpg",
            "thumbKey": "faces-thumbs/2cd914d8-cd74-4505-acbb-1e6c3e4f174c/96210597_face_1.jpg",
            "photoURL": "https://beetroot-raw.s3.eu-central-1.amazonaws.com/photos-raw/96210597-a3ce-4ee7-a899-b4b1a5068078.jpg?x-id=GetObject&X-Amz-Signature=%E2%80%A6",
            "thumbURL": null,
        }],
        "expiresAt": "2026-11-22T10:52:25Z",
    });
    let page = responses::list::<PersonPhotosPage>("A page of that person's photos.", example).link(
        "nextPage",
        LinkBuilder::new()
            .operation_id("listPersonPhotos")
            .parameter("personId", "$request.path.personId")
            .parameter("cursor", "$response.body#/nextCursor")
            .description("While there is more.")
            .build(),
    );
    list(&person_photos::LIMITS, responses::bad_person())
        .parameter(parameters::person_id())
        .operation_id(Some("listPersonPhotos"))
        .summary(Some("The photos of a person, in table order"))
        .description(Some(
            "What a row lacks comes from the table of photos. A person whom nobody knows has no photos.",
        ))
        .response("200", page.build())
        .response("404", responses::not_found())
}

/// What both lists have.
fn list(limits: &Limits, bad: Vec<(&str, ApiError)>) -> OperationBuilder {
    // the table's own words for a number that is too small
    let bad_limit = limits.parse_limit("0").err().unwrap_or(ApiError::BadPath);
    let [limit, cursor] = parameters::page(limits);
    conditional()
        .tag(LISTS)
        .parameter(limit)
        .parameter(cursor)
        .parameter_ref(parameters::reference("Accept-Encoding"))
        .response("304", responses::not_modified("private, no-cache"))
        .response("400", responses::bad_request(bad_limit, bad))
        .response("500", responses::internal_error())
        .response("503", responses::unavailable())
}

fn get_health() -> OperationBuilder {
    let alive = responses::answer("The process answers; nothing else is checked.")
        .header("Cache-Control", cache_control("no-store"));
    OperationBuilder::new()
        .tag(OPERATIONS)
        .operation_id(Some("getHealth"))
        .summary(Some("Whether the process answers"))
        .response("200", responses::body::<Alive>(alive, json!({ "ok": true })).build())
}

fn get_readiness() -> OperationBuilder {
    let ready =
        responses::answer("New requests are welcome.").header("Cache-Control", cache_control("no-store"));
    let reached = json!({ "persons": "reached", "occurrences": "reached", "photos": "reached" });
    let example = json!({ "ready": true, "tables": reached, "credentials": "alive", "redis": "used" });
    OperationBuilder::new()
        .tag(OPERATIONS)
        .operation_id(Some("getReadiness"))
        .summary(Some("Whether new requests are welcome"))
        .response("200", responses::body::<Report>(ready, example).build())
        .response("503", responses::not_ready())
}

fn get_metrics() -> OperationBuilder {
    let metrics = responses::answer("All metrics.").header("Cache-Control", cache_control("no-store"));
    let text = ContentBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(
        "# HELP beetroot_http_requests Requests answered.\n# TYPE beetroot_http_requests counter\n# EOF\n"
            .into(),
    ));
    OperationBuilder::new()
        .tag(OPERATIONS)
        .operation_id(Some("getMetrics"))
        .summary(Some("Metrics in the text format of OpenMetrics"))
        .response("200", responses::other_body(metrics, super::super::ops::OPENMETRICS, text.build()).build())
        .response("500", responses::internal_error())
}

fn get_openapi() -> OperationBuilder {
    let document = responses::with_headers(responses::answer("This document."), &["ETag"])
        .header("Cache-Control", cache_control("no-cache"));
    let object = ContentBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Object)))
        .example(Some(json!({ "openapi": "3.1.0", "info": {}, "paths": {} })));
    conditional()
        .tag(OPERATIONS)
        .operation_id(Some("getOpenApi"))
        .summary(Some("This document"))
        .response("200", responses::other_body(document, "application/json", object.build()).build())
        .response("304", responses::not_modified("no-cache"))
        .response("500", responses::internal_error())
}

fn conditional() -> OperationBuilder {
    OperationBuilder::new().parameter_ref(parameters::reference("If-None-Match"))
}

/// A path with the methods that each path has. `in_path` is what its pattern names.
fn item(path: &str, get: OperationBuilder, in_path: Option<Parameter>) -> PathItem {
    let get = ["X-Request-Id", "traceparent", "Origin"]
        .into_iter()
        .fold(get, |get, name| get.parameter_ref(parameters::reference(name)))
        .response("405", responses::method_not_allowed(&path.replace("{personId}", "anna")))
        .response("414", responses::too_long())
        .build();
    let id = get.operation_id.clone().unwrap_or_default();
    PathItemBuilder::new()
        .operation(HttpMethod::Head, without_bodies(get.clone(), &id))
        .operation(HttpMethod::Options, options(&get, &id, in_path))
        .operation(HttpMethod::Get, get)
        .build()
}

/// `HEAD`: as `GET`, without the bodies.
fn without_bodies(mut get: Operation, id: &str) -> Operation {
    get.operation_id = Some(format!("{id}Head"));
    get.summary = get.summary.map(|summary| format!("{summary}: the head only"));
    for response in get.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
            response.links.clear();
        }
    }
    get
}

/// `OPTIONS`: the same on any path, whatever else it would have been.
fn options(get: &Operation, id: &str, in_path: Option<Parameter>) -> Operation {
    let ok = responses::with_headers(
        responses::answer("Always. A preflight also gets what is allowed."),
        &headers::PREFLIGHT,
    );
    let operation = OperationBuilder::new()
        .tags(get.tags.clone())
        .operation_id(Some(format!("{id}Options")))
        .summary(Some("What a browser asks before it lets a page ask"))
        .response("200", responses::body::<Alive>(ok, json!({ "ok": true })).build());
    let names = ["Origin", "Access-Control-Request-Method", "X-Request-Id", "traceparent"];
    let operation = names
        .into_iter()
        .fold(operation, |operation, name| operation.parameter_ref(parameters::reference(name)));
    in_path.into_iter().fold(operation, OperationBuilder::parameter).build()
}
