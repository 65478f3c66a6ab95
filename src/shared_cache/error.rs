//! What can be wrong with Redis. None of it shows a password, and all of it names the node.

use std::io;
use std::path::PathBuf;

use deadpool::managed::{BuildError, PoolError};
use redis::RedisError;

/// Why there is no [`SharedCache`]: settings that no Redis could satisfy.
#[derive(Debug, thiserror::Error)]
pub enum SharedCacheError {
    /// The file of certificates cannot be read.
    #[error("cannot read {} (redis.ca_file)", path.display())]
    CaFile {
        /// As the settings say.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds no certificate in PEM form.
    #[error("{} holds no PEM certificate (redis.ca_file)", path.display())]
    NoCertificate {
        /// As the settings say.
        path: PathBuf,
    },
    /// The client refuses the settings.
    #[error("{redis} cannot be used (REDIS_URL, redis.ca_file)")]
    Client {
        /// The URL without user and password.
        redis: String,
        /// What the client says.
        source: RedisError,
    },
    /// The pool refuses the settings.
    #[error("no pool of connections to Redis")]
    Pool(#[from] BuildError),
}

/// Why Redis gave no answer. None of it is an error of the request: it goes on without.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// No Redis is set.
    #[error("redis.url is not set")]
    Off,
    /// It failed this request, or several before it, and is not waited for.
    #[error("Redis has failed and is not waited for")]
    Skipped,
    /// It was asked, and failed now.
    #[error("{redis}: {failure}")]
    Failed {
        /// The URL without user and password.
        redis: String,
        /// What went wrong.
        failure: Failure,
    },
}

/// What went wrong between here and Redis.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// No answer in time.
    #[error("no answer in time (redis.deadline)")]
    TimedOut,
    /// An error of the connection or of the server.
    #[error("{0}")]
    Redis(RedisError),
    /// An answer that does not fit the question.
    #[error("it answered something else than was asked")]
    Odd,
}

impl Failure {
    /// The first word of the server's error, such as `NOPERM`; `None` when it was not the server that refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Redis(error) => error.code(),
            Self::TimedOut | Self::Odd => None,
        }
    }

    /// The word for it in metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::TimedOut => "timeout",
            Self::Redis(_) | Self::Odd => "unavailable",
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() { Self::TimedOut } else { Self::Redis(error) }
    }
}

impl From<PoolError<RedisError>> for Failure {
    fn from(error: PoolError<RedisError>) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::TimedOut,
            // the pool is never closed, has a runtime and no hooks
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => Self::Odd,
        }
    }
}
