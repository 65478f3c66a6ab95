//! What was there before: the same service, except that `aws-sdk-s3` signs every URL of every answer anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use actix_web::{HttpRequest, HttpResponse};
use aws_sdk_s3::presigning::PresigningConfig;
use beetroot_api::clock::Clock;
use serde_json::Value;

use super::small_server::SmallServer;
use super::test_app::{THUMBS_BUCKET, TestApp};

/// Fetches each answer from the service and puts new URLs into it.
pub fn in_front_of(app: &TestApp) -> SmallServer {
    let pen = Pen { s3: app.s3_client().clone(), asked: Arc::default() };
    let service = app.addr;
    SmallServer::start(move |request: HttpRequest| {
        let pen = pen.clone();
        async move {
            let answer = reqwest::get(format!("http://{service}{}", request.uri())).await.expect("an answer");
            let mut copy = HttpResponse::build(answer.status().as_u16().try_into().unwrap());
            for (name, value) in answer.headers() {
                // the answer's length and tag are of other URLs
                if !["content-length", "etag"].contains(&name.as_str()) {
                    copy.append_header((name.as_str(), value.as_bytes()));
                }
            }
            let body = answer.bytes().await.expect("a body");
            match request.path().starts_with("/persons").then(|| serde_json::from_slice(&body)) {
                Some(Ok(answer)) => copy.json(pen.sign_all(answer).await),
                _ => copy.body(body),
            }
        }
    })
}

#[derive(Clone)]
struct Pen {
    s3: aws_sdk_s3::Client,
    asked: Arc<AtomicU64>,
}

impl Pen {
    async fn sign_all(&self, mut answer: Value) -> Value {
        // a second later at each request, as for somebody who does not reload twice within one
        let second = self.asked.fetch_add(1, Ordering::Relaxed);
        let now =
            SystemTime::from(Clock::System.now()) - Duration::from_secs(1000) + Duration::from_secs(second);
        for row in answer["persons"].as_array_mut().into_iter().flatten() {
            row["repThumbURL"] = self.sign(&THUMBS_BUCKET.into(), &row["repThumbKey"], now).await;
        }
        for row in answer["photos"].as_array_mut().into_iter().flatten() {
            row["thumbURL"] = self.sign(&THUMBS_BUCKET.into(), &row["thumbKey"], now).await;
            row["photoURL"] = self.sign(&row["photoBucket"], &row["photoKey"], now).await;
        }
        answer
    }

    async fn sign(&self, bucket: &Value, key: &Value, now: SystemTime) -> Value {
        if key.as_str().unwrap_or_default().is_empty() {
            return Value::Null;
        }
        let life = PresigningConfig::builder()
            .start_time(now)
            .expires_in(Duration::from_secs(3600))
            .build()
            .unwrap();
        let get = self.s3.get_object().bucket(bucket.as_str().unwrap()).key(key.as_str().unwrap());
        // kept as long as a picture of the service, so that the signature is all that differs
        let get = get.response_cache_control("private, max-age=3600, immutable");
        get.presigned(life).await.expect("a URL").uri().into()
    }
}
