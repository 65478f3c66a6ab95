//! Each signed URL lives in Redis: the same bytes for the same picture, on every instance.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use beetroot_api::clock::Clock;
use beetroot_api::config::RedisUrl;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;

use super::redis_server::RedisServer;
use super::rows::{located, person, photo, unlocated};
use super::signed_urls::end_of;
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp, Wishes};

pub const PERSONS: usize = 5;

/// With Redis, every answer built anew, and a few persons with pictures.
pub async fn start_with(redis: &RedisServer, change: impl FnOnce(&mut Wishes)) -> TestApp {
    let url = RedisUrl::parse(&redis.url()).unwrap();
    let app = TestApp::start_with(|wishes| {
        wishes.settings.redis.url = Some(url);
        wishes.settings.redis.deadline = Duration::from_secs(2);
        wishes.settings.lists.fresh = Duration::ZERO;
        change(wishes);
    })
    .await;
    app.put_persons((0..PERSONS).map(|number| person(&format!("p{number}"), "1"))).await;
    for number in 0..PERSONS {
        app.put_object(
            THUMBS_BUCKET,
            &format!("faces-thumbs/p{number}.jpg"),
            format!("face {number}").as_bytes(),
        )
        .await;
    }
    app
}

/// Another instance of the same service: the same tables, buckets, Redis and clock.
pub async fn second_instance(
    redis: &RedisServer,
    first: &TestApp,
    change: impl FnOnce(&mut Wishes),
) -> TestApp {
    start_with(redis, |wishes| {
        wishes.clock = first.clock.clone();
        wishes.settings.aws.s3_endpoint = Some(first.emulators().s3_endpoint());
        change(wishes);
    })
    .await
}

/// Credentials of another role session, which the first instance's S3 accepts.
fn other_role(first: &TestApp) -> SharedCredentialsProvider {
    first.s3().add_credentials("ASIAOTHERROLE0000001", "another-secret", Some("a/session+token="));
    let token = Some("a/session+token=".to_owned());
    SharedCredentialsProvider::new(Credentials::new(
        "ASIAOTHERROLE0000001",
        "another-secret",
        token,
        None,
        "test",
    ))
}

pub async fn thumb_urls(app: &TestApp) -> Vec<String> {
    let answer = app.get("/persons").await.ok();
    let persons = answer["persons"].as_array().unwrap().clone();
    persons.iter().map(|person| person["repThumbURL"].as_str().unwrap().to_owned()).collect()
}

async fn assert_fetched(app: &TestApp, urls: &[String]) {
    for (number, url) in urls.iter().enumerate() {
        let picture = app.fetch(Method::GET, url, &[]).await;
        assert_eq!(picture.assert_status(200).body, format!("face {number}").as_bytes());
    }
}

