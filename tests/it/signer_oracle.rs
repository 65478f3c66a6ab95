//! Our signer against `aws-sdk-s3`: the same bytes for the same time, credentials and settings.

use std::time::{Duration, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_types::SdkConfig;
use beetroot_api::domain::AllowList;
use beetroot_api::urls::{Endpoints, Signer};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The issue asks for at least 2,000.
const CASES: u32 = 2500;

#[derive(Clone, Debug)]
struct Case {
    region: &'static str,
    endpoint: Option<&'static str>,
    dual_stack: bool,
    fips: bool,
    bucket: &'static str,
    key: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    signed_at: i64,
    lifetime: u64,
    credentials_left: Option<u64>,
    cache_control: Option<String>,
}

fn keys() -> impl Strategy<Value = String> {
    let hard = prop_oneof![
        Just(" "),
        Just("+"),
        Just("%"),
        Just("?"),
        Just("#"),
        Just("/"),
        Just("//"),
        Just("&"),
        Just("="),
        Just("~"),
        Just("*"),
        Just("'"),
        Just("("),
        Just("%2F"),
        Just("é"),
        Just("日"),
        Just("🥕"),
        Just("\u{1}"),
        Just("\u{7f}"),
        Just("a"),
        Just("."),
        Just("-"),
        Just("_"),
        Just(":"),
        Just("@"),
        Just("\\"),
        Just("\""),
        Just("\u{301}"),
    ];
    prop_oneof![
        3 => "[a-zA-Z0-9/._-]{1,80}",
        3 => proptest::collection::vec(hard, 1..40).prop_map(|parts| parts.concat()),
        3 => ".{1,60}",
        1 => Just("k".repeat(1024)),
        1 => Just("ü".repeat(512)),
    ]
    .prop_filter("keys that get no URL", |key| AllowList::default().object("bucket", key).is_ok())
    // legal in S3, and signed by us; the SDK takes them for missing
    .prop_filter("keys of white space only", |key| !key.trim().is_empty())
}

fn cases() -> impl Strategy<Value = Case> {
    let regions = prop_oneof![
        Just("eu-central-1"),
        Just("us-east-1"),
        Just("us-west-2"),
        Just("cn-north-1"),
        Just("us-gov-west-1"),
        Just("ap-southeast-7")
    ];
    let endpoints = prop_oneof![
        4 => Just(None),
        1 => Just(Some("http://127.0.0.1:9000")),
        1 => Just(Some("http://localhost:80")),
        1 => Just(Some("https://s3.example:443/prefix")),
        1 => Just(Some("https://s3.example/")),
        1 => Just(Some("http://[::1]:9000")),
    ];
    let buckets = prop_oneof![
        Just("beetroot-thumbs"),
        Just("my.dotted.bucket"),
        Just("abc"),
        Just("Legacy_Bucket"),
        Just("a-bucket-with-a-name-that-is-exactly-as-long-as-names-can-be-63"),
    ];
    let tokens = proptest::option::of(prop_oneof!["[A-Za-z0-9/+=]{1,60}", "[A-Za-z0-9/+=]{900}"]);
    (
        (regions, endpoints, any::<bool>(), proptest::bool::weighted(0.2), buckets, keys()),
        ("[A-Z0-9]{16,20}", "[A-Za-z0-9/+]{40}", tokens),
        (0_i64..4_000_000_000, 1_u64..=604_800, proptest::option::of(1_u64..604_800)),
        proptest::option::of(prop_oneof![Just("private, max-age=3600, immutable".to_owned()), "[ -~]{1,40}"]),
    )
        .prop_map(
            |(
                (region, endpoint, dual_stack, fips, bucket, key),
                (access_key_id, secret_access_key, session_token),
                (signed_at, lifetime, credentials_left),
                cache_control,
            )| Case {
                region,
                endpoint,
                // a custom endpoint excludes both, and the SDK says so
                dual_stack: dual_stack && endpoint.is_none(),
                fips: fips && endpoint.is_none(),
                bucket,
                key,
                access_key_id,
                secret_access_key,
                session_token,
                signed_at,
                lifetime,
                credentials_left,
                cache_control,
            },
        )
}

async fn both(case: &Case) -> (Result<String, String>, Result<String, String>) {
    let expiry = case
        .credentials_left
        .map(|left| UNIX_EPOCH + Duration::from_secs(case.signed_at.unsigned_abs() + left));
    let credentials = Credentials::new(
        &case.access_key_id,
        &case.secret_access_key,
        case.session_token.clone(),
        expiry,
        "test",
    );
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(case.region))
        .use_dual_stack(case.dual_stack)
        .use_fips(case.fips)
        .credentials_provider(SharedCredentialsProvider::new(credentials.clone()));
    sdk.set_endpoint_url(case.endpoint.map(str::to_owned));
    let sdk = sdk.build();
    // the contract: the smaller of the setting and what the credentials have left
    let lifetime = case.credentials_left.map_or(case.lifetime, |left| left.min(case.lifetime));

    let config = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(case.endpoint.is_some()).build();
    let times = PresigningConfig::builder()
        .start_time(UNIX_EPOCH + Duration::from_secs(case.signed_at.unsigned_abs()))
        .expires_in(Duration::from_secs(lifetime))
        .build()
        .unwrap();
    let theirs = aws_sdk_s3::Client::from_conf(config)
        .get_object()
        .bucket(case.bucket)
        .key(&case.key)
        .set_response_cache_control(case.cache_control.clone())
        .presigned(times)
        .await
        .map(|request| request.uri().to_owned())
        .map_err(|error| format!("{error:?}"));

    let ours = Endpoints::new(&sdk, None, case.cache_control.clone(), Duration::from_hours(1))
        .resolve(case.bucket)
        .await
        .map_err(|error| error.to_string())
        .map(|endpoint| {
            let signed_at = Timestamp::from_second(case.signed_at).unwrap();
            let url = Signer::new(&credentials).prepare(&endpoint, signed_at).sign(
                &case.key,
                signed_at,
                i64::try_from(case.lifetime).unwrap(),
            );
            url.unwrap().expose().to_owned()
        });
    (ours, theirs)
}

#[test]
fn urls_are_byte_for_byte_those_of_the_aws_sdk() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let signed = std::cell::Cell::new(0);
    runner
        .run(&cases(), |case| {
            let (ours, theirs) = runtime.block_on(both(&case));
            match (&ours, &theirs) {
                (Ok(ours), Ok(theirs)) => {
                    prop_assert_eq!(ours, theirs);
                    signed.set(signed.get() + 1);
                }
                // where the SDK has no endpoint, for FIPS outside of its regions for example, neither have we
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "ours: {ours:?}\ntheirs: {theirs:?}"),
            }
            Ok(())
        })
        .unwrap();
    assert!(signed.get() >= 2000, "only {} cases had an endpoint", signed.get());
    println!("{} URLs equal to those of aws-sdk-s3", signed.get());
}
