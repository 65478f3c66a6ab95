//! How the emulated S3 misbehaves or differs from its defaults, when a test says so.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use s3s::Body;

/// What is otherwise than at the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// Every GET is refused so.
    pub(super) refusal: Option<Refusal>,
    pub(super) cors: CorsRules,
    /// What `x-amz-bucket-region` says; `None` leaves it out.
    pub(super) bucket_region: Option<&'static str>,
    /// How far the clock in `Date` is ahead.
    pub(super) clock_ahead: Option<Duration>,
}

/// An error in S3's own form.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

/// Which pages may read the objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CorsRules {
    /// Every page, told to all.
    #[default]
    Everybody,
    /// This one, told to those that send an `Origin`, as S3 does.
    Only(&'static str),
    /// The bucket has no rules.
    Nobody,
}

impl Refusal {
    pub(super) fn response(&self) -> Response<Body> {
        let Self { status, code, message } = self;
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        let mut response = Response::new(Body::from(xml.into_bytes()));
        *response.status_mut() = *status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        response
    }
}

impl Faults {
    /// Adds to an answer what the rules and the clock say.
    pub(super) fn finish(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) {
        match self.cors {
            CorsRules::Everybody => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            CorsRules::Only(allowed) if origin.is_some_and(|origin| origin == allowed) => {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(allowed));
                headers.insert(header::VARY, HeaderValue::from_static("Origin"));
            }
            CorsRules::Only(_) | CorsRules::Nobody => {}
        }
        if let Some(region) = self.bucket_region {
            headers.insert("x-amz-bucket-region", HeaderValue::from_static(region));
        }
        if let Some(ahead) = self.clock_ahead
            && let Ok(date) = HeaderValue::from_str(&http_date(ahead))
        {
            headers.insert(header::DATE, date);
        }
    }
}

/// The time of so much later, as `Date` has it.
#[expect(clippy::disallowed_methods, reason = "the emulators have no clock of the crate")]
fn http_date(ahead: Duration) -> String {
    let time = jiff::Timestamp::try_from(SystemTime::now() + ahead).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(time).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
