//! Calls: the handle of an API, its operations, what happens around each request, and what can become of it.
//!
//! ```text
//! Handle::call ─ a record for this call ─ the generated method builds the request, and hands it over with its operation
//!    └ execute ─ path habits ─┬ place, turn, token ─ attempt ─ credentials ─ redirects ─ body under its limit ─ judged
//!                             └ pause, next attempt …
//! ```

mod attempt;
mod body;
mod context;
mod decode;
mod error;
mod execute;
mod handle;
mod paths;
mod reply;
mod table;
mod whole;

pub use body::Body;
pub use context::Context;
#[doc(hidden)]
pub use decode::expected;
pub(crate) use decode::misfit;
pub(crate) use error::excerpt;
pub use error::{Detail, Error, Outcome};
pub use handle::{Api, BuildError, Builder, Handle};
pub use paths::{PathHabits, Slash};
pub use reply::Reply;
pub use table::{Answer, ErrorShape, ListShape, Operation, Repeat, Table, TokenFlow};
