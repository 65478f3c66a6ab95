//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub mod policy;

use self::policy::PolicyKind;

/// The bucket of the photos, where nobody names another one. The thumbnails' bucket is a setting; this one only rows name.
pub const RAW_BUCKET: &str = "beetroot-raw";

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
    /// Ask a service on this machine whether it is alive; exit code 0 when it is. For a container's health check.
    Health(HealthArgs),
    /// Print what AWS or Redis must allow, for the settings in force: roles, buckets, a user of Redis.
    #[command(subcommand)]
    Policy(PolicyKind),
    /// Check the settings in force against the real services, and say what to do; exit code 0 when nothing failed.
    Doctor(DoctorArgs),
    /// Print the OpenAPI document, as /openapi.json has it.
    Openapi,
    /// Everything in one process: DynamoDB, S3, sample pictures and the service.
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// DynamoDB and S3 by themselves, empty and in memory, for local stacks.
    #[cfg(feature = "demo")]
    Emulators(EmulatorsArgs),
    /// Create tables and buckets where they are missing and put sample pictures, or your own, into them.
    #[cfg(feature = "demo")]
    Seed(SeedArgs),
}

/// Who is asked.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// What answers 200 when all is well; without it, `/healthz` of the service that the settings describe.
    pub url: Option<String>,
}

/// Where the emulators listen.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct EmulatorsArgs {
    /// The address to listen on. They protect nothing: 0.0.0.0 is for containers.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// The emulated DynamoDB's port; 0 takes any that is free.
    #[arg(long, default_value_t = 8000)]
    pub dynamodb_port: u16,
    /// The emulated S3's port; 0 takes any that is free.
    #[arg(long, default_value_t = 9000)]
    pub s3_port: u16,
}

/// What goes where. Tables and the thumbnails' bucket are those of the settings.
#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub struct SeedArgs {
    /// Your own pictures instead of the sample: each sub-folder is a person, with JPEG and PNG files.
    #[arg(long, value_name = "DIR")]
    pub photos: Option<PathBuf>,
    /// The bucket of the photos, which the rows will name.
    #[arg(long, value_name = "BUCKET", default_value = RAW_BUCKET)]
    pub raw_bucket: String,
    /// Write to real AWS; --confirm-bucket is needed, too.
    #[arg(long)]
    pub real_aws: bool,
    /// The name of the thumbnails' bucket, once more, to show that real AWS is meant.
    #[arg(long, value_name = "BUCKET")]
    pub confirm_bucket: Option<String>,
}

/// How the doctor tells.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// One JSON document for machines instead of lines.
    #[arg(long)]
    pub json: bool,
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
