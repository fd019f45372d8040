//! Covage, as a caller meets it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod caller;
mod chain;
#[path = "../common/mod.rs"]
mod common;
mod contacts;
mod document;
mod drafts;
mod lifecycle;
mod lists;
mod services;
mod submission;
mod texts;
mod tokens;
