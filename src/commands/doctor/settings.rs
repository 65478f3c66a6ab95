//! The settings: where they come from, and what is legal but unwise.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::explain::count;
use super::finding::Finding;
use crate::config::{Faults, Loaded, Presign, Settings};

const SETTINGS: &str = "settings";
const PRESIGN: &str = "presign";
const SEAL: &str = "seal";

/// A URL that lives shorter may end while a page is still loading its pictures.
const SHORT_LIFE: Duration = Duration::from_secs(60);

/// Each fault is a line of its own.
pub(super) fn faults(faults: &Faults) -> Vec<Finding> {
    let advice = "config/default.toml explains every key; `beetroot-api config` shows what is in force";
    faults.sentences().iter().map(|sentence| Finding::fail(SETTINGS, sentence, advice)).collect()
}

/// Where those that are not the defaults come from.
pub(super) fn sources(loaded: &Loaded) -> Finding {
    let is_changed = |origin: &str| origin != "default.toml" && !origin.starts_with("computed");
    let changed = loaded.report.iter().filter(|entry| is_changed(&entry.origin));
    let origins: BTreeSet<&str> =
        changed.clone().map(|entry| entry.origin.trim_start_matches("environment variable ")).collect();
    let number = count(changed.count(), "setting", "settings");
    let origins = origins.into_iter().collect::<Vec<_>>().join(", ");
    Finding::ok(SETTINGS, format!("{number} beside the defaults, from {origins}"))
}

/// Lives and margins that will surprise somebody.
pub(super) fn presign(presign: &Presign) -> Finding {
    let (expires, margin) = (presign.expires.as_secs(), presign.margin.as_secs());
    let found = format!("URLs live {expires} s and have {margin} s left at least when they are handed out");
    if presign.expires < SHORT_LIFE {
        return Finding::warn(
            PRESIGN,
            found,
            "set PRESIGN_EXPIRES to some minutes at least: URLs end while pages still load, and clocks differ by seconds",
        );
    }
    if margin == 0 {
        return Finding::warn(
            PRESIGN,
            found,
            "set PRESIGN_MARGIN to some minutes: a URL may end the moment after a client got it",
        );
    }
    if presign.margin > presign.expires / 2 {
        return Finding::warn(
            PRESIGN,
            found,
            "set PRESIGN_MARGIN to a twelfth of PRESIGN_EXPIRES: with so large a one, URLs change often and browsers fetch again",
        );
    }
    if presign.allow.is_empty() {
        return Finding::warn(
            PRESIGN,
            format!("{found}; presign.allow is empty"),
            "list bucket/prefix of thumbnails and photos in presign.allow: without it a row can make the service sign whatever its role \
             can read",
        );
    }
    Finding::ok(PRESIGN, found)
}

/// What stands between Redis and what may be signed.
pub(super) fn seal(settings: &Settings) -> Finding {
    if !settings.seal.key.expose_secret().is_empty() {
        return Finding::ok(SEAL, "seal.key is set; all instances need the same one");
    }
    if settings.redis.url.is_none() {
        return Finding::ok(SEAL, "seal.key is not set, and without Redis only cursors need it");
    }
    Finding::warn(
        SEAL,
        "seal.key is not set, and REDIS_URL is",
        "set BEETROOT__SEAL__KEY to 16 bytes or more, the same on all instances: without it, who can write to Redis can make the service \
         sign any object that presign.allow allows",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;
    use crate::config::{AllowedPrefix, RedisUrl};

    #[test]
    fn what_is_legal_but_unwise_is_told() {
        let good = Presign {
            allow: vec![AllowedPrefix { bucket: "thumbs".into(), prefix: "faces-thumbs/".into() }],
            ..Settings::defaults("thumbs").presign
        };
        let seconds = Duration::from_secs;
        for (changed, part) in [
            (Presign { expires: seconds(59), margin: seconds(4), ..good.clone() }, "PRESIGN_EXPIRES"),
            (Presign { margin: seconds(0), ..good.clone() }, "PRESIGN_MARGIN to some"),
            (Presign { margin: seconds(1801), ..good.clone() }, "a twelfth"),
            (Presign { allow: Vec::new(), ..good.clone() }, "presign.allow"),
        ] {
            let finding = presign(&changed);
            assert_eq!(finding.status, Status::Warn);
            assert!(finding.advice.as_ref().is_some_and(|advice| advice.contains(part)), "{finding:?}");
        }
        assert_eq!(presign(&good).status, Status::Ok);
    }

    #[test]
    fn redis_without_a_seal_of_ones_own_is_told() {
        let mut settings = Settings::defaults("thumbs");
        assert_eq!(seal(&settings).status, Status::Ok);
        settings.redis.url = RedisUrl::parse("redis://localhost").ok();
        assert_eq!(seal(&settings).status, Status::Warn);
        settings.seal.key = "sixteen bytes or more".into();
        assert_eq!(seal(&settings).status, Status::Ok);
    }
}
