//! W3C Trace Context, as the log shows it.

use serde_json::Value;

use super::rows::person;
use super::served::{Served, emulated_tables};
use super::test_app::put_all;

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn get(served: &Served, path: &str, traceparents: &[&str]) {
    let mut request = reqwest::Client::new().get(format!("http://{}{path}", served.address));
    for traceparent in traceparents {
        request = request.header("traceparent", *traceparent);
    }
    request.send().await.unwrap();
}

/// The lines of the log with this text.
fn lines(log: &[String], text: &str) -> Vec<Value> {
    log.iter().filter(|line| line.contains(text)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[actix_web::test]
async fn the_callers_trace_id_stands_in_each_line_of_its_request() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1"), person("ben", "1")]).await;
    let served = Served::start(&emulators, &[("BEETROOT__PERSONS__SCAN_LIMIT", "1")]);

    get(&served, "/persons", &[TRACEPARENT]).await;

    let log = served.end();
    let answered = lines(&log, "answered");
    assert_eq!(answered[0]["trace_id"], TRACE_ID, "{log:#?}");
    // logged by the task that makes the answer
    let cut_short = lines(&log, "persons.scan_limit");
    assert_eq!(cut_short[0]["spans"][0]["trace_id"], TRACE_ID, "{log:#?}");
}

#[actix_web::test]
async fn without_one_valid_traceparent_there_is_no_trace() {
    let (emulators, _client) = emulated_tables().await;
    // with the feature `otel`, the service would begin a trace itself
    let served = Served::start(&emulators, &[("OTEL_SDK_DISABLED", "true")]);
    let capitals = TRACEPARENT.to_uppercase();
    let ways: [&[&str]; 4] = [&[], &["00-trace"], &[&capitals], &[TRACEPARENT, TRACEPARENT]];

    for traceparents in ways {
        get(&served, "/healthz", traceparents).await;
    }

    let log = served.end();
    let answered = lines(&log, "answered");
    assert_eq!(answered.len(), ways.len(), "{log:#?}");
    for line in answered {
        assert!(
            line.get("trace_id").is_none()
                && line.get("spans").is_none_or(|spans| spans == &Value::from(Vec::<Value>::new())),
            "{line}"
        );
    }
}

#[actix_web::test]
async fn the_variable_decides_what_is_logged_whatever_the_settings_say() {
    let (emulators, client) = emulated_tables().await;
    put_all(&client, "Persons", [person("anna", "1"), person("ben", "1")]).await;
    let variables = [
        ("BEETROOT__PERSONS__SCAN_LIMIT", "1"),
        ("BEETROOT__LOG__FILTER", "off"),
        ("RUST_LOG", "off,beetroot_api::commands=info,beetroot_api::catalog=warn"),
    ];
    let served = Served::start(&emulators, &variables);

    get(&served, "/persons", &[TRACEPARENT]).await;

    let log = served.end();
    assert!(lines(&log, "answered").is_empty(), "{log:#?}");
    assert_eq!(lines(&log, "persons.scan_limit").len(), 1, "{log:#?}");
}
