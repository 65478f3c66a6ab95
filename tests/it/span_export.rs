//! What is exported, when, and what never is.

use beetroot_api::config::OtelVariables;
use beetroot_api::emulators;
use serde_json::Value;

use super::collector::Collector;
use super::redis_server::RedisServer;
use super::rows::{located, person, unlocated};
use super::served::{Served, emulated_tables};
use super::test_app::put_all;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// Where the variables send spans to.
fn to(endpoint: &str) -> [(&str, &str); 2] {
    [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
}

async fn get(served: &Served, path: &str, headers: &[(&str, &str)]) {
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", served.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().bytes().await.unwrap();
}

fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<_> = spans.iter().filter(|span| span["name"] == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

fn parent<'a>(spans: &'a [Value], child: &Value) -> &'a Value {
    let found = spans.iter().find(|span| span["spanId"] == child["parentSpanId"]);
    found.unwrap_or_else(|| panic!("no parent of {child}: {spans:#?}"))
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key}: {span:#}"))["value"]
}

#[actix_web::test]
async fn a_request_is_a_span_in_its_callers_trace_with_what_it_waited_for_beneath() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1")]).await;
    let redis = RedisServer::start();
    let redis_url = format!("redis://127.0.0.1:{}", redis.port());
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let [first, second] = to(&endpoint);
    let served = Served::start(&emulators, &[first, second, ("REDIS_URL", &redis_url)]);

    get(&served, "/persons", &[("traceparent", SAMPLED), ("tracestate", "vendor=one,other=two")]).await;

    // the end sends what is left
    let log = served.end();
    let spans = collector.spans();
    let request = named(&spans, "GET /persons");
    assert_eq!(request["traceId"], TRACE_ID, "{request:#}");
    assert_eq!(request["parentSpanId"], "00f067aa0ba902b7", "{request:#}");
    assert_eq!(request["traceState"], "vendor=one,other=two", "{request:#}");
    assert_eq!(request["kind"], 2, "a server: {request:#}");
    assert_eq!(attribute(request, "http.route")["stringValue"], "/persons");
    assert_eq!(attribute(request, "http.response.status_code")["intValue"], "200");

    let refill = named(&spans, "refill");
    assert_eq!(parent(&spans, refill), request);
    let scan = named(&spans, "Scan");
    assert_eq!(parent(&spans, scan), refill);
    assert_eq!(scan["kind"], 3, "a client: {scan:#}");
    assert_eq!(attribute(scan, "outcome")["stringValue"], "ok");
    let urls = named(&spans, "urls");
    assert_eq!(parent(&spans, urls), refill);
    for name in ["get", "put"] {
        assert_eq!(parent(&spans, named(&spans, name)), urls);
    }
    assert!(spans.iter().all(|span| span["traceId"] == TRACE_ID), "{spans:#?}");
    assert!(log.concat().contains(&format!("\"trace_id\":\"{TRACE_ID}\"")), "{log:#?}");
    assert!(collector.text().contains("\"beetroot-api\""), "the service's name: {}", collector.text());
}

#[actix_web::test]
async fn what_has_no_caller_begins_a_trace_that_the_log_names() {
    let (emulators, _client) = emulated_tables().await;
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let served = Served::start(&emulators, &to(&endpoint));

    get(&served, "/healthz", &[]).await;

    let log = served.end();
    let spans = collector.spans();
    let request = named(&spans, "GET /healthz");
    let answered = log.iter().find(|line| line.contains("answered")).unwrap();
    let answered: Value = serde_json::from_str(answered).unwrap();
    assert_eq!(answered["trace_id"], request["traceId"], "{answered}");
    assert_eq!(answered["trace_id"].as_str().unwrap().len(), 32);
}

#[actix_web::test]
async fn a_failure_is_marked_on_the_request_and_on_the_call_that_failed() {
    let (emulators, _client) = emulated_tables().await;
    emulators.dynamodb().deny_all();
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let served = Served::start(&emulators, &to(&endpoint));

    get(&served, "/persons", &[]).await;

    served.end();
    let spans = collector.spans();
    for name in ["GET /persons", "Scan"] {
        assert_eq!(named(&spans, name)["status"]["code"], 2, "an error: {spans:#?}");
    }
}

