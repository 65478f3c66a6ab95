//! What the doctor finds when it fetches pictures as a browser does.

use actix_web::{App, HttpResponse, HttpServer, web};
use http::StatusCode;

use super::{Examined, small_installation};
use crate::rows::{person, row, s};
use crate::test_app::THUMBS_BUCKET;

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
    Examined::of(&app, &[("BEETROOT__PRESIGN__ALLOW", Some("other/x"))]).await.assert(
        "presign.allow",
        "fail",
        &["outside of presign.allow"],
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
