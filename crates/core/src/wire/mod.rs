//! Types on the wire: lenient in, strict out, nothing lost.
//!
//! Generated types are built from these. Answers are read leniently: a supplier's odd value costs one field, not the
//! whole answer, and is written back as it came. Requests are strict: what cannot be sent cannot be built.
//!
//! | type | stands for |
//! |---|---|
//! | [`Lenient`] | a text, number, date, object … of an answer |
//! | [`OneOrMany`] | a list of an answer |
//! | [`Patch`] | a field of a merge patch that may be cleared |
//! | [`Decimal`] | a number with the digits it was written with |
//! | [`Timestamp`] | a moment with the offset it was written with |
//! | [`Segment`] | a path parameter that can be no other path |
//! | [`Object`] | an object of an answer, as generated |
//! | [`ResponseBody`] | the whole of an answer |
//!
//! Numbers in fields that no document lists, and numbers where something else is meant, are kept with the precision of a
//! float. What serde cannot read at all (a repeated key that its document lists, half a surrogate pair, a number beyond every
//! float) costs the element that holds it, where the answer is a list: that element is a [`Lenient`] without a value, or an
//! unreadable row ([`Rows`](crate::rows::Rows)). An answer that is one object is lost to it as a whole, also where it stands
//! in a list inside of that object. Of a repeated key that no document lists the last value is kept.
//!
//! The types import nothing else of this crate.

mod decimal;
mod enums;
mod lenient;
mod list;
mod object;
mod patch;
mod quiet;
mod request;
mod response;
mod segment;
mod timestamp;

pub use decimal::{Decimal, NotANumber};
pub use enums::ConversionError;
pub use lenient::{Lenient, Readable, Reading, Scalar, Unexpected};
pub use list::OneOrMany;
pub use object::{Object, fill, read_fields, read_object};
pub use patch::Patch;
pub use request::Field;
pub use response::ResponseBody;
pub use segment::{NotASegment, Segment};
pub use timestamp::{NotAMoment, Timestamp};
