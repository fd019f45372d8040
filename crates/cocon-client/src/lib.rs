#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` wraps this client in what its document cannot say. Alone it is used through a [`Handle`], which
//! gives each call a client of its own:
//!
//! ```no_run
//! use lastmile_cocon::{Handle, TABLE};
//! use lastmile_core::auth::Credentials;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let [key, client_id] = ["Api-Key-Header", "Client-Id-Header"].map(|scheme| TABLE.key_header(scheme).unwrap_or(scheme));
//! let cocon = Handle::builder("https://cocon.example")
//!     .credentials(Credentials::none().header(key, "…")?.header(client_id, "…")?)
//!     .build()?;
//! let id = "1abc".parse()?;
//! let reply = cocon.call(|client| async move { client.get_contact(&id).await }).await?;
//! println!("{:?}", reply.value.is_primary_contact.get());
//! # Ok(())
//! # }
//! ```

#[allow(missing_docs, reason = "the document describes most of it, and what it does not is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
