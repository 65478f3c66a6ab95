//! The checks against foreign implementations; `./scripts/test --peers` installs them and runs this.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../it/catalog_suite.rs"]
mod catalog_suite;
mod dynalite;
#[path = "../support/mod.rs"]
mod support;

use self::support::{rows, test_app};
