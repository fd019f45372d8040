#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` wraps this client in what its document cannot say. Alone it is used through a [`Handle`], which
//! gives each call a client of its own:
//!
//! ```no_run
//! use lastmile_core::auth::Credentials;
//! use lastmile_covage::{Handle, TABLE};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let flow = TABLE.token_flow("Bearer").ok_or("the document has no such scheme")?;
//! let login = serde_json::json!({ "email": "orders@sp.example", "password": "…" });
//! let credentials = Credentials::none().token(flow, &login)?;
//! let covage = Handle::builder("https://covage.example").credentials(credentials).build()?;
//! let uuid = "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse()?;
//! let reply = covage.call(|client| async move { client.get_order(&uuid).await }).await?;
//! println!("{:?}", reply.value.status.get());
//! # Ok(())
//! # }
//! ```

#[allow(missing_docs, reason = "the document describes most of it, and what it does not is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