fn keys(redis: &RedisServer, pattern: &str) -> BTreeSet<String> {
    redis.cli(&["KEYS", pattern]).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[actix_web::test]
async fn a_url_stands_in_redis_as_text_with_a_life_slightly_shorter_than_its_own() {
    let redis = RedisServer::start();
    let app = start_with(&redis, |_| {}).await;
    let urls = thumb_urls(&app).await;

    let keys = keys(&redis, "beetroot:url:*");

    assert_eq!(keys.len(), PERSONS);
    for key in &keys {
        let parts: Vec<_> = key.splitn(4, ':').collect();
        assert!(parts[2].len() == 16 && parts[2].bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
        assert!(parts[3].starts_with("thumbs/faces-thumbs/p"), "{key}");
        let value = redis.cli(&["GET", key]);
        assert!(urls.contains(&value.trim().to_owned()), "{value}");
        let ttl: i64 = redis.cli(&["PTTL", key]).trim().parse().unwrap();
        assert!((2_960_000..=3_300_000).contains(&ttl), "less the margin, less at most a tenth: {ttl}");
    }
    let lives: BTreeSet<_> = keys.iter().map(|key| redis.cli(&["TTL", key])).collect();
    assert!(lives.len() > 1, "a grid does not expire all at once");
}

#[actix_web::test]
async fn a_read_extends_nothing_and_the_url_changes_at_its_time_on_every_instance() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let second = second_instance(&redis, &first, |_| {}).await;
    let mut before = thumb_urls(&first).await;
    let mut changes = vec![0; PERSONS];
    for _ in 0..3 * 60 {
        first.clock.advance(Duration::from_secs(60));
        let (now, others) = (thumb_urls(&first).await, thumb_urls(&second).await);
        assert_eq!(now, others);
        for (number, (now, before)) in now.iter().zip(&before).enumerate() {
            changes[number] += usize::from(now != before);
            let left = end_of(now).as_second() - first.clock.now().as_second();
            assert!(left >= 300, "{left}");
        }
        before = now;
    }
    // three hours are 3.3 to 3.7 times what a URL is handed out for
    assert!(changes.iter().all(|changes| (3..=4).contains(changes)), "{changes:?}");
}

#[actix_web::test]
async fn instances_with_different_role_credentials_share_urls() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let urls = thumb_urls(&first).await;
    let role = other_role(&first);
    let second = second_instance(&redis, &first, |wishes| wishes.credentials = role).await;

    assert_eq!(thumb_urls(&second).await, urls);

    assert_eq!(second.metric("beetroot_urls_signed_total"), 0);
    assert_eq!(second.metric(r#"beetroot_url_lookups_total{tier="redis",outcome="hit"}"#), PERSONS as u64);
    assert_fetched(&first, &urls).await;
    // and the other way round: what the role signs is accepted, and adopted by the first
    redis.cli(&["FLUSHALL"]);
    first.clock.advance(Duration::from_secs(3600));
    let theirs = thumb_urls(&second).await;
    assert!(
        theirs
            .iter()
            .all(|url| url.contains("ASIAOTHERROLE0000001") && url.contains("X-Amz-Security-Token="))
    );
    assert_eq!(thumb_urls(&first).await, theirs);
}

#[actix_web::test]
async fn the_first_writer_wins_and_the_others_adopt_its_urls() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let role = other_role(&first);
    let second = second_instance(&redis, &first, |wishes| wishes.credentials = role).await;
    for _ in 0..20 {
        // Redis keeps real time: what has ended by the test's clock would still be there
        redis.cli(&["FLUSHALL"]);
        first.clock.advance(Duration::from_secs(3600));
        let answers =
            join_all((0..8).map(|number| thumb_urls(if number % 2 == 0 { &first } else { &second }))).await;
        // whoever was first: at the latest when it has confirmed, everyone has the same
        first.clock.advance(Duration::from_secs(30));
        let settled = thumb_urls(&first).await;
        assert_eq!(thumb_urls(&second).await, settled);
        for answer in answers {
            assert_eq!(answer, settled);
        }
    }
}

#[actix_web::test]
async fn what_redis_has_lost_is_put_back_and_changes_no_url() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let urls = thumb_urls(&first).await;
    redis.cli(&["FLUSHALL"]);
    assert_eq!(thumb_urls(&first).await, urls);
    assert!(keys(&redis, "*").is_empty(), "confirmed less than cache.confirm ago");

    first.clock.advance(Duration::from_secs(30));
    assert_eq!(thumb_urls(&first).await, urls);

    assert_eq!(keys(&redis, "beetroot:url:*").len(), PERSONS);
    assert_eq!(first.metric("beetroot_urls_put_back_total"), PERSONS as u64);
    let key = keys(&redis, "*").pop_first().unwrap();
    let ttl: i64 = redis.cli(&["TTL", &key]).trim().parse().unwrap();
    assert!(ttl <= 3270, "only the life that remains: {ttl}");
    let second = second_instance(&redis, &first, |_| {}).await;
    assert_eq!(thumb_urls(&second).await, urls);
}

#[actix_web::test]
async fn another_valid_url_in_redis_is_adopted_when_it_is_confirmed() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let role = other_role(&first);
    thumb_urls(&first).await;
    redis.cli(&["FLUSHALL"]);
    let second = second_instance(&redis, &first, |wishes| wishes.credentials = role).await;
    let theirs = thumb_urls(&second).await;

    first.clock.advance(Duration::from_secs(30));

    assert_eq!(thumb_urls(&first).await, theirs);
    assert_eq!(first.metric("beetroot_urls_adopted_total"), PERSONS as u64);
}

