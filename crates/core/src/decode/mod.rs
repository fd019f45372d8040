//! Decodes JSON response bodies: lists and objects, in the forms in which servers send them.

mod failure;
mod lone;
mod nesting;
mod splitter;
mod whole;

#[doc(hidden)]
pub use failure::expected;
pub(crate) use failure::{into_decode_error, without_mark};
pub(crate) use splitter::{BATCH, Batch, Broken, Splitter};
pub(crate) use whole::read as read_body;
