//! What buckets must say: which web pages may read pictures with a script, and how old a signature may be.

use serde::Serialize;
use serde_json::json;

use super::PolicyError;
use super::place::objects;
use super::role::signable;
use super::statement::{Effect, Policy, Statement};
use crate::config::{AllowedOrigins, Settings};

/// CORS of a bucket, in the form of `aws s3api put-bucket-cors`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BucketCors {
    #[serde(rename = "CORSRules")]
    rules: [CorsRule; 1],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CorsRule {
    allowed_origins: Vec<String>,
    allowed_methods: [&'static str; 1],
}

/// The pages that may read the lists may read the pictures, with GET: a signed URL allows no other method.
pub fn cors(settings: &Settings) -> Result<BucketCors, PolicyError> {
    let allowed_origins = match &settings.cors.allowed_origins {
        AllowedOrigins::Any => vec!["*".to_owned()],
        AllowedOrigins::List(origins) if origins.is_empty() => return Err(PolicyError::NoOrigin),
        AllowedOrigins::List(origins) => origins.clone(),
    };
    Ok(BucketCors { rules: [CorsRule { allowed_origins, allowed_methods: ["GET"] }] })
}

/// Refuses signatures that are older than any of this service's can be, in the bucket of thumbnails or another one whose
/// objects are signed.
///
/// That age is `presign.expires`, although URLs are dated back to the start of a window: S3 counts their life from that date,
/// too, so none of them works beyond it.
pub fn signature_age(settings: &Settings, region: &str, bucket: Option<&str>) -> Result<Policy, PolicyError> {
    // without presign.allow rows alone name the buckets of photos, and any other is one
    let raw_bucket = bucket.filter(|bucket| *bucket != settings.presign.thumbs_bucket);
    let signable = signable(settings, raw_bucket);
    let bucket = bucket.unwrap_or(&settings.presign.thumbs_bucket);
    let resource: Vec<String> = signable
        .iter()
        .filter(|allowed| allowed.bucket == bucket)
        .map(|allowed| objects(region, bucket, &allowed.prefix))
        .collect();
    if resource.is_empty() {
        let mut accepted: Vec<&str> = signable.iter().map(|allowed| allowed.bucket.as_str()).collect();
        accepted.dedup();
        return Err(PolicyError::OtherBucket { found: bucket.to_owned(), accepted: accepted.join(", ") });
    }
    let most = settings.presign.expires.as_millis().to_string();
    Ok(Policy::new(vec![Statement {
        sid: "RefuseOldSignatures",
        effect: Effect::Deny,
        principal: Some(json!("*")),
        action: vec!["s3:GetObject"],
        resource,
        condition: Some(json!({ "NumericGreaterThan": { "s3:signatureAge": most } })),
    }]))
}
