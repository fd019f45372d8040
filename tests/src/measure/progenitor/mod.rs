//! The list of accesses, read by the client that progenitor generates from `document.yaml` without the passes of
//! `cargo xtask codegen`, which also writes `client.rs`.

#[allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, unused_imports, unused_qualifications)]
#[rustfmt::skip]
mod client;

pub(super) use client::Client;
