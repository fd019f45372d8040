#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` adds to this client what its document cannot express. A program can also use the client on its own:
//!
//! ```no_run
//! use lastmile_core::auth::Credentials;
//! use lastmile_onapi::Client;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let network = Client::builder("https://co.example/onapi/2.6")
//!     .credentials(Credentials::none().basic("sp", "…")?)
//!     .build()?;
//! let reply = network.get_services(&"17".parse()?).await?;
//! println!("{} services", reply.value.services.len());
//! # Ok(())
//! # }
//! ```
//!
//! Each method that returns a long list has a counterpart that reads the list row by row, such as [`Client::list_accesses_rows`].

#[allow(missing_docs, reason = "the document describes most of it, and the rest is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
