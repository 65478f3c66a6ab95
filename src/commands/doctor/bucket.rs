//! The thumbnails' bucket seen from outside: that it exists, in which region, and S3's clock beside ours. One request without
//! a signature tells all three, also to those who may not read the bucket.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::aws::without_login;
use super::browser::{Browser, FetchError, Reply};
use super::explain::no_connection;
use super::finding::{Finding, Trouble};
use crate::clock::Clock;
use crate::urls::BucketEndpoint;

pub(super) const CLOCK: &str = "clock";
pub(super) const BUCKET: &str = "s3.bucket";
/// Dates are whole seconds, and servers write the one that they have written before, in seconds.
const ROUNDING: i64 = 2;
/// A difference beyond this shortens URLs noticeably, in seconds.
const ODD_SKEW: i64 = 30;
/// S3 refuses what is signed 15 minutes in its future; half-way there something is broken, in seconds.
const WRONG_SKEW: i64 = 5 * 60;

/// The clock, then the bucket.
pub(super) async fn check(
    browser: &Browser,
    clock: &Clock,
    bucket: &str,
    endpoint: &BucketEndpoint,
) -> Vec<Finding> {
    let address = format!("{}{}", endpoint.origin, endpoint.path_prefix.trim_end_matches('/'));
    let asked_at = clock.now();
    match browser.head(&format!("{address}/")).await {
        Ok(reply) => vec![judge_clock(&reply, asked_at, clock.now()), judge_bucket(&reply, bucket, endpoint)],
        Err(error) => vec![
            Finding::skip(CLOCK, "because S3 gave no answer that tells its time"),
            unreachable(endpoint, &error).fails(BUCKET),
        ],
    }
}

/// S3 gave no answer.
pub(super) fn unreachable(endpoint: &BucketEndpoint, error: &FetchError) -> Trouble {
    no_connection(
        "S3",
        &without_login(&endpoint.origin),
        "AWS_REGION, S3_PUBLIC_ENDPOINT or AWS_ENDPOINT_URL_S3",
        &error.to_string(),
    )
}

fn judge_clock(reply: &Reply, asked_at: Timestamp, answered_at: Timestamp) -> Finding {
    let date = reply.header("date").and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let Some(date) = date else {
        return Finding::warn(
            CLOCK,
            "S3's answer has no Date",
            "compare this machine's clock with another one: S3 refuses what is signed 15 minutes in its future",
        );
    };
    // the answer was written somewhere between the question and its arrival, and tells whole seconds
    let (date, asked_at, answered_at) = (date.as_second(), asked_at.as_second(), answered_at.as_second());
    let skew = if date < asked_at { date - asked_at } else { (date - answered_at).max(0) };
    let found = if skew.abs() <= ROUNDING {
        "this machine's clock and S3's agree".to_owned()
    } else if skew > 0 {
        format!("this machine's clock is {skew} s behind S3's")
    } else {
        format!("this machine's clock is {} s ahead of S3's", -skew)
    };
    let advice = "let NTP set it (chronyc tracking, timedatectl); S3 refuses what is signed 15 minutes in its future, and a clock that \
                  is behind shortens every URL";
    match skew.abs() {
        0..=ODD_SKEW => Finding::ok(CLOCK, found),
        ..=WRONG_SKEW => Finding::warn(CLOCK, found, advice),
        _ => Finding::fail(CLOCK, found, advice),
    }
}

fn judge_bucket(reply: &Reply, bucket: &str, endpoint: &BucketEndpoint) -> Finding {
    let ours = &endpoint.region;
    let origin = without_login(&endpoint.origin);
    let theirs = reply.header("x-amz-bucket-region");
    match (reply.status, theirs) {
        (404, _) => Finding::fail(
            BUCKET,
            format!("there is no bucket {bucket} at {origin}"),
            "correct THUMBS_BUCKET, or create the bucket; with a local stack, is AWS_ENDPOINT_URL_S3 set?",
        ),
        (_, Some(theirs)) if theirs != ours => Finding::fail(
            BUCKET,
            format!("bucket {bucket} is in {theirs}, and URLs are signed for {ours}"),
            format!("set AWS_REGION={theirs}; tables and buckets must be in one region"),
        ),
        (301 | 307, _) => Finding::fail(
            BUCKET,
            format!("bucket {bucket} is not in {ours}: S3 redirects to another region"),
            format!("set AWS_REGION to the bucket's own (aws s3api get-bucket-location --bucket {bucket})"),
        ),
        (500.., _) => Finding::fail(
            BUCKET,
            format!("status {} for bucket {bucket}", reply.status),
            "S3, or what stands in for it, has a fault: look at its log, or ask again in a minute",
        ),
        // 403 is what those get who do not sign: it exists
        (_, Some(theirs)) => {
            Finding::ok(BUCKET, format!("bucket {bucket} is in {theirs}, as URLs are signed"))
        }
        (_, None) => {
            Finding::ok(BUCKET, format!("{origin} answers for bucket {bucket}, without telling its region"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;

    fn clock(date: &str, asked: i64, answered: i64) -> Finding {
        let reply = Reply::with_headers(403, &[("Date", date)]);
        judge_clock(&reply, Timestamp::from_second(asked).unwrap(), Timestamp::from_second(answered).unwrap())
    }

    #[test]
    fn a_clock_is_compared_with_the_time_between_question_and_answer() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let second = 784_111_777;
        for (asked, answered, status, found) in [
            (second, second, Status::Ok, "agree"),
            (second - 5, second + 5, Status::Ok, "agree"),
            (second - 60, second - 30, Status::Ok, "30 s behind"),
            (second - 60, second - 31, Status::Warn, "31 s behind"),
            (second + 300, second + 301, Status::Warn, "300 s ahead"),
            (second + 301, second + 302, Status::Fail, "301 s ahead"),
        ] {
            let finding = clock(date, asked, answered);
            assert!(finding.status == status && finding.found.contains(found), "{finding:?}");
        }
        assert_eq!(clock("yesterday", second, second).status, Status::Warn);
    }

    #[test]
    fn a_bucket_is_known_by_status_and_region() {
        let endpoint = BucketEndpoint {
            origin: "https://s3.example".into(),
            host: "s3.example".into(),
            path_prefix: "/b/".into(),
            region: "eu-central-1".into(),
            overrides: String::new(),
            fingerprint: String::new(),
        };
        let region = |region| vec![("x-amz-bucket-region", region)];
        for (status, headers, expected) in [
            (200, vec![], Status::Ok),
            (403, region("eu-central-1"), Status::Ok),
            (403, region("us-east-1"), Status::Fail),
            (301, region("us-east-1"), Status::Fail),
            (301, vec![], Status::Fail),
            (404, vec![], Status::Fail),
            (503, vec![], Status::Fail),
        ] {
            let finding = judge_bucket(&Reply::with_headers(status, &headers), "b", &endpoint);
            assert_eq!(finding.status, expected, "{status}: {finding:?}");
        }
    }
}
