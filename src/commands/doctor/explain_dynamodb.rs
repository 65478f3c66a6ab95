//! What DynamoDB says when it refuses a call, and what that usually means.

use super::aws::Where;
use super::explain::{chain, no_connection};
use super::finding::Trouble;
use crate::catalog::{CatalogError, FailureKind};

/// What a failed call was about.
pub(super) struct Table<'a> {
    /// As the settings say: a name or an ARN.
    pub(super) name: &'a str,
    /// The variable that names it.
    pub(super) variable: &'a str,
    /// The attribute that its key begins with.
    pub(super) key: &'a str,
}

/// Why a call failed.
pub(super) fn explain(error: &CatalogError, table: &Table<'_>, place: &Where) -> Trouble {
    let Table { name, variable, key } = table;
    let operation = error.operation;
    let Some(answer) = &error.answer else {
        let reason = match (error.kind, &error.source) {
            (FailureKind::TimedOut, _) => "timed out".to_owned(),
            (_, Some(source)) => chain(source.as_ref()),
            (_, None) => "no reason given".to_owned(),
        };
        return no_connection(
            "DynamoDB",
            &place.dynamodb(),
            "AWS_REGION or AWS_ENDPOINT_URL_DYNAMODB",
            &reason,
        );
    };
    let found = format!("{operation} of {name}: {}", answer.code);
    let with_message = format!("{found} ({})", answer.message);
    let region = &place.region;
    match answer.code.as_str() {
        "ResourceNotFoundException" => Trouble::new(
            format!("{found}: no such table at {} in {region}", place.dynamodb()),
            format!(
                "correct {variable} or AWS_REGION; `aws dynamodb list-tables --region {region}` shows what is there"
            ),
        ),
        "AccessDeniedException" => Trouble::new(
            with_message,
            format!(
                "allow dynamodb:{operation} on the table {name} to this role; `beetroot-api policy role` prints its whole policy"
            ),
        ),
        "ValidationException" => Trouble::new(
            with_message,
            format!(
                "the key of {name} is not the expected one, {key} (S), so that it is another table: correct {variable}"
            ),
        ),
        "UnrecognizedClientException" | "InvalidClientTokenId" => Trouble::new(
            found,
            "DynamoDB does not know the access key: deleted, of another partition, or AWS_SESSION_TOKEN is missing or too many",
        ),
        "ExpiredTokenException" | "ExpiredToken" => Trouble::new(
            found,
            "the credentials have ended: renew them (aws sso login), or let a role renew them",
        ),
        "InvalidSignatureException" | "IncompleteSignatureException" => Trouble::new(
            found,
            "the secret key is not that of the access key, or this machine's clock is wrong",
        ),
        "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => {
            Trouble::new(
                found,
                format!(
                    "{name} is over its throughput: clients get 503 meanwhile; raise its capacity or make it on-demand"
                ),
            )
        }
        _ => Trouble::new(with_message, "DynamoDB's documentation lists its errors under this word"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ErrorAnswer;

    #[test]
    fn every_refusal_of_dynamodb_has_its_own_advice() {
        let place = Where {
            region: "eu-central-1".into(),
            dynamodb_endpoint: None,
            s3_endpoint: None,
            sts_endpoint: None,
        };
        let table = Table { name: "Photos", variable: "PHOTOS_TABLE", key: "photoId" };
        for (code, part) in [
            ("ResourceNotFoundException", "list-tables --region eu-central-1"),
            ("AccessDeniedException", "allow dynamodb:BatchGetItem on the table Photos"),
            ("ValidationException", "the expected one, photoId"),
            ("UnrecognizedClientException", "access key"),
            ("ExpiredTokenException", "renew"),
            ("InvalidSignatureException", "secret key"),
            ("ThrottlingException", "on-demand"),
            ("Odd", "documentation"),
        ] {
            let error = CatalogError {
                kind: FailureKind::Unavailable,
                operation: "BatchGetItem",
                answer: Some(ErrorAnswer { code: code.into(), message: "a sentence".into() }),
                source: None,
            };
            let trouble = explain(&error, &table, &place);
            assert!(trouble.advice.contains(part), "{code}: {trouble:?}");
        }
        let silent =
            CatalogError { kind: FailureKind::TimedOut, operation: "Scan", answer: None, source: None };
        let trouble = explain(&silent, &table, &place);
        assert!(trouble.found.contains("https://dynamodb.eu-central-1.amazonaws.com"), "{trouble:?}");
    }
}
