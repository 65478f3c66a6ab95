//! `beetroot-api policy`, and the files that it was written into.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::served::program;

const PLACE: [&str; 4] = ["--account-id", "123456789012", "--region", "eu-central-1"];

/// What the program prints, and its exit code.
fn run(args: &[&str], variables: &[(&str, &str)]) -> (String, Option<i32>) {
    let output = program()
        .arg("policy")
        .args(args)
        .envs([("THUMBS_BUCKET", "thumbs"), ("HOME", "/nonexistent")])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (text, output.status.code())
}

fn document(args: &[&str], variables: &[(&str, &str)]) -> Value {
    let (text, code) = run(args, variables);
    assert_eq!(code, Some(0), "{args:?}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
}

/// Statements by their names, of which no two are alike.
fn statements(policy: &Value) -> BTreeMap<String, Value> {
    assert_eq!(policy["Version"], "2012-10-17", "{policy}");
    let list = policy["Statement"].as_array().unwrap();
    let named: BTreeMap<String, Value> = list
        .iter()
        .map(|statement| (statement["Sid"].as_str().unwrap().to_owned(), statement.clone()))
        .collect();
    assert_eq!(named.len(), list.len(), "{policy}");
    named
}

fn files_of(dir: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let documents = files.filter(|entry| entry.file_name() != "README.md");
    documents
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn the_files_are_what_the_program_prints_for_the_defaults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let printed = tempfile::tempdir().unwrap();
    let output = Command::new(root.join("scripts/policies"))
        .arg(printed.path())
        .env("BEETROOT_API", env!("CARGO_BIN_EXE_beetroot-api"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let (printed, kept) = (files_of(printed.path()), files_of(&root.join("policies")));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&printed), names(&kept), "policies/ holds other files: run ./scripts/policies");
    for (name, text) in kept {
        assert_eq!(printed[&name], text, "policies/{name} is out of date: run ./scripts/policies");
    }
}

#[test]
fn the_readme_of_the_files_names_each_of_them() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let readme = std::fs::read_to_string(dir.join("README.md")).unwrap();
    for name in files_of(&dir).keys() {
        assert!(readme.contains(name.as_str()), "{name}");
    }
}

