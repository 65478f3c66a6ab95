//! What one signed URL costs: ours, `aws-sigv4`, and `aws-sdk-s3`, in one run.
//!
//! `cargo bench --bench signer`. Compare the medians of one run with each other, not with another machine's.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use beetroot_api::domain::{AllowList, ObjectRef};
use beetroot_api::urls::{Endpoints, PreparedSigner, Schedule, Signer};
use divan::Bencher;
use jiff::Timestamp;
use tokio::runtime::Runtime;

const BUCKET: &str = "beetroot-thumbs";
const KEY: &str =
    "faces-thumbs/0c7d3a52-8f5e-4a53-9a55-2f9a7c1d0a11/fe40c1de-7a07-4b61-b1f8-26de5a4c7a3f_face_1.jpg";
const CACHE_CONTROL: &str = "private, max-age=3600, immutable";
const LIFETIME: u32 = 3600;
/// Role credentials carry a session token of about this length; keys of a user carry none.
const TOKEN_BYTES: [usize; 2] = [0, 900];

fn main() {
    divan::main();
}

fn credentials(token_bytes: usize) -> Credentials {
    let token = (token_bytes > 0).then(|| "IQoJb3JpZ2luX2VjEJ/+".chars().cycle().take(token_bytes).collect());
    Credentials::new("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token, None, "bench")
}

fn sdk(credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn signed_at() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

fn prepared(token_bytes: usize) -> Arc<PreparedSigner> {
    let credentials = credentials(token_bytes);
    let endpoints = Endpoints::new(
        &sdk(credentials.clone()),
        None,
        Some(CACHE_CONTROL.to_owned()),
        Duration::from_hours(1),
    );
    let endpoint = runtime().block_on(endpoints.resolve(BUCKET)).unwrap();
    Signer::new(&credentials).prepare(&endpoint, Timestamp::try_from(signed_at()).unwrap())
}

/// The prepared signer alone.
#[divan::bench(args = TOKEN_BYTES)]
fn ours(bencher: Bencher<'_, '_>, token_bytes: usize) {
    let signer = prepared(token_bytes);
    let signed_at = Timestamp::try_from(signed_at()).unwrap();
    bencher.bench(|| signer.sign(divan::black_box(KEY), signed_at, LIFETIME.into()));
}

/// With what a request adds for each object: the checks of its key, and its window.
#[divan::bench(args = TOKEN_BYTES)]
fn ours_with_checks_and_window(bencher: Bencher<'_, '_>, token_bytes: usize) {
    let signer = prepared(token_bytes);
    let now = Timestamp::try_from(signed_at()).unwrap();
    let schedule = Schedule::new(Duration::from_secs(LIFETIME.into()), Duration::from_secs(300));
    let allowed = AllowList::default();
    bencher.bench(|| {
        let object: ObjectRef = allowed.object(BUCKET, divan::black_box(KEY)).unwrap();
        let signed_at = schedule.window_start(&object, now);
        // the bench's day is the prepared one; a window that began the day before is signed as if it had not
        signer.sign(object.key(), if signer.covers(signed_at) { signed_at } else { now }, LIFETIME.into())
    });
}

/// The SDK's signing library, with its signing key derived anew each time, as its interface has it.
#[divan::bench(args = TOKEN_BYTES)]
fn aws_sigv4(bencher: Bencher<'_, '_>, token_bytes: usize) {
    let identity = credentials(token_bytes).into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.signature_location = SignatureLocation::QueryParams;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.expires_in = Some(Duration::from_secs(LIFETIME.into()));
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("s3")
        .time(signed_at())
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let query = "x-id=GetObject&response-cache-control=private%2C%20max-age%3D3600%2C%20immutable";
    let uri = format!("https://{BUCKET}.s3.eu-central-1.amazonaws.com/{KEY}?{query}");
    bencher.bench(|| {
        let request = SignableRequest::new(
            "GET",
            divan::black_box(&uri),
            [].into_iter(),
            SignableBody::UnsignedPayload,
        );
        let (instructions, _) = sign(request.unwrap(), &params).unwrap().into_parts();
        let mut request = http::Request::get(&uri).body(()).unwrap();
        instructions.apply_to_request_http1x(&mut request);
        request.uri().to_string()
    });
}

/// What everybody does: `get_object().presigned()`.
#[divan::bench(args = TOKEN_BYTES)]
fn aws_sdk_s3(bencher: Bencher<'_, '_>, token_bytes: usize) {
    let client = aws_sdk_s3::Client::new(&sdk(credentials(token_bytes)));
    let runtime = runtime();
    let times = PresigningConfig::builder()
        .start_time(signed_at())
        .expires_in(Duration::from_secs(LIFETIME.into()))
        .build()
        .unwrap();
    bencher.bench(|| {
        let request = client
            .get_object()
            .bucket(BUCKET)
            .key(divan::black_box(KEY))
            .response_cache_control(CACHE_CONTROL);
        runtime.block_on(request.presigned(times.clone())).unwrap().uri().to_owned()
    });
}
