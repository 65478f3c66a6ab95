//! `beetroot-api policy`: what AWS or Redis must allow, for the settings in force.

use std::io::Write;
use std::path::PathBuf;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use serde::Serialize;

use super::{CommandError, load_settings};
use crate::cli::policy::{PlaceArgs, PolicyKind, RegionArgs};
use crate::config::Settings;
use crate::policies::{self, Place};

pub(super) async fn print(config_file: Option<PathBuf>, kind: PolicyKind) -> Result<(), CommandError> {
    let settings = load_settings(config_file)?.settings;
    let document = match kind {
        PolicyKind::Role { place, photos } => {
            json(&policies::role(&settings, &find_place(place, &settings).await?, &photos.raw_bucket))
        }
        PolicyKind::Signer { region, photos } => {
            json(&policies::signer(&settings, &find_region(region, &settings).await?, &photos.raw_bucket))
        }
        PolicyKind::TrustEcs { place } => json(&policies::ecs_trust(&find_place(place, &settings).await?)),
        PolicyKind::TrustEks { pods } => json(&policies::eks_trust(&pods.namespace, &pods.service_account)),
        PolicyKind::TrustIrsa { place, pods, oidc_provider } => {
            let place = find_place(place, &settings).await?;
            json(&policies::irsa_trust(&place, &oidc_provider, &pods.namespace, &pods.service_account))
        }
        PolicyKind::TrustLambda => json(&policies::lambda_trust()),
        PolicyKind::BucketCors => json(&policies::cors(&settings)?),
        PolicyKind::BucketPolicy { region, bucket } => {
            let region = find_region(region, &settings).await?;
            json(&policies::signature_age(&settings, &region, bucket.as_deref())?)
        }
        PolicyKind::RedisAcl => Ok(policies::redis_acl(&settings)?),
    }?;
    writeln!(std::io::stdout(), "{document}").map_err(CommandError::Print)
}

fn json(document: &impl Serialize) -> Result<String, CommandError> {
    serde_json::to_string_pretty(document).map_err(|error| CommandError::Print(error.into()))
}

async fn find_place(args: PlaceArgs, settings: &Settings) -> Result<Place, CommandError> {
    Ok(Place { account_id: args.account_id, region: find_region(args.region, settings).await? })
}

/// As `serve` finds it, except that it does not wait for a metadata service: this runs on people's own machines.
async fn find_region(args: RegionArgs, settings: &Settings) -> Result<String, CommandError> {
    if let Some(region) = args.region.or_else(|| settings.aws.region.clone()) {
        return Ok(region);
    }
    let found = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .region()
        .await;
    found.map(|region| region.to_string()).ok_or(CommandError::NoRegion)
}
