//! Rows without a server.

use std::sync::LazyLock;

use bytes::Bytes;
use futures_util::Stream;
use lastmile::{Policy, Rows};
use lastmile_core::operation::Operation;
use lastmile_core::reqwest;
use lastmile_core::testing;
use lastmile_onapi::Client;
use serde::de::DeserializeOwned;

/// A client that sends nothing.
static CLIENT: LazyLock<Client> =
    LazyLock::new(|| Client::builder("http://127.0.0.1").build().expect("the address is right"));

/// A list whose rows no document describes.
static LIST: Operation = Operation { id: "list", path: "/list", authorized: false, ..Operation::READ };

/// Returns the rows of bytes that arrive in this way. A row may have `limit` bytes.
pub fn rows<T: DeserializeOwned + Send + 'static>(
    policy: &Policy,
    arriving: impl Stream<Item = reqwest::Result<Bytes>> + Send + Sync + 'static,
    limit: usize,
) -> Rows<T> {
    // A row may have a sixteenth of the body limit.
    let client = CLIENT.with_policy(policy.clone().with_body_limit(limit * 16));
    testing::rows(&client, &LIST, arriving)
}
