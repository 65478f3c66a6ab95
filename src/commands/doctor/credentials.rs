//! Who signs, and for how long.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use jiff::Timestamp;

use super::aws::Where;
use super::explain::{chain, no_connection};
use super::finding::{Finding, Status};
use crate::app;
use crate::clock::Clock;
use crate::config::Presign;
use crate::urls::PROVIDER_TIMEOUT;

const PRESENT: &str = "credentials";
const IDENTITY: &str = "credentials.identity";
const LIFE: &str = "credentials.life";
/// What is always told, for when it cannot be.
pub(super) const IDS: [&str; 3] = [PRESENT, IDENTITY, LIFE];

/// The longest that STS may take with its retries.
const STS_PATIENCE: Duration = Duration::from_secs(6);
/// The longest session that a role can have, in seconds.
const LONGEST_ROLE_SECONDS: u64 = 12 * 60 * 60;

/// What there is to say about credentials, and whether there are any that live.
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    pub(super) usable: bool,
}

pub(super) async fn check(sdk: &SdkConfig, place: &Where, presign: &Presign, clock: &Clock) -> Checked {
    let unusable = |finding| Checked {
        findings: vec![
            finding,
            Finding::skip(IDENTITY, "because there are no credentials"),
            Finding::skip(LIFE, "because there are no credentials"),
        ],
        usable: false,
    };
    let Some(provider) = sdk.credentials_provider() else {
        return unusable(none_found("the SDK was told to use none"));
    };
    let credentials = match tokio::time::timeout(PROVIDER_TIMEOUT, provider.provide_credentials()).await {
        Ok(Ok(credentials)) => credentials,
        Ok(Err(error)) => return unusable(none_found(&chain(&error))),
        Err(_) => {
            let seconds = PROVIDER_TIMEOUT.as_secs();
            return unusable(none_found(&format!(
                "no answer within {seconds} s, which is as long as the service waits"
            )));
        }
    };
    let now = clock.now();
    let life = judge_life(&credentials, presign, place, now);
    let usable = life.status != Status::Fail;
    let present = Finding::ok(PRESENT, format!("access key {}", shortened(credentials.access_key_id())));
    let identity =
        if usable { ask_sts(sdk, place).await } else { Finding::skip(IDENTITY, "because they have expired") };
    Checked { findings: vec![present, identity, life], usable }
}

fn none_found(reason: &str) -> Finding {
    Finding::fail(
        PRESENT,
        format!("no AWS credentials: {reason}"),
        "on AWS give the task, function or instance a role; on a laptop set AWS_PROFILE (aws sso login) or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY; a container sees neither your ~/.aws nor your shell's variables",
    )
}

/// Enough to tell keys apart. An access key id is no secret, but what pastes it into an issue need not paste all of it.
fn shortened(access_key_id: &str) -> String {
    let chars: Vec<char> = access_key_id.chars().collect();
    if chars.len() <= 8 {
        return access_key_id.to_owned();
    }
    let part = |chars: &[char]| chars.iter().collect::<String>();
    format!("{}…{}", part(&chars[..4]), part(&chars[chars.len() - 4..]))
}

fn judge_life(credentials: &Credentials, presign: &Presign, place: &Where, now: Timestamp) -> Finding {
    let expires = presign.expires.as_secs();
    let end = credentials.expiry().and_then(|end| Timestamp::try_from(end).ok());
    match end.map(|end| (end, end.as_second() - now.as_second())) {
        Some((end, left)) if left <= 0 => Finding::fail(
            LIFE,
            format!("they expired at {end}"),
            "renew them (aws sso login, or new variables); a role of AWS renews its own",
        ),
        Some((end, left)) if left.unsigned_abs() < expires => Finding::warn(
            LIFE,
            format!(
                "they end at {end}, in {left} s: until they are renewed URLs live no longer, instead of {expires} s"
            ),
            format!(
                "set PRESIGN_EXPIRES well below the session's length (a role gives {LONGEST_ROLE_SECONDS} s at most, 3600 s when roles \
                 are chained), or make the session longer"
            ),
        ),
        Some((end, _)) => Finding::ok(
            LIFE,
            format!("they end at {end}, after a URL of {expires} s; the service renews them in time"),
        ),
        None if credentials.session_token().is_some() => Finding::warn(
            LIFE,
            "a session whose end nobody tells, as with AWS_SESSION_TOKEN in the environment",
            "URLs stop working when it ends, and nothing renews it: use a profile or a role instead of copied variables",
        ),
        None if place.is_local_stack() || expires > LONGEST_ROLE_SECONDS => {
            Finding::ok(LIFE, format!("keys without an end, so that a URL can live its {expires} s"))
        }
        None => Finding::warn(
            LIFE,
            "keys of a user, which work until somebody deletes them",
            format!(
                "let a role of the task, function or instance sign; only a PRESIGN_EXPIRES beyond {LONGEST_ROLE_SECONDS} s needs keys \
                 of a user, and then of one that may do nothing but s3:GetObject"
            ),
        ),
    }
}

