//! What the doctor finds before it asks tables and buckets: settings, region, credentials and who they are.

use actix_web::{App, HttpResponse, HttpServer, web};
use beetroot_api::emulators;

use super::{Examined, small_installation};
use crate::test_app::TestApp;

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
    for region in [None, Some("")] {
        let examined = Examined::of(&app, &[("AWS_REGION", region)]).await;
        examined.assert("aws", "fail", &["AWS_REGION"]).assert("table.photos", "skip", &["which AWS"]);
        examined.assert("redis", "warn", &["REDIS_URL is not set"]);
        assert_eq!(examined.code, Some(1));
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
