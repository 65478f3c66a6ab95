//! The settings: typed sections, and the layers of files and environment that they come from.
//! The only place that reads the environment. It refuses to guess: whatever it does not understand is a fault, and
//! all faults are told at once.

mod fault;
mod layers;
mod load;
mod memory;
mod names;
#[cfg(feature = "otel")]
mod otel;
mod reader;
mod redis_url;
mod report;
mod settings;
mod value;

pub(crate) use names::{is_bucket, is_region};

pub use fault::Faults;
pub use load::{Sources, colour_is_unwanted, load};
pub use memory::MemoryShares;
#[cfg(feature = "otel")]
pub use otel::OtelVariables;
pub use redis_url::{RedisKind, RedisUrl};
pub use report::{Entry, Loaded};
pub use settings::{
    AllowedOrigins, AllowedPrefix, Aws, ByteSize, Cache, Cors, Dynamodb, Lists, Log, LogFormat, Persons,
    Presign, Redis, Seal, Server, Settings,
};
