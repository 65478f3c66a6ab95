//! What several test programs stand on: the service with its emulators, the program, rows, answers, and Redis.

#![allow(dead_code, unused_imports, reason = "each program needs a part of it")]

pub mod answer;
pub mod redis_server;
pub mod rows;
pub mod served;
pub mod test_app;
