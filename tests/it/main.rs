//! The service as its clients see it: real HTTP, real SDK clients, emulated DynamoDB and S3, an injected clock.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(clippy::large_futures, reason = "a test may put a whole service on its stack")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod answers;
mod caching_headers;
mod catalog;
mod catalog_suite;
#[cfg(feature = "otel")]
mod collector;
mod cors;
mod demo;
mod doctor;
mod errors;
mod fault_proxy;
mod fleet;
mod limits;
mod local_stack;
mod memory;
mod metrics;
mod openapi;
mod person_photos;
mod persons;
mod policies;
mod process;
mod ranking;
mod readiness;
mod redis_acl;
mod redis_faults;
mod restarts;
mod shared_cache;
mod shared_cache_faults;
mod shared_cache_servers;
mod shutdown;
mod signed_urls;
mod signer_oracle;
mod slow_clients;
#[cfg(feature = "otel")]
mod span_export;
#[path = "../support/mod.rs"]
mod support;
mod trace_context;
mod url_sharing;
mod viewer;

use self::support::{answer, redis_server, rows, served, test_app};
