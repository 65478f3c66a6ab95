//! The label sets of the metrics. Every value is one of a few words, whatever clients, rows and dependencies send.

use prometheus_client::encoding::EncodeLabelSet;

/// The names of a label set, and what each means.
pub trait Labels {
    /// In the order of the text format.
    const NAMES: &'static [(&'static str, &'static str)];
}

impl Labels for () {
    const NAMES: &'static [(&'static str, &'static str)] = &[];
}

macro_rules! labels {
    ($($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $help:literal])+ $label:ident: $type:ty,)+ })+) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub struct $name { $($(#[doc = $help])+ pub $label: $type,)+ }

        impl Labels for $name {
            const NAMES: &'static [(&'static str, &'static str)] = &[$((stringify!($label), concat!($($help),+))),+];
        }
    )+};
}

labels! {
    /// One request's route, method and status.
    Request {
        /// The pattern, not the path: bounded, and without anybody's identifier; `other` for all unknown paths.
        route: &'static str,
        /// `GET`, `HEAD`, `OPTIONS` or `other`.
        method: &'static str,
        /// The status code.
        status: u16,
    }
    /// One request's route and status.
    Route {
        /// The pattern, not the path.
        route: &'static str,
        /// The status code.
        status: u16,
    }
    /// A call to another service and how it ended.
    Call {
        /// DynamoDB: `Scan`, `Query` or `BatchGetItem`. Redis: `connect`, `get`, `put` or `probe`.
        operation: &'static str,
        /// `ok`, `timeout` or `unavailable`; of DynamoDB also `throttled` or `invalid`.
        outcome: &'static str,
    }
    /// One operation of another service.
    Operation {
        /// DynamoDB: `Scan`, `Query` or `BatchGetItem`. Redis: `connect`, `get`, `put` or `probe`.
        operation: &'static str,
    }
    /// In which state an answer was given.
    State {
        /// One word.
        state: &'static str,
    }
    /// What something was made of.
    Source {
        /// One word.
        source: &'static str,
    }
    /// How a body is compressed.
    Coding {
        /// As in `Content-Encoding`.
        coding: &'static str,
    }
    /// How something ended.
    Outcome {
        /// One word.
        outcome: &'static str,
    }
    /// A row that costs itself only.
    OddRow {
        /// `persons`, `occurrences` or `photos`.
        table: &'static str,
        /// The attribute that is missing or odd.
        attribute: &'static str,
    }
    /// Why something was refused.
    Reason {
        /// One word.
        reason: &'static str,
    }
    /// Where something was looked for, and whether it was there.
    Lookup {
        /// `local` or `redis`.
        tier: &'static str,
        /// `hit` or `miss`.
        outcome: &'static str,
    }
    /// A value in Redis that was not used.
    RefusedValue {
        /// `url` or `photo`.
        kind: &'static str,
        /// What is wrong with it, one word.
        reason: &'static str,
    }
    /// What was built.
    Build {
        /// Of the package.
        version: &'static str,
        /// The commit, when `BEETROOT_COMMIT` named it to the compiler; else `unknown`.
        commit: &'static str,
    }
}

impl Reason {
    /// `server.max_in_flight` requests were being worked on.
    pub const IN_FLIGHT: Self = Self { reason: "in_flight" };
    /// `lists.made_at_once` lists were being made for each worker and as many waited as may, or it waited too long for a place.
    pub const MADE_AT_ONCE: Self = Self { reason: "made_at_once" };

    /// A reason by its word.
    pub fn of(reason: &'static str) -> Self {
        Self { reason }
    }
}

impl Lookup {
    /// In this process.
    pub fn local(is_hit: bool) -> Self {
        Self { tier: "local", outcome: if is_hit { "hit" } else { "miss" } }
    }

    /// In Redis.
    pub fn redis(is_hit: bool) -> Self {
        Self { tier: "redis", ..Self::local(is_hit) }
    }
}

impl Build {
    /// This program. There is no build script: a commit is known when whoever builds tells it.
    pub fn this() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: option_env!("BEETROOT_COMMIT").unwrap_or("unknown"),
        }
    }
}
