//! Two days of three instances, one Redis and a reload every minute, under the injected clock.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::presigning::PresigningConfig;
use beetroot_api::clock::Clock;
use beetroot_api::config::RedisUrl;
use jiff::Timestamp;

use super::redis_server::RedisServer;
use super::rows::person;
use super::signed_urls::end_of;
use super::test_app::{TestApp, sdk_config};

const MINUTES: usize = 48 * 60;
const PICTURES: usize = 20;
const LIFE: i64 = 3600;
const MARGIN: i64 = 300;
const ROTATION: i64 = 6 * 3600;
/// New credentials are there so long before the old ones end.
const OVERLAP: i64 = 600;

/// The credentials of a role: every six hours another session, each of which lives ten minutes into the next.
#[derive(Clone, Debug)]
struct Role {
    number: usize,
    clock: Clock,
}

impl Role {
    fn session(&self, at: Timestamp) -> Credentials {
        let period = at.as_second().div_euclid(ROTATION);
        let end = Timestamp::from_second((period + 1) * ROTATION + OVERLAP).unwrap();
        Credentials::new(
            format!("ASIA{}X{period}", self.number),
            format!("secret of {} in {period}", self.number),
            Some(format!("token/of+{}={period}", self.number)),
            Some(SystemTime::from(end)),
            "role",
        )
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Ok(self.session(self.clock.now())))
    }
}

async fn start(redis: &RedisServer, role: &Role, s3_endpoint: &str) -> TestApp {
    let url = RedisUrl::parse(&redis.url()).unwrap();
    let app = TestApp::start_with(|wishes| {
        wishes.settings.redis.url = Some(url);
        wishes.settings.redis.deadline = Duration::from_secs(5);
        wishes.settings.aws.s3_endpoint = Some(s3_endpoint.to_owned());
        wishes.credentials = SharedCredentialsProvider::new(role.clone());
        wishes.clock = role.clock.clone();
    })
    .await;
    app.put_persons((0..PICTURES).map(|number| person(&format!("p{number:02}"), "1"))).await;
    app
}

/// Redis keeps real time and the test does not: deletes what would have ended by the test's clock.
struct Ends {
    connection: redis::Connection,
    ends: HashMap<String, i64>,
}

impl Ends {
    fn keep(&mut self, now: Timestamp) {
        let keys: Vec<String> = redis::cmd("KEYS").arg("beetroot:url:*").query(&mut self.connection).unwrap();
        for key in keys {
            // a new key gets its end from the life that it was given; the real second that has passed does not matter
            if !self.ends.contains_key(&key) {
                let life: i64 = redis::cmd("PTTL").arg(&key).query(&mut self.connection).unwrap();
                self.ends.insert(key, now.as_second() + (life + 999) / 1000);
            }
        }
        let over: Vec<String> = self
            .ends
            .iter()
            .filter(|(_, end)| **end <= now.as_second())
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            let _: i64 = redis::cmd("DEL").arg(&key).query(&mut self.connection).unwrap();
            self.ends.remove(&key);
        }
    }
}

/// Signs again with `aws-sdk-s3` and the credentials that the URL names.
struct Judge {
    roles: Vec<Role>,
    s3_endpoint: String,
    /// URLs that were found good, and when each ends.
    good: HashMap<String, Timestamp>,
}

impl Judge {
    async fn assert_good(&mut self, url: &str, key: &str, now: Timestamp) {
        if !self.good.contains_key(url) {
            let end = self.verify(url, key).await;
            self.good.insert(url.to_owned(), end);
        }
        let left = self.good[url].as_second() - now.as_second();
        assert!(left >= MARGIN, "{left} s left at {now}");
    }

