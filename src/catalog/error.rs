//! What can go wrong with DynamoDB, in four kinds.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// A call to DynamoDB that did not give what was asked for.
#[derive(Debug, thiserror::Error)]
#[error("DynamoDB {operation}: {}", .kind.label())]
pub struct CatalogError {
    /// What kind of failure.
    pub kind: FailureKind,
    /// Which operation.
    pub operation: &'static str,
    /// DynamoDB's word and sentence for it; `None` when it gave no answer. The sentence may name account and role: for the
    /// operator only.
    pub answer: Option<ErrorAnswer>,
    /// What the SDK says, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// An error as DynamoDB tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Such as `ResourceNotFoundException`.
    pub code: String,
    /// Empty when there is none.
    pub message: String,
}

/// The kinds that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The table or the account is over its throughput: later is better.
    Throttled,
    /// A deadline passed.
    TimedOut,
    /// Unreachable, refused, no such table, no such right, or a server's error.
    Unavailable,
    /// DynamoDB does not accept the request's content. With a start key, the start key is not of this table.
    Invalid,
}

impl FailureKind {
    /// The word for it in metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::TimedOut => "timeout",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
        }
    }
}

impl CatalogError {
    pub(super) fn timed_out(operation: &'static str) -> Self {
        Self { kind: FailureKind::TimedOut, operation, answer: None, source: None }
    }

    pub(super) fn from_sdk<E, R>(operation: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let kind = match (&error, error.code()) {
            (SdkError::TimeoutError(_), _) => FailureKind::TimedOut,
            (
                _,
                Some(
                    "ProvisionedThroughputExceededException"
                    | "ThrottlingException"
                    | "RequestLimitExceeded"
                    | "LimitExceededException",
                ),
            ) => FailureKind::Throttled,
            (_, Some("ValidationException")) => FailureKind::Invalid,
            _ => FailureKind::Unavailable,
        };
        let answer = error.code().map(|code| ErrorAnswer {
            code: code.to_owned(),
            message: error.message().unwrap_or_default().to_owned(),
        });
        Self { kind, operation, answer, source: Some(error.into()) }
    }
}
