//! What the service asks of the servers that hold the data: their user must be allowed this, and needs no more.

use crate::config::{RedisKind, RedisUrl};

/// The commands that the service sends, in lower case and with a subcommand after `|`, as access control lists name them.
/// Logging in (`AUTH`, `HELLO`) needs no permission, and Sentinels have users of their own.
pub fn commands_needed(url: &RedisUrl) -> Vec<&'static str> {
    let mut commands = vec!["get", "mget", "set"];
    commands.extend(match url.kind {
        // the pool asks whether a connection lives, and clears what a transaction may have left
        RedisKind::Standalone => ["ping", "unwatch"].as_slice(),
        // the pool asks whether this is still the master
        RedisKind::Sentinel { .. } => &["role"],
        // which node has what, and `ASKING` for a key whose slot is on its way to another one
        RedisKind::Cluster => &["ping", "cluster|slots", "asking"],
    });
    if url.database > 0 {
        commands.push("select");
    }
    commands
}