#[actix_web::test]
async fn what_the_caller_or_the_variables_do_not_want_is_not_exported() {
    let (emulators, _client) = emulated_tables().await;
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    for (name, value, traceparent) in [
        ("OTEL_SDK_DISABLED", "true", SAMPLED),
        ("OTEL_TRACES_EXPORTER", "none", SAMPLED),
        ("OTEL_TRACES_SAMPLER", "always_off", SAMPLED),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on", NOT_SAMPLED),
    ] {
        let [first, second] = to(&endpoint);
        let served = Served::start(&emulators, &[first, second, (name, value)]);
        get(&served, "/persons", &[("traceparent", traceparent)]).await;
        let log = served.end();
        assert_eq!(collector.spans(), Vec::<Value>::new(), "{name}={value}");
        // the log has it all the same
        assert!(log.concat().contains(&format!("\"trace_id\":\"{TRACE_ID}\"")), "{name}={value}: {log:#?}");
    }
}

#[actix_web::test]
async fn a_collector_that_is_gone_harms_nobody() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1")]).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{nobody}");
    let served = Served::start(&emulators, &to(&endpoint));
    let answer = reqwest::get(format!("http://{}/persons", served.address)).await.unwrap();
    assert_eq!(answer.status(), 200);
    // a good end, too
    served.end();
}

#[actix_web::test]
async fn neither_spans_nor_a_trace_of_everything_show_a_secret_or_a_person() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna-the-person", "1")]).await;
    let occurrences = [located("anna-the-person", "1", "beach"), unlocated("anna-the-person", "2", "garden")];
    put_all(&client, "Occurrences", occurrences).await;
    let redis = RedisServer::start_with(&["--requirepass", "hunter2hunter2"]);
    let redis_url = format!("redis://:hunter2hunter2@127.0.0.1:{}", redis.port());
    let collector = Collector::start();
    let endpoint = collector.endpoint();
    let [first, second] = to(&endpoint);
    let token = "a-session-token-that-is-a-secret";
    let variables = [
        first,
        second,
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=the-collectors-secret"),
        ("RUST_LOG", "trace"),
        ("AWS_SESSION_TOKEN", token),
        ("REDIS_URL", &redis_url),
    ];
    let served = Served::start(&emulators, &variables);

    for _ in 0..20 {
        get(&served, "/persons?limit=7", &[("traceparent", SAMPLED)]).await;
        get(&served, "/persons/anna-the-person/photos?limit=7", &[]).await;
        get(&served, "/persons/anna-the-person/nothing?a=b", &[]).await;
    }

    let log = served.end();
    assert!(log.len() > 100, "only {} lines at TRACE", log.len());
    let exported = collector.text();
    assert!(collector.spans().len() > 60, "only {} spans", collector.spans().len());
    let secrets = [
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        token,
        "hunter2hunter2",
        "the-collectors-secret",
        emulators::SECRET_ACCESS_KEY,
    ];
    for secret in secrets {
        assert!(!exported.contains(secret), "{secret}: {exported}");
        for line in &log {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
    }
    for personal in ["anna-the-person", "limit=", "nothing", "beach", "garden", "http://"] {
        assert!(!exported.contains(personal), "{personal}: {exported}");
    }
}

#[test]
fn only_the_standard_words_turn_the_export_off_or_name_the_service() {
    for (name, value, export, names_service) in [
        ("OTEL_SDK_DISABLED", "true", false, false),
        ("OTEL_SDK_DISABLED", "True", false, false),
        ("OTEL_SDK_DISABLED", "1", true, false),
        ("OTEL_SDK_DISABLED", "", true, false),
        ("OTEL_TRACES_EXPORTER", "none", false, false),
        ("OTEL_TRACES_EXPORTER", "otlp", true, false),
        ("OTEL_SERVICE_NAME", "", true, false),
        ("OTEL_SERVICE_NAME", "pictures", true, true),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=pictures", true, true),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=service.name", true, false),
    ] {
        let found = OtelVariables::of(|asked| (asked == name).then(|| value.to_owned()));
        assert_eq!((found.export, found.names_service), (export, names_service), "{name}={value}");
    }
}
