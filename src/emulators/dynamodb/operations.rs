//! From an operation's name and JSON to dynoxide's engine and back.
//!
//! The engine is called directly: dynoxide's own HTTP server would be a second server in this process, and
//! its router is private.

use dynoxide::{Database, DynoxideError};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    Answer,
    faults::{unknown_operation, unreadable_request},
};

/// Runs one operation. It blocks.
pub(super) fn run(database: &Database, operation: &str, body: &[u8]) -> Answer {
    match operation {
        "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => call(body, |request| database.batch_write_item(request)),
        "CreateTable" => call(body, |request| database.create_table(request)),
        "DeleteItem" => call(body, |request| database.delete_item(request)),
        "DeleteTable" => call(body, |request| database.delete_table(request)),
        "DescribeTable" => call(body, |request| database.describe_table(request)),
        "GetItem" => call(body, |request| database.get_item(request)),
        "ListTables" => call(body, |request| database.list_tables(request)),
        "PutItem" => call(body, |request| database.put_item(request)),
        "Query" => call(body, |request| database.query(request)),
        "Scan" => call(body, |request| database.scan(request)),
        "UpdateItem" => call(body, |request| database.update_item(request)),
        _ => unknown_operation(),
    }
}

/// Runs a `BatchGetItem` that reads only its first `kept_keys` keys and returns the others as
/// `UnprocessedKeys`.
pub(super) fn run_partial_batch(database: &Database, body: &[u8], mut kept_keys: usize) -> Answer {
    let Ok(mut request) = serde_json::from_slice::<Value>(body) else { return unreadable_request() };
    let mut unprocessed = Map::new();
    let tables = request.get_mut("RequestItems").and_then(Value::as_object_mut);
    for (table, keys_and_attributes) in tables.into_iter().flatten() {
        let Some(keys) = keys_and_attributes.get_mut("Keys").and_then(Value::as_array_mut) else { continue };
        let rest = keys.split_off(kept_keys.min(keys.len()));
        kept_keys -= keys.len();
        if !rest.is_empty() {
            // With the projection and the consistency that the request asked for, as the real one does.
            let mut left = keys_and_attributes.clone();
            left["Keys"] = Value::Array(rest);
            unprocessed.insert(table.clone(), left);
        }
    }
    if let Some(tables) = request.get_mut("RequestItems").and_then(Value::as_object_mut) {
        tables.retain(|_, keys_and_attributes| keys_and_attributes["Keys"] != json!([]));
        if tables.is_empty() && !unprocessed.is_empty() {
            let json = json!({ "Responses": {}, "UnprocessedKeys": unprocessed }).to_string();
            return Answer { status: StatusCode::OK, json };
        }
    }
    let mut answer = run(database, "BatchGetItem", request.to_string().as_bytes());
    if answer.status == StatusCode::OK
        && let Ok(mut json) = serde_json::from_str::<Value>(&answer.json)
        && let Some(own) = json.get_mut("UnprocessedKeys").and_then(Value::as_object_mut)
    {
        own.extend(unprocessed);
        answer.json = json.to_string();
    }
    answer
}

fn call<Q, R>(body: &[u8], run: impl FnOnce(Q) -> Result<R, DynoxideError>) -> Answer
where
    Q: DeserializeOwned,
    R: Serialize,
{
    let Ok(request) = serde_json::from_slice(body) else { return unreadable_request() };
    let outcome = run(request).and_then(|response| {
        serde_json::to_string(&response)
            .map_err(|error| DynoxideError::InternalServerError(error.to_string()))
    });
    match outcome {
        Ok(json) => Answer { status: StatusCode::OK, json },
        Err(error) => Answer {
            status: StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST),
            json: error.to_json(),
        },
    }
}
