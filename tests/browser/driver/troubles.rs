//! What a page complains about: exceptions, errors and warnings on the console, violations of its policy.

use serde_json::Value;

/// One line for each, from the events of a browser.
pub fn found_in(events: &[Value]) -> Vec<String> {
    events.iter().filter_map(trouble).collect()
}

fn trouble(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(format!("exception: {}", params["exceptionDetails"])),
        "Runtime.consoleAPICalled" if is_bad(&params["type"]) => Some(format!("console: {}", params["args"])),
        "Log.entryAdded" if is_bad(&params["entry"]["level"]) => {
            let entry = &params["entry"];
            Some(format!("{}: {} {}", text(&entry["source"]), text(&entry["text"]), text(&entry["url"])))
        }
        "Audits.issueAdded" => issue(&params["issue"]),
        "Inspector.targetCrashed" => Some("the tab has crashed".to_owned()),
        _ => None,
    }
}

fn issue(issue: &Value) -> Option<String> {
    let generic = &issue["details"]["genericIssueDetails"];
    match text(&generic["errorType"]) {
        "" => Some(format!("issue: {issue}")),
        // instead of a picture S3 answered with an error, which a page may not see
        "ResponseWasBlockedByORB" => Some(format!("failed picture: {}", text(&generic["request"]["url"]))),
        // advice
        _ => None,
    }
}

fn is_bad(level: &Value) -> bool {
    ["error", "warning", "assert"].contains(&text(level))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
