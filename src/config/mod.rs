//! The settings: typed sections, and the layers of files and environment that they come from.
//! The only place that reads the environment. It refuses to guess: whatever it does not understand is a fault, and
//! all faults are told at once.

pub mod load;
pub mod settings;

pub use settings::{
    AllowedOrigins, AllowedPrefix, Aws, Cors, Dynamodb, Lists, Log, LogFormat, Persons, Presign, Server, Settings,
};
