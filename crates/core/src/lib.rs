//! What the generated clients of lastmile stand on.
//!
//! A generated crate brings types and one method per operation; this crate brings what happens between such a method
//! and the supplier's server. It knows no supplier by name: what differs between suppliers and can be data is data,
//! in the [`call::Table`] and the [`call::Operation`]s that each generated crate carries.
//!
//! | module | holds |
//! |---|---|
//! | [`wire`] | types on the wire: lenient in, strict out |
//! | [`call`] | the [`Handle`](call::Handle) of an API, its operations, calls and their outcomes |
//! | [`auth`] | credentials, and where they may go |
//! | [`retry`] | when a call is sent again |
//! | [`rows`] | lists that are read row by row |

pub mod auth;
pub mod call;
pub mod retry;
pub mod rows;
pub mod wire;

pub use progenitor_client;
pub use reqwest;
