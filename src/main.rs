//! The binary: parse, run the command, exit code.

use std::process::ExitCode;

use beetroot_api::cli::Cli;
use beetroot_api::commands;
use clap::Parser;
use mimalloc::MiMalloc;

/// A list is made of thousands of small allocations, while hundreds of others are under way: with the system's allocator (glibc)
/// the same processor makes a quarter fewer. See docs/decisions/0022.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    commands::run(Cli::parse()).await
}
