//! The two lists as one writes them in Rust in an afternoon: the Python function line by line, with the AWS SDK, which reads
//! and signs anew at each request. A peer for `load-tests/run side-by-side`; nothing of the product is in it.
//!
//! `cargo run --example naive -- PORT THUMBS_BUCKET`; AWS is what the SDK's variables say. One worker.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, HttpResponse, HttpServer, web};
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresigningConfig;
use mimalloc::MiMalloc;
use serde_json::json;

type Item = HashMap<String, AttributeValue>;

const EXPIRES: Duration = Duration::from_hours(1);

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
    thumbs_bucket: String,
}

/// The product's, so that it is not what is compared.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: naive PORT THUMBS_BUCKET";
    let port: u16 = arguments.next().ok_or(usage)?.parse()?;
    let thumbs_bucket = arguments.next().ok_or(usage)?;
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    // path style, because the emulated S3 has one host
    let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build();
    let clients = web::Data::new(Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
        s3: aws_sdk_s3::Client::from_conf(s3),
        thumbs_bucket,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(clients.clone())
            .route("/healthz", web::get().to(HttpResponse::Ok))
            .route("/persons", web::get().to(get_persons))
            .route("/persons/{personId}/photos", web::get().to(get_person_photos))
    });
    server.workers(1).bind(("127.0.0.1", port))?.run().await?;
    Ok(())
}

async fn get_persons(clients: web::Data<Clients>) -> Result<HttpResponse, actix_web::Error> {
    let scan = clients.dynamodb.scan().table_name("Persons").limit(200);
    let mut rows = scan.send().await.map_err(ErrorInternalServerError)?.items.unwrap_or_default();
    rows.sort_by_key(|row| std::cmp::Reverse(count(row)));
    let mut persons = Vec::new();
    for row in rows.iter().take(100) {
        let key = text(row, "repThumbKey");
        persons.push(json!({
            "personId": text(row, "personId"),
            "photoCount": count(row),
            "repThumbKey": key,
            "repThumbURL": clients.sign(Some(&clients.thumbs_bucket), key).await?,
        }));
    }
    Ok(HttpResponse::Ok().json(json!({ "persons": persons })))
}

async fn get_person_photos(
    clients: web::Data<Clients>,
    person: web::Path<String>,
) -> Result<HttpResponse, actix_web::Error> {
    let person = person.into_inner();
    let query = clients.dynamodb.query().table_name("Occurrences").limit(200);
    let query = query
        .key_condition_expression("personId = :person")
        .expression_attribute_values(":person", AttributeValue::S(person.clone()));
    let rows = query.send().await.map_err(ErrorInternalServerError)?.items.unwrap_or_default();
    let mut photos = Vec::new();
    for row in &rows {
        let Some(photo) = text(row, "photoId") else { continue };
        let filled = |text: &&str| !text.is_empty();
        let mut bucket = text(row, "photoBucket").filter(filled).map(str::to_owned);
        let mut key = text(row, "photoKey").filter(filled).map(str::to_owned);
        if bucket.is_none() || key.is_none() {
            let get = clients.dynamodb.get_item().table_name("Photos");
            let get = get.key("photoId", AttributeValue::S(photo.to_owned()));
            let Some(found) = get.send().await.map_err(ErrorInternalServerError)?.item else { continue };
            bucket = bucket.or_else(|| text(&found, "s3Bucket").map(str::to_owned));
            key = key.or_else(|| text(&found, "s3Key").map(str::to_owned));
        }
        let thumb = text(row, "thumbKey");
        photos.push(json!({
            "photoId": photo,
            "photoBucket": bucket,
            "photoKey": key,
            "thumbKey": thumb,
            "photoURL": clients.sign(bucket.as_deref(), key.as_deref()).await?,
            "thumbURL": clients.sign(Some(&clients.thumbs_bucket), thumb).await?,
        }));
    }
    Ok(HttpResponse::Ok().json(json!({ "personId": person, "photos": photos })))
}

impl Clients {
    async fn sign(
        &self,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> Result<Option<String>, actix_web::Error> {
        let (Some(bucket), Some(key)) = (bucket, key.filter(|key| !key.is_empty())) else { return Ok(None) };
        let expires = PresigningConfig::expires_in(EXPIRES).map_err(ErrorInternalServerError)?;
        let get = self.s3.get_object().bucket(bucket).key(key);
        let signed = get.presigned(expires).await.map_err(ErrorInternalServerError)?;
        Ok(Some(signed.uri().to_owned()))
    }
}

fn text<'a>(row: &'a Item, name: &str) -> Option<&'a str> {
    row.get(name).and_then(|value| value.as_s().ok()).map(String::as_str)
}

fn count(row: &Item) -> i64 {
    row.get("photoCount")
        .and_then(|value| value.as_n().ok())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
