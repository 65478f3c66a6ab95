//! What monitoring reads.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use beetroot_api::telemetry::description::{Description, Kind};
use beetroot_api::telemetry::metrics::Metrics;
use serde_json::Value;
use yaml_rust2::YamlLoader;

use super::rows::person;
use super::test_app::{TestApp, emulator_credentials};

#[actix_web::test]
async fn metrics_are_openmetrics_with_help_from_the_code() {
    let app = TestApp::start().await;
    app.get("/persons").await.ok();
    app.get("/nothing/with/a/secret").await.assert_error(404);
    let answer = app.get("/metrics").await;
    answer.assert_header("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("# HELP beetroot_http_requests Requests answered.\n"), "{text}");
    assert!(
        text.contains(r#"beetroot_http_requests_total{route="/persons",method="GET",status="200"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"beetroot_http_requests_total{route="other",method="GET",status="404"} 1"#),
        "{text}"
    );
    assert!(text.contains(r#"beetroot_dynamodb_calls_total{operation="Scan",outcome="ok"} 1"#), "{text}");
    let units = text
        .lines()
        .find_map(|line| line.strip_prefix(r#"beetroot_dynamodb_capacity_units_total{operation="Scan"} "#));
    assert!(units.unwrap_or_else(|| panic!("{text}")).parse::<f64>().unwrap() > 0.0, "{text}");
    assert!(text.ends_with("# EOF\n"));
    assert!(!text.contains("secret"), "a path is no label: {text}");
}

/// The descriptions by the names of their series.
fn series() -> HashMap<String, Description> {
    let described = Metrics::descriptions();
    described.iter().flat_map(|one| one.series().into_iter().map(|name| (name, one.clone()))).collect()
}

#[actix_web::test]
async fn every_metric_that_is_exposed_is_described_with_its_type_and_labels() {
    let app = TestApp::start().await;
    app.get("/persons").await.ok();
    app.get("/persons/anna/photos").await.ok();
    let text = String::from_utf8(app.get("/metrics").await.body).unwrap();
    let described = Metrics::descriptions();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let found = described.iter().find(|one| one.name == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not described"));
        assert_eq!(found.kind.label(), kind, "{name}");
        assert!(text.contains(&format!("# HELP {name} {}\n", found.help)), "{name}: {}", found.help);
    }
    let series = series();
    let mut seen = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels) = &selectors(line)[0];
        let known = &series.get(name).unwrap_or_else(|| panic!("{line}")).labels;
        for label in labels.iter().filter(|label| *label != "le") {
            assert!(known.iter().any(|(name, _)| name == label), "{label} of {line}");
        }
        seen += 1;
    }
    assert!(seen > 100, "{text}");
    if cfg!(target_os = "linux") {
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"] {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            assert!(value.unwrap_or_else(|| panic!("{name}: {text}")) > 0.0, "{name}");
        }
    }
}

#[actix_web::test]
async fn what_the_process_is_and_how_ready_it_is_are_metrics() {
    let app = TestApp::start_with(|wishes| {
        let end = wishes.clock.now() + Duration::from_secs(7200);
        wishes.credentials = SharedCredentialsProvider::new(emulator_credentials(Some(end)));
    })
    .await;
    let text = String::from_utf8(app.get("/metrics").await.body).unwrap();
    let version = concat!("beetroot_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\",commit=\"");
    assert!(text.contains(version), "{text}");
    assert!(text.contains("\nbeetroot_ready 1\n"), "{text}");
    let end = (app.clock.now() + Duration::from_secs(7200)).as_second();
    assert!(text.contains(&format!("\nbeetroot_credentials_end_timestamp_seconds {end}")), "{text}");

    let none = TestApp::start_with(|wishes| {
        let expired = emulator_credentials(Some(wishes.clock.now()));
        wishes.credentials = SharedCredentialsProvider::new(expired);
    })
    .await;
    none.put_persons([person("anna", "1")]).await;
    none.get("/persons").await.assert_error(503);
    let text = String::from_utf8(none.get("/metrics").await.body).unwrap();
    assert!(text.contains("\nbeetroot_ready 0\n"), "{text}");
    assert!(text.contains("\nbeetroot_signing_failures_total 1\n"), "{text}");
}

#[test]
fn the_page_about_metrics_is_that_of_the_code() {
    let mut page = "# Metrics\n\nWhat `/metrics` tells, generated from the code: `BEETROOT_WRITE_DOCS=1 cargo test --test it \
        the_page_about_metrics`. A\ncounter only grows and is asked by `rate(…)`; of a histogram there are `_bucket` (label `le`), `_sum` \
        and `_count`. Gauges that\ndepend on requests, `/readyz` among them, are as of the scrape.\n\n\
        | metric | type | unit | labels | meaning |\n| --- | --- | --- | --- | --- |\n"
        .to_owned();
    let mut labels: Vec<(&str, &str, String)> = Vec::new();
    for one in Metrics::descriptions() {
        let name = if one.kind == Kind::Histogram { one.name.clone() } else { one.series()[0].clone() };
        let names: Vec<String> = one.labels.iter().map(|(label, _)| format!("`{label}`")).collect();
        let (kind, unit, help) = (one.kind.label(), one.unit(), &one.help);
        writeln!(page, "| `{name}` | {kind} | {unit} | {} | {help} |", names.join(", ")).unwrap();
        for (label, meaning) in one.labels {
            match labels.iter_mut().find(|(known, text, _)| known == label && text == meaning) {
                Some((_, _, of)) => *of = format!("{of}, `{name}`"),
                None => labels.push((label, meaning, format!("`{name}`"))),
            }
        }
    }
    page.push_str("\n| label | meaning | of |\n| --- | --- | --- |\n");
    for (label, meaning, of) in labels {
        writeln!(page, "| `{label}` | {} | {of} |", meaning.trim()).unwrap();
    }
    let path = doc("metrics.md");
    #[expect(clippy::disallowed_methods, reason = "a switch of the test, no setting of the service")]
    if std::env::var_os("BEETROOT_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == page,
        "docs/metrics.md is not that of the code: its first lines say how to write it anew"
    );
}

fn doc(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "docs", name].iter().collect()
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let text = std::fs::read_to_string(doc("grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut asked = HashSet::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["title"].is_string() && panel["description"].is_string(), "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            asked.extend(assert_known(target["expr"].as_str().unwrap()));
        }
    }
    for one in Metrics::descriptions() {
        let shown = one.series().iter().any(|series| asked.contains(series));
        assert!(shown, "no panel shows {}", one.name);
    }
}

#[test]
fn the_alerts_ask_for_metrics_that_exist_and_say_what_to_do() {
    let text = std::fs::read_to_string(doc("alerts.yml")).unwrap();
    let rules = YamlLoader::load_from_str(&text).unwrap();
    let rules = rules[0]["groups"][0]["rules"].as_vec().unwrap();
    let mut names = HashSet::new();
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} twice");
        assert!(!assert_known(rule["expr"].as_str().unwrap()).is_empty(), "{name}");
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
        for annotation in ["summary", "action"] {
            assert!(rule["annotations"][annotation].as_str().is_some_and(|text| text.len() > 20), "{name}");
        }
    }
    assert!(names.len() > 10, "{names:?}");
}

