//! Where Redis is, as `REDIS_URL` says it in one text. Neither an error nor any output of what it was parsed into holds
//! the password.

use std::fmt;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::names;

/// All forms of the text; optional parts in brackets.
pub(super) const FORMS: &str = "redis://[[user]:password@]host[:port][/database], redis+cluster://[…@]host:port,host:port, \
     redis+sentinel://[…@]host:port,host:port/master-name[/database]; with TLS rediss://, rediss+cluster://, \
     rediss+sentinel://; empty is off";

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// One Redis, a Cluster, or a master that Sentinels know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisKind {
    /// One server, or an address that always leads to the right one.
    Standalone,
    /// Any of the nodes tells where the others are.
    Cluster,
    /// The nodes are Sentinels, and they know where the master is.
    Sentinel {
        /// The name under which they know it.
        master_name: String,
    },
}

/// Where Redis is and how to log in. `Display` is the URL without user and password.
#[derive(Debug, Clone)]
pub struct RedisUrl {
    /// What answers at the nodes.
    pub kind: RedisKind,
    /// Whether connections are encrypted, those to Sentinels too.
    pub tls: bool,
    /// Hosts (IPv6 without brackets) and ports; exactly one when it is standalone, else at least one.
    pub nodes: Vec<(String, u16)>,
    /// The user of Redis' access control lists; `None` is the user `default`.
    pub user: Option<String>,
    /// The password of the servers that hold the data.
    pub password: Option<SecretString>,
    /// The number of the database; 0 in a Cluster.
    pub database: u16,
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "rediss" } else { "redis" })?;
        f.write_str(match self.kind {
            RedisKind::Standalone => "://",
            RedisKind::Cluster => "+cluster://",
            RedisKind::Sentinel { .. } => "+sentinel://",
        })?;
        for (index, (host, port)) in self.nodes.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if host.contains(':') {
                write!(f, "{comma}[{host}]:{port}")?;
            } else {
                write!(f, "{comma}{host}:{port}")?;
            }
        }
        if let RedisKind::Sentinel { master_name } = &self.kind {
            write!(f, "/{master_name}")?;
        }
        if self.database > 0 { write!(f, "/{}", self.database) } else { Ok(()) }
    }
}

impl RedisUrl {
    /// The URL of a text, or what is wrong with it in words that quote hosts at most.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no ://")?;
        let (tls, kind) = match scheme {
            "redis" => (false, RedisKind::Standalone),
            "rediss" => (true, RedisKind::Standalone),
            "redis+cluster" => (false, RedisKind::Cluster),
            "rediss+cluster" => (true, RedisKind::Cluster),
            "redis+sentinel" => (false, RedisKind::Sentinel { master_name: String::new() }),
            "rediss+sentinel" => (true, RedisKind::Sentinel { master_name: String::new() }),
            _ => return Err("its scheme is none of these".to_owned()),
        };
        // the last one: passwords hold @ and / more often than hosts and names of masters do
        let (login, place) =
            rest.rsplit_once('@').map_or((None, rest), |(login, place)| (Some(login), place));
        let (user, password) = parse_login(login.unwrap_or_default())?;
        if place.contains(['?', '#']) {
            return Err("it has a query or a fragment".to_owned());
        }
        let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
        let default_port =
            if matches!(kind, RedisKind::Sentinel { .. }) { SENTINEL_PORT } else { REDIS_PORT };
        let nodes = hosts
            .split(',')
            .map(|node| parse_node(node.trim(), default_port))
            .collect::<Result<Vec<_>, _>>()?;
        let (kind, database) = match kind {
            RedisKind::Standalone if nodes.len() > 1 => {
                return Err("it has several hosts; that is redis+cluster:// or redis+sentinel://".to_owned());
            }
            RedisKind::Standalone => (kind, parse_database(path)?),
            RedisKind::Cluster if path.is_empty() => (kind, 0),
            RedisKind::Cluster => {
                return Err("a Cluster has no databases, so nothing may follow the hosts".to_owned());
            }
            RedisKind::Sentinel { .. } => {
                let (name, database) = path.split_once('/').unwrap_or((path, ""));
                if !names::is_redis_name(name) {
                    return Err(
                        "after the hosts there is no name of a master (letters, digits, _, ., -)".to_owned()
                    );
                }
                (RedisKind::Sentinel { master_name: name.to_owned() }, parse_database(database)?)
            }
        };
        Ok(Self { kind, tls, nodes, user, password, database })
    }
}

