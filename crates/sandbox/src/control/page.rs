//! The files of the page.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Response};

use crate::body::ResponseBody;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Returns a file of the page.
pub(super) fn asset(method: &Method, path: &str) -> Option<Response<ResponseBody>> {
    let (media_type, file): (&'static str, &'static [u8]) = match path {
        "/" => (HTML, include_bytes!("../../page/index.html")),
        "/reference/" => (HTML, include_bytes!("../../page/reference.html")),
        "/page/page.js" => (SCRIPT, include_bytes!("../../page/page.js")),
        "/page/reference.js" => (SCRIPT, include_bytes!("../../page/reference.js")),
        "/page/style.css" => (STYLE, include_bytes!("../../page/style.css")),
        "/page/icon.svg" => ("image/svg+xml", include_bytes!("../../page/icon.svg")),
        "/page/rapidoc-min.js" => (SCRIPT, include_bytes!("../../page/rapidoc/rapidoc-min.js")),
        _ => return None,
    };
    if method != Method::GET {
        return None;
    }
    let mut response = Response::new(ResponseBody::Full(Bytes::from_static(file)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    Some(response)
}
