use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::{Client, presigning::PresigningConfig, primitives::ByteStream};
use reqwest::Response;

use crate::emulators::{
    Emulators, Ports,
    testing::{credentials, s3_client},
};

const BUCKET: &str = "photos";
const HOUR: Duration = Duration::from_hours(1);

struct Fixture {
    emulators: Emulators,
    client: Client,
}

impl Fixture {
    async fn start() -> Self {
        let emulators = Emulators::start(Ports::default()).unwrap();
        let client = s3_client(&emulators, credentials());
        client.create_bucket().bucket(BUCKET).send().await.unwrap();
        Self { emulators, client }
    }

    async fn put(&self, key: &str, body: impl Into<ByteStream>) {
        let put = self.client.put_object().bucket(BUCKET).key(key).content_type("image/jpeg");
        put.body(body.into()).send().await.unwrap();
    }

    async fn presign(&self, key: &str) -> String {
        presign(&self.client, key, now(), HOUR).await
    }
}

async fn presign(client: &Client, key: &str, start: SystemTime, life: Duration) -> String {
    let config = PresigningConfig::builder().start_time(start).expires_in(life).build().unwrap();
    let get = client.get_object().bucket(BUCKET).key(key).response_cache_control("private, max-age=60");
    get.presigned(config).await.unwrap().uri().to_owned()
}

async fn get(url: &str) -> Response {
    reqwest::get(url).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "s3s compares with the system's time")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn every_form_of_key_is_stored_and_fetched() {
    let fixture = Fixture::start().await;
    let long = "k".repeat(1024);
    let keys = [
        "plain.jpg",
        "with space.jpg",
        "Ümläut/写真/🥕.jpg",
        "a+b.jpg",
        "100%.jpg",
        "100%25.jpg",
        "what?.jpg",
        "a#b.jpg",
        "a//b.jpg",
        "/leading.jpg",
        "//two.jpg",
        "trailing/",
        "plain.jpg/below",
        "'quo\"tes' &=;:@,$!*()[]{}<>|\\^`~.jpg",
        &long,
    ];

    for key in keys {
        fixture.put(key, key.as_bytes().to_vec()).await;
    }

    for key in keys {
        let response = get(&fixture.presign(key).await).await;
        assert_eq!(response.status(), 200, "{key}");
        assert_eq!(response.bytes().await.unwrap(), key.as_bytes(), "{key}");
        assert_eq!(fixture.emulators.s3().gets_of(BUCKET, key), 1, "{key}");
    }
    assert_eq!(fixture.emulators.s3().gets(), keys.len() as u64);
}

#[tokio::test]
async fn a_changed_character_is_refused() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"a".to_vec()).await;
    fixture.put("b.jpg", b"b".to_vec()).await;
    let url = fixture.presign("a.jpg").await;

    assert_eq!(get(&url.replace("a.jpg", "b.jpg")).await.status(), 403);
    assert_eq!(get(&url.replace("Expires=3600", "Expires=3601")).await.status(), 403);
    assert_eq!(get(&url.replace("max-age%3D60", "max-age%3D61")).await.status(), 403);
    assert_eq!(get(url.split_once('?').unwrap().0).await.status(), 403);
    assert_eq!(get(&url).await.status(), 200);
    assert_eq!((fixture.emulators.s3().refused(), fixture.emulators.s3().bytes_sent()), (4, 1));
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"a".to_vec()).await;
    let earlier = now() - Duration::from_secs(30);

    let alive = presign(&fixture.client, "a.jpg", earlier, Duration::from_mins(1)).await;
    let expired = presign(&fixture.client, "a.jpg", earlier, Duration::from_secs(20)).await;

    assert_eq!(get(&alive).await.status(), 200);
    let refused = get(&expired).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("Request has expired"));
}

#[tokio::test]
async fn a_get_carries_the_type_the_overrides_and_cors() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"abc".to_vec()).await;

    let response = get(&fixture.presign("a.jpg").await).await;

    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("content-length"), "3");
    assert_eq!(header("cache-control"), "private, max-age=60");
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(header("access-control-expose-headers"), "ETag, Content-Length");
    assert_eq!(header("timing-allow-origin"), "*");
    assert_eq!(header("etag").len(), 34);
}

