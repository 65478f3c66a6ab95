//! Fetches as a browser does: without credentials, without following redirects, a few bytes at most of what is large.
//!
//! The HTTP client is the one that is below the AWS SDK, with the same TLS
//! ([0016](../../../docs/decisions/0016-the-sdks-http-client.md)).

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::default_connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};

use super::explain::chain;

/// The longest that one fetch may take, the body included.
const PATIENCE: Duration = Duration::from_secs(8);
/// As much of a picture as tells that it comes.
const FIRST_BYTES: &str = "bytes=0-15";
/// More than any error of S3 in XML.
const LONGEST_BODY_BYTES: usize = 64 * 1024;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Browser {
    connector: SharedHttpConnector,
}

/// What came back. Has no `Debug`: an error of S3 may quote the signature that it refuses.
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    /// As text; empty when it was longer than an error can be.
    pub(super) body: String,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// In the words of the system or of the TLS library; they name no URL.
    #[error("{0}")]
    Failed(String),
}

impl Browser {
    /// `None` when this build has no TLS, which never happens.
    pub(super) fn new() -> Option<Self> {
        let settings = HttpConnectorSettings::builder().build();
        default_connector(&settings, None).map(|connector| Self { connector })
    }

    /// The beginning of what is there, as a page of this origin asks for it when there is one.
    pub(super) async fn get(&self, url: &str, origin: Option<&str>) -> Result<Reply, FetchError> {
        let mut headers = vec![("range", FIRST_BYTES)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        self.fetch("GET", url, &headers).await
    }

    pub(super) async fn head(&self, url: &str) -> Result<Reply, FetchError> {
        self.fetch("HEAD", url, &[]).await
    }

    async fn fetch(
        &self,
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Reply, FetchError> {
        // neither error quotes the URL
        let mut request = HttpRequest::get(url).map_err(|_| FetchError::Failed("not a URL".to_owned()))?;
        request.set_method(method).map_err(|error| FetchError::Failed(error.to_string()))?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, (*value).to_owned());
        }
        let answered = async {
            let response = self
                .connector
                .call(request)
                .await
                .map_err(|error| FetchError::Failed(chain(error.source().unwrap_or(&error))))?;
            Reply::read(response).await
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap_or(Err(FetchError::TimedOut))
    }
}

impl Reply {
    async fn read(mut response: HttpResponse) -> Result<Self, FetchError> {
        let headers =
            response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut body = ByteStream::new(std::mem::replace(response.body_mut(), SdkBody::taken()));
        let mut bytes = Vec::new();
        while bytes.len() <= LONGEST_BODY_BYTES {
            match body.next().await {
                None => break,
                Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
                Some(Err(error)) => return Err(FetchError::Failed(chain(&error))),
            }
        }
        let body = if bytes.len() > LONGEST_BODY_BYTES { Vec::new() } else { bytes };
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Self { status: response.status().as_u16(), headers, body })
    }

    /// The first of that name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
impl Reply {
    /// As if it had come.
    pub(super) fn of(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned() }
    }

    pub(super) fn with_headers(status: u16, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { status, headers: headers.collect(), body: String::new() }
    }
}
