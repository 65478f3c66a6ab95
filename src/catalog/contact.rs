//! What the outcomes of calls tell about the way to each table, and the cheapest call that tells it. Counts only: what the counts
//! mean for readiness is decided above.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};

use super::{Catalog, FailureKind};

/// Nobody's id: a probe asks for it and finds nothing.
const NOBODY: &str = "-";

/// Answers that are about this instance's credentials or clock: to others DynamoDB may answer.
const REJECTS_THIS_INSTANCE: [&str; 6] = [
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// The three tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Read by Scan.
    Persons,
    /// Read by Query.
    Occurrences,
    /// Read by `BatchGetItem`.
    Photos,
}

/// How calls to one table have ended, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Calls that found the table there and readable: rows came, or it was over its throughput.
    pub read: u64,
    /// Calls that DynamoDB answered otherwise: a fault of its own, no such table, no such right, a request it does not accept.
    pub answered: u64,
    /// Calls without an answer, and those whose credentials or clock it rejected.
    pub unanswered: u64,
}

#[derive(Debug, Default)]
pub(super) struct Contacts([Counts; 3]);

#[derive(Debug, Default)]
struct Counts {
    read: AtomicU64,
    answered: AtomicU64,
    unanswered: AtomicU64,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Persons, Self::Occurrences, Self::Photos];

    /// Each operation reads one table only.
    pub(super) fn of(operation: &str) -> Self {
        match operation {
            "Scan" => Self::Persons,
            "Query" => Self::Occurrences,
            _ => Self::Photos,
        }
    }
}

impl Contacts {
    pub(super) fn count_read(&self, table: Table) {
        self.0[table as usize].read.fetch_add(1, Ordering::Relaxed);
    }

    /// `code` is DynamoDB's word for it; `None` when nothing came back that it could have said.
    pub(super) fn count_failure(&self, table: Table, kind: FailureKind, code: Option<&str>) {
        let counts = &self.0[table as usize];
        let count = match code {
            _ if kind == FailureKind::Throttled => &counts.read,
            Some(code) if !REJECTS_THIS_INSTANCE.contains(&code) => &counts.answered,
            _ => &counts.unanswered,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Catalog {
    /// How calls to this table have ended so far.
    pub fn contact(&self, table: Table) -> Contact {
        let counts = &self.contacts.0[table as usize];
        Contact {
            read: counts.read.load(Ordering::Relaxed),
            answered: counts.answered.load(Ordering::Relaxed),
            unanswered: counts.unanswered.load(Ordering::Relaxed),
        }
    }

    /// One call of the kind that requests make of this table, for next to nothing: one attempt, one key or row, within
    /// `dynamodb.attempt_timeout`. What came of it is in [`Catalog::contact`]. Needs no right that requests do not need.
    pub async fn probe(&self, table: Table) {
        let probe = async {
            match table {
                Table::Persons => self.probe_persons().await,
                Table::Occurrences => self.probe_occurrences().await,
                Table::Photos => self.probe_photos().await,
            }
        };
        if tokio::time::timeout(self.settings.attempt_timeout, probe).await.is_err() {
            self.contacts.count_failure(table, FailureKind::TimedOut, None);
        }
    }

    async fn probe_persons(&self) {
        let scan = self.client.scan().table_name(&self.settings.persons_table).limit(1);
        let call = scan.customize().config_override(one_attempt()).send();
        let _noted = self.counted("Scan", call).await;
    }

    async fn probe_occurrences(&self) {
        let query = self
            .client
            .query()
            .table_name(&self.settings.occurrences_table)
            .key_condition_expression("personId = :person")
            .expression_attribute_values(":person", AttributeValue::S(NOBODY.to_owned()))
            .limit(1);
        let call = query.customize().config_override(one_attempt()).send();
        let _noted = self.counted("Query", call).await;
    }

    async fn probe_photos(&self) {
        let key = HashMap::from([("photoId".to_owned(), AttributeValue::S(NOBODY.to_owned()))]);
        // keys are all that a builder could miss
        let Ok(asked) = KeysAndAttributes::builder().keys(key).build() else { return };
        let read = self.client.batch_get_item().request_items(&self.settings.photos_table, asked);
        let call = read.customize().config_override(one_attempt()).send();
        let _noted = self.counted("BatchGetItem", call).await;
    }
}

/// A probe wants to know how it is, not to get through.
fn one_attempt() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_tells_one_thing_about_the_way_to_a_table() {
        let told = |kind, code| {
            let contacts = Contacts::default();
            contacts.count_failure(Table::Photos, kind, code);
            let [_, _, counts] = &contacts.0;
            [&counts.read, &counts.answered, &counts.unanswered].map(|count| count.load(Ordering::Relaxed))
        };
        let (read, answered, unanswered) = ([1, 0, 0], [0, 1, 0], [0, 0, 1]);
        assert_eq!(told(FailureKind::Throttled, Some("ThrottlingException")), read);
        assert_eq!(told(FailureKind::Unavailable, Some("InternalServerError")), answered);
        assert_eq!(told(FailureKind::Unavailable, Some("ResourceNotFoundException")), answered);
        assert_eq!(told(FailureKind::Unavailable, Some("AccessDeniedException")), answered);
        assert_eq!(told(FailureKind::Invalid, Some("ValidationException")), answered);
        assert_eq!(told(FailureKind::Unavailable, Some("ExpiredTokenException")), unanswered);
        assert_eq!(told(FailureKind::Unavailable, Some("InvalidSignatureException")), unanswered);
        assert_eq!(told(FailureKind::TimedOut, None), unanswered);
        assert_eq!(told(FailureKind::Unavailable, None), unanswered);
    }
}
