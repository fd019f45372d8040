//! What a call returns, without a server: for unit tests of code that must handle it.

use bytes::Bytes;
use futures_util::Stream;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use crate::client::ApiClient;
use crate::operation::Operation;
use crate::rows::Rows;
use crate::send::CallRecord;

/// Returns the rows of a response body that arrives in these pieces, as the list `operation` of `client` would return them.
pub fn rows<T: DeserializeOwned + Send + 'static>(
    client: &impl ApiClient,
    operation: &'static Operation,
    pieces: impl Stream<Item = reqwest::Result<Bytes>> + Send + Sync + 'static,
) -> Rows<T> {
    let transport = client.transport();
    let mut record = CallRecord::start(transport, operation);
    record.status = Some(StatusCode::OK);
    Rows::of_stream(pieces, record, transport)
}
