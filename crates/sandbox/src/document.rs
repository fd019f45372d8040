//! A supplier's OpenAPI document as the supplier serves it, at `/openapi.json` and `/openapi.yaml`.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};

use crate::spec::Spec;

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

/// Returns the document if the path asks for it: directly below the origin, or below the prefix of the API.
///
/// `server_url` becomes the document's only server, so that tools that read the document call the sandbox.
pub(crate) fn answer(
    spec: &Spec,
    method: &Method,
    path: &str,
    prefix: &str,
    server_url: &str,
) -> Option<Response<Bytes>> {
    let name = path.strip_prefix(prefix).unwrap_or(path);
    let (media_type, text): (&'static str, fn(&Value) -> Option<String>) = match name {
        "/openapi.json" => (JSON, |document| serde_json::to_string_pretty(document).ok()),
        "/openapi.yaml" => (YAML, |document| serde_saphyr::to_string(document).ok()),
        _ => return None,
    };
    if method != Method::GET {
        return None;
    }
    let mut response = Response::new(Bytes::from(text(&with_server(spec, server_url))?));
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    Some(response)
}

/// Returns the document with this URL as its only server.
pub(crate) fn with_server(spec: &Spec, server_url: &str) -> Value {
    let mut document = spec.document().clone();
    document["servers"] = json!([{ "url": server_url }]);
    document
}
