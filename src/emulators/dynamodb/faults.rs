//! How the emulated DynamoDB misbehaves, and the words in which the real one does.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::Answer;

/// What happens to a call instead of, or before, its work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fault {
    #[default]
    None,
    Throttle,
    Fail,
    Deny,
    /// An error of this name.
    Refuse(&'static str),
    Hang,
    Delay(Duration),
}

/// All faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Lasts until it is healed.
    pub(super) standing: Fault,
    /// How many of the next calls are throttled, before `standing` is looked at.
    pub(super) throttle_next: u32,
    /// The one operation that is denied.
    pub(super) denied_operation: Option<&'static str>,
    pub(super) unprocessed: Unprocessed,
}

/// Calls of `BatchGetItem` that read only some of their keys.
#[derive(Debug, Default)]
pub(super) struct Unprocessed {
    pub(super) processed_keys: usize,
    /// How many calls are left; `u32::MAX` never ends.
    pub(super) calls: u32,
}

impl Faults {
    /// The fault for the call that has just arrived.
    pub(super) fn next(&mut self, operation: &str) -> Fault {
        if self.denied_operation == Some(operation) {
            return Fault::Deny;
        }
        match self.throttle_next.checked_sub(1) {
            Some(left) => {
                self.throttle_next = left;
                Fault::Throttle
            }
            None => self.standing,
        }
    }
}

impl Unprocessed {
    /// How many keys the `BatchGetItem` that has just arrived may read; `None`: all.
    pub(super) fn next(&mut self) -> Option<usize> {
        let left = self.calls.checked_sub(1)?;
        if self.calls != u32::MAX {
            self.calls = left;
        }
        Some(self.processed_keys)
    }
}

pub(super) fn throttled() -> Answer {
    exception(
        StatusCode::BAD_REQUEST,
        "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded. \
         Consider increasing your provisioning level with the UpdateTable API.",
    )
}

pub(super) fn internal_error() -> Answer {
    exception(
        StatusCode::INTERNAL_SERVER_ERROR,
        "com.amazonaws.dynamodb.v20120810#InternalServerError",
        "Internal server error",
    )
}

pub(super) fn denied(operation: &str) -> Answer {
    // With an account and a role in it, as the real one has, so that a test can see that they go no further.
    exception(
        StatusCode::BAD_REQUEST,
        "com.amazon.coral.service#AccessDeniedException",
        &format!(
            "User: arn:aws:sts::111122223333:assumed-role/beetroot/demo is not authorized to perform: \
             dynamodb:{operation} because no identity-based policy allows the dynamodb:{operation} action"
        ),
    )
}

pub(super) fn refused(code: &str) -> Answer {
    exception(StatusCode::BAD_REQUEST, &format!("com.amazon.coral.service#{code}"), "refused as told")
}

pub(super) fn unknown_operation() -> Answer {
    exception(StatusCode::BAD_REQUEST, "com.amazon.coral.service#UnknownOperationException", "")
}

pub(super) fn unreadable_request() -> Answer {
    exception(StatusCode::BAD_REQUEST, "com.amazon.coral.service#SerializationException", "")
}

fn exception(status: StatusCode, kind: &str, message: &str) -> Answer {
    Answer { status, json: json!({ "__type": kind, "message": message }).to_string() }
}
