//! What connections say when they fail, and what that usually means.

use std::error::Error;

use super::finding::Trouble;

/// An error and all that is behind it in one line, without what repeats.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// No connection to `service`, which `setting` could place elsewhere. `reason` is what the system says.
pub(super) fn no_connection(service: &str, address: &str, setting: &str, reason: &str) -> Trouble {
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let advice = if says(&["dns error", "failed to lookup", "name or service not known", "name resolution"]) {
        format!(
            "no such host from here: {setting} may be mistyped, or the name exists only inside of another network"
        )
    } else if says(&["certificate", "unknownissuer"]) {
        format!(
            "its TLS certificate is not trusted here: install the authority in this system's certificates, or correct {setting}"
        )
    } else if says(&["corrupt message", "invalidcontenttype", "wrong version", "tls", "handshake"]) {
        format!("TLS and plain HTTP meet: write http:// or https:// in {setting} as the server speaks it")
    } else if says(&["refused"]) {
        format!(
            "nothing listens there: start it, or correct {setting}; inside of a container, localhost is the container"
        )
    } else if says(&["timed out", "timeout", "no answer within"]) {
        format!(
            "nothing answers in time: a firewall, a security group, a subnet without a way out (NAT or VPC endpoint), or a wrong {setting}"
        )
    } else {
        format!("look at the way to it (proxy, firewall) and at {setting}")
    };
    Trouble::new(format!("no connection to {service} at {address}: {reason}"), advice)
}

/// `12 of 40`, or `all 40`.
pub(super) fn share(part: usize, whole: usize) -> String {
    if part == whole { format!("all {whole}") } else { format!("{part} of {whole}") }
}

/// A number with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failed_connection_has_its_own_advice() {
        let advice =
            |reason: &str| no_connection("S3", "http://minio:9000", "S3_PUBLIC_ENDPOINT", reason).advice;
        for (reason, part) in [
            ("dns error: failed to lookup address information", "no such host"),
            ("invalid peer certificate: UnknownIssuer", "not trusted"),
            ("received corrupt message of type InvalidContentType", "http:// or https://"),
            ("tcp connect error: Connection refused (os error 111)", "nothing listens"),
            ("no answer within 8 s", "firewall"),
            ("something else", "look at the way"),
        ] {
            let advice = advice(reason);
            assert!(advice.contains(part), "{reason}: {advice}");
        }
    }
}
