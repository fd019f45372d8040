//! Calls: the handle of an API, its operations, what happens around each request, and what can become of it.
//!
//! ```text
//! Handle::call ─ a record for this call ─ the generated method builds the request, and hands it over with its operation
//!    └ execute ─ path habits ─┬ place, turn, token ─ attempt ─ credentials ─ redirects ─ body under its limit ─ judged
//!                             └ pause, next attempt …
//! ```

mod attempt;
mod body;
mod connect;
mod context;
mod decode;
mod error;
mod error_body;
mod error_text;
mod execute;
mod handle;
mod partial;
mod paths;
mod reply;
mod send_deadline;
mod supplier_message;
mod table;
mod unanswered;
mod whole;

pub(crate) use attempt::says_not_now;
pub use body::Body;
pub(crate) use connect::why_unanswered;
pub use context::Context;
#[doc(hidden)]
pub use decode::expected;
pub(crate) use decode::{misfit, without_mark};
pub(crate) use error::excerpt;
pub use error::{Detail, Error, Outcome};
pub use handle::{Api, BuildError, Builder, Handle};
pub use paths::{PathHabits, Slash};
pub use reply::Reply;
pub use send_deadline::SendDeadline;
pub use supplier_message::WithSupplierMessage;
pub use table::{Answer, ErrorShape, ListShape, Operation, Repeat, Table, TokenFlow};
