//! Answers without a server.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use lastmile::Rows;
use lastmile_core::call::{Api, Context, Handle, Table};
use lastmile_core::progenitor_client::{ByteStream, ResponseValue};
use lastmile_core::reqwest::{self, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;

/// A client that sends nothing: a call is answered with the bytes at hand.
#[derive(Debug)]
pub struct Shelf;

impl Api for Shelf {
    const TABLE: &'static Table = &lastmile_onapi::TABLE;

    fn connect(_: Context) -> Self {
        Self
    }
}

/// The rows of bytes that arrive so.
///
/// # Panics
/// Never: they are answered.
pub async fn rows<T: DeserializeOwned + Send + 'static>(
    handle: &Handle<Shelf>,
    arriving: impl Stream<Item = reqwest::Result<Bytes>> + Send + Sync + 'static,
    limit: usize,
) -> Rows<T> {
    let arriving: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send + Sync>> = Box::pin(arriving);
    let answer = ResponseValue::new(ByteStream::new(arriving), StatusCode::OK, HeaderMap::new());
    let reply = handle.open(|_| async { Ok(answer) }).await.expect("it is answered").expect("with a list");
    Rows::new(reply.value, limit)
}
