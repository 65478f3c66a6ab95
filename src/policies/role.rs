//! What the service itself may do: read three tables, and read the pictures that its URLs point at.

use serde_json::json;

use super::Place;
use super::place::{bucket_arn, literal, objects};
use super::statement::{Policy, Statement};
use crate::config::{AllowedPrefix, Settings};

/// Where thumbnails are when `presign.allow` does not say.
const THUMBS_PREFIX: &str = "faces-thumbs/";
/// Where photos are when `presign.allow` does not say.
const PHOTOS_PREFIX: &str = "photos-raw/";

/// The service's role. Each table has the call that the service makes to it; `GetItem` besides, which reads nothing that
/// the call does not read, so that somebody with this role can look at one row.
pub fn role(settings: &Settings, place: &Place, raw_bucket: &str) -> Policy {
    let tables = &settings.dynamodb;
    let read =
        |sid, call, table: &str| Statement::allow(sid, &["dynamodb:GetItem", call], vec![place.table(table)]);
    let mut statements = vec![
        read("ReadPersons", "dynamodb:Scan", &tables.persons_table),
        read("ReadOccurrences", "dynamodb:Query", &tables.occurrences_table),
        read("ReadPhotos", "dynamodb:BatchGetItem", &tables.photos_table),
    ];
    statements.extend(read_objects(settings, &place.region, raw_bucket));
    statements.extend(list_thumbs(settings, &place.region, raw_bucket));
    Policy::new(statements)
}

/// Whoever only signs: a signed URL can do what its signer can do.
pub fn signer(settings: &Settings, region: &str, raw_bucket: &str) -> Policy {
    Policy::new(read_objects(settings, region, raw_bucket))
}

/// The objects that may be signed: those of `presign.allow`, or else the thumbnails, and the photos in `raw_bucket`.
pub(super) fn signable(settings: &Settings, raw_bucket: Option<&str>) -> Vec<AllowedPrefix> {
    let presign = &settings.presign;
    if !presign.allow.is_empty() {
        return presign.allow.clone();
    }
    let allowed =
        |bucket: &str, prefix: &str| AllowedPrefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
    let thumbs = allowed(&presign.thumbs_bucket, THUMBS_PREFIX);
    [thumbs].into_iter().chain(raw_bucket.map(|bucket| allowed(bucket, PHOTOS_PREFIX))).collect()
}

fn read_objects(settings: &Settings, region: &str, raw_bucket: &str) -> Vec<Statement> {
    let (thumbs, others): (Vec<_>, Vec<_>) = signable(settings, Some(raw_bucket))
        .into_iter()
        .partition(|allowed| allowed.bucket == settings.presign.thumbs_bucket);
    [("ReadThumbnails", thumbs), ("ReadOriginals", others)]
        .into_iter()
        .filter(|(_, allowed)| !allowed.is_empty())
        .map(|(sid, allowed)| {
            let resources =
                allowed.iter().map(|allowed| objects(region, &allowed.bucket, &allowed.prefix)).collect();
            Statement::allow(sid, &["s3:GetObject"], resources)
        })
        .collect()
}

/// With the right to list, S3 can say that a thumbnail is missing instead of refusing it.
fn list_thumbs(settings: &Settings, region: &str, raw_bucket: &str) -> Option<Statement> {
    let bucket = &settings.presign.thumbs_bucket;
    let prefixes: Vec<String> = signable(settings, Some(raw_bucket))
        .into_iter()
        .filter(|allowed| allowed.bucket == *bucket)
        .map(|allowed| format!("{}*", literal(&allowed.prefix)))
        .collect();
    let list = Statement::allow("ListThumbnails", &["s3:ListBucket"], vec![bucket_arn(region, bucket)]);
    let condition = json!({ "StringLike": { "s3:prefix": prefixes } });
    (!prefixes.is_empty()).then_some(Statement { condition: Some(condition), ..list })
}
