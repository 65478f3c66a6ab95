//! The pictures of the simulation, with the service's own rules: their objects, their URLs and how long those are handed out.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use beetroot_api::domain::{AllowList, ObjectRef, SignedUrl};
use beetroot_api::urls::{Endpoints, Schedule};
use fastrand::Rng;
use jiff::Timestamp;

pub const BUCKET: &str = "beetroot-thumbs";
/// The session token of a role has about as many bytes; the keys of a user have none.
pub const ROLE_TOKEN_BYTES: usize = 900;
/// Where the simulations begin, seconds since 1970.
const START: i64 = 1_790_000_000;

/// The object of the photo with this number.
pub fn object(number: u64) -> ObjectRef {
    AllowList::default().object(BUCKET, &format!("faces-thumbs/{number}_face_1.jpg")).unwrap()
}

/// An object with a key as long as they are.
pub fn object_of_usual_length(rng: &mut Rng) -> ObjectRef {
    AllowList::default()
        .object(BUCKET, &format!("faces-thumbs/{}/{}_face_1.jpg", uuid(rng), uuid(rng)))
        .unwrap()
}

pub fn uuid(rng: &mut Rng) -> String {
    let hex = format!("{:032x}", rng.u128(..));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

pub fn sdk(token_bytes: usize) -> SdkConfig {
    let token = (token_bytes > 0).then(|| "IQoJb3JpZ2luX2VjEJ/+".chars().cycle().take(token_bytes).collect());
    let credentials = Credentials::new(
        "ASIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        token,
        None,
        "bench",
    );
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

pub fn endpoints(sdk: &SdkConfig) -> Endpoints {
    Endpoints::new(sdk, None, Some("private, max-age=3600, immutable".to_owned()), Duration::from_hours(1))
}

/// The life of a URL and the margin that the defaults give it, seconds.
#[derive(Clone, Copy)]
pub struct Life {
    pub expires: u32,
    margin: u32,
    schedule: Schedule,
}

impl Life {
    pub fn of(expires: u32) -> Self {
        let margin = (expires / 12).min(300);
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Self { expires, margin, schedule: Schedule::new(seconds(expires), seconds(margin)) }
    }

    /// How long a URL would be handed out if there were no jitter.
    pub fn longest(self) -> f64 {
        f64::from(self.expires - self.margin)
    }

    /// How long a URL is handed out on average: jitter takes between nothing and a tenth.
    pub fn mean(self) -> f64 {
        self.longest() * 0.95
    }

    /// When the service gives up a URL that it signed at `now` with a life of `seconds`. Times are seconds since the start.
    pub fn end(self, object: &ObjectRef, now: f64, seconds: f64) -> f64 {
        let now = at(now);
        let url = SignedUrl::new(Arc::from("https://a.picture/"), now + Duration::from_secs(seconds as u64));
        let handed_out = self.schedule.hand_out(object, url, now, now);
        since_start(handed_out.map_or(now, |handed_out| handed_out.until))
    }

    /// When the object's present window ends.
    pub fn end_of_window(self, object: &ObjectRef, now: f64) -> f64 {
        let now = at(now);
        let start = self.schedule.window_start(object, now);
        let url = SignedUrl::new(Arc::from("https://a.picture/"), start + self.lifetime());
        since_start(self.schedule.hand_out(object, url, start, now).unwrap().until)
    }

    fn lifetime(self) -> Duration {
        Duration::from_secs(self.expires.into())
    }
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_second(START + seconds as i64).unwrap()
}

fn since_start(moment: Timestamp) -> f64 {
    (moment.as_second() - START) as f64
}
