//! The runtime that the generated clients of lastmile share.
//!
//! A generated crate contributes types and one method per operation. This crate does everything between such a method and the
//! supplier's server. It knows no supplier by name: the differences between suppliers that can be expressed as data are in the
//! [`operation::Table`] and the [`operation::Operation`]s of each generated crate.
//!
//! | module | contents |
//! |---|---|
//! | [`wire`] | types on the wire: responses are read leniently, requests are strict |
//! | [`operation`] | the operations of an API, as data |
//! | [`mod@client`] | the parts of every generated client, and its builder |
//! | [`send`] | one call: its attempts, limits and outcome |
//! | [`reply`], [`error`] | what a call returns |
//! | [`auth`] | credentials, and where they may be sent |
//! | [`retry`] | when a request is retried |
//! | [`rows`] | lists that are read row by row |
//! | [`observe`] | spans, events and metrics of calls |
//! | [`clock`] | the time of a client, which a test can replace with the feature `testing` |
//!
//! Imports go in one direction: `wire`, `operation` and `clock` ← `decode` ← `error` ← `retry`, `classify`, `observe` ← `auth` ← `client`
//! ← `attempt` ← `send` ← `rows`.

// docs.rs labels each item with the features that it requires.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
pub mod auth;
mod classify;
pub mod client;
pub mod clock;
#[doc(hidden)]
pub mod decode;
pub mod error;
pub mod observe;
pub mod operation;
pub mod reply;
pub mod retry;
pub mod rows;
pub mod send;
mod setters;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;

pub use bytes;
pub use error::{Error, Outcome};
pub use reply::Reply;
pub use reqwest;
