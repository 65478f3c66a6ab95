//! `beetroot-api seed`: tables, buckets and pictures where there are none, through the SDK. It writes, so it stays away from
//! real AWS unless it is told twice.

use std::io::Write as _;
use std::path::PathBuf;

use super::filling::{self, FillError};
use super::{CommandError, load_aws, load_settings};
use crate::cli::SeedArgs;
use crate::endpoint_url;

/// The ends of the hosts that are Amazon's.
const AMAZON_HOSTS: [&str; 4] =
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".amazonwebservices.com.cn"];

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeedCommandError {
    #[error(
        "{service} would be real AWS ({found}), and seed writes tables, rows and objects. For a local one set {variable} to its \
         address. If real AWS is meant, say so twice: --real-aws --confirm-bucket {bucket}"
    )]
    RealAws { service: &'static str, variable: &'static str, found: String, bucket: String },
    #[error(
        "--confirm-bucket names {named}, but the thumbnails' bucket of the settings is {bucket}: nothing was written"
    )]
    OtherBucket { named: String, bucket: String },
    #[error(transparent)]
    Fill(#[from] FillError),
}

/// A service that seed writes to.
struct Target {
    name: &'static str,
    /// As the SDK's configuration calls it.
    id: &'static str,
    variable: &'static str,
}

const DYNAMODB: Target = Target { name: "DynamoDB", id: "DynamoDB", variable: "AWS_ENDPOINT_URL_DYNAMODB" };
const S3: Target = Target { name: "S3", id: "S3", variable: "AWS_ENDPOINT_URL_S3" };

pub(super) async fn seed(config_file: Option<PathBuf>, args: SeedArgs) -> Result<(), CommandError> {
    let settings = load_settings(config_file)?.settings;
    let aws = load_aws(&settings).await;
    let bucket = &settings.presign.thumbs_bucket;
    if let Some(named) = args.confirm_bucket.as_ref().filter(|named| *named != bucket) {
        return Err(SeedCommandError::OtherBucket { named: named.clone(), bucket: bucket.clone() }.into());
    }
    let is_told_twice = args.real_aws && args.confirm_bucket.is_some();
    for (target, own) in [(DYNAMODB, &settings.aws.dynamodb_endpoint), (S3, &settings.aws.s3_endpoint)] {
        let endpoint = own.clone().or_else(|| endpoint_url::configured(&aws, target.id));
        if !is_told_twice && endpoint.as_deref().is_none_or(is_amazons) {
            let found = endpoint.unwrap_or_else(|| format!("{} is not set", target.variable));
            let (service, variable, bucket) = (target.name, target.variable, bucket.clone());
            return Err(SeedCommandError::RealAws { service, variable, found, bucket }.into());
        }
    }

    let collection = filling::prepare_pictures(args.photos).await.map_err(SeedCommandError::from)?;
    let names = filling::names(&settings, args.raw_bucket);
    let report = filling::fill(&settings, &aws, &names, &collection).await.map_err(SeedCommandError::from)?;
    writeln!(
        std::io::stdout(),
        "{} persons in {}, {} occurrences in {}, {} photos in {}; {} objects in {} and {}",
        report.persons,
        names.persons_table,
        report.occurrences,
        names.occurrences_table,
        report.photos,
        names.photos_table,
        report.objects,
        names.raw_bucket,
        names.thumbs_bucket,
    )
    .map_err(CommandError::Print)
}

/// Whether an endpoint's host belongs to Amazon. What is no URL counts as such: the careful side.
fn is_amazons(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<http::Uri>() else { return true };
    let Some(host) = uri.host() else { return true };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    AMAZON_HOSTS.iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_amazon_are_known_and_others_are_not() {
        for amazons in [
            "https://dynamodb.eu-central-1.amazonaws.com",
            "https://S3.cn-north-1.AMAZONAWS.com.cn.",
            "https://vpce-1-2.dynamodb.eu-west-1.vpce.amazonaws.com:443",
            "https://s3.dualstack.eu-west-1.api.aws",
            "no address",
        ] {
            assert!(is_amazons(amazons), "{amazons}");
        }
        for local in [
            "http://localhost:8000",
            "http://aws:9000",
            "http://127.0.0.1:1",
            "https://amazonaws.com.example.org",
        ] {
            assert!(!is_amazons(local), "{local}");
        }
    }
}
