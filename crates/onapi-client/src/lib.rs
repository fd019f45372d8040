#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` wraps this client in what its document cannot say. Alone it is used through a [`Handle`], which
//! gives each call a client of its own:
//!
//! ```no_run
//! use lastmile_core::auth::Credentials;
//! use lastmile_onapi::Handle;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let network = Handle::builder("https://co.example/onapi/2.6")
//!     .credentials(Credentials::none().basic("sp", "…")?)
//!     .build()?;
//! let access = "17".parse()?;
//! let reply = network.call(|client| async move { client.get_services(&access).await }).await?;
//! println!("{} services", reply.value.services.len());
//! # Ok(())
//! # }
//! ```
//!
//! Long lists have a twin that answers with bytes, such as [`Client::list_accesses_stream`], for
//! [`Handle::open`](lastmile_core::call::Handle::open) and [`Rows`](lastmile_core::rows::Rows).

#[allow(missing_docs, reason = "the document describes most of it, and what it does not is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
