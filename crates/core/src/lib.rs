//! What the generated clients of lastmile are built on.
//!
//! A generated crate contributes types and one method per operation; this crate does what happens between such a method
//! and the supplier's server. It knows no supplier by name: what differs between suppliers and can be data is data,
//! in the [`operation::Table`] and the [`operation::Operation`]s that each generated crate carries.
//!
//! | module | contents |
//! |---|---|
//! | [`wire`] | types on the wire: lenient in, strict out |
//! | [`operation`] | the operations of an API, as data |
//! | [`mod@client`] | what every generated client is made of, and its builder |
//! | [`send`] | one call: its attempts, limits and outcome |
//! | [`reply`], [`error`] | what a call returns |
//! | [`auth`] | credentials, and where they may be sent |
//! | [`retry`] | when a request is sent again |
//! | [`rows`] | lists that are read row by row |
//! | [`observe`] | spans, events and metrics of all this |
//!
//! Imports run one way: `wire` and `operation` ← `decode` ← `error` ← `retry`, `classify`, `observe` ← `auth` ← `client` ← `attempt` ← `send` ←
//! `rows`.

mod attempt;
pub mod auth;
mod classify;
pub mod client;
#[doc(hidden)]
pub mod decode;
pub mod error;
pub mod observe;
pub mod operation;
pub mod reply;
pub mod retry;
pub mod rows;
pub mod send;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;

pub use bytes;
pub use error::{Error, Outcome};
pub use reply::Reply;
pub use reqwest;
