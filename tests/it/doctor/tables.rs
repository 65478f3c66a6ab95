//! What the doctor finds about DynamoDB: tables, rights and rows.

use super::{Examined, small_installation};
use crate::rows::{n, row, s, unlocated};
use crate::test_app::TestApp;

#[actix_web::test]
async fn a_table_that_is_not_there_does_not_stop_the_others() {
    let app = small_installation().await;
    let examined = Examined::of(&app, &[("PERSONS_TABLE", Some("Nobody"))]).await;
    examined.assert("table.persons", "fail", &["Nobody", "no such table", "PERSONS_TABLE or AWS_REGION"]);
    // it has the expected key, and nothing of an occurrence
    Examined::of(&app, &[("OCCURRENCES_TABLE", Some("Persons"))]).await.assert(
        "rows.occurrences",
        "fail",
        &["photoId missing", "0 rows", "the right table"],
    );
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
