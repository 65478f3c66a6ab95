//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub mod policy;

use self::policy::PolicyKind;

/// Lists of persons and photos from DynamoDB, with presigned S3 URLs that stay the same until they must change.
#[derive(Debug, Parser)]
#[command(name = "beetroot-api", version, arg_required_else_help = true)]
pub struct Cli {
    /// A TOML file of settings, on top of the built-in ones and of `config/<APP_ENV>.toml`.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer requests until SIGTERM or Ctrl-C.
    Serve,
    /// Print the settings in force and where each comes from; secrets stay hidden.
    Config,
    /// Print what AWS or Redis must allow, for the settings in force: roles, buckets, a user of Redis.
    #[command(subcommand)]
    Policy(PolicyKind),
    /// Print the OpenAPI document, as /openapi.json has it.
    Openapi,
    /// Everything in one process: DynamoDB, S3, sample pictures and the service.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
}

/// The demo's own choices; the settings apply to its service as well.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Your own pictures instead of the sample: each sub-folder is a person, with JPEG and PNG files.
    #[arg(long, value_name = "DIR")]
    pub photos: Option<PathBuf>,
    /// The service's port; 0 takes any that is free. Without it, the settings decide (8080).
    #[arg(long)]
    pub port: Option<u16>,
    /// The emulated DynamoDB's port; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    pub dynamodb_port: u16,
    /// The emulated S3's port; 0 takes any that is free.
    #[arg(long, default_value_t = 0)]
    pub s3_port: u16,
}
