//! The document about the HTTP interface, held against real answers of every kind.

use std::collections::BTreeSet;

use aws_credential_types::provider::SharedCredentialsProvider;
use reqwest::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::rows::{located, person, photo, row, s, unlocated};
use super::served::program;
use super::test_app::{TestApp, emulator_credentials};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
/// What HTTP itself and every JSON body need.
const UNDESCRIBED_HEADERS: [&str; 4] = ["connection", "content-length", "content-type", "date"];

/// The document, and what of it real answers have shown.
struct Document {
    root: Value,
    seen: BTreeSet<(String, String, u16)>,
}

impl Document {
    fn read() -> Self {
        let text = std::fs::read_to_string(FILE).unwrap();
        Self { root: serde_json::from_str(&text).unwrap(), seen: BTreeSet::new() }
    }

    /// The description of what `$ref` may stand for.
    fn resolve<'a>(&'a self, described: &'a Value) -> &'a Value {
        match described["$ref"].as_str() {
            Some(reference) => {
                self.root.pointer(&reference[1..]).unwrap_or_else(|| panic!("{reference} leads nowhere"))
            }
            None => described,
        }
    }

    /// A schema with all that it refers to. Objects have no more than the described properties: a body that has is described
    /// badly, while clients should still expect that a later version has.
    #[track_caller]
    fn validate(&self, schema: &Value, value: &Value, what: &str) {
        let mut components = json!({ "schemas": self.root["components"]["schemas"] });
        for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
            if schema["properties"].is_object() {
                schema["additionalProperties"] = false.into();
            }
        }
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": components,
            "allOf": [schema],
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        let faults: Vec<_> =
            validator.iter_errors(value).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{value:#}");
    }

    /// Whether status, headers and body are what the operation describes.
    #[track_caller]
    fn check(&mut self, method: &str, path: &str, answer: &Answer) {
        let what = format!("{method} {path}: {answer}");
        let responses = &self.root["paths"][path][method]["responses"];
        let response =
            responses.get(answer.status.to_string()).unwrap_or_else(|| panic!("undescribed: {what}"));
        let response = self.resolve(response);

        for (name, value) in &answer.headers {
            if UNDESCRIBED_HEADERS.contains(&name.as_str()) {
                continue;
            }
            let headers = response["headers"].as_object().unwrap();
            let described =
                headers.iter().find(|(described, _)| described.eq_ignore_ascii_case(name.as_str()));
            let (_, described) = described.unwrap_or_else(|| panic!("{name} is not described: {what}"));
            let schema = &self.resolve(described)["schema"];
            let text = value.to_str().unwrap();
            let value = match schema["type"].as_str() {
                Some("integer") => text.parse::<u64>().unwrap().into(),
                _ => Value::from(text),
            };
            self.validate(schema, &value, &format!("{name} of {what}"));
        }

        match response["content"].as_object() {
            None => assert!(answer.body.is_empty(), "a body is not described: {what}"),
            Some(content) => {
                let media_type = answer.header("content-type").unwrap_or_else(|| panic!("no type: {what}"));
                let described = content.get(media_type).unwrap_or_else(|| panic!("{media_type}: {what}"));
                if answer.header("content-encoding").is_none() {
                    let value = match media_type {
                        "application/json" => answer.json(),
                        _ => Value::from(std::str::from_utf8(&answer.body).unwrap()),
                    };
                    self.validate(&described["schema"], &value, &what);
                }
            }
        }
        self.seen.insert((method.to_owned(), path.to_owned(), answer.status));
    }

    /// Each operation, with the statuses that it describes.
    fn described(&self) -> BTreeSet<(String, String, u16)> {
        let mut all = BTreeSet::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for status in operation["responses"].as_object().unwrap().keys() {
                    all.insert((method.clone(), path.clone(), status.parse().unwrap()));
                }
            }
        }
        all
    }
}

fn printed() -> String {
    let output = program().arg("openapi").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_document_in_the_repository_is_what_the_program_prints() {
    let kept = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        kept == printed(),
        "docs/openapi.json is out of date; make it anew: cargo run -q -- openapi >docs/openapi.json"
    );
}

#[actix_web::test]
async fn the_service_gives_the_document_with_a_tag() {
    let app = TestApp::start().await;
    let answer = app.get("/openapi.json").await;
    assert_eq!(answer.ok()["openapi"], "3.1.0");
    assert_eq!(String::from_utf8(answer.body.clone()).unwrap(), printed());
    answer.assert_header("cache-control", "no-cache");
    let tag = answer.header("etag").unwrap();
    let known = app.request(Method::GET, "/openapi.json", &[("if-none-match", tag)]).await;
    known.assert_status(304).assert_header("etag", tag);
    app.request(Method::HEAD, "/openapi.json", &[]).await.assert_status(200);
    app.request(Method::POST, "/openapi.json", &[]).await.assert_error(405);
}

