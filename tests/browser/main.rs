//! What a browser makes of it: a real Chromium, the page, the pictures, and the emulated S3's counters as the witness.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(clippy::large_futures, reason = "a test may put a whole service on its stack")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod accessibility;
mod album;
mod driver;
mod expiry;
mod other_origins;
mod page;
mod pictures;
mod screenshots;
mod seen_pictures;
mod signing_anew;
mod small_server;
mod states;
#[path = "../support/mod.rs"]
mod support;
mod troubles;

use self::support::{redis_server, rows, test_app};
