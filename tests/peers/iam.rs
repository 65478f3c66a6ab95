//! The policies that `beetroot-api policy` prints, against moto, an AWS written in Python, which enforces them: the service
//! runs as a role that has nothing else.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ScalarAttributeType};
use beetroot_api::emulators::REGION;
use serde_json::Value;

use super::rows::{located, person, photo, unlocated};
use super::served::{Served, program};
use super::test_app::{RAW_BUCKET, THUMBS_BUCKET, create_tables, put_all, sdk_config};

/// moto's own.
const ACCOUNT: &str = "123456789012";

/// moto's server, which believes everybody until [`Moto::enforce`].
struct Moto {
    process: Child,
    url: String,
}

impl Moto {
    #[allow(clippy::disallowed_methods, reason = "waits for a process, which keeps real time")]
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/peers/moto/bin/python");
        assert!(python.exists(), "moto is not installed: run ./scripts/test --peers");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(python)
            .arg(root.join("tests/peers/moto_iam.py"))
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self { process, url: format!("http://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        moto
    }

    /// Rows and pictures: a photo that its occurrence locates and one that the table of photos does, and things that are none
    /// of the service's business.
    async fn fill(&self) {
        let nobody = Credentials::new("nobody", "nothing", None, None, "test");
        let (dynamodb, s3) = self.clients(&nobody);
        create_tables(&dynamodb, &("occurrenceId", ScalarAttributeType::S)).await;
        put_all(&dynamodb, "Persons", [person("anna", "2")]).await;
        put_all(&dynamodb, "Occurrences", [located("anna", "1", "one"), unlocated("anna", "2", "two")]).await;
        put_all(&dynamodb, "Photos", [photo("two")]).await;
        for bucket in [THUMBS_BUCKET, RAW_BUCKET, "another"] {
            let place = aws_sdk_s3::types::CreateBucketConfiguration::builder()
                .location_constraint(REGION.into())
                .build();
            s3.create_bucket().bucket(bucket).create_bucket_configuration(place).send().await.unwrap();
        }
        for (bucket, key) in [
            (THUMBS_BUCKET, "faces-thumbs/anna.jpg"),
            (THUMBS_BUCKET, "faces-thumbs/anna/one.jpg"),
            (THUMBS_BUCKET, "faces-thumbs/anna/two.jpg"),
            (THUMBS_BUCKET, "private/1.jpg"),
            (RAW_BUCKET, "photos-raw/one.jpg"),
            (RAW_BUCKET, "photos-raw/two.jpg"),
            (RAW_BUCKET, "private/1.jpg"),
            ("another", "photos-raw/1.jpg"),
        ] {
            let put = s3.put_object().bucket(bucket).key(key).body(b"a picture".to_vec().into());
            put.send().await.unwrap_or_else(|error| panic!("{bucket}/{key}: {error:?}"));
        }
    }

    /// A session of a new role with this policy and no other.
    async fn session(&self, name: &str, policy: &str) -> Credentials {
        let trust = print_policy(&["trust-ecs", "--account-id", ACCOUNT, "--region", REGION]);
        self.call(
            "iam",
            &[("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", &trust)],
        )
        .await;
        let attach = [
            ("Action", "PutRolePolicy"),
            ("RoleName", name),
            ("PolicyName", "beetroot-api"),
            ("PolicyDocument", policy),
        ];
        self.call("iam", &attach).await;
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        let assume = [("Action", "AssumeRole"), ("RoleArn", role.as_str()), ("RoleSessionName", "session")];
        let answer = self.call("sts", &assume).await;
        let text = |tag: &str| {
            let (_, rest) =
                answer.split_once(&format!("<{tag}>")).unwrap_or_else(|| panic!("{tag}: {answer}"));
            rest.split('<').next().unwrap().to_owned()
        };
        let token = Some(text("SessionToken"));
        Credentials::new(text("AccessKeyId"), text("SecretAccessKey"), token, None, "test")
    }

    /// A call to one of the services that the tests have no client for.
    async fn call(&self, service: &str, fields: &[(&str, &str)]) -> String {
        let scope = format!("nobody/20260101/us-east-1/{service}/aws4_request");
        let body: Vec<String> = [("Version", "2011-06-15")]
            .iter()
            .chain(fields)
            .map(|(name, value)| {
                let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
                format!("{name}={value}")
            })
            .collect();
        let answer = reqwest::Client::new()
            .post(&self.url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
            )
            .body(body.join("&"))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{fields:?}: {text}");
        text
    }

    /// From now on it checks who asks, and what they may do.
    async fn enforce(&self) {
        let reset = reqwest::Client::new().post(format!("{}/moto-api/reset-auth", self.url));
        assert_eq!(reset.body("0").send().await.unwrap().status(), 200);
    }

    fn clients(&self, credentials: &Credentials) -> (aws_sdk_dynamodb::Client, aws_sdk_s3::Client) {
        let sdk = sdk_config(SharedCredentialsProvider::new(credentials.clone()));
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk).endpoint_url(&self.url).build();
        let s3 =
            aws_sdk_s3::config::Builder::from(&sdk).endpoint_url(&self.url).force_path_style(true).build();
        (aws_sdk_dynamodb::Client::from_conf(dynamodb), aws_sdk_s3::Client::from_conf(s3))
    }

