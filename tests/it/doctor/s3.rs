//! What the doctor finds about S3: buckets, addresses, clocks, and what pages may read.

use std::time::Duration;

use beetroot_api::emulators::CorsRules;

use super::{Examined, small_installation};

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