#[test]
fn names_are_of_the_partition_of_the_region() {
    for (region, partition) in
        [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
    {
        let place = ["--account-id", "123456789012", "--region", region];
        let provider = ["--oidc-provider", "https://oidc.example.com/id/1"];
        let of = |kind: &str, more: &[&str]| document(&[&[kind], more].concat(), &[]).to_string();
        let documents = [
            of("role", &place),
            of("signer", &place[2..]),
            of("trust-ecs", &place),
            of("trust-irsa", &[place.as_slice(), &provider].concat()),
            of("bucket-policy", &place[2..]),
        ];
        for document in documents {
            let arns: Vec<&str> = document.split('"').filter(|text| text.starts_with("arn:")).collect();
            assert!(!arns.is_empty(), "{document}");
            for arn in arns {
                assert_eq!(arn.split(':').nth(1), Some(partition), "{document}");
            }
        }
    }
}

#[test]
fn the_role_reads_the_tables_and_buckets_in_force_and_nothing_else() {
    let variables = [
        ("PERSONS_TABLE", "people"),
        ("PHOTOS_TABLE", "arn:aws:dynamodb:us-east-1:999999999999:table/Pictures"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let policy = document(&["role", "--account-id", "123456789012", "--raw-bucket", "originals"], &variables);
    let expected = [
        (
            "ReadPersons",
            ["dynamodb:GetItem", "dynamodb:Scan"].as_slice(),
            "arn:aws:dynamodb:eu-west-1:123456789012:table/people",
        ),
        (
            "ReadOccurrences",
            &["dynamodb:GetItem", "dynamodb:Query"],
            "arn:aws:dynamodb:eu-west-1:123456789012:table/Occurrences",
        ),
        (
            "ReadPhotos",
            &["dynamodb:GetItem", "dynamodb:BatchGetItem"],
            "arn:aws:dynamodb:us-east-1:999999999999:table/Pictures",
        ),
        ("ReadThumbnails", &["s3:GetObject"], "arn:aws:s3:::thumbs/faces-thumbs/*"),
        ("ReadOriginals", &["s3:GetObject"], "arn:aws:s3:::originals/photos-raw/*"),
        ("ListThumbnails", &["s3:ListBucket"], "arn:aws:s3:::thumbs"),
    ];
    let statements = statements(&policy);
    assert_eq!(statements.len(), expected.len(), "{policy}");
    for (sid, actions, resource) in expected {
        let statement = &statements[sid];
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        assert_eq!(
            (&statement["Action"], &statement["Resource"]),
            (&json!(actions), &json!([resource])),
            "{sid}"
        );
    }
    let prefix = json!({ "StringLike": { "s3:prefix": ["faces-thumbs/*"] } });
    assert_eq!(statements["ListThumbnails"]["Condition"], prefix);
}

#[test]
fn an_allow_list_decides_what_may_be_read() {
    let allow = [("BEETROOT__PRESIGN__ALLOW", "thumbs/small/,one/a*/,two/")];
    let role = statements(&document(&[&["role"], PLACE.as_slice()].concat(), &allow));
    assert_eq!(role["ReadThumbnails"]["Resource"], json!(["arn:aws:s3:::thumbs/small/*"]));
    let originals = json!(["arn:aws:s3:::one/a${*}/*", "arn:aws:s3:::two/*"]);
    assert_eq!(role["ReadOriginals"]["Resource"], originals);
    assert_eq!(role["ListThumbnails"]["Condition"]["StringLike"]["s3:prefix"], json!(["small/*"]));

    let signer = statements(&document(&["signer", "--region", "eu-central-1"], &allow));
    let sids: BTreeSet<_> = signer.keys().map(String::as_str).collect();
    assert_eq!(sids, ["ReadOriginals", "ReadThumbnails"].into());
    assert_eq!(signer["ReadOriginals"], role["ReadOriginals"]);

    let args = ["bucket-policy", "--region", "eu-central-1", "--bucket"];
    let policy = statements(&document(&[args.as_slice(), &["two"]].concat(), &allow));
    assert_eq!(policy["RefuseOldSignatures"]["Resource"], json!(["arn:aws:s3:::two/*"]));
    let (text, code) = run(&[args.as_slice(), &["three"]].concat(), &allow);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("three") && text.contains("thumbs, one, two"), "{text}");
}

#[test]
fn the_oldest_signature_that_is_accepted_is_as_old_as_a_url_can_be_in_milliseconds() {
    let args = ["bucket-policy", "--region", "eu-central-1"];
    for (seconds, milliseconds) in [("1", "1000"), ("3600", "3600000"), ("604800", "604800000")] {
        let policy = statements(&document(&args, &[("PRESIGN_EXPIRES", seconds)]));
        let statement = &policy["RefuseOldSignatures"];
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
        assert_eq!(statement["Action"], json!(["s3:GetObject"]));
        let condition = json!({ "NumericGreaterThan": { "s3:signatureAge": milliseconds } });
        assert_eq!(statement["Condition"], condition);
    }
}

#[test]
fn a_bucket_lets_the_pages_read_that_may_read_the_lists() {
    let origins = [("CORS_ALLOWED_ORIGINS", "https://a.example,http://localhost:3000")];
    let rule = &document(&["bucket-cors"], &origins)["CORSRules"][0];
    assert_eq!(rule["AllowedOrigins"], json!(["https://a.example", "http://localhost:3000"]));
    assert_eq!(rule["AllowedMethods"], json!(["GET"]));
    let (text, code) = run(&["bucket-cors"], &[("BEETROOT__CORS__ALLOWED_ORIGINS", "")]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("cors.allowed_origins"), "{text}");
}

#[test]
fn the_acl_is_for_the_user_the_keys_and_the_kind_of_redis_in_force() {
    let acl = |url| run(&["redis-acl"], &[("REDIS_URL", url), ("BEETROOT__REDIS__NAMESPACE", "photos")]);
    let one = "user app on #SHA256_OF_THE_PASSWORD ~photos:* -@all +get +mget +set +ping +unwatch +select\n";
    assert_eq!(acl("redis://app:hunter2@localhost/1"), (one.to_owned(), Some(0)));
    let cluster = "~photos:* -@all +get +mget +set +ping +cluster|slots +asking\n";
    assert!(acl("redis+cluster://a:1,b:2").0.ends_with(cluster));
    let (text, code) = acl("redis://two%20words:hunter2@localhost");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("REDIS_URL") && !text.contains("hunter2"), "{text}");
}

#[test]
fn a_missing_or_odd_argument_ends_with_2_and_what_is_accepted() {
    for (args, told) in [
        (["role", "--region", "eu-central-1"].as_slice(), "--account-id"),
        (&["role", "--account-id", "12345678901"], "12 digits"),
        (&["role", "--account-id", "12345678901a"], "12 digits"),
        (&["role", "--account-id", "123456789012"], "--region"),
        (&["role", "--account-id", "123456789012", "--region", "Frankfurt!"], "eu-central-1"),
        (&["signer", "--region", "eu-central-1", "--raw-bucket", "A"], "3 to 63"),
        (&["trust-irsa", "--account-id", "123456789012", "--region", "eu-central-1"], "--oidc-provider"),
        (&["trust-eks", "--namespace", "a*"], "lower case"),
        (&["everything"], "everything"),
    ] {
        let (text, code) = run(args, &[]);
        assert_eq!(code, Some(2), "{args:?}: {text}");
        assert!(text.contains(told), "{args:?}: {text}");
    }
}

#[test]
fn help_lists_each_kind_in_a_line() {
    let (text, code) = run(&["--help"], &[]);
    assert_eq!(code, Some(0), "{text}");
    for kind in [
        "role",
        "signer",
        "trust-ecs",
        "trust-eks",
        "trust-irsa",
        "trust-lambda",
        "bucket-cors",
        "bucket-policy",
        "redis-acl",
    ] {
        let explained = |line: &str| line.trim().strip_prefix(kind).is_some_and(|rest| rest.len() > 20);
        assert!(text.lines().any(explained), "{kind}: {text}");
    }
}
