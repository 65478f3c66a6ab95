//! The documents that `beetroot-api policy` prints, one line each, and what they need besides the settings.

use clap::{Args, Subcommand};

use super::RAW_BUCKET;
use crate::config::{is_bucket, is_region};

/// Which document.
#[derive(Debug, Subcommand)]
pub enum PolicyKind {
    /// IAM policy of the service's role: reads the three tables and the pictures.
    Role {
        /// Where the service runs.
        #[command(flatten)]
        place: PlaceArgs,
        /// Where photos are.
        #[command(flatten)]
        photos: PhotosArgs,
    },
    /// IAM policy of an identity that only signs: reads the pictures.
    Signer {
        /// Where the buckets are.
        #[command(flatten)]
        region: RegionArgs,
        /// Where photos are.
        #[command(flatten)]
        photos: PhotosArgs,
    },
    /// Trust policy: tasks on ECS and Fargate may take the role.
    TrustEcs {
        /// Where the tasks run.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Trust policy: pods of a service account on EKS may take the role, by EKS Pod Identity.
    TrustEks {
        /// Which pods.
        #[command(flatten)]
        pods: PodsArgs,
    },
    /// Trust policy: pods of a service account on EKS may take the role, by the cluster's own identity provider (IRSA).
    TrustIrsa {
        /// Where the cluster is.
        #[command(flatten)]
        place: PlaceArgs,
        /// Which pods.
        #[command(flatten)]
        pods: PodsArgs,
        /// The provider, as `aws eks describe-cluster --query cluster.identity.oidc.issuer` prints it.
        #[arg(long, value_name = "URL", value_parser = oidc_provider)]
        oidc_provider: String,
    },
    /// Trust policy: Lambda functions may take the role.
    TrustLambda,
    /// CORS of a bucket: the pages that may read the lists may read pictures with a script.
    BucketCors,
    /// Bucket policy: refuses signatures older than the life of a URL.
    BucketPolicy {
        /// Where the bucket is.
        #[command(flatten)]
        region: RegionArgs,
        /// The bucket that it is for. Without it, that of the thumbnails.
        #[arg(long, value_name = "NAME", value_parser = bucket)]
        bucket: Option<String>,
    },
    /// A line of a Redis ACL file: the user of the service, of the kind of Redis in `REDIS_URL`.
    RedisAcl,
}

/// An account in a region.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The AWS account, 12 digits.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub account_id: String,
    /// The region.
    #[command(flatten)]
    pub region: RegionArgs,
}

/// A region.
#[derive(Debug, Args)]
pub struct RegionArgs {
    /// The AWS region, such as eu-central-1. Without it, the one that the service would use.
    #[arg(long, value_parser = region)]
    pub region: Option<String>,
}

/// Where photos are.
#[derive(Debug, Args)]
pub struct PhotosArgs {
    /// The bucket of the photos, which only rows name. With presign.allow, that list alone decides.
    #[arg(long, value_name = "NAME", value_parser = bucket, default_value = RAW_BUCKET)]
    pub raw_bucket: String,
}

/// Pods on Kubernetes.
#[derive(Debug, Args)]
pub struct PodsArgs {
    /// The namespace of the pods.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name, default_value = "default")]
    pub namespace: String,
    /// The service account of the pods.
    #[arg(long, value_name = "NAME", value_parser = kubernetes_name, default_value = "beetroot-api")]
    pub service_account: String,
}

fn account_id(text: &str) -> Result<String, String> {
    let is_id = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    accept(text, is_id, "12 digits, such as 123456789012")
}

fn region(text: &str) -> Result<String, String> {
    accept(text, is_region(text), "a region, such as eu-central-1")
}

fn bucket(text: &str) -> Result<String, String> {
    accept(text, is_bucket(text), "3 to 63 lower case letters, digits, dots and hyphens")
}

fn kubernetes_name(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let is_name = (1..=253).contains(&text.len()) && text.bytes().all(legal);
    accept(text, is_name, "lower case letters, digits, dots and hyphens")
}

/// Without its scheme, which resource names leave out.
fn oidc_provider(text: &str) -> Result<String, String> {
    let provider = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
    let is_provider = provider.contains('.') && provider.bytes().all(legal);
    accept(provider, is_provider, "https://oidc.eks.REGION.amazonaws.com/id/ID")
}

fn accept(text: &str, accepted: bool, what: &str) -> Result<String, String> {
    if accepted { Ok(text.to_owned()) } else { Err(format!("accepted is {what}")) }
}
