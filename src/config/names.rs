//! Names and addresses as the settings accept them. Pure functions over text: each says whether a text is legal, or
//! brings it into its one form. They know nothing of where a text came from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::settings::AllowedPrefix;

/// S3's rules for the name of a general purpose bucket.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(crate) fn is_bucket(name: &str) -> bool {
    let letter_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| letter_or_digit(byte) || byte == b'.' || byte == b'-')
        && name.bytes().next().is_some_and(letter_or_digit)
        && name.bytes().next_back().is_some_and(letter_or_digit)
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
}

/// A DynamoDB table: its name, or its ARN (`arn:aws:dynamodb:region:account:table/name`) when it is another account's.
pub(super) fn is_table(text: &str) -> bool {
    let name = if text.starts_with("arn:") {
        match text.split(':').collect::<Vec<_>>()[..] {
            ["arn", partition, "dynamodb", region, account, resource]
                if partition.starts_with("aws")
                    && is_region(region)
                    && account.len() == 12
                    && account.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                resource.strip_prefix("table/").unwrap_or_default()
            }
            _ => return false,
        }
    } else {
        text
    };
    (3..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// A name that we give to things in Redis, or that Sentinels give to a master.
pub(super) fn is_redis_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The form of a region's name; whether it exists only AWS knows.
pub(crate) fn is_region(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(legal)
}

/// An IP address (IPv6 without brackets) or a host name. Underscores are legal here because container networks use them.
pub(super) fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || is_host_name(text)
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A name whose last label is a number is a mistyped IPv4 address, such as 10.0.0.256.
    let ends_in_number =
        text.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(is_label) && !ends_in_number
}

/// `host[:port]` as it stands in a URL: IPv6 in brackets, port 1 to 65535.
fn is_authority(text: &str) -> bool {
    let (host_is_legal, rest) = if let Some(inside) = text.strip_prefix('[') {
        let Some((address, rest)) = inside.split_once(']') else { return false };
        (address.parse::<Ipv6Addr>().is_ok(), rest)
    } else {
        let (host, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        (host.parse::<Ipv4Addr>().is_ok() || is_host_name(host), rest)
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && !port.starts_with('0')
            && port.parse::<u16>().is_ok()
    };
    host_is_legal && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// An endpoint: an `http` or `https` URL without user, query and fragment. Its closing slashes are dropped, so that a
/// path can be appended.
pub(super) fn parse_endpoint(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte);
    (is_authority(authority) && path.bytes().all(is_path_byte)).then(|| text.to_owned())
}

/// An origin in the form that browsers send: lower case, without the port that its scheme implies.
/// Source: <https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin>
pub(super) fn parse_origin(text: &str) -> Option<String> {
    let origin = text.to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme || !is_authority(authority) {
        return None;
    }
    let implied = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    Some(origin.strip_suffix(implied).unwrap_or(&origin).to_owned())
}

/// `bucket/prefix`; `bucket` and `bucket/` are the whole bucket. Keys have at most 1024 bytes, and so have prefixes,
/// which have no control characters either.
pub(super) fn parse_allowed_prefix(text: &str) -> Option<AllowedPrefix> {
    let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
    (is_bucket(bucket) && prefix.len() <= 1024 && !prefix.contains(char::is_control))
        .then(|| AllowedPrefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_the_rules_of_s3() {
        for legal in ["abc", "beetroot-thumbs", "a.b.c", "0thumbs9", &"a".repeat(63)] {
            assert!(is_bucket(legal), "{legal}");
        }
        for illegal in
            ["", "ab", "Thumbs", "a_b", "-ab", "ab-", ".ab", "a..b", "10.0.0.1", "thümbs", &"a".repeat(64)]
        {
            assert!(!is_bucket(illegal), "{illegal}");
        }
    }

    #[test]
    fn tables_are_names_or_arns() {
        for legal in ["Persons", "a.b-c_d", "arn:aws:dynamodb:eu-central-1:123456789012:table/Persons"] {
            assert!(is_table(legal), "{legal}");
        }
        for illegal in [
            "",
            "ab",
            "a b c",
            "arn:aws:s3:eu-central-1:123456789012:table/Persons",
            "arn:aws:dynamodb:eu-central-1:123456789012:table/",
            "arn:aws:dynamodb:eu-central-1:12:table/Persons",
            &"a".repeat(256),
        ] {
            assert!(!is_table(illegal), "{illegal}");
        }
    }

    #[test]
    fn hosts_are_addresses_or_names() {
        for legal in ["0.0.0.0", "::", "::1", "localhost", "my_service", "api.example.com"] {
            assert!(is_host(legal), "{legal}");
        }
        for illegal in ["", "[::1]", "10.0.0.256", "a b", "http://x", "x:80", "-a", "a..b", "8080"] {
            assert!(!is_host(illegal), "{illegal}");
        }
    }

    #[test]
    fn endpoints_lose_their_closing_slash_and_hold_no_more_than_an_address() {
        assert_eq!(parse_endpoint("http://[::1]:9000/").as_deref(), Some("http://[::1]:9000"));
        assert_eq!(
            parse_endpoint("https://cdn.example.com/s3/").as_deref(),
            Some("https://cdn.example.com/s3")
        );
        for illegal in [
            "",
            "http://",
            "s3.example.com",
            "ftp://x",
            "http://u:p@x",
            "http://x?y",
            "http://x#y",
            "http://x:0",
            "http://x:99999",
            "http://x y",
            "http://[::1",
        ] {
            assert_eq!(parse_endpoint(illegal), None, "{illegal}");
        }
    }

    #[test]
    fn origins_take_the_form_that_browsers_send() {
        for (text, origin) in [
            ("https://Photos.Example.com:443", "https://photos.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:80", "http://localhost"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(parse_origin(text).as_deref(), Some(origin), "{text}");
        }
        for illegal in
            ["", "*", "null", "x.com", "https://x/", "https://*.x.com", "https://x:y", "https://u@x"]
        {
            assert_eq!(parse_origin(illegal), None, "{illegal}");
        }
    }

    #[test]
    fn an_allowed_prefix_is_a_bucket_with_or_without_a_prefix() {
        let parse = |text| parse_allowed_prefix(text).map(|allowed| (allowed.bucket, allowed.prefix));
        let allowed = |bucket: &str, prefix: &str| Some((bucket.to_owned(), prefix.to_owned()));
        assert_eq!(parse("thumbs/faces/"), allowed("thumbs", "faces/"));
        assert_eq!(parse("thumbs/"), allowed("thumbs", ""));
        assert_eq!(parse("thumbs"), allowed("thumbs", ""));
        assert_eq!(parse("/faces"), None);
        assert_eq!(parse(""), None);
    }
}