/// User and password of `user:password`, `:password` or `user`.
fn parse_login(login: &str) -> Result<(Option<String>, Option<SecretString>), String> {
    let decode = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok((!text.is_empty()).then(|| text.into_owned())),
        Err(_) => Err("its user or password is not UTF-8 when percent-decoded"),
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (user, password) = (decode(user)?, decode(password)?);
    if user.is_some() && password.is_none() {
        return Err("it has a user without a password; a password alone is written :password@".to_owned());
    }
    Ok((user, password.map(SecretString::from)))
}

fn parse_node(node: &str, default_port: u16) -> Result<(String, u16), String> {
    let (host, port) = match node.strip_prefix('[') {
        Some(inside) => {
            inside.split_once(']').map(|(host, port)| (host, port.strip_prefix(':'))).unwrap_or_default()
        }
        None => node.split_once(':').map_or((node, None), |(host, port)| (host, Some(port))),
    };
    if !names::is_host(host) {
        // what looks like a host may be a password whose @ is missing
        return Err("one of its hosts is neither a name nor an IP address".to_owned());
    }
    let port = match port {
        None => Some(default_port),
        Some(port) => port.parse().ok().filter(|port| *port > 0),
    };
    match port {
        Some(port) => Ok((host.to_owned(), port)),
        None => Err(format!("the port of {host} is not a number from 1 to 65535")),
    }
}

fn parse_database(text: &str) -> Result<u16, String> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| "the database is not a number from 0 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn parse(text: &str) -> RedisUrl {
        RedisUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn every_form_is_shown_without_its_login() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://localhost/", "redis://localhost:6379"),
            ("rediss://:secret@cache.example:6380/2", "rediss://cache.example:6380/2"),
            ("redis://[::1]:7000", "redis://[::1]:7000"),
            ("redis+cluster://app:secret@a:1,b", "redis+cluster://a:1,b:6379"),
            ("rediss+cluster://a:1", "rediss+cluster://a:1"),
            ("redis+sentinel://a,b:1/main", "redis+sentinel://a:26379,b:1/main"),
            ("rediss+sentinel://u:secret@a/main/3", "rediss+sentinel://a:26379/main/3"),
        ] {
            let url = parse(text);
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("secret"));
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded_and_may_hold_what_urls_reserve() {
        for (text, user, password) in [
            ("redis://h", None, None),
            ("redis://:p@h", None, Some("p")),
            ("redis://u:p@h", Some("u"), Some("p")),
            ("redis://u:p%40%2F%25@h/1", Some("u"), Some("p@/%")),
            ("redis://u:p@/:q@h/1", Some("u"), Some("p@/:q")),
        ] {
            let url = parse(text);
            assert_eq!(url.user.as_deref(), user, "{text}");
            assert_eq!(url.password.as_ref().map(ExposeSecret::expose_secret), password, "{text}");
            assert_eq!(url.nodes, [("h".to_owned(), 6379)], "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_quotes_a_host_at_most() {
        for (text, reason) in [
            ("", "it has no ://"),
            ("hunter2", "it has no ://"),
            ("http://hunter2@h", "its scheme is none of these"),
            ("redis://", "one of its hosts is neither a name nor an IP address"),
            ("redis://user:hunter2", "the port of user is not a number from 1 to 65535"),
            ("redis://h:0", "the port of h is not a number from 1 to 65535"),
            ("redis://hunter2@h", "it has a user without a password; a password alone is written :password@"),
            ("redis://:hunter2%ff@h", "its user or password is not UTF-8 when percent-decoded"),
            ("redis://:hunter2@h/one", "the database is not a number from 0 to 65535"),
            ("rediss://:hunter2@h/#insecure", "it has a query or a fragment"),
            ("redis://a,b", "it has several hosts; that is redis+cluster:// or redis+sentinel://"),
            ("redis+cluster://a/1", "a Cluster has no databases, so nothing may follow the hosts"),
            ("redis+cluster://a,,b", "one of its hosts is neither a name nor an IP address"),
            ("redis+sentinel://a", "after the hosts there is no name of a master (letters, digits, _, ., -)"),
        ] {
            let found = RedisUrl::parse(text).err().unwrap_or_else(|| panic!("{text} was accepted"));
            assert_eq!(found, reason, "{text}");
            assert!(!found.contains("hunter2"));
        }
    }
}
