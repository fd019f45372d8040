//! Types on the wire: lenient when reading, strict when sending, without loss of data.
//!
//! Generated types consist of these types. Responses are read leniently: an unexpected value makes one field unreadable, not the
//! whole response, and is serialized as it arrived. Requests are strict: an invalid request cannot be built.
//!
//! | type | represents |
//! |---|---|
//! | [`Lenient`] | a string, number, date, object or other value of a response |
//! | [`Text`] | a string in a response |
//! | [`OneOrMany`] | a list in a response |
//! | [`Patch`] | a field of a merge patch that can be cleared |
//! | [`Decimal`] | a number with the digits it was written with |
//! | [`Timestamp`] | an instant with the offset it was written with |
//! | [`Segment`] | a path parameter that cannot change the rest of the path |
//! | [`Object`] | a generated object of a response |
//! | [`ResponseBody`] | a whole response body |
//!
//! Numbers in fields that no document lists, and numbers that arrive instead of another type, have the precision of a float. Some
//! JSON cannot be represented by serde: a repeated key that its document lists, half a surrogate pair, a number beyond the range
//! of floats. If the response is a list, only the element that contains it is unreadable: the element is a [`Lenient`] without a
//! value, or an unreadable row ([`Rows`](crate::rows::Rows)). If the response is one object, the whole response is unreadable,
//! even if the JSON is in a list inside that object. For a repeated key that no document lists, the last value is kept.
//!
//! These types do not depend on the rest of this crate.

mod decimal;
mod enums;
mod lenient;
mod list;
mod object;
mod patch;
mod redact;
mod request;
mod response;
mod segment;
mod text;
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
pub use text::Text;
pub use timestamp::{NotAMoment, Timestamp};
