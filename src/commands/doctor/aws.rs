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
            let endpoint = setting.clone().or_else(|| endpoint_url::configured(sdk, service_id));
            endpoint.map(|endpoint| without_login(&endpoint))
        };
        Self {
            region: sdk.region().map(ToString::to_string).unwrap_or_default(),
            dynamodb_endpoint: of(&settings.aws.dynamodb_endpoint, "DynamoDB"),
            s3_endpoint: of(&settings.aws.s3_endpoint, "S3"),
            sts_endpoint: of(&None, "STS"),
        }
    }

    /// Whether something else than AWS stands in for it. Its keys mean nothing to AWS.
    pub(super) fn is_local_stack(&self) -> bool {
        [&self.dynamodb_endpoint, &self.s3_endpoint]
            .into_iter()
            .flatten()
            .any(|endpoint| !is_of_aws(endpoint))
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
    let dynamodb = place.dynamodb();
    let s3 = place.s3_endpoint.clone().unwrap_or_else(|| "AWS's own address".to_owned());
    let found = format!("region {region}, DynamoDB at {dynamodb}, S3 at {s3}");
    let is_foreign =
        |endpoint: &Option<String>| endpoint.as_deref().is_some_and(|endpoint| !is_of_aws(endpoint));
    let (foreign_dynamodb, foreign_s3) =
        (is_foreign(&place.dynamodb_endpoint), is_foreign(&place.s3_endpoint));
    if foreign_dynamodb && !foreign_s3 && settings.aws.s3_public_endpoint.is_none() {
        let advice = "with a local stack set AWS_ENDPOINT_URL_S3 as well, or browsers are sent to AWS";
        return Finding::warn(ID, found, advice);
    }
    if foreign_s3 && !foreign_dynamodb {
        return Finding::warn(ID, found, "with a local stack set AWS_ENDPOINT_URL_DYNAMODB as well");
    }
    Finding::ok(ID, found)
}

/// AWS has addresses of many forms, those of VPC endpoints among them.
fn is_of_aws(endpoint: &str) -> bool {
    let host = host(endpoint);
    [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| host.ends_with(end))
}

/// The host of a URL, with brackets when it is an IPv6 address.
fn host(endpoint: &str) -> &str {
    let authority = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    if authority.starts_with('[') { authority } else { authority.split(':').next().unwrap_or_default() }
}

/// The SDK takes endpoints with a login in them, which is nobody's business.
pub(super) fn without_login(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return endpoint.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// The name of a container is none that a browser finds.
fn only_here(endpoint: &str) -> Option<Finding> {
    let host = host(endpoint);
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
            (url(8000), None, url(9000), Status::Ok, "http://localhost:8000"),
            (
                Some("https://vpce-1.dynamodb.eu-central-1.vpce.amazonaws.com".into()),
                None,
                None,
                Status::Ok,
                "vpce-1",
            ),
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
    fn a_login_in_an_endpoint_is_not_shown() {
        for (endpoint, shown) in [
            ("http://user:hunter2@minio:9000/s3", "http://minio:9000/s3"),
            ("http://minio", "http://minio"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            assert_eq!(without_login(endpoint), shown);
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