#[actix_web::test]
async fn what_redis_returns_is_checked_counted_and_overwritten() {
    let redis = RedisServer::start();
    let app = start_with(&redis, |_| {}).await;
    let good = thumb_urls(&app).await;
    let key_of =
        |number: usize| keys(&redis, &format!("*:thumbs/faces-thumbs/p{number}.jpg")).pop_first().unwrap();
    let key = key_of(0);
    let expired = {
        let late = start_with(&redis, |wishes| {
            wishes.clock = Clock::manual(app.clock.now() - Duration::from_secs(3400));
            wishes.settings.aws.s3_endpoint = Some(app.emulators().s3_endpoint());
            wishes.settings.redis.url = None;
        })
        .await;
        thumb_urls(&late).await[0].clone()
    };
    let foreign_host = good[0].replace("http://127.0.0.1", "http://evil.example");
    let appended = format!("{}&response-content-type=text/html", good[0]);
    let too_long = good[0].replace("X-Amz-Expires=3600", "X-Amz-Expires=7200");
    for (value, reason) in [
        ("garbage", "other_object"),
        ("", "other_object"),
        (good[1].as_str(), "other_object"),
        (&foreign_host, "other_object"),
        (&appended, "form"),
        (&too_long, "time"),
        (&expired, "expired"),
    ] {
        redis.cli(&["SET", &key, value]);
        // a new instance holds nothing of its own
        let fresh = second_instance(&redis, &app, |_| {}).await;

        let urls = thumb_urls(&fresh).await;

        assert_ne!(urls[0], value);
        assert_eq!(urls[1..], good[1..]);
        assert_fetched(&app, &urls).await;
        let line = format!(r#"beetroot_cached_values_refused_total{{kind="url",reason="{reason}"}}"#);
        assert_eq!(fresh.metric(&line), 1, "{value}: {}", fresh.metrics.render().unwrap());
        assert_eq!(redis.cli(&["GET", &key]).trim(), urls[0], "{value} is overwritten");
    }
    // a list where the text should be
    redis.cli(&["DEL", &key]);
    redis.cli(&["LPUSH", &key, "x"]);
    let fresh = second_instance(&redis, &app, |_| {}).await;
    let urls = thumb_urls(&fresh).await;
    assert_fetched(&app, &urls).await;
    assert_eq!(redis.cli(&["GET", &key]).trim(), urls[0], "a wrong type is overwritten");
    assert_eq!(fresh.metric(r#"beetroot_cached_values_refused_total{kind="url",reason="type"}"#), 1);
}

#[actix_web::test]
async fn instances_with_other_settings_do_not_share_urls() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    thumb_urls(&first).await;
    let changes: [fn(&mut Wishes); 4] = [
        |wishes| {
            wishes.settings.presign.expires = Duration::from_secs(1800);
            wishes.settings.presign.response_cache_control = "private, max-age=3600, immutable".into();
        },
        |wishes| wishes.settings.presign.response_cache_control = String::new(),
        |wishes| wishes.settings.aws.s3_public_endpoint = Some("https://pictures.example".into()),
        |wishes| wishes.settings.redis.namespace = "other".into(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let other = second_instance(&redis, &first, change).await;
        thumb_urls(&other).await;
        assert_eq!(other.metric(r#"beetroot_url_lookups_total{tier="redis",outcome="hit"}"#), 0);
        assert_eq!(keys(&redis, "*:url:*").len(), PERSONS * (number + 2));
    }
}

#[actix_web::test]
async fn where_a_photo_is_stands_in_redis_and_that_it_is_nowhere_for_a_minute() {
    let redis = RedisServer::start();
    let first = start_with(&redis, |_| {}).await;
    let rows =
        || [unlocated("anna", "1", "p-1"), unlocated("anna", "2", "nowhere"), located("anna", "3", "p-3")];
    first.put_occurrences(rows()).await;
    first.put_photos([photo("p-1")]).await;
    let ids = async |app: &TestApp| {
        let answer = app.get("/persons/anna/photos").await.ok();
        let photos = answer["photos"].as_array().unwrap().clone();
        photos.iter().map(|photo| photo["photoId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(ids(&first).await, ["p-1", "p-3"]);

    let ttl = |id: &str| redis.cli(&["TTL", &format!("beetroot:photo:{id}")]).trim().parse::<i64>().unwrap();
    assert!((3590..=3600).contains(&ttl("p-1")), "{}", ttl("p-1"));
    assert!((50..=60).contains(&ttl("nowhere")), "{}", ttl("nowhere"));
    for _ in 0..3 {
        ids(&first).await;
    }
    assert_eq!(first.dynamodb().calls("BatchGetItem"), 1, "in process");
    let second = second_instance(&redis, &first, |_| {}).await;
    second.put_occurrences(rows()).await;
    assert_eq!(ids(&second).await, ["p-1", "p-3"]);
    assert_eq!(second.dynamodb().calls("BatchGetItem"), 0, "from Redis");

    // a minute later it has a row
    first.put_photos([photo("nowhere")]).await;
    first.clock.advance(Duration::from_secs(59));
    assert_eq!(ids(&first).await, ["p-1", "p-3"]);
    first.clock.advance(Duration::from_secs(1));
    assert_eq!(ids(&first).await, ["p-1", "nowhere", "p-3"]);
    assert_eq!(first.dynamodb().calls("BatchGetItem"), 1, "for the one that was missing");
}

#[actix_web::test]
async fn a_lie_about_a_photo_in_redis_is_counted_and_overwritten() {
    let redis = RedisServer::start();
    let app = start_with(&redis, |_| {}).await;
    app.put_occurrences([unlocated("anna", "1", "p-1")]).await;
    app.put_photos([photo("p-1")]).await;
    for value in
        ["garbage", "{}", r#"{"row":true,"bucket":"raw","key":"secret","until":1}"#, r#"{"bucket":"raw"}"#]
    {
        redis.cli(&["SET", "beetroot:photo:p-1", value]);
        let fresh = second_instance(&redis, &app, |_| {}).await;
        fresh.put_occurrences([unlocated("anna", "1", "p-1")]).await;
        fresh.put_photos([photo("p-1")]).await;

        let answer = fresh.get("/persons/anna/photos").await.ok();

        assert_eq!(answer["photos"][0]["photoKey"], "photos-raw/p-1.jpg", "{value}");
        assert!(redis.cli(&["GET", "beetroot:photo:p-1"]).contains("photos-raw/p-1.jpg"), "{value}");
    }
}

/// What a request asked of others: Query, BatchGetItem, Redis reads, Redis writes, signatures.
struct Work([u64; 5]);

impl Work {
    fn so_far(app: &TestApp) -> Self {
        let redis = |operation: &str| {
            app.metric(&format!(r#"beetroot_redis_calls_total{{operation="{operation}",outcome="ok"}}"#))
        };
        Self([
            app.dynamodb().calls("Query"),
            app.dynamodb().calls("BatchGetItem"),
            redis("get"),
            redis("put"),
            app.metric("beetroot_urls_signed_total"),
        ])
    }

    fn since(&self, before: &Self) -> [u64; 5] {
        std::array::from_fn(|index| self.0[index] - before.0[index])
    }
}

#[actix_web::test]
async fn a_page_of_200_photos_costs_exactly_this_much_work() {
    let redis = RedisServer::start();
    let occurrences =
        || (0..200).map(|number| unlocated("anna", &format!("{number:03}"), &format!("p-{number}")));
    let photos = || (0..200).map(|number| photo(&format!("p-{number}")));
    let start = async |like: Option<&TestApp>| {
        let app = match like {
            None => start_with(&redis, |wishes| wishes.settings.lists.fresh = Duration::from_secs(5)).await,
            Some(first) => {
                second_instance(&redis, first, |wishes| wishes.settings.lists.fresh = Duration::from_secs(5))
                    .await
            }
        };
        app.put_occurrences(occurrences()).await;
        app.put_photos(photos()).await;
        app
    };
    let first = start(None).await;
    let work_of_one_request = async |app: &TestApp| {
        let before = Work::so_far(app);
        let answer: Value = app.get("/persons/anna/photos").await.ok();
        assert_eq!(answer["photos"].as_array().unwrap().len(), 200);
        assert!(answer["photos"].as_array().unwrap().iter().all(|photo| photo["photoURL"].is_string()));
        Work::so_far(app).since(&before)
    };

    let cold = work_of_one_request(&first).await;
    let warm = work_of_one_request(&first).await;
    let second = start(Some(&first)).await;
    let redis_warm = work_of_one_request(&second).await;

    println!("                  Query  BatchGetItem  Redis reads  Redis writes  signatures");
    for (name, work) in [("cold", cold), ("warm", warm), ("new, Redis warm", redis_warm)] {
        println!("{name:16} {:6} {:13} {:12} {:13} {:11}", work[0], work[1], work[2], work[3], work[4]);
    }
    assert_eq!(cold, [1, 2, 2, 2, 400]);
    assert_eq!(warm, [0, 0, 0, 0, 0]);
    assert_eq!(redis_warm, [1, 0, 2, 0, 0]);
}

#[actix_web::test]
async fn without_redis_url_it_signs_alike_without_asking_anybody() {
    let app = TestApp::start_with(|wishes| wishes.settings.lists.fresh = Duration::ZERO).await;
    app.put_occurrences([unlocated("anna", "1", "p-1")]).await;
    app.put_photos([photo("p-1")]).await;
    app.put_object(RAW_BUCKET, "photos-raw/p-1.jpg", b"a photo").await;
    let first = app.get("/persons/anna/photos").await.ok();
    let again = app.get("/persons/anna/photos").await.ok();
    assert_eq!(first, again);
    assert_eq!(app.metric("beetroot_urls_signed_total"), 2, "kept in process");
    assert_eq!(app.dynamodb().calls("BatchGetItem"), 1);
}
