//! ON-API as simulated: what its document takes, how orders live, what lists tell, in which shapes and under
//! which paths it answers.
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
mod texts;
mod tickets;
