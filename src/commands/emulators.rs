//! `beetroot-api emulators`: DynamoDB and S3 by themselves, for a stack of separate processes or containers.

use std::io::Write as _;

use super::demo::DemoError;
use super::{CommandError, signals};
use crate::cli::EmulatorsArgs;
use crate::emulators::{ACCESS_KEY_ID, COUNTS_PATH, Emulators, Ports, SECRET_ACCESS_KEY};

pub(super) async fn emulators(args: EmulatorsArgs) -> Result<(), CommandError> {
    let ports = Ports { dynamodb: args.dynamodb_port, s3: args.s3_port };
    let emulators = Emulators::start_on(args.host, ports).map_err(DemoError::from)?;
    let guide = format!(
        "beetroot-api emulators: empty, in memory, until Ctrl-C

  AWS_ENDPOINT_URL_DYNAMODB={}
  AWS_ENDPOINT_URL_S3={}
  AWS_ACCESS_KEY_ID={ACCESS_KEY_ID}
  AWS_SECRET_ACCESS_KEY={SECRET_ACCESS_KEY}

What they were asked for: GET {COUNTS_PATH} of either

",
        emulators.dynamodb_endpoint(),
        emulators.s3_endpoint(),
    );
    std::io::stdout().write_all(guide.as_bytes()).map_err(CommandError::Print)?;
    signals::asked_to_end().await;
    Ok(())
}
