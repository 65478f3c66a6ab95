//! beetroot-api: lists from DynamoDB with presigned S3 URLs that stay the same until they must change.

pub mod config;
#[cfg(feature = "demo")]
pub mod emulators;
