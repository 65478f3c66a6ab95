//! Answers in memory: when they are given again, and when never.

use std::time::Duration;

use beetroot_api::clock::Clock;
use beetroot_api::config::ByteSize;
use beetroot_api::domain::{AllowList, SignedUrl};
use beetroot_api::urls::Schedule;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::Answer;
use super::rows::{located, person, row, s};
use super::test_app::{TestApp, Wishes};

/// At a time that is the same in every run, or now and then her URL would be renewed in the middle of a test.
async fn start_with_anna(change: impl FnOnce(&mut Wishes)) -> TestApp {
    let app = TestApp::start_with(|wishes| {
        wishes.clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
        change(wishes);
    })
    .await;
    app.put_persons([person("anna", "1")]).await;
    app
}

fn given(app: &TestApp, state: &str) -> u64 {
    app.metric(&format!(r#"beetroot_answers_total{{state="{state}"}}"#))
}

fn refills(app: &TestApp, outcome: &str) -> u64 {
    app.metric(&format!(r#"beetroot_answer_refills_total{{outcome="{outcome}"}}"#))
}

/// Waits for what happens behind an answer's back.
async fn until(happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("within 20 seconds");
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// From here on the URL of Anna's thumbnail is not handed out any more.
fn hand_out_end(answer: &Answer) -> Timestamp {
    let end: Timestamp = answer.ok()["expiresAt"].as_str().unwrap().parse().unwrap();
    let signed_at = end - seconds(3600);
    let anna = AllowList::default().object("thumbs", "faces-thumbs/anna.jpg").unwrap();
    let schedule = Schedule::new(seconds(3600), seconds(300));
    schedule.hand_out(&anna, SignedUrl::new("https://a.url", end), signed_at, signed_at).unwrap().until
}

/// How long the URL in an answer is still handed out, seconds.
fn seconds_left(app: &TestApp, answer: &Answer) -> u64 {
    u64::try_from(hand_out_end(answer).as_second() - app.clock.now().as_second()).unwrap()
}

/// Moves the clock to the begin of the URL's next window, so that it is handed out for as long as it can be.
async fn begin_a_window(app: &TestApp) {
    let answer = app.get("/persons").await;
    app.clock.advance(seconds(seconds_left(app, &answer)));
}

#[actix_web::test]
async fn a_fresh_answer_is_given_again_without_a_read() {
    let app = start_with_anna(|_| {}).await;
    let first = app.get("/persons").await;
    app.clock.advance(seconds(4));

    let second = app.get("/persons").await;

    assert_eq!(second.body, first.body);
    assert_eq!(app.dynamodb().calls("Scan"), 1);
    assert_eq!((given(&app, "made"), given(&app, "fresh")), (1, 1));
}

#[actix_web::test]
async fn a_stale_answer_is_given_at_once_while_one_refill_runs() {
    let app = start_with_anna(|_| {}).await;
    let old = app.get("/persons").await;
    app.put_persons([person("ben", "2")]).await;
    app.clock.advance(seconds(6));
    app.dynamodb().delay_all(Duration::from_millis(500));

    let answers = join_all((0..10).map(|_| app.get("/persons"))).await;

    assert!(answers.iter().all(|answer| answer.body == old.body));
    assert_eq!(refills(&app, "changed"), 1, "nobody waited for the second one");
    until(|| refills(&app, "changed") == 2).await;
    assert_eq!(app.dynamodb().calls("Scan"), 1);
    assert_eq!(given(&app, "stale"), 10);
    let new = app.get("/persons").await;
    assert_eq!(new.ok()["persons"][0]["personId"], "ben");
    assert_eq!(given(&app, "fresh"), 1);
}

#[actix_web::test]
async fn an_expired_answer_is_made_anew_before_anything_is_given() {
    let app = start_with_anna(|_| {}).await;
    app.get("/persons").await.ok();
    app.put_persons([person("ben", "2")]).await;
    app.clock.advance(seconds(35));

    let answer = app.get("/persons").await.ok();

    assert_eq!(answer["persons"][0]["personId"], "ben");
    assert_eq!((given(&app, "made"), given(&app, "stale")), (2, 0));
}

#[actix_web::test]
async fn a_thousand_requests_at_once_for_a_cold_page_are_one_scan() {
    let app = start_with_anna(|wishes| {
        wishes.settings.server.workers = 4;
        wishes.settings.dynamodb.attempt_timeout = seconds(8);
        wishes.settings.dynamodb.operation_timeout = seconds(8);
    })
    .await;
    app.dynamodb().delay_all(seconds(2));

    let answers = join_all((0..1000).map(|_| app.get("/persons"))).await;

    let first = answers[0].ok();
    assert_eq!(first["persons"][0]["personId"], "anna");
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    assert_eq!(app.dynamodb().calls("Scan"), 1);
    assert_eq!(given(&app, "made") + given(&app, "fresh"), 1000);
}

#[actix_web::test]
async fn a_client_that_goes_away_leaves_its_refill_to_the_others() {
    let app = start_with_anna(|_| {}).await;
    app.dynamodb().delay_all(Duration::from_millis(600));
    let gone = tokio::time::timeout(Duration::from_millis(200), app.get("/persons")).await;
    assert!(gone.is_err());

    app.get("/persons").await.ok();

    assert_eq!(app.dynamodb().calls("Scan"), 1);
}

#[actix_web::test]
async fn each_page_has_its_own_answer() {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "2"), person("ben", "1")]).await;
    app.put_occurrences(["anna", "ben"].map(|name| located(name, "1", name))).await;
    let first_page = app.get("/persons?limit=1").await.ok();
    let cursor = first_page["nextCursor"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(app.get("/persons").await.ok()["persons"].as_array().unwrap().len(), 2);
        assert_eq!(app.get("/persons?limit=1").await.ok(), first_page);
        let next = app.get(&format!("/persons?limit=1&cursor={cursor}")).await.ok();
        assert_eq!(next["persons"][0]["personId"], "ben");
        for name in ["anna", "ben"] {
            let photos = app.get(&format!("/persons/{name}/photos")).await.ok();
            assert_eq!((&photos["personId"], &photos["photos"][0]["photoId"]), (&name.into(), &name.into()));
        }
    }
    assert_eq!((app.dynamodb().calls("Scan"), app.dynamodb().calls("Query")), (1, 2));
}

#[actix_web::test]
async fn an_answer_is_never_given_past_the_hand_out_time_of_its_urls() {
    let app = start_with_anna(|wishes| wishes.settings.lists.fresh = Duration::from_hours(1)).await;
    begin_a_window(&app).await;
    let first = app.get("/persons").await;
    app.clock.advance(seconds(seconds_left(&app, &first) - 1));
    assert_eq!(app.get("/persons").await.body, first.body, "the last second");

    app.clock.advance(seconds(1));
    let second = app.get("/persons").await;

    assert_ne!(second.body, first.body);
    assert!(hand_out_end(&second) > hand_out_end(&first));
}

#[actix_web::test]
async fn while_dynamodb_fails_the_present_answer_is_given_until_its_urls_are_not() {
    let app = start_with_anna(|wishes| wishes.settings.dynamodb.max_attempts = 1).await;
    begin_a_window(&app).await;
    let present = app.get("/persons").await;
    app.dynamodb().reset_counts();
    app.dynamodb().fail_all();
    app.clock.advance(seconds(60));

    assert_eq!(app.get("/persons").await.assert_status(200).body, present.body);

    // it was asked once, and is left alone for as long as a fresh answer
    app.clock.advance(seconds(4));
    app.get("/persons").await.assert_status(200);
    assert_eq!(app.dynamodb().calls("Scan"), 1);
    assert_eq!(given(&app, "kept"), 2);
    // then it is asked again, behind the answer's back
    app.clock.advance(seconds(1));
    app.get("/persons").await.assert_status(200);
    until(|| refills(&app, "failed") == 2).await;

    app.clock.advance(seconds(seconds_left(&app, &present) - 1));
    assert_eq!(app.get("/persons").await.assert_status(200).body, present.body);
    app.clock.advance(seconds(1));
    app.get("/persons").await.assert_error(503);
    app.dynamodb().heal();
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn a_dynamodb_that_came_back_is_noticed_while_the_kept_answer_is_given() {
    let app = start_with_anna(|wishes| wishes.settings.dynamodb.max_attempts = 1).await;
    begin_a_window(&app).await;
    app.get("/persons").await.ok();
    app.dynamodb().fail_all();
    app.clock.advance(seconds(60));
    app.get("/persons").await.ok();
    app.dynamodb().heal();
    app.put_persons([person("ben", "2")]).await;
    let changed = refills(&app, "changed");

    app.clock.advance(seconds(5));
    app.get("/persons").await.ok();
    until(|| refills(&app, "changed") == changed + 1).await;

    assert_eq!(app.get("/persons").await.ok()["persons"][0]["personId"], "ben");
}

#[actix_web::test]
async fn an_answer_without_urls_is_kept_for_an_hour() {
    let app = TestApp::start_with(|wishes| wishes.settings.dynamodb.max_attempts = 1).await;
    app.put_persons([row([("personId", s("nobody"))])]).await;
    app.get("/persons").await.ok();
    app.dynamodb().fail_all();

    app.clock.advance(seconds(3599));
    app.get("/persons").await.ok();
    app.clock.advance(seconds(1));
    app.get("/persons").await.assert_error(503);
}

#[actix_web::test]
async fn an_error_is_shared_by_those_who_wait_and_forgotten() {
    let app = start_with_anna(|wishes| {
        wishes.settings.server.request_timeout = seconds(1);
        wishes.settings.dynamodb.max_attempts = 1;
    })
    .await;
    app.dynamodb().hang_all();

    let answers = join_all((0..20).map(|_| app.get("/persons"))).await;

    for answer in &answers {
        answer.assert_error(503);
    }
    assert_eq!(app.dynamodb().calls("Scan"), 1);
    assert_eq!(given(&app, "failed"), 20);
    app.dynamodb().heal();
    app.get("/persons").await.ok();
}

#[actix_web::test]
async fn without_reuse_every_request_reads() {
    let app = start_with_anna(|wishes| wishes.settings.lists.fresh = Duration::ZERO).await;
    for _ in 0..3 {
        app.get("/persons").await.ok();
    }
    app.put_persons([person("ben", "2")]).await;
    assert_eq!(app.get("/persons").await.ok()["persons"][0]["personId"], "ben");
    assert_eq!(app.dynamodb().calls("Scan"), 1, "since the rows were put");
    assert_eq!((given(&app, "made"), given(&app, "fresh")), (4, 0));
    assert_eq!(app.metric("beetroot_answer_bytes"), 0);
    app.dynamodb().fail_all();
    app.get("/persons").await.assert_error(503);
}

#[actix_web::test]
async fn many_pages_stay_below_their_share_of_the_memory() {
    let app = TestApp::start_with(|wishes| wishes.settings.cache.memory = ByteSize(1 << 20)).await;
    let names: Vec<_> = (0..400).map(|number| format!("p{number}")).collect();
    app.put_occurrences(names.iter().map(|name| located(name, "1", name))).await;
    let mut most = 0;
    for (number, name) in names.iter().enumerate() {
        let coding = ["identity", "gzip", "br", "zstd"][number % 4];
        let path = format!("/persons/{name}/photos");
        let answer = app.request(reqwest::Method::GET, &path, &[("accept-encoding", coding)]).await;
        answer.assert_status(200);
        most = most.max(app.metric("beetroot_answer_bytes"));
    }
    assert!((300_000..=384 << 10).contains(&most), "{most}");
    // what was asked for last is still there
    app.dynamodb().reset_counts();
    let last: Value = app.get("/persons/p399/photos").await.ok();
    assert_eq!(last["personId"], "p399");
    assert_eq!(app.dynamodb().calls_total(), 0);
}