#[actix_web::test]
async fn the_alert_about_foreign_values_sees_the_first_one_and_not_what_has_only_ended() {
    let app = TestApp::start().await;
    let exposed = String::from_utf8(app.get("/metrics").await.body).unwrap();
    for (kind, reason) in [("url", "other_object"), ("url", "time"), ("photo", "seal"), ("photo", "form")] {
        let line = format!("beetroot_cached_values_refused_total{{kind=\"{kind}\",reason=\"{reason}\"}} 0\n");
        assert!(exposed.contains(&line), "{line}");
    }
    let alerts = std::fs::read_to_string(doc("alerts.yml")).unwrap();
    assert!(alerts.contains(r#"beetroot_cached_values_refused_total{reason!="expired"}"#));
}

/// That each metric in a `PromQL` expression exists with these labels; gives their names.
#[track_caller]
fn assert_known(expr: &str) -> Vec<String> {
    /// What Prometheus adds to every series.
    const ADDED: [&str; 3] = ["le", "instance", "job"];
    let series = series();
    let found = selectors(expr);
    let known = |name: &String| series.get(name).unwrap_or_else(|| panic!("no metric {name}: {expr}")).labels;
    for (name, labels) in &found {
        for label in labels {
            let exists =
                known(name).iter().any(|(known, _)| known == label) || ADDED.contains(&label.as_str());
            assert!(exists, "{name} has no label {label}: {expr}");
        }
    }
    for label in grouping(expr) {
        let all = found.iter().any(|(name, _)| known(name).iter().any(|(known, _)| *known == label));
        assert!(all || ADDED.contains(&label), "nothing has a label {label}: {expr}");
    }
    found.into_iter().map(|(name, _)| name).collect()
}

/// The metrics of this service in a text of Prometheus, with the labels in their braces.
fn selectors(text: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = ["beetroot_", "process_"].iter().filter_map(|prefix| rest.find(prefix)).min() {
        rest = &rest[start..];
        let (name, after) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let mut labels = Vec::new();
        rest = after;
        while rest.starts_with(['{', ',']) {
            let (label, after) = rest[1..].split_at(rest[1..].find(|c| !is_name(c)).expect("an end"));
            labels.push(label.to_owned());
            let value = after.split_once('"').expect("a value").1;
            rest = value.split_once('"').expect("the end of a value").1;
        }
        found.push((name.to_owned(), labels));
    }
    found
}

/// The labels in `by (…)` and `on (…)`.
fn grouping(expr: &str) -> Vec<&str> {
    let lists = [" by (", " on ("].into_iter().flat_map(|word| expr.split(word).skip(1));
    lists.flat_map(|list| list.split(')').next().unwrap_or_default().split(',')).map(str::trim).collect()
}
