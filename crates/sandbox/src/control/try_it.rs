//! Passes requests of the page on to a supplier: `/try/onapi/…` is what `/…` is at ON-API.
//!
//! The page cannot call the suppliers itself, because they have other origins and, like the real ones, allow no page
//! of another origin.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode, Uri};

use super::{Shared, problem};
use crate::body::{ResponseBody, into_sent};
use crate::received::ReceivedRequest;
use crate::transmission::Transmission;

pub(super) const PREFIX: &str = "/try/";

/// Lets the supplier handle a request. If it does not respond as HTTP demands, the response is a 502 that says so.
pub(super) async fn forward(mut parts: Parts, body: Bytes, shared: &Shared) -> Response<ResponseBody> {
    let target = parts.uri.path_and_query().map(|target| target.as_str()).unwrap_or_default();
    let (key, rest) =
        match target.strip_prefix(PREFIX).and_then(|rest| rest.find('/').map(|end| rest.split_at(end))) {
            Some(parts) => parts,
            None => return problem(StatusCode::NOT_FOUND, "The path names no supplier."),
        };
    let Some(supplier) = shared.supplier(key).cloned() else {
        return problem(StatusCode::NOT_FOUND, "There is no such supplier.");
    };
    let Ok(uri) = rest.parse::<Uri>() else {
        return problem(StatusCode::BAD_REQUEST, "The path is invalid.");
    };
    parts.uri = uri;
    let dispatcher = supplier.supplier().dispatcher();
    let what = match dispatcher.handle(ReceivedRequest::new(&parts, body.into())) {
        Transmission::Answer(response, delay) => {
            tokio::time::sleep(delay).await;
            return into_sent(response);
        }
        Transmission::ExamplePart(..) => "the supplier broke the connection within its response",
        Transmission::Reset => "the supplier reset the connection",
        Transmission::Silence => "the supplier does not respond",
        Transmission::Closed => "the supplier closed the connection",
        Transmission::Late(late) => {
            let dispatcher = dispatcher.clone();
            tokio::spawn(async move {
                tokio::time::sleep(late.delay).await;
                dispatcher.carry_out(&late);
            });
            "the supplier closed the connection"
        }
    };
    let mut response = Response::new(ResponseBody::Full(format!("No response: {what}.\n").into()));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
