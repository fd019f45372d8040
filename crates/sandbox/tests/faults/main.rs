//! Faults on demand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod creation;
mod kinds;
mod schedule;