async fn ask_sts(sdk: &SdkConfig, place: &Where) -> Finding {
    if place.is_local_stack() && place.sts_endpoint.is_none() {
        return Finding::skip(
            IDENTITY,
            "because AWS does not know the keys of a local stack (with AWS_ENDPOINT_URL_STS, that stack is asked)",
        );
    }
    let asked = app::sts_client(sdk).get_caller_identity().send();
    let Ok(answer) = tokio::time::timeout(STS_PATIENCE, asked).await else {
        return unseen(place, &format!("no answer within {} s", STS_PATIENCE.as_secs()));
    };
    match answer {
        Ok(identity) => judge_identity(identity.arn().unwrap_or("somebody without an ARN")),
        Err(error) => match error.code() {
            Some(code) => refused(code),
            None => unseen(place, &chain(&error)),
        },
    }
}

fn judge_identity(arn: &str) -> Finding {
    if arn.ends_with(":root") {
        return Finding::warn(
            IDENTITY,
            format!("{arn}: the account's root, who may do everything"),
            "sign in the name of a role that may read the tables and pictures and nothing else, and delete root's keys",
        );
    }
    Finding::ok(IDENTITY, arn)
}

fn refused(code: &str) -> Finding {
    let found = format!("STS says {code}");
    match code {
        "ExpiredToken" | "ExpiredTokenException" => {
            Finding::fail(IDENTITY, found, "the session has ended: aws sso login, or new variables")
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" => Finding::fail(
            IDENTITY,
            found,
            "AWS does not know the access key: it was deleted, is of another partition, or AWS_SESSION_TOKEN is missing or too many",
        ),
        "SignatureDoesNotMatch" => Finding::fail(
            IDENTITY,
            found,
            "the secret key is not that of the access key (copied with a character too few?), or the clock is wrong",
        ),
        _ => Finding::warn(IDENTITY, found, "the service does not need STS; what it needs is checked below"),
    }
}

/// The service has no use for STS: not to reach it says nothing about the service.
fn unseen(place: &Where, reason: &str) -> Finding {
    let address =
        place.sts_endpoint.clone().unwrap_or_else(|| format!("https://sts.{}.amazonaws.com", place.region));
    let mut trouble = no_connection("STS", &address, "AWS_REGION or AWS_ENDPOINT_URL_STS", reason);
    trouble.advice.push_str("; the service itself does not need STS");
    trouble.warns(IDENTITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    const NOW: i64 = 1_790_000_000;

    fn place(endpoint: Option<&str>) -> Where {
        let endpoint = endpoint.map(str::to_owned);
        Where {
            region: "eu-central-1".into(),
            dynamodb_endpoint: endpoint,
            s3_endpoint: None,
            sts_endpoint: None,
        }
    }

    #[test]
    fn the_life_of_credentials_is_held_against_that_of_urls() {
        let now = Timestamp::from_second(NOW).unwrap();
        let hour = Settings::defaults("thumbs").presign;
        let week = Presign { expires: Duration::from_secs(604_800), ..hour.clone() };
        let ending = |seconds: i64| {
            let end = Timestamp::from_second(NOW + seconds).unwrap();
            Credentials::new("ASIA", "secret", Some("token".into()), Some(end.into()), "test")
        };
        let session = Credentials::new("ASIA", "secret", Some("token".into()), None, "test");
        let user = Credentials::new("AKIA", "secret", None, None, "test");
        let aws = place(None);
        let local = place(Some("http://localhost:8000"));
        for (credentials, presign, place, status, part) in [
            (ending(0), &hour, &aws, Status::Fail, "expired"),
            (ending(3599), &hour, &aws, Status::Warn, "in 3599 s"),
            (ending(3600), &hour, &aws, Status::Ok, "renews"),
            (ending(43_200), &week, &aws, Status::Warn, "PRESIGN_EXPIRES"),
            (session, &hour, &aws, Status::Warn, "AWS_SESSION_TOKEN"),
            (user.clone(), &hour, &aws, Status::Warn, "role"),
            (user.clone(), &week, &aws, Status::Ok, "604800"),
            (user, &hour, &local, Status::Ok, "without an end"),
        ] {
            let finding = judge_life(&credentials, presign, place, now);
            let text = format!("{finding:?}");
            assert!(finding.status == status && text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_sts_says_is_told_as_what_it_means() {
        assert_eq!(judge_identity("arn:aws:iam::111122223333:root").status, Status::Warn);
        assert_eq!(judge_identity("arn:aws:sts::111122223333:assumed-role/a/b").status, Status::Ok);
        for (code, status) in [
            ("ExpiredToken", Status::Fail),
            ("InvalidClientTokenId", Status::Fail),
            ("SignatureDoesNotMatch", Status::Fail),
            ("AccessDenied", Status::Warn),
        ] {
            assert_eq!(refused(code).status, status, "{code}");
        }
        assert_eq!(unseen(&place(None), "Connection refused").status, Status::Warn);
    }

    #[test]
    fn an_access_key_id_is_shown_in_part() {
        assert_eq!(shortened("AKIABEETROOTDEMO0001"), "AKIA…0001");
        assert_eq!(shortened("short"), "short");
    }
}
