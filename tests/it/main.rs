//! The service as its clients see it: real HTTP, real SDK clients, emulated DynamoDB and S3, an injected clock.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(clippy::large_futures, reason = "a test may put a whole service on its stack")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod answer;
mod answers;
mod caching_headers;
mod catalog;
mod catalog_suite;
#[cfg(feature = "otel")]
mod collector;
mod cors;
mod demo;
mod errors;
mod fault_proxy;
mod fleet;
mod limits;
mod memory;
mod openapi;
mod person_photos;
mod persons;
mod policies;
mod process;
mod readiness;
mod redis_acl;
mod redis_faults;
mod redis_server;
mod rows;
mod served;
mod shared_cache;
mod shared_cache_faults;
mod shared_cache_servers;
mod shutdown;
mod signed_urls;
mod signer_oracle;
#[cfg(feature = "otel")]
mod span_export;
mod test_app;
mod trace_context;
mod url_sharing;
