//! One service with its own emulators, tables, metrics and clock. The same `App::build` as in production.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use actix_web::rt::task::JoinHandle;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PutRequest, ScalarAttributeType,
    WriteRequest,
};
use aws_types::SdkConfig;
use beetroot_api::app::{App, Outside};
use beetroot_api::clock::Clock;
use beetroot_api::config::Settings;
use beetroot_api::emulators::{self, DynamoDbEmulator, Emulators, Ports, S3Emulator};
use beetroot_api::telemetry::metrics::Metrics;
use jiff::Timestamp;
use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::answer::Answer;
use super::rows::Row;

pub const THUMBS_BUCKET: &str = "thumbs";
pub const RAW_BUCKET: &str = "raw";

pub struct TestApp {
    pub addr: SocketAddr,
    pub clock: Clock,
    pub metrics: Metrics,
    emulators: Emulators,
    dynamodb_client: aws_sdk_dynamodb::Client,
    s3_client: aws_sdk_s3::Client,
    http: reqwest::Client,
    shutdown: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<std::io::Result<()>>>,
}

/// What a test may want otherwise.
pub struct Wishes {
    pub settings: Settings,
    pub credentials: SharedCredentialsProvider,
    pub clock: Clock,
    /// Name and type of the sort key of the table of occurrences.
    pub sort_key: (&'static str, ScalarAttributeType),
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Wishes)) -> Self {
        let emulators = Emulators::start(Ports::default()).expect("emulators");
        let mut settings = Settings::defaults(THUMBS_BUCKET);
        settings.server.port = 0;
        settings.server.workers = 1;
        settings.aws.region = Some(emulators::REGION.to_owned());
        settings.aws.dynamodb_endpoint = Some(emulators.dynamodb_endpoint());
        settings.aws.s3_endpoint = Some(emulators.s3_endpoint());
        let mut wishes = Wishes {
            settings,
            credentials: SharedCredentialsProvider::new(emulator_credentials(None)),
            clock: Clock::manual(Clock::System.now()),
            sort_key: ("occurrenceId", ScalarAttributeType::S),
        };
        change(&mut wishes);

        let sdk = sdk_config(SharedCredentialsProvider::new(emulator_credentials(None)));
        let dynamodb_client = aws_sdk_dynamodb::Client::from_conf(
            aws_sdk_dynamodb::config::Builder::from(&sdk).endpoint_url(emulators.dynamodb_endpoint()).build(),
        );
        let s3_client = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&sdk)
                .endpoint_url(emulators.s3_endpoint())
                .force_path_style(true)
                .build(),
        );
        create_tables(&dynamodb_client, &wishes.sort_key).await;
        for bucket in [THUMBS_BUCKET, RAW_BUCKET] {
            s3_client.create_bucket().bucket(bucket).send().await.expect("a bucket");
        }
        emulators.dynamodb().reset_counts();
        emulators.s3().reset_counts();

        let outside = Outside { aws: sdk_config(wishes.credentials), clock: wishes.clock.clone() };
        let app = App::build(wishes.settings, outside).await.expect("a service");
        let addr = app.addr();
        let metrics = app.metrics().clone();
        let (shutdown, asked) = oneshot::channel::<()>();
        let running = actix_web::rt::spawn(app.run(async {
            // a sender that was dropped asks for the end as well
            let _ = asked.await;
        }));
        Self {
            addr,
            clock: wishes.clock,
            metrics,
            emulators,
            dynamodb_client,
            s3_client,
            http: reqwest::Client::new(),
            shutdown: Some(shutdown),
            running: Some(running),
        }
    }

    pub fn dynamodb(&self) -> &DynamoDbEmulator {
        self.emulators.dynamodb()
    }

    pub fn s3(&self) -> &S3Emulator {
        self.emulators.s3()
    }

    pub fn emulators(&self) -> &Emulators {
        &self.emulators
    }

    pub async fn put_persons(&self, rows: impl IntoIterator<Item = Row>) {
        put_all(&self.dynamodb_client, "Persons", rows).await;
        self.dynamodb().reset_counts();
    }

    pub async fn put_occurrences(&self, rows: impl IntoIterator<Item = Row>) {
        put_all(&self.dynamodb_client, "Occurrences", rows).await;
        self.dynamodb().reset_counts();
    }

    pub async fn put_photos(&self, rows: impl IntoIterator<Item = Row>) {
        put_all(&self.dynamodb_client, "Photos", rows).await;
        self.dynamodb().reset_counts();
    }

    /// A client of the emulated DynamoDB.
    pub fn dynamodb_client(&self) -> &aws_sdk_dynamodb::Client {
        &self.dynamodb_client
    }

    /// A client of the emulated S3 with the credentials that it knows from the start.
    pub fn s3_client(&self) -> &aws_sdk_s3::Client {
        &self.s3_client
    }

    pub async fn put_object(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let put = self.s3_client.put_object().bucket(bucket).key(key).body(bytes.to_vec().into());
        put.send().await.expect("an object");
    }

    /// An object that browsers take for a picture.
    pub async fn put_picture(&self, bucket: &str, key: &str) {
        let put = self.s3_client.put_object().bucket(bucket).key(key).content_type("image/jpeg");
        put.body(b"a small picture".to_vec().into()).send().await.expect("an object");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[]).await
    }

    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("http://{}{path}", self.addr);
        self.fetch(method, &url, headers).await
    }

    /// A request to anybody, S3 for example.
    pub async fn fetch(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(format!("{method} {url}"), request.send().await.expect("an answer")).await
    }

    /// One request as bytes, for what a client library would mend on its way; gives all that comes back.
    pub async fn raw(&self, head: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.addr).await.expect("a connection");
        let request = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    /// The value of one line of the metrics, labels included in the name; 0 when there is no such line.
    pub fn metric(&self, line: &str) -> u64 {
        let text = self.metrics.render().expect("metrics");
        let value = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().expect("a count"))
    }

    /// Lets the answers in memory grow so old that the next request waits for a new one.
    pub fn let_answers_expire(&self) {
        let lists = Settings::defaults(THUMBS_BUCKET).lists;
        self.clock.advance(lists.fresh + lists.stale);
    }

    /// Asks the service to end, as SIGTERM does.
    pub fn begin_shutdown(&mut self) {
        drop(self.shutdown.take());
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) {
        let running = self.running.take().expect("ends once");
        tokio::time::timeout(Duration::from_secs(30), running)
            .await
            .expect("an end within 30 seconds")
            .expect("no panic")
            .expect("a good end");
    }
}

