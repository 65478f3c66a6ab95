//! The user of Redis: the commands that the service sends, on the keys that it names.

use super::PolicyError;
use crate::config::{RedisKind, Settings};
use crate::shared_cache::commands_needed;

/// The user when `REDIS_URL` names none.
const USER: &str = "beetroot";
/// What a Redis refuses to load, so that nobody forgets to replace it. Not the password's own hash: of a password that people
/// choose it gives the password away.
const PASSWORD: &str = "#SHA256_OF_THE_PASSWORD";

/// A line of an ACL file, for the kind of Redis in `REDIS_URL`, or for one server when there is none.
pub fn redis_acl(settings: &Settings) -> Result<String, PolicyError> {
    let redis = &settings.redis;
    let user = redis.url.as_ref().and_then(|url| url.user.as_deref()).unwrap_or(USER);
    if user.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(PolicyError::RedisUser);
    }
    let (kind, database) =
        redis.url.as_ref().map_or((&RedisKind::Standalone, 0), |url| (&url.kind, url.database));
    let commands: Vec<_> = commands_needed(kind, database).iter().map(|name| format!("+{name}")).collect();
    Ok(format!("user {user} on {PASSWORD} ~{}:* -@all {}", redis.namespace, commands.join(" ")))
}