#[tokio::test]
async fn a_client_that_has_the_bytes_gets_304_only_with_a_valid_url() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"abc".to_vec()).await;
    let url = fixture.presign("a.jpg").await;
    let etag = get(&url).await.headers()["etag"].clone();
    let client = reqwest::Client::new();

    let known = client.get(&url).header("if-none-match", &etag).send().await.unwrap();
    let other = client.get(&url).header("if-none-match", "\"other\"").send().await.unwrap();
    let forged = client.get(url.replace("3600", "3601")).header("if-none-match", &etag).send().await.unwrap();

    assert_eq!((known.status().as_u16(), known.headers()["etag"].clone()), (304, etag));
    assert_eq!(known.headers()["access-control-allow-origin"], "*");
    assert_eq!(known.bytes().await.unwrap().len(), 0);
    assert_eq!(other.status(), 200);
    assert_eq!(forged.status(), 403);
    let s3 = fixture.emulators.s3();
    assert_eq!((s3.gets(), s3.not_modified(), s3.refused(), s3.bytes_sent()), (4, 1, 1, 6));
    s3.reset_counts();
    assert_eq!((s3.gets(), s3.not_modified(), s3.refused(), s3.bytes_sent()), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_signature() {
    let fixture = Fixture::start().await;
    let url = format!("{}/{BUCKET}/a.jpg", fixture.emulators.s3_endpoint());

    let response = reqwest::Client::new().request(reqwest::Method::OPTIONS, url).send().await.unwrap();

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-methods"], "GET, HEAD");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_range_is_a_part_of_small_and_of_large_objects() {
    let fixture = Fixture::start().await;
    let large: Vec<u8> = (0..2_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    fixture.put("small", b"0123456789".to_vec()).await;
    fixture.put("large", large.clone()).await;
    let client = reqwest::Client::new();

    for (key, whole) in [("small", b"0123456789".as_slice()), ("large", large.as_slice())] {
        let url = fixture.presign(key).await;
        assert_eq!(get(&url).await.bytes().await.unwrap(), whole);
        let part = client.get(&url).header("range", "bytes=3-5").send().await.unwrap();
        assert_eq!(part.status(), 206);
        assert_eq!(part.headers()["content-range"], format!("bytes 3-5/{}", whole.len()));
        assert_eq!(part.bytes().await.unwrap(), &whole[3..=5]);
        let beyond = client.get(&url).header("range", "bytes=9000000-").send().await.unwrap();
        assert_eq!(beyond.status(), 416);
    }
}

#[tokio::test]
async fn a_session_token_must_be_the_one_that_belongs_to_the_credentials() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"a".to_vec()).await;
    fixture.emulators.s3().add_credentials("ASIAROLE", "role-secret", Some("the+token/="));
    let status = async |token: Option<&str>| {
        let role = Credentials::new("ASIAROLE", "role-secret", token.map(str::to_owned), None, "test");
        let url = presign(&s3_client(&fixture.emulators, role), "a.jpg", now(), HOUR).await;
        get(&url).await.status().as_u16()
    };

    assert_eq!(status(Some("the+token/=")).await, 200);
    assert_eq!(status(Some("another")).await, 400);
    assert_eq!(status(None).await, 400);
}

#[tokio::test]
async fn missing_objects_buckets_and_credentials_have_their_own_errors() {
    let fixture = Fixture::start().await;
    fixture.put("a.jpg", b"a".to_vec()).await;

    assert_eq!(get(&fixture.presign("missing").await).await.status(), 404);
    let stranger = s3_client(&fixture.emulators, Credentials::new("AKIAOTHER", "x", None, None, "test"));
    assert_eq!(get(&presign(&stranger, "a.jpg", now(), HOUR).await).await.status(), 403);
    assert!(fixture.client.head_bucket().bucket("missing").send().await.is_err());
    assert!(fixture.client.create_bucket().bucket(BUCKET).send().await.is_err());
}

#[tokio::test]
async fn objects_are_listed_in_pages_and_deleted() {
    let fixture = Fixture::start().await;
    for key in ["a/1", "a/2", "a/3", "b/1"] {
        fixture.put(key, Vec::new()).await;
    }
    fixture.client.delete_object().bucket(BUCKET).key("a/2").send().await.unwrap();

    let list = || fixture.client.list_objects_v2().bucket(BUCKET).prefix("a/").max_keys(1);
    let first = list().send().await.unwrap();
    let second = list().set_continuation_token(first.next_continuation_token.clone()).send().await.unwrap();

    assert_eq!(first.contents()[0].key(), Some("a/1"));
    assert_eq!(second.contents()[0].key(), Some("a/3"));
    assert_eq!(second.is_truncated(), Some(false));
}
