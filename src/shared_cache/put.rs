//! What is written, and what becomes of it.

use std::fmt;
use std::time::Duration;

/// One value to write.
#[derive(Clone, PartialEq, Eq)]
pub struct Put {
    /// The whole key, namespace included.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
    /// How long Redis keeps it, at least 1 ms.
    pub ttl: Duration,
    /// What happens when there is a value already.
    pub mode: PutMode,
}

/// Values may be signed URLs, which are secrets.
impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, ttl, mode } = self;
        write!(f, "Put({key}, {} bytes, {ttl:?}, {mode:?})", value.len())
    }
}

/// What a [`Put`] does when there is a value already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// Leaves it with its time to live, and tells it. What is no text (a list, a hash) does not count as a value, and is replaced.
    IfAbsent,
    /// Replaces it.
    Overwrite,
}

/// How a [`Put`] ended.
#[derive(Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// Redis holds it.
    Stored,
    /// Redis holds it, in place of something that was no text.
    Replaced,
    /// Somebody was first: this is their value.
    Found(Vec<u8>),
    /// Redis would not: a read-only replica, out of memory, or not allowed.
    Refused,
}

impl fmt::Debug for PutOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored => f.write_str("Stored"),
            Self::Replaced => f.write_str("Replaced"),
            Self::Found(value) => write!(f, "Found({} bytes)", value.len()),
            Self::Refused => f.write_str("Refused"),
        }
    }
}
