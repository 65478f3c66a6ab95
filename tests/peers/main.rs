//! The checks against foreign implementations; `./scripts/test --peers` installs them and runs this.

#![allow(clippy::print_stdout, reason = "a test may show what it measured")]
#![allow(unreachable_pub, reason = "nobody uses a test crate")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the shared files hold more than these checks need")]

#[path = "../it/answer.rs"]
mod answer;
#[path = "../it/catalog_suite.rs"]
mod catalog_suite;
mod dynalite;
mod iam;
#[path = "../it/rows.rs"]
mod rows;
mod schemathesis;
#[path = "../it/served.rs"]
mod served;
#[path = "../it/test_app.rs"]
mod test_app;
