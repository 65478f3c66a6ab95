//! Which AWS is meant: region, endpoints, and whether they fit together.

use aws_types::SdkConfig;

use super::finding::Finding;
use crate::config::Settings;
use crate::endpoint_url;

const ID: &str = "aws";

/// Endpoints that are not AWS's own, and the region.
#[derive(Debug)]
pub(super) struct Where {
    pub(super) region: String,
    pub(super) dynamodb_endpoint: Option<String>,
    pub(super) s3_endpoint: Option<String>,
    pub(super) sts_endpoint: Option<String>,
}

impl Where {
    pub(super) fn new(sdk: &SdkConfig, settings: &Settings) -> Self {
        let of = |setting: &Option<String>, service_id| {
            setting.clone().or_else(|| endpoint_url::configured(sdk, service_id))
        };
        Self {
            region: sdk.region().map(ToString::to_string).unwrap_or_default(),
            dynamodb_endpoint: of(&settings.aws.dynamodb_endpoint, "DynamoDB"),
            s3_endpoint: of(&settings.aws.s3_endpoint, "S3"),
            sts_endpoint: endpoint_url::configured(sdk, "STS"),
        }
    }

    /// Whether something else than AWS stands in for it. Its keys mean nothing to AWS.
    pub(super) fn is_local_stack(&self) -> bool {
        self.dynamodb_endpoint.is_some() || self.s3_endpoint.is_some()
    }

    /// Where DynamoDB is, for people.
    pub(super) fn dynamodb(&self) -> String {
        self.dynamodb_endpoint
            .clone()
            .unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com", self.region))
    }
}

/// Whether both services are of the same world, and whether browsers can find the public one.
pub(super) fn check(place: &Where, settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![fit_together(place, settings)];
    let public = settings.aws.s3_public_endpoint.as_deref().or(place.s3_endpoint.as_deref());
    if let Some(finding) = public.and_then(only_here) {
        findings.push(finding);
    }
    findings
}

fn fit_together(place: &Where, settings: &Settings) -> Finding {
    let region = &place.region;
    match (&place.dynamodb_endpoint, &place.s3_endpoint) {
        (None, None) => Finding::ok(ID, format!("region {region}, AWS's own endpoints")),
        (Some(dynamodb), Some(s3)) => {
            Finding::ok(ID, format!("region {region}, DynamoDB at {dynamodb}, S3 at {s3}"))
        }
        (Some(dynamodb), None) if settings.aws.s3_public_endpoint.is_none() => Finding::warn(
            ID,
            format!("region {region}, DynamoDB at {dynamodb}, but S3 is AWS's own"),
            "with a local stack set AWS_ENDPOINT_URL_S3 as well, or browsers are sent to AWS",
        ),
        (Some(dynamodb), None) => {
            Finding::ok(ID, format!("region {region}, DynamoDB at {dynamodb}, S3 as browsers see it"))
        }
        (None, Some(s3)) => Finding::warn(
            ID,
            format!("region {region}, S3 at {s3}, but DynamoDB is AWS's own"),
            "with a local stack set AWS_ENDPOINT_URL_DYNAMODB as well",
        ),
    }
}

/// The name of a container is none that a browser finds.
fn only_here(endpoint: &str) -> Option<Finding> {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host =
        if authority.starts_with('[') { authority } else { authority.split(':').next().unwrap_or_default() };
    let is_bare_name = !host.contains(['.', '[']) && host != "localhost";
    is_bare_name.then(|| {
        Finding::warn(
            "aws.public_endpoint",
            format!("signed URLs lead to {endpoint}; {host} looks like the name of a container, which browsers do not find"),
            "set S3_PUBLIC_ENDPOINT to the address that browsers use, such as http://localhost:9000",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;

    #[test]
    fn a_local_stack_of_which_one_half_is_aws_is_told() {
        let url = |port: u16| Some(format!("http://localhost:{port}"));
        for (dynamodb, s3, public, status, part) in [
            (None, None, None, Status::Ok, "AWS's own"),
            (url(8000), url(9000), None, Status::Ok, "http://localhost:9000"),
            (url(8000), None, None, Status::Warn, "AWS_ENDPOINT_URL_S3"),
            (url(8000), None, url(9000), Status::Ok, "as browsers see it"),
            (None, url(9000), None, Status::Warn, "AWS_ENDPOINT_URL_DYNAMODB"),
        ] {
            let region = "eu-central-1".to_owned();
            let place = Where { region, dynamodb_endpoint: dynamodb, s3_endpoint: s3, sts_endpoint: None };
            let mut settings = Settings::defaults("thumbs");
            settings.aws.s3_public_endpoint = public;
            let finding = fit_together(&place, &settings);
            assert!(finding.status == status && format!("{finding:?}").contains(part), "{finding:?}");
        }
    }

    #[test]
    fn names_that_browsers_cannot_find_are_told() {
        for (endpoint, is_odd) in [
            ("http://minio:9000", true),
            ("http://localstack", true),
            ("http://localhost:9000", false),
            ("http://127.0.0.1:9000", false),
            ("http://[::1]:9000", false),
            ("https://pictures.example/s3", false),
        ] {
            assert_eq!(only_here(endpoint).is_some(), is_odd, "{endpoint}");
        }
    }
}
