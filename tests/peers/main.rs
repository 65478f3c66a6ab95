//! The checks against foreign implementations; `./scripts/test --peers` installs them and runs this.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(clippy::large_futures, reason = "a test may put a whole service on its stack")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(dead_code, reason = "it needs a part of what the tests in the browser have")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../browser/album.rs"]
mod album;
mod axe;
#[path = "../it/catalog_suite.rs"]
mod catalog_suite;
#[path = "../browser/driver/mod.rs"]
mod driver;
mod dynalite;
mod iam;
#[path = "../browser/pictures.rs"]
mod pictures;
mod schemathesis;
#[path = "../browser/states.rs"]
mod states;
#[path = "../support/mod.rs"]
mod support;

use self::support::{rows, served, test_app};
