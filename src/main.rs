//! The binary: parse, run the command, exit code.

use std::process::ExitCode;

use beetroot_api::cli::Cli;
use beetroot_api::commands;
use clap::Parser;

#[actix_web::main]
async fn main() -> ExitCode {
    commands::run(Cli::parse()).await
}
