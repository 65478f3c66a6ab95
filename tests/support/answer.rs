//! What came back, with assertions that print it when they fail.

use std::fmt;

use reqwest::header::HeaderMap;
use serde_json::Value;

pub struct Answer {
    request: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(request: String, response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.expect("the whole body").to_vec();
        Self { request, status, headers, body }
    }

    #[track_caller]
    pub fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("visible ASCII"))
    }

    #[track_caller]
    pub fn assert_header(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.header(name), Some(value), "{name} of {self}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        self.assert_header("content-type", "application/json");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        self.assert_status(200).json()
    }

    /// What every error carries; gives its text.
    #[track_caller]
    pub fn assert_error(&self, status: u16) -> String {
        let body = self.assert_status(status).json();
        self.assert_header("cache-control", "no-store");
        let id = self.header("x-request-id").unwrap_or_else(|| panic!("no request id: {self}"));
        assert_eq!(body["requestId"], id, "{self}");
        body["error"].as_str().unwrap_or_else(|| panic!("no error text: {self}")).to_owned()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(formatter, "{}\n{} {:#?}\n{:.4000}", self.request, self.status, self.headers, body)
    }
}