pub fn emulator_credentials(expires: Option<Timestamp>) -> Credentials {
    Credentials::new(
        emulators::ACCESS_KEY_ID,
        emulators::SECRET_ACCESS_KEY,
        None,
        expires.map(SystemTime::from),
        "test",
    )
}

pub fn sdk_config(credentials: SharedCredentialsProvider) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(emulators::REGION))
        .credentials_provider(credentials)
        .build()
}

/// The three tables with their default names.
pub async fn create_tables(client: &aws_sdk_dynamodb::Client, sort_key: &(&str, ScalarAttributeType)) {
    let text = ScalarAttributeType::S;
    create_table(client, "Persons", &[("personId", &text)]).await;
    create_table(client, "Occurrences", &[("personId", &text), (sort_key.0, &sort_key.1)]).await;
    create_table(client, "Photos", &[("photoId", &text)]).await;
}

async fn create_table(client: &aws_sdk_dynamodb::Client, name: &str, keys: &[(&str, &ScalarAttributeType)]) {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for ((attribute, kind), role) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
        let key = KeySchemaElement::builder().attribute_name(*attribute).key_type(role).build().unwrap();
        let definition =
            AttributeDefinition::builder().attribute_name(*attribute).attribute_type((*kind).clone()).build();
        request = request.key_schema(key).attribute_definitions(definition.unwrap());
    }
    request.send().await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

/// Writes rows in batches.
pub async fn put_all(client: &aws_sdk_dynamodb::Client, table: &str, rows: impl IntoIterator<Item = Row>) {
    let rows: Vec<Row> = rows.into_iter().collect();
    for batch in rows.chunks(25) {
        let writes = batch
            .iter()
            .map(|row| PutRequest::builder().set_item(Some(row.clone())).build().unwrap())
            .map(|put| WriteRequest::builder().put_request(put).build())
            .collect();
        let answer = client
            .batch_write_item()
            .set_request_items(Some(HashMap::from([(table.to_owned(), writes)])))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{table}: {error:?}"));
        assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty), "{table}: unprocessed rows");
    }
}