#[actix_web::test]
async fn every_route_is_described_and_every_description_has_a_route() {
    let app = TestApp::start().await;
    // each route of a worker has its histogram before the worker answers
    app.get("/healthz").await.ok();
    let metrics = app.metrics.render().unwrap();
    let routes: BTreeSet<_> = metrics
        .lines()
        .filter_map(|line| {
            line.strip_prefix("beetroot_http_request_duration_seconds_count{route=\"")?.split('"').next()
        })
        .filter(|route| *route != "other")
        .collect();
    let document = Document::read();
    let described: BTreeSet<_> =
        document.root["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(routes, described);
}

#[test]
fn every_example_is_of_its_schema() {
    fn walk(document: &Document, value: &Value, place: &str, found: &mut u32) {
        if let Some(schema) = value.get("schema").filter(|schema| schema.is_object()) {
            let many =
                value["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
            for example in value.get("example").into_iter().chain(many) {
                document.validate(schema, example, place);
                *found += 1;
            }
        }
        let members = value.as_object().into_iter().flatten().map(|(name, member)| (name.clone(), member));
        let entries = value.as_array().into_iter().flatten().enumerate();
        let entries = entries.map(|(number, entry)| (number.to_string(), entry));
        for (name, inner) in members.chain(entries) {
            walk(document, inner, &format!("{place}/{name}"), found);
        }
    }
    let document = Document::read();
    let mut found = 0;
    walk(&document, &document.root, "", &mut found);
    assert!(found > 50, "only {found} examples");
}

#[actix_web::test]
async fn real_answers_of_every_kind_are_as_described() {
    let mut document = Document::read();
    let paths = [
        ("/persons", "/persons"),
        ("/persons/{personId}/photos", "/persons/anna/photos"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/metrics", "/metrics"),
        ("/openapi.json", "/openapi.json"),
    ];
    let app = TestApp::start().await;
    let nameless = row([("personId", s("carl")), ("repThumbKey", s(""))]);
    let fraction = person("ben", "2.5");
    app.put_persons([person("anna", "9"), fraction, nameless, row([("personId", s("dora"))])]).await;
    let mut bare = unlocated("anna", "3", "nowhere");
    bare.remove("thumbKey");
    app.put_occurrences([located("anna", "1", "beach"), unlocated("anna", "2", "garden"), bare]).await;
    app.put_photos([photo("garden"), row([("photoId", s("nowhere"))])]).await;

    // the same of every path
    let preflight = [("origin", "https://photos.example"), ("access-control-request-method", "GET")];
    for (path, real) in paths {
        for (method, headers) in [("get", &[][..]), ("head", &[]), ("options", &[]), ("options", &preflight)]
        {
            let asked = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = app.request(asked, real, headers).await;
            answer.assert_status(200);
            document.check(method, path, &answer);
        }
        let wrong = app.request(Method::DELETE, real, &[("origin", "https://photos.example")]).await;
        wrong.assert_status(405);
        document.check("get", path, &wrong);
        for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
            let long = app.request(asked, &format!("{real}?{}", "a".repeat(20_000)), &[]).await;
            document.check(method, path, long.assert_status(414));
        }
        if let Some(tag) = app.get(real).await.header("etag") {
            for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
                let known = app.request(asked, real, &[("if-none-match", tag)]).await;
                known.assert_status(304);
                document.check(method, path, &known);
            }
        }
    }

    // what only the lists have
    for (path, real) in &paths[..2] {
        for headers in [[("accept-encoding", "gzip")], [("origin", "https://photos.example")]] {
            document.check("get", path, app.request(Method::GET, real, &headers).await.assert_status(200));
        }
        let first = app.get(&format!("{real}?limit=1")).await;
        let cursor =
            first.ok()["nextCursor"].as_str().unwrap_or_else(|| panic!("no cursor: {first}")).to_owned();
        document.check("get", path, &first);
        document.check("get", path, app.get(&format!("{real}?cursor={cursor}")).await.assert_status(200));
        for query in ["limit=0", "limit=100000", "limit=many", "cursor=no", "limit=1&limit=2"] {
            for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
                let refused = app.request(asked, &format!("{real}?{query}"), &[]).await;
                refused.assert_status(400);
                document.check(method, path, &refused);
            }
        }
    }
    let (photos, _) = paths[1];
    for (path, status) in [
        ("/persons/nobody/photos", 200),
        ("/persons//photos", 400),
        ("/persons/a/b/photos", 400),
        ("/persons/%00/photos", 400),
        ("/persons/%FF/photos", 400),
        ("/persons/who?/photos", 404),
    ] {
        for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
            document.check(method, photos, app.request(asked, path, &[]).await.assert_status(status));
        }
    }
    app.let_answers_expire();
    app.dynamodb().deny_all();
    for (path, real) in [paths[0], (photos, "/persons/stranger/photos")] {
        for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
            let failed = app.request(asked, &format!("{real}?limit=7"), &[]).await;
            failed.assert_status(503);
            document.check(method, path, &failed);
        }
    }
    let unready = TestApp::start_with(|wishes| {
        let expired = emulator_credentials(Some(wishes.clock.now()));
        wishes.credentials = SharedCredentialsProvider::new(expired);
    })
    .await;
    for (method, asked) in [("get", Method::GET), ("head", Method::HEAD)] {
        document.check(method, "/readyz", unready.request(asked, "/readyz", &[]).await.assert_status(503));
    }

    // a 500 would be a fault of the service that nobody knows how to cause; 405 has no HEAD
    let mut unseen = document.described();
    unseen.retain(|described| {
        !document.seen.contains(described)
            && described.2 != 500
            && (described.0 == "get" || described.2 != 405)
    });
    assert!(unseen.is_empty(), "described, and never seen: {unseen:#?}");
}
