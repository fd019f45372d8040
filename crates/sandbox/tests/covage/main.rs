//! Tests of the simulated Covage.
#![allow(clippy::unwrap_used, reason = "tests")]

mod caller;
#[path = "../common/mod.rs"]
mod common;
mod contacts;
mod document;
mod drafts;
mod eligibility;
mod lifecycle;
mod lists;
mod services;
mod submission;
mod texts;
mod tokens;
