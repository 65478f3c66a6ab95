//! The commands, one file each, and what they share: how a process ends.
//!
//! Commands print, because printing is what they are for; nothing below them does.

mod config;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
#[cfg(feature = "demo")]
mod emulators;
#[cfg(feature = "demo")]
mod filling;
mod health;
mod openapi;
mod policy;
#[cfg(feature = "demo")]
mod seed;
mod serve;
mod signals;

use std::path::PathBuf;
use std::process::ExitCode;

use aws_config::BehaviorVersion;
use aws_types::region::Region;

use crate::app::BuildError;
use crate::cli::{Cli, Command};
use crate::config::{Faults, Loaded, Settings, Sources, load};
use crate::policies::PolicyError;
use crate::telemetry::log::LogError;

/// The exit code of a start that the settings do not allow.
const WRONG_SETTINGS: u8 = 2;
/// The exit code of everything else that goes wrong.
const FAILED: u8 = 1;

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Settings(#[from] Faults),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the server ended")]
    Server(#[source] std::io::Error),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(
        "no AWS region: give --region, such as eu-central-1, or set AWS_REGION, a region in the AWS profile, or aws.region"
    )]
    NoRegion,
    #[error("cannot print")]
    Print(#[source] std::io::Error),
    #[error("{failed} failed; each says above what to do")]
    Unwell { failed: usize, wrong_settings: bool },
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    #[cfg(feature = "demo")]
    #[error(transparent)]
    Seed(#[from] seed::SeedCommandError),
    #[error(transparent)]
    Health(#[from] health::HealthError),
}

impl CommandError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_)
            | Self::Policy(_)
            | Self::NoRegion
            | Self::Log(_)
            | Self::Build(
                BuildError::NoRegion
                | BuildError::NoCredentials
                | BuildError::ThumbsBucket(_)
                | BuildError::SharedCache(_),
            )
            | Self::Unwell { wrong_settings: true, .. } => WRONG_SETTINGS,
            Self::Build(BuildError::Bind { .. })
            | Self::Server(_)
            | Self::Print(_)
            | Self::Health(_)
            | Self::Unwell { wrong_settings: false, .. } => FAILED,
            #[cfg(feature = "demo")]
            Self::Seed(
                seed::SeedCommandError::RealAws { .. } | seed::SeedCommandError::OtherBucket { .. },
            ) => WRONG_SETTINGS,
            #[cfg(feature = "demo")]
            Self::Demo(_) | Self::Seed(_) => FAILED,
        }
    }
}

/// Runs one command to its end.
pub async fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Serve => serve::serve(cli.config).await,
        Command::Config => config::print(cli.config),
        Command::Policy(kind) => policy::print(cli.config, kind).await,
        Command::Doctor(args) => doctor::doctor(cli.config, args).await,
        Command::Openapi => openapi::print(),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::demo(cli.config, args).await,
        #[cfg(feature = "demo")]
        Command::Emulators(args) => emulators::emulators(args).await,
        #[cfg(feature = "demo")]
        Command::Seed(args) => seed::seed(cli.config, args).await,
        Command::Health(args) => health::health(cli.config, args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn load_settings(config_file: Option<PathBuf>) -> Result<Loaded, Faults> {
    load(Sources::from_process(config_file))
}

/// Credentials, region and endpoints from environment, profile or metadata service. A region in the settings saves
/// asking the metadata service for one.
async fn load_aws(settings: &Settings) -> aws_types::SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = &settings.aws.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}

/// The error and what is behind it, one line each.
#[expect(clippy::print_stderr, reason = "this is where a command's failure is told")]
fn tell(error: &dyn std::error::Error) {
    eprintln!("beetroot-api: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        eprintln!("  because: {cause}");
        source = cause.source();
    }
}
