//! Where the AWS SDK was told that a service is, when that is not where AWS has it.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The address of one service (`S3`, `DynamoDB`, `STS`) that environment or profile name, in the order in which the SDK looks.
pub fn configured(sdk: &SdkConfig, service_id: &str) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service_id)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_service = sdk.service_config().zip(key.ok()).and_then(|(config, key)| config.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(str::to_owned))
}
