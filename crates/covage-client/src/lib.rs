#![doc = include_str!("../API.md")]

#[allow(missing_docs, reason = "the document describes most of it, and what it does not is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
