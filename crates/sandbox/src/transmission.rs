//! What is sent over a connection in response to a request.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::late::LateRequest;
use crate::rows::Rows;

#[derive(Debug)]
pub(crate) enum Transmission {
    /// A response, sent after a delay.
    Answer(Response<Bytes>, Duration),
    /// The first bytes of a response, after which the connection ends. The status code is `None` if the bytes do not
    /// contain the whole head.
    ExamplePart(Option<StatusCode>, Bytes, End),
    /// Nothing: the connection is reset.
    Reset,
    /// Nothing: the connection stays open until the client closes it.
    Silence,
    /// Nothing: the connection is closed, and the request is carried out later.
    Late(LateRequest),
    /// Nothing: the connection is closed.
    Closed,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

impl Transmission {
    pub(crate) fn now(response: Response<Bytes>) -> Transmission {
        Transmission::Answer(response, Duration::ZERO)
    }

    /// Returns the first half of a response: half of its body, or half of its head if it has no body.
    pub(crate) fn first_half(response: &Response<Bytes>, end: End) -> Transmission {
        // Of a list that is generated while it is sent, the first rows stand for the whole.
        let sample = response.extensions().get::<Rows>().map(|rows| Bytes::from(rows.sample()));
        let (status, body) = (response.status(), sample.as_ref().unwrap_or(response.body()));
        let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
        for (name, value) in response.headers() {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if body.is_empty() {
            bytes.truncate(bytes.len() / 2);
            return Transmission::ExamplePart(None, bytes.into(), end);
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&body[..body.len() / 2]);
        Transmission::ExamplePart(Some(status), bytes.into(), end)
    }

    /// Returns the status code that the client can receive, or 0 if none is sent.
    pub(crate) fn status(&self) -> u16 {
        let status = match self {
            Transmission::Answer(response, _) => Some(response.status()),
            Transmission::ExamplePart(status, ..) => *status,
            Transmission::Reset | Transmission::Silence | Transmission::Late(_) | Transmission::Closed => {
                None
            }
        };
        status.map(|status| status.as_u16()).unwrap_or_default()
    }
}

/// Returns the error page of a gateway. `status` has been checked to be a 5xx.
pub(crate) fn error_page(status: u16) -> Response<Bytes> {
    error_page_with(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// Returns a 429. The duration is rounded up to whole seconds, so that the client does not retry too early.
pub(crate) fn throttled(wait: Option<Duration>) -> Response<Bytes> {
    let mut response = error_page_with(StatusCode::TOO_MANY_REQUESTS);
    if let Some(wait) = wait {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Returns the page that a gateway sends in place of a response, with the same status code.
pub(crate) fn error_page_instead_of(response: &Response<Bytes>) -> Response<Bytes> {
    error_page_with(response.status())
}

fn error_page_with(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        *response.body_mut() = format!("<html><body><h1>{status}</h1></body></html>").into();
    }
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use crate::Answer;

    fn half(answer: Answer) -> (u16, String) {
        let reply = Transmission::first_half(&answer.into_response().unwrap(), End::Closed);
        let status = reply.status();
        let Transmission::ExamplePart(_, bytes, _) = reply else { panic!("{reply:?}") };
        (status, String::from_utf8(bytes.into()).unwrap())
    }

    #[test]
    fn a_response_is_cut_off_within_its_body() {
        let (status, text) = half(Answer::status(201).header("location", "/1").body("12345"));
        assert_eq!(status, 201);
        assert_eq!(text, "HTTP/1.1 201 Created\r\nlocation: /1\r\ncontent-length: 5\r\n\r\n12");
    }

    #[test]
    fn a_response_without_a_body_is_cut_off_within_its_head() {
        assert_eq!(half(Answer::status(204)), (0, "HTTP/1.1 204".to_owned()));
    }

    #[test]
    fn retry_after_is_rounded_up() {
        let seconds = |wait| {
            let response = throttled(wait);
            assert_eq!(response.status(), 429);
            response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(seconds(None), None);
        assert_eq!(seconds(Some(Duration::ZERO)).as_deref(), Some("0"));
        assert_eq!(seconds(Some(Duration::from_secs(2))).as_deref(), Some("2"));
        assert_eq!(seconds(Some(Duration::from_millis(1001))).as_deref(), Some("2"));
    }

    #[test]
    fn error_pages_have_a_body_only_where_allowed() {
        let body = |status| {
            let response = Answer::status(status).header("location", "/1").into_response().unwrap();
            let error_page_instead_of = error_page_instead_of(&response);
            assert_eq!(error_page_instead_of.status(), status);
            assert!(!error_page_instead_of.headers().contains_key("location"));
            !error_page_instead_of.body().is_empty()
        };
        assert_eq!([200, 201, 204, 304, 404].map(body), [true, true, false, false, true]);
    }
}
