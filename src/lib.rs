//! beetroot-api: lists from DynamoDB with presigned S3 URLs that stay the same until they must change.
//!
//! The floors, and what may use what, are described in `docs/architecture.md`.

pub mod app;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod domain;
#[cfg(feature = "demo")]
pub mod emulators;
pub mod endpoint_url;
pub mod gallery;
pub mod http;
pub mod policies;
pub mod seal;
pub mod shared_cache;
pub mod telemetry;
pub mod urls;
