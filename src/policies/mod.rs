//! What others must allow the service, as the documents that AWS and Redis take. Pure functions of the settings and of
//! where the service runs: they read nothing and ask nobody, and no document holds a secret.

mod bucket;
mod place;
mod redis_acl;
mod role;
mod statement;
mod trust;

pub use self::bucket::{cors, signature_age};
pub use self::place::Place;
pub use self::redis_acl::redis_acl;
pub use self::role::{role, signer};
pub use self::statement::Policy;
pub use self::trust::{ecs_trust, eks_trust, irsa_trust, lambda_trust};

/// Why there is no such document for the settings in force.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PolicyError {
    /// The bucket is none of those whose objects are signed.
    #[error("--bucket: {found} is not a bucket of presign.allow; accepted are {accepted}")]
    OtherBucket {
        /// As asked for.
        found: String,
        /// Those that there are, with commas.
        accepted: String,
    },
    /// `cors.allowed_origins` is empty.
    #[error("cors.allowed_origins is empty: no web page may read, and a bucket needs no CORS")]
    NoOrigin,
    /// The user's name cannot stand in a file of access control lists.
    #[error(
        "the user in REDIS_URL cannot stand in an ACL file: accepted is a name without spaces and control characters"
    )]
    RedisUser,
}
