#![doc = include_str!("../API.md")]
//! # Use
//!
//! The crate `lastmile` adds to this client what its document cannot express. A program can also use the client on its own:
//!
//! ```no_run
//! use lastmile_core::auth::Credentials;
//! use lastmile_covage::{Client, TABLE};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let flow = TABLE.token_flow("Bearer").ok_or("the document has no such scheme")?;
//! let login = serde_json::json!({ "email": "orders@sp.example", "password": "…" });
//! let credentials = Credentials::none().token(flow, &login)?;
//! let covage = Client::builder("https://covage.example").credentials(credentials).build()?;
//! let reply = covage.get_order(&"0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse()?).await?;
//! println!("{:?}", reply.value.status.get());
//! # Ok(())
//! # }
//! ```

#[allow(missing_docs, reason = "the document describes most of it, and the rest is plain")]
#[rustfmt::skip]
mod generated;

pub use generated::*;