    async fn verify(&self, url: &str, key: &str) -> Timestamp {
        let end = end_of(url);
        let value = |name: &str| url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap();
        let life: u64 = value("X-Amz-Expires=").parse().unwrap();
        assert!(life <= LIFE.unsigned_abs());
        let signed_at = end - Duration::from_secs(life);
        let name = value("X-Amz-Credential=").split("%2F").next().unwrap();
        // the session that the name says, whenever it was
        let (number, period) = name.strip_prefix("ASIA").unwrap().split_once('X').unwrap();
        let role = &self.roles[number.parse::<usize>().unwrap()];
        let inside = Timestamp::from_second(period.parse::<i64>().unwrap() * ROTATION).unwrap();
        let session = role.session(inside);
        assert!(SystemTime::from(end) <= session.expiry().unwrap(), "outlives its credentials");
        let sdk = sdk_config(SharedCredentialsProvider::new(session));
        let config =
            aws_sdk_s3::config::Builder::from(&sdk).endpoint_url(&self.s3_endpoint).force_path_style(true);
        let times = PresigningConfig::builder()
            .start_time(SystemTime::from(signed_at))
            .expires_in(Duration::from_secs(life))
            .build()
            .unwrap();
        let theirs = aws_sdk_s3::Client::from_conf(config.build())
            .get_object()
            .bucket("thumbs")
            .key(key)
            .response_cache_control("private, max-age=3600, immutable")
            .presigned(times)
            .await
            .unwrap();
        assert_eq!(url, theirs.uri());
        end
    }
}

#[actix_web::test]
async fn a_reloaded_grid_keeps_its_urls_on_three_instances_for_two_days() {
    let redis = RedisServer::start();
    let clock = Clock::manual(Timestamp::from_second(1_790_000_000).unwrap());
    let roles: Vec<Role> = (0..3).map(|number| Role { number, clock: clock.clone() }).collect();
    let s3_endpoint = "http://127.0.0.1:9";
    let mut instances = Vec::new();
    for role in &roles {
        instances.push(start(&redis, role, s3_endpoint).await);
    }
    let connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let mut ends = Ends { connection, ends: HashMap::new() };
    let mut judge = Judge { roles: roles.clone(), s3_endpoint: s3_endpoint.to_owned(), good: HashMap::new() };

    let mut before: BTreeMap<String, String> = BTreeMap::new();
    let (mut reloads, mut same, mut renewals, mut surprises) = (0_u64, 0_u64, 0_u64, 0_u64);
    for minute in 0..MINUTES {
        if minute > 0 && minute % 120 == 0 {
            instances[2] = start(&redis, &roles[2], s3_endpoint).await;
        }
        let now = clock.now();
        ends.keep(now);
        for instance in &instances {
            let answer = instance.get("/persons").await.ok();
            for person in answer["persons"].as_array().unwrap() {
                let key = person["repThumbKey"].as_str().unwrap();
                let url = person["repThumbURL"].as_str().unwrap();
                judge.assert_good(url, key, now).await;
                if let Some(before) = before.insert(key.to_owned(), url.to_owned()) {
                    let life: i64 = before
                        .split("X-Amz-Expires=")
                        .nth(1)
                        .unwrap()
                        .split('&')
                        .next()
                        .unwrap()
                        .parse()
                        .unwrap();
                    let left = end_of(&before).as_second() - now.as_second();
                    reloads += 1;
                    if before == url {
                        same += 1;
                    } else if left <= MARGIN + (life - MARGIN) / 10 {
                        renewals += 1;
                    } else {
                        surprises += 1;
                    }
                }
            }
        }
        clock.advance(Duration::from_secs(60));
    }

    let outside = same + surprises;
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let share = 100.0 * same as f64 / outside as f64;
    println!(
        "pictures reloaded {reloads}, same URL {same}, renewed {renewals}, changed outside of a renewal {surprises}"
    );
    println!(
        "same outside of renewals: {share:.3} %; distinct URLs, each signed again by aws-sdk-s3: {}",
        judge.good.len()
    );
    assert!(surprises * 100 <= outside, "{surprises} of {outside}");
    let least = (MINUTES * 60 / 3300 - 2) * PICTURES;
    assert!(judge.good.len() >= least && renewals > 0, "{} URLs", judge.good.len());
}