    /// What clients of the service see when it runs with these credentials.
    async fn seen(&self, credentials: &Credentials) -> BTreeMap<&'static str, u16> {
        let served = Served::start_with([
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
            ("AWS_SESSION_TOKEN", credentials.session_token().unwrap()),
            ("AWS_ENDPOINT_URL", &self.url),
        ]);
        let mut seen = BTreeMap::new();
        for (route, path, rows, count, urls) in [
            (
                "persons",
                "/persons",
                "persons",
                1,
                [("thumbnail", "repThumbURL"), ("thumbnail", "repThumbURL")],
            ),
            (
                "photos",
                "/persons/anna/photos",
                "photos",
                2,
                [("thumbnail", "thumbURL"), ("original", "photoURL")],
            ),
        ] {
            let answer = reqwest::get(format!("http://{}{path}", served.address)).await.unwrap();
            seen.insert(route, answer.status().as_u16());
            if answer.status() != 200 {
                continue;
            }
            let answer: Value = answer.json().await.unwrap();
            let rows = answer[rows].as_array().unwrap();
            assert_eq!(rows.len(), count, "{answer}");
            for (row, (kind, field)) in rows.iter().flat_map(|row| urls.map(|url| (row, url))) {
                let url = row[field].as_str().unwrap_or_else(|| panic!("{field}: {row}"));
                let status = reqwest::get(url).await.unwrap().status().as_u16();
                let others = *seen.entry(kind).or_insert(status);
                assert_eq!(status, others, "{field}: {row}");
            }
        }
        served.end();
        seen
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn print_policy(args: &[&str]) -> String {
    let output = program().arg("policy").args(args).env("THUMBS_BUCKET", THUMBS_BUCKET).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn role_policy() -> Value {
    let text =
        print_policy(&["role", "--account-id", ACCOUNT, "--region", REGION, "--raw-bucket", RAW_BUCKET]);
    serde_json::from_str(&text).unwrap()
}

/// The policy without one of its statements.
fn without(policy: &Value, sid: &str) -> String {
    let mut policy = policy.clone();
    policy["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != sid);
    policy.to_string()
}

/// The status of an answer, from the SDK's own view of it.
macro_rules! status {
    ($call:expr) => {
        match $call.send().await {
            Ok(_) => 200,
            Err(error) => error.raw_response().unwrap_or_else(|| panic!("{error:?}")).status().as_u16(),
        }
    };
}

#[actix_web::test]
async fn the_service_works_with_its_role_alone_and_each_statement_is_needed() {
    let moto = Moto::start();
    moto.fill().await;
    let policy = role_policy();
    let sids: Vec<&str> =
        policy["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap()).collect();
    let whole = moto.session("whole", &policy.to_string()).await;
    let mut lesser = BTreeMap::new();
    for sid in sids {
        lesser.insert(sid, moto.session(sid, &without(&policy, sid)).await);
    }
    moto.enforce().await;

    let all = BTreeMap::from([("persons", 200), ("photos", 200), ("thumbnail", 200), ("original", 200)]);
    assert_eq!(moto.seen(&whole).await, all);
    for (sid, role) in &lesser {
        let seen = moto.seen(role).await;
        let list = moto.clients(role).1.list_objects_v2().bucket(THUMBS_BUCKET).prefix("faces-thumbs/");
        let lists = status!(list);
        let mut expected = all.clone();
        match *sid {
            "ReadPersons" => drop(expected.insert("persons", 503)),
            // without the list of photos there is no URL of an original, either
            "ReadOccurrences" | "ReadPhotos" => {
                expected.insert("photos", 503);
                expected.remove("original");
            }
            "ReadThumbnails" => drop(expected.insert("thumbnail", 403)),
            "ReadOriginals" => drop(expected.insert("original", 403)),
            // the service itself lists nothing: see below
            "ListThumbnails" => {}
            other => panic!("{other} is a statement that nothing here needs"),
        }
        assert_eq!(seen, expected, "without {sid}");
        assert_eq!(lists, if *sid == "ListThumbnails" { 403 } else { 200 }, "without {sid}");
    }
}

#[actix_web::test]
async fn the_role_can_do_nothing_else() {
    let moto = Moto::start();
    moto.fill().await;
    let role = moto.session("whole", &role_policy().to_string()).await;
    moto.enforce().await;
    let (dynamodb, s3) = moto.clients(&role);

    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut refused: Vec<(&str, u16)> = Vec::new();
    for table in ["Persons", "Occurrences", "Photos"] {
        let id = if table == "Photos" { "photoId" } else { "personId" };
        refused.push(("PutItem", status!(dynamodb.put_item().table_name(table).item(id, text("x")))));
        refused.push(("DeleteItem", status!(dynamodb.delete_item().table_name(table).key(id, text("x")))));
        refused.push(("UpdateItem", status!(dynamodb.update_item().table_name(table).key(id, text("x")))));
        refused.push(("DescribeTable", status!(dynamodb.describe_table().table_name(table))));
        refused.push(("DeleteTable", status!(dynamodb.delete_table().table_name(table))));
        let query = dynamodb
            .query()
            .table_name(table)
            .key_condition_expression(format!("{id} = :id"))
            .expression_attribute_values(":id", text("x"));
        let key = KeysAndAttributes::builder().keys([(id.to_owned(), text("x"))].into()).build().unwrap();
        let batch = dynamodb.batch_get_item().request_items(table, key);
        // each of the ways to read many rows is for one table
        if table != "Persons" {
            refused.push(("Scan", status!(dynamodb.scan().table_name(table))));
        }
        if table != "Occurrences" {
            refused.push(("Query", status!(query)));
        }
        if table != "Photos" {
            refused.push(("BatchGetItem", status!(batch)));
        }
    }
    refused.push(("Scan elsewhere", status!(dynamodb.scan().table_name("Elsewhere"))));
    for (bucket, key) in
        [(THUMBS_BUCKET, "private/1.jpg"), (RAW_BUCKET, "private/1.jpg"), ("another", "photos-raw/1.jpg")]
    {
        refused.push(("GetObject", status!(s3.get_object().bucket(bucket).key(key))));
    }
    let (bucket, key) = (THUMBS_BUCKET, "faces-thumbs/anna.jpg");
    refused.push(("PutObject", status!(s3.put_object().bucket(bucket).key(key))));
    refused.push(("DeleteObject", status!(s3.delete_object().bucket(bucket).key(key))));
    refused.push(("ListObjectsV2", status!(s3.list_objects_v2().bucket(bucket))));
    refused.push(("ListObjectsV2", status!(s3.list_objects_v2().bucket(bucket).prefix("private/"))));
    refused.push(("ListObjectsV2", status!(s3.list_objects_v2().bucket(RAW_BUCKET).prefix("photos-raw/"))));
    refused.push(("ListBuckets", status!(s3.list_buckets())));

    for (what, status) in refused {
        assert_eq!(status, 403, "{what}");
    }
}

#[actix_web::test]
async fn who_only_signs_opens_pictures_and_reads_no_table() {
    let moto = Moto::start();
    moto.fill().await;
    let policy = print_policy(&["signer", "--region", REGION, "--raw-bucket", RAW_BUCKET]);
    let signer = moto.session("signer", &policy).await;
    moto.enforce().await;
    let (dynamodb, s3) = moto.clients(&signer);

    let minute = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    for (bucket, key, expected) in [
        (THUMBS_BUCKET, "faces-thumbs/anna.jpg", 200),
        (RAW_BUCKET, "photos-raw/one.jpg", 200),
        (RAW_BUCKET, "private/1.jpg", 403),
    ] {
        let url = s3.get_object().bucket(bucket).key(key).presigned(minute.clone()).await.unwrap();
        let found = reqwest::get(url.uri()).await.unwrap().status();
        assert_eq!(found, expected, "{bucket}/{key}");
    }
    assert_eq!(status!(dynamodb.scan().table_name("Persons")), 403);
    assert_eq!(status!(s3.list_objects_v2().bucket(THUMBS_BUCKET).prefix("faces-thumbs/")), 403);
}
