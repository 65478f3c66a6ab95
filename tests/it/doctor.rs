//! `beetroot-api doctor` as an operator runs it: the mistakes of `docs/doctor.md`, each with its sentence.

use std::process::Command;
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use beetroot_api::emulators::{self, CorsRules};
use http::StatusCode;
use serde_json::Value;

use super::redis_server::RedisServer;
use super::rows::{located, n, person, photo, row, s, unlocated};
use super::served::program;
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, TestApp};

/// The program's environment for the emulators of `app`; `None` takes a variable away.
type Variables<'a> = &'a [(&'a str, Option<&'a str>)];

pub fn doctor(app: &TestApp, variables: Variables<'_>) -> Command {
    let mut command = program();
    command
        .arg("doctor")
        .envs([("THUMBS_BUCKET", THUMBS_BUCKET), ("AWS_REGION", emulators::REGION)])
        .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/nonexistent")])
        .env("AWS_ACCESS_KEY_ID", emulators::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", emulators::SECRET_ACCESS_KEY)
        .env("AWS_ENDPOINT_URL_DYNAMODB", app.emulators().dynamodb_endpoint())
        .env("AWS_ENDPOINT_URL_S3", app.emulators().s3_endpoint())
        // a machine that does something else as well is no finding
        .env("BEETROOT__REDIS__DEADLINE", "10s");
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// What the doctor found.
pub struct Examined {
    pub code: Option<i32>,
    pub json: Value,
}

impl Examined {
    /// Leaves this runtime free for a test's own servers meanwhile.
    pub async fn of(app: &TestApp, variables: Variables<'_>) -> Self {
        let mut command = doctor(app, variables);
        let output =
            tokio::task::spawn_blocking(move || command.arg("--json").output().unwrap()).await.unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for secret in ["X-Amz-Signature", "X-Amz-Credential", "hunter2", emulators::SECRET_ACCESS_KEY] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { code: output.status.code(), json }
    }

    fn all(&self, id: &str) -> Vec<&Value> {
        self.json["checks"].as_array().unwrap().iter().filter(|check| check["id"] == id).collect()
    }

    /// That a finding of this check ended so, and its text holds all of these.
    #[track_caller]
    pub fn assert(&self, id: &str, status: &str, parts: &[&str]) -> &Self {
        let fits = |check: &&Value| {
            let text = format!("{} {}", check["found"], check["advice"]);
            check["status"] == status && parts.iter().all(|part| text.contains(part))
        };
        assert!(self.all(id).iter().any(fits), "no {id} with {status} and {parts:?}: {:#}", self.json);
        let failed = self.json["summary"]["fail"].as_u64().unwrap();
        assert_eq!(self.code == Some(0), failed == 0, "{:?}: {:#}", self.code, self.json);
        for check in self.json["checks"].as_array().unwrap() {
            assert!(
                check["status"] != "fail" || check["advice"].is_string(),
                "a failure without advice: {check}"
            );
        }
        self
    }
}

/// One person with one occurrence and one photo, and the pictures of all three kinds.
async fn small_installation() -> TestApp {
    let app = TestApp::start().await;
    app.put_persons([person("anna", "1")]).await;
    app.put_occurrences([unlocated("anna", "1", "p1"), located("anna", "2", "p2")]).await;
    app.put_photos([photo("p1"), photo("p2")]).await;
    for key in ["faces-thumbs/anna.jpg", "faces-thumbs/anna/p1.jpg", "faces-thumbs/anna/p2.jpg"] {
        app.put_picture(THUMBS_BUCKET, key).await;
    }
    for key in ["photos-raw/p1.jpg", "photos-raw/p2.jpg"] {
        app.put_picture(RAW_BUCKET, key).await;
    }
    app
}

#[actix_web::test]
async fn a_sound_installation_has_a_line_for_each_check_and_exit_code_0() {
    let app = small_installation().await;
    let redis = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "volatile-ttl"]);
    let rights = [
        "on",
        ">hunter2",
        "~beetroot:*",
        "+get",
        "+mget",
        "+set",
        "+ping",
        "+unwatch",
        "+info",
        "+acl|whoami",
    ];
    redis.cli(&[["acl", "setuser", "app"].as_slice(), &rights].concat());
    let url = redis.url().replace("://", "://app:hunter2@");
    let output = doctor(
        &app,
        &[
            ("REDIS_URL", Some(&url)),
            ("BEETROOT__SEAL__KEY", Some("hunter2hunter2hunter2")),
            ("BEETROOT__PRESIGN__ALLOW", Some("thumbs/faces-thumbs/,raw/photos-raw/")),
        ],
    )
    .output()
    .unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    for (found, shown) in [
        (app.emulators().dynamodb_endpoint(), "http://DYNAMODB"),
        (app.emulators().s3_endpoint(), "http://S3"),
        (redis.url(), "redis://REDIS"),
    ] {
        text = text.replace(&found, shown);
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    for (before, after) in [("doctor:", ", gone"), ("Redis ", "\n"), ("volatile-ttl, ", " of")] {
        let start = text.find(before).unwrap_or_else(|| panic!("{before}: {text}")) + before.len();
        let end = start + text[start..].find(after).unwrap_or_else(|| panic!("{after}: {text}"));
        text.replace_range(start..end, "…");
    }
    insta::assert_snapshot!(text);
}

#[actix_web::test]
async fn every_fault_of_the_settings_is_a_line_and_the_exit_code_is_2() {
    let app = TestApp::start().await;
    let examined = Examined::of(&app, &[("THUMBS_BUCKET", None), ("PRESIGN_EXPIRES", Some("an hour"))]).await;
    examined.assert("settings", "fail", &["THUMBS_BUCKET is required"]);
    examined.assert("settings", "fail", &["PRESIGN_EXPIRES", "1 to 604800"]);
    assert_eq!(examined.code, Some(2));
}

#[actix_web::test]
async fn a_missing_region_is_named_and_everything_behind_it_skipped() {
    let app = TestApp::start().await;
    let examined = Examined::of(&app, &[("AWS_REGION", None)]).await;
    examined.assert("aws", "fail", &["AWS_REGION"]).assert("table.photos", "skip", &["which AWS"]);
    examined.assert("redis", "warn", &["REDIS_URL is not set"]);
    assert_eq!(examined.code, Some(1));
}

#[actix_web::test]
async fn a_bucket_of_another_region_is_told_with_both() {
    let app = small_installation().await;
    app.s3().set_bucket_region("eu-west-1");
    let examined = Examined::of(&app, &[]).await;
    examined.assert(
        "s3.bucket",
        "fail",
        &["is in eu-west-1", "signed for eu-central-1", "AWS_REGION=eu-west-1"],
    );
}

#[actix_web::test]
async fn a_table_that_is_not_there_does_not_stop_the_others() {
    let app = small_installation().await;
    let examined = Examined::of(&app, &[("PERSONS_TABLE", Some("Nobody"))]).await;
    examined.assert("table.persons", "fail", &["Nobody", "no such table", "PERSONS_TABLE or AWS_REGION"]);
    examined.assert("table.occurrences", "ok", &[]).assert("table.photos", "ok", &[]);
}

#[actix_web::test]
async fn a_table_of_another_key_is_recognised_with_the_rights_of_the_service() {
    let app = small_installation().await;
    for (id, variable, table, key) in [
        ("table.persons", "PERSONS_TABLE", "Photos", "personId"),
        ("table.persons", "PERSONS_TABLE", "Occurrences", "personId"),
        ("table.occurrences", "OCCURRENCES_TABLE", "Photos", "personId"),
        ("table.photos", "PHOTOS_TABLE", "Persons", "photoId"),
    ] {
        let examined = Examined::of(&app, &[(variable, Some(table))]).await;
        examined.assert(id, "fail", &["not the expected one", key, variable]);
    }
    for operation in ["DescribeTable", "ListTables", "GetItem"] {
        assert_eq!(app.dynamodb().calls(operation), 0, "{operation} is no right that the service needs");
    }
}

#[actix_web::test]
async fn without_credentials_nothing_that_needs_them_is_tried() {
    let app = small_installation().await;
    let examined = Examined::of(&app, &[("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None)]).await;
    examined.assert("credentials", "fail", &["no AWS credentials", "AWS_PROFILE"]);
    examined.assert("table.persons", "skip", &["no credentials"]).assert("s3.bucket", "ok", &[]);
    assert_eq!(app.dynamodb().calls_total(), 0);
}

/// A profile whose credentials end so many seconds from now.
fn profile_that_ends_in(dir: &std::path::Path, seconds: i64) -> String {
    let end = beetroot_api::clock::Clock::System.now() + jiff::SignedDuration::from_secs(seconds);
    let credentials = serde_json::json!({
        "Version": 1, "AccessKeyId": emulators::ACCESS_KEY_ID, "SecretAccessKey": emulators::SECRET_ACCESS_KEY,
        "Expiration": end.to_string(),
    });
    std::fs::write(dir.join("credentials.json"), credentials.to_string()).unwrap();
    let config = dir.join("config");
    let process =
        format!("[default]\ncredential_process = /bin/cat {}\n", dir.join("credentials.json").display());
    std::fs::write(&config, process).unwrap();
    config.display().to_string()
}

#[actix_web::test]
async fn the_end_of_credentials_is_held_against_that_of_urls() {
    let app = small_installation().await;
    let dir = tempfile::tempdir().unwrap();
    for (seconds, id, status, part) in [
        (-60, "credentials.life", "fail", "expired"),
        (900, "credentials.life", "warn", "URLs live no longer"),
        (7200, "credentials.life", "ok", "renews them in time"),
    ] {
        let profile = profile_that_ends_in(dir.path(), seconds);
        let examined = Examined::of(
            &app,
            &[
                ("AWS_ACCESS_KEY_ID", None),
                ("AWS_SECRET_ACCESS_KEY", None),
                ("AWS_CONFIG_FILE", Some(&profile)),
            ],
        )
        .await;
        examined.assert(id, status, &[part]);
    }
}

#[actix_web::test]
async fn what_dynamodb_refuses_is_explained() {
    let app = small_installation().await;
    app.dynamodb().deny("BatchGetItem");
    let examined = Examined::of(&app, &[]).await;
    examined.assert(
        "table.photos",
        "fail",
        &["assumed-role/beetroot", "allow dynamodb:BatchGetItem on the table Photos"],
    );
    examined.assert("table.persons", "ok", &[]).assert("picture.person_thumb", "ok", &[]);
    app.dynamodb().heal();
    for (code, advice) in [
        ("ExpiredTokenException", "renew them"),
        ("UnrecognizedClientException", "does not know the access key"),
        ("InvalidSignatureException", "secret key"),
    ] {
        app.dynamodb().refuse_all(code);
        Examined::of(&app, &[]).await.assert("table.persons", "fail", &[code, advice]);
    }
}

#[actix_web::test]
async fn a_dynamodb_that_is_not_there_is_asked_once() {
    let app = small_installation().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let examined = Examined::of(&app, &[("AWS_ENDPOINT_URL_DYNAMODB", Some(&endpoint))]).await;
    examined.assert("table.persons", "fail", &[&endpoint, "refused", "AWS_ENDPOINT_URL_DYNAMODB"]);
    examined.assert("table.photos", "skip", &["no answer"]);
}

#[actix_web::test]
async fn rows_are_counted_by_what_is_odd_about_them() {
    let app = small_installation().await;
    app.put_persons([
        row([("personId", s("ben")), ("photoCount", s("many"))]),
        row([("personId", s("cleo")), ("photoCount", n("0")), ("repThumbKey", s(""))]),
    ])
    .await;
    let examined = Examined::of(&app, &[]).await;
    examined.assert("rows.persons", "warn", &["photoCount missing or of another type in 1; 3 rows"]);

    let app = small_installation().await;
    app.put_persons([row([("personId", s("ben")), ("photoCount", n("1"))])]).await;
    let examined = Examined::of(&app, &[]).await;
    examined.assert("rows.persons", "ok", &["1 of 2 without repThumbKey", "upload more photos"]);
    assert_eq!(examined.code, Some(0), "{:#}", examined.json);
}

#[actix_web::test]
async fn occurrences_without_a_place_anywhere_are_told() {
    let app = small_installation().await;
    app.put_occurrences([unlocated("anna", "3", "gone")]).await;
    Examined::of(&app, &[]).await.assert("rows.photos", "warn", &["1 row", "leaves them out"]);
}

#[actix_web::test]
async fn empty_tables_are_no_failure() {
    let app = TestApp::start().await;
    let examined = Examined::of(&app, &[]).await;
    examined.assert("table.persons", "warn", &["empty", "AWS_REGION"]).assert("table.photos", "ok", &[]);
    examined.assert("picture.photo", "skip", &["no row"]).assert("bucket_cors", "skip", &["no picture came"]);
}

#[actix_web::test]
async fn pictures_that_do_not_come_are_explained() {
    let app = small_installation().await;
    app.put_persons([person("ben", "9")]).await;
    let examined = Examined::of(&app, &[]).await;
    examined.assert(
        "picture.person_thumb",
        "warn",
        &["1 of 2 came", "thumbs/faces-thumbs/ben.jpg", "NoSuchKey", "upload it"],
    );

    Examined::of(&app, &[("THUMBS_BUCKET", Some("nothing-here"))])
        .await
        .assert("picture.person_thumb", "fail", &["NoSuchBucket", "THUMBS_BUCKET"])
        .assert("picture.photo", "ok", &[]);
    Examined::of(&app, &[("AWS_SECRET_ACCESS_KEY", Some("of-somebody-else"))]).await.assert(
        "picture.photo",
        "fail",
        &["SignatureDoesNotMatch", "a proxy"],
    );
    Examined::of(&app, &[("AWS_ACCESS_KEY_ID", Some("AKIAUNKNOWN"))]).await.assert(
        "picture.photo",
        "fail",
        &["InvalidAccessKeyId", "local stack"],
    );
    Examined::of(&app, &[("AWS_SESSION_TOKEN", Some("hunter2"))])
        .await
        .assert("picture.photo", "fail", &["InvalidToken", "AWS_SESSION_TOKEN"])
        .assert("credentials.life", "warn", &["whose end nobody tells"]);
    for (code, message, parts) in [
        (
            "AccessDenied",
            "Access Denied",
            ["s3:GetObject on arn:aws:s3:::raw/photos-raw/*", "without s3:ListBucket"],
        ),
        ("AccessDenied", "is not authorized to perform: kms:Decrypt", ["kms:Decrypt", "KMS key"]),
        ("ExpiredToken", "", ["ended", "renew"]),
        ("RequestTimeTooSkewed", "", ["clock", "NTP"]),
        ("AuthorizationHeaderMalformed", "", ["eu-central-1", "AWS_REGION"]),
    ] {
        app.s3().refuse_gets(StatusCode::FORBIDDEN, code, message);
        Examined::of(&app, &[]).await.assert("picture.photo", "fail", &parts);
    }
}

#[actix_web::test]
async fn an_object_without_a_content_type_is_odd() {
    let app = small_installation().await;
    app.put_object(THUMBS_BUCKET, "faces-thumbs/anna.jpg", b"bytes").await;
    Examined::of(&app, &[]).await.assert("picture.person_thumb", "warn", &["Content-Type", "image/jpeg"]);
}

#[actix_web::test]
async fn keys_that_nobody_may_sign_are_counted() {
    let app = small_installation().await;
    app.put_persons([row([("personId", s("dot")), ("repThumbKey", s("faces-thumbs/../secret.jpg"))])]).await;
    let examined = Examined::of(&app, &[("BEETROOT__PRESIGN__ALLOW", Some("thumbs/faces-thumbs/"))]).await;
    examined.assert(
        "presign.allow",
        "warn",
        &["2 of 6", "outside of presign.allow", "raw/photos-raw/p1.jpg"],
    );
    examined.assert(
        "presign.allow",
        "warn",
        &["1 of 6", "browsers fold", "thumbs/faces-thumbs/../secret.jpg"],
    );
    examined.assert("picture.photo", "skip", &["may be signed"]).assert(
        "picture.person_thumb",
        "ok",
        &["1 picture came"],
    );
}

#[actix_web::test]
async fn a_public_endpoint_that_leads_nowhere_is_told() {
    let app = small_installation().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Examined::of(&app, &[("S3_PUBLIC_ENDPOINT", Some(&format!("http://{closed}")))])
        .await
        .assert("s3.bucket", "fail", &["refused", "S3_PUBLIC_ENDPOINT"])
        .assert("clock", "skip", &[])
        .assert("picture.photo", "fail", &["nothing listens there"])
        .assert("table.persons", "ok", &[]);
    let tls = app.emulators().s3_endpoint().replace("http://", "https://");
    Examined::of(&app, &[("S3_PUBLIC_ENDPOINT", Some(&tls))]).await.assert(
        "s3.bucket",
        "fail",
        &["http:// or https://"],
    );
    Examined::of(&app, &[("S3_PUBLIC_ENDPOINT", Some("http://minio.invalid"))]).await.assert(
        "s3.bucket",
        "fail",
        &["minio.invalid"],
    );
    let bare = app.emulators().s3_endpoint().replace("127.0.0.1", "container");
    Examined::of(&app, &[("S3_PUBLIC_ENDPOINT", Some(&bare))]).await.assert(
        "aws.public_endpoint",
        "warn",
        &["container", "browsers do not find"],
    );
}

#[actix_web::test]
async fn a_login_page_in_front_of_s3_is_no_picture() {
    let app = small_installation().await;
    let login = || async { HttpResponse::Ok().content_type("text/html").body("<html>Please log in</html>") };
    let server = HttpServer::new(move || App::new().default_service(web::to(login)));
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    Examined::of(&app, &[("S3_PUBLIC_ENDPOINT", Some(&endpoint))]).await.assert(
        "picture.photo",
        "fail",
        &["comes as text/html", "login page"],
    );
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}

#[actix_web::test]
async fn the_buckets_cors_is_that_which_pages_see() {
    let app = small_installation().await;
    let ours = ("CORS_ALLOWED_ORIGINS", Some("https://photos.example"));
    Examined::of(&app, &[ours]).await.assert(
        "bucket_cors",
        "ok",
        &["bucket thumbs", "without an Origin as well"],
    );
    app.s3().set_cors(CorsRules::Only("https://photos.example"));
    Examined::of(&app, &[ours]).await.assert(
        "bucket_cors",
        "ok",
        &["bucket raw", "not without an Origin", "same crossorigin"],
    );
    Examined::of(&app, &[("CORS_ALLOWED_ORIGINS", Some("https://other.example"))]).await.assert(
        "bucket_cors",
        "warn",
        &["does not allow https://other.example", "a plain <img>"],
    );
    app.s3().set_cors(CorsRules::Nobody);
    let examined = Examined::of(&app, &[]).await;
    examined.assert("bucket_cors", "warn", &["no Access-Control-Allow-Origin", "bucket-cors"]);
    assert_eq!(examined.code, Some(0), "a plain <img> needs none");
}

#[actix_web::test]
async fn a_clock_that_is_wrong_is_told_before_s3_refuses() {
    let app = small_installation().await;
    app.s3().set_clock_ahead(Duration::from_secs(90));
    Examined::of(&app, &[]).await.assert("clock", "warn", &["s behind S3's", "NTP"]);
    app.s3().set_clock_ahead(Duration::from_secs(900));
    Examined::of(&app, &[]).await.assert("clock", "fail", &["s behind S3's", "NTP"]);
}

#[actix_web::test]
async fn sts_tells_who_signs() {
    let app = small_installation().await;
    let identity = || async {
        HttpResponse::Ok().content_type("text/xml").body(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:sts::111122223333:assumed-role/beetroot/task</Arn><UserId>A</UserId>\
             <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        )
    };
    let expired = || async {
        HttpResponse::Forbidden().content_type("text/xml").body(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>",
        )
    };
    let server = HttpServer::new(move || {
        App::new()
            .service(web::scope("/old").default_service(web::to(expired)))
            .default_service(web::to(identity))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    Examined::of(&app, &[("AWS_ENDPOINT_URL_STS", Some(&endpoint))]).await.assert(
        "credentials.identity",
        "ok",
        &["arn:aws:sts::111122223333:assumed-role/beetroot/task"],
    );
    let old = format!("{endpoint}/old");
    Examined::of(&app, &[("AWS_ENDPOINT_URL_STS", Some(&old))]).await.assert(
        "credentials.identity",
        "fail",
        &["ExpiredToken", "aws sso login"],
    );
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
