//! Tests of faults.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../covage/caller.rs"]
#[allow(dead_code, reason = "used in part")]
mod covage;
#[path = "../onapi/caller.rs"]
#[allow(dead_code, reason = "used in part")]
mod onapi;

mod carried_out_after_newer;
mod creation;
mod kinds;
mod schedule;
