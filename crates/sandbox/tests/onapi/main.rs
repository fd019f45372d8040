//! Tests of the simulated ON-API: its document, orders, lists, dialects and paths.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;

mod caller;
mod configuration;
mod dialects;
mod lists;
mod lookups;
mod orders;
mod paths;
mod placing;
mod samples;
mod standard_samples;
mod texts;
mod tickets;
mod version_orders;
mod versions;
