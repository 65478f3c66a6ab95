//! The catalog against the emulated DynamoDB; `tests/peers` asks another implementation the same.

use aws_credential_types::provider::SharedCredentialsProvider;
use beetroot_api::emulators::{Emulators, Ports};

use super::catalog_suite;
use super::test_app::{emulator_credentials, sdk_config};

#[actix_web::test]
async fn the_emulated_dynamodb_agrees() {
    let emulators = Emulators::start(Ports::default()).unwrap();
    let sdk = sdk_config(SharedCredentialsProvider::new(emulator_credentials(None)));
    let config =
        aws_sdk_dynamodb::config::Builder::from(&sdk).endpoint_url(emulators.dynamodb_endpoint()).build();
    catalog_suite::agrees(aws_sdk_dynamodb::Client::from_conf(config)).await;
}
