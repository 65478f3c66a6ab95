//! The settings: where they come from, and what is legal but unwise.

use std::collections::BTreeSet;
use std::time::Duration;

use super::explain::count;
use super::finding::Finding;
use crate::config::{Faults, Loaded, Presign};

const SETTINGS: &str = "settings";
const PRESIGN: &str = "presign";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Status;
    use crate::config::{AllowedPrefix, Settings};

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
}
