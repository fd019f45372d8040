#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` adds to this client what its document cannot express. A program can also use the client on its own:
//!
//! ```no_run
//! use lastmile_cocon::{Client, TABLE};
//! use lastmile_core::auth::Credentials;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let [key, client_id] = ["Api-Key-Header", "Client-Id-Header"].map(|scheme| TABLE.key_header(scheme).unwrap_or(scheme));
//! let cocon = Client::builder("https://cocon.example")
//!     .credentials(Credentials::none().header(key, "…")?.header(client_id, "…")?)
//!     .build()?;
//! let reply = cocon.get_contact(&"1abc".parse()?).await?;
//! println!("{:?}", reply.value.is_primary_contact.get());
//! # Ok(())
//! # }
//! ```

#[allow(missing_docs, reason = "the document describes most of it, and the rest is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
