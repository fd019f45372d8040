//! One attempt of a call: sends the request, follows its redirects, and reads the response within a time limit.

mod received;
mod redirect;
mod send_gate;
mod time_limits;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MODIFIED_SINCE};
use reqwest::{Request, Response, StatusCode, Url};
use tokio::time::{Instant, timeout_at};

use crate::auth::Token;
use crate::classify::{
    Failure, classify_redirect, classify_status, has_too_many_headers, is_part_of_list, without_response,
};
use crate::client::{SendDeadline, Shared};
use crate::error::Outcome;
use crate::operation::{Operation, Repeat};
use crate::retry::FAR_FUTURE;
use received::Received;
use redirect::Redirect;
use send_gate::SendGate;
pub(crate) use time_limits::TimeLimits;

/// The maximum number of redirects that one attempt follows.
const MAX_REDIRECTS: usize = 5;

/// The parts of the response to an attempt that have arrived.
#[derive(Default)]
pub(crate) struct AttemptResponse {
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Received,
    /// The response with an unread body, if the call reads it as a stream, which may take longer than the attempt.
    pub(crate) unread: Option<Box<Response>>,
    /// Whether a response of this call had more header lines than the pooled client reads.
    pub(crate) had_large_head: bool,
    /// Why a redirect was not followed.
    pub(crate) refused_redirect: Option<&'static str>,
}

/// What an attempt needs besides its request.
pub(crate) struct Attempt<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) operation: &'static Operation,
    pub(crate) time: &'a TimeLimits,
    /// The maximum size of a response body, in bytes.
    pub(crate) body_limit: usize,
    /// Whether the body of a successful response is left unread, to be read as a stream.
    pub(crate) is_streamed: bool,
    /// The time after which a request with a body is not sent.
    pub(crate) send_deadline: Option<SendDeadline>,
}

impl Attempt<'_> {
    /// Sends the request within `limit`, which begins at `now`.
    ///
    /// The response is written to `response`, since returning it through each future costs more than classifying it.
    pub(crate) async fn run(
        &self,
        request: &mut Request,
        token: Option<&Token>,
        (now, limit): (Instant, Duration),
        response: &mut AttemptResponse,
    ) -> Result<(), Failure> {
        if limit.is_zero() {
            let reason = format!("no time is left to send it: {}", self.time.spent());
            return Err(Failure::of(Outcome::NotSent, reason));
        }
        let clock = &self.shared.clock;
        let gate = self.send_deadline.map(|deadline| SendGate::new(deadline, clock.clone()));
        let end = {
            let exchange = pin!(self.exchange(request, token, gate.as_ref(), response));
            let until = clock.timer_at(now + limit.min(FAR_FUTURE));
            let end = timeout_at(until, unless_late(exchange, gate.as_ref())).await;
            end.unwrap_or(End::CutShort(None))
        };
        let Some(status) = response.status else {
            return Err(self.no_response(request, end, gate, limit));
        };
        if let Some(why) = response.refused_redirect {
            return Err(classify_redirect(status, self.operation, why));
        }
        // Status 304 has a meaning only for a conditional request.
        if status == StatusCode::NOT_MODIFIED
            && self.operation.conditional
            && request.headers().contains_key(IF_MODIFIED_SINCE)
        {
            return Err(Failure {
                not_modified: true,
                ..Failure::of(Outcome::Rejected, "nothing has changed")
            });
        }
        match end {
            End::Complete => self.classify(status, response),
            // The status code of a rejection is sufficient without the whole body.
            End::TooLong | End::CutShort(_) if !status.is_success() => self.classify(status, response),
            End::TooLong => {
                let reason = format!("the response is longer than the limit of {} bytes", self.body_limit);
                Err(Failure::of(Outcome::Decode, reason))
            }
            End::CutShort(None) => Err(Failure::of(
                Outcome::Indeterminate,
                self.time.exceeded("the response was not complete", limit),
            )),
            End::CutShort(Some(error)) => {
                let source = Some(error.without_url());
                Err(Failure { source, ..Failure::of(Outcome::Indeterminate, "the response broke off") })
            }
            End::Failed(failure) => Err(failure),
        }
    }

    /// Returns why there is no response, and whether the request was sent.
    #[cold]
    fn no_response(&self, request: &Request, end: End, gate: Option<SendGate>, limit: Duration) -> Failure {
        // Only a request with a body passes the gate. For other requests, it is not known whether they were sent.
        let not_sent = gated_bytes(request).is_some() && gate.is_some_and(|gate| gate.close());
        match end {
            End::Failed(failure) if not_sent && failure.outcome == Outcome::Indeterminate => {
                Failure { outcome: Outcome::NotSent, ..failure }
            }
            End::Failed(failure) => failure,
            End::CutShort(_) if not_sent => {
                Failure::of(Outcome::NotSent, self.time.exceeded("the request could not be sent", limit))
            }
            _ => Failure::of(Outcome::Indeterminate, self.time.exceeded("no response", limit)),
        }
    }

    async fn exchange(
        &self,
        request: &mut Request,
        token: Option<&Token>,
        gate: Option<&SendGate>,
        received: &mut AttemptResponse,
    ) -> End {
        let needs_unpooled = self.operation.repeat == Repeat::Once || received.had_large_head;
        let http = if needs_unpooled { &self.shared.unpooled_http } else { &self.shared.http };
        let mut redirect_url = None;
        for redirects in 0..=MAX_REDIRECTS {
            let Some(sent) = self.to_send(request, redirect_url.as_ref(), token, gate) else { break };
            let mut response = match http.execute(sent).await {
                Ok(response) => response,
                Err(error) => {
                    received.had_large_head |= has_too_many_headers(&error);
                    return End::Failed(without_response(error));
                }
            };
            let url = redirect_url.as_ref().unwrap_or(request.url());
            received.refused_redirect = match Redirect::of(request.method(), url, &response) {
                Redirect::None => None,
                Redirect::To(url) if redirects < MAX_REDIRECTS => {
                    redirect_url = Some(url);
                    continue;
                }
                Redirect::To(_) => Some("the server redirects again and again: check the base address"),
                Redirect::Refused(why) => Some(why),
            };
            received.status = Some(response.status());
            received.headers = std::mem::take(response.headers_mut());
            if self.is_streamed && response.status().is_success() {
                received.unread = Some(Box::new(response));
                return End::Complete;
            }
            return read_body(&mut response, &mut received.body, self.body_limit).await;
        }
        End::Failed(Failure::of(Outcome::Invalid, "the request's body cannot be sent more than once"))
    }

    /// Returns the request to send to `url`, or to the request's own address. Keeps a copy in `request`, which has no capacity
    /// for further headers and contains no credentials. Returns `None` if the body cannot be copied.
    fn to_send(
        &self,
        request: &mut Request,
        url: Option<&Url>,
        token: Option<&Token>,
        gate: Option<&SendGate>,
    ) -> Option<Request> {
        let copy = request.try_clone()?;
        let mut sent = std::mem::replace(request, copy);
        if let Some(url) = url {
            sent.url_mut().clone_from(url);
        }
        if let (Some(gate), Some(bytes)) = (gate, gated_bytes(&sent)) {
            *sent.body_mut() = Some(reqwest::Body::wrap(gate.body(Bytes::copy_from_slice(bytes))));
        }
        self.add_headers(sent.headers_mut(), token);
        Some(sent)
    }

    fn add_headers(&self, headers: &mut HeaderMap, token: Option<&Token>) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(media_type) = self.operation.media_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        self.shared.credentials.apply(headers);
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token.header.clone());
        }
    }

    /// Classifies a complete response before its body is decoded.
    fn classify(&self, status: StatusCode, response: &AttemptResponse) -> Result<(), Failure> {
        let (operation, headers, body) = (self.operation, &response.headers, &response.body);
        if !status.is_success() {
            let credentials = || self.shared.credentials.described();
            return Err(classify_status(operation, status, headers, credentials));
        }
        if is_part_of_list(operation, status, headers) {
            return Err(Failure::of(Outcome::Decode, "the response is a part of a list"));
        }
        match operation.has_content {
            _ if self.is_streamed => Ok(()),
            // An empty list may be sent without a body.
            true if status == StatusCode::NO_CONTENT && operation.list.is_some() => Ok(()),
            true if body.len() == 0 => {
                Err(Failure::of(Outcome::Decode, "the response is empty where a body is documented"))
            }
            false if is_html(headers) && body.len() > 0 => {
                Err(Failure::of(Outcome::Decode, "the response is a page for people: check the base address"))
            }
            // Some servers send errors with status 200.
            false if self.shared.table.errors.is_in(body.as_bytes()) => {
                Err(Failure::of(Outcome::Decode, "the response is an error, with a status of success"))
            }
            _ => Ok(()),
        }
    }
}

/// How an exchange of a request and a response ends.
enum End {
    /// Everything that is to be read at this point has arrived.
    Complete,
    TooLong,
    /// An error occurred, or the time limit was reached.
    CutShort(Option<reqwest::Error>),
    /// No response arrived.
    Failed(Failure),
}

/// Returns the body that a gate holds back. An empty body has nothing to be read, so the connection never polls it.
fn gated_bytes(request: &Request) -> Option<&[u8]> {
    request.body().and_then(reqwest::Body::as_bytes).filter(|bytes| !bytes.is_empty())
}

/// Continues an exchange while its request may be sent, and to its end once it has been sent.
///
/// After a process was paused, sockets are ready and timers have expired at the same time, and the one that is polled first wins.
/// The clocks are therefore read before the exchange continues.
async fn unless_late(mut exchange: Pin<&mut impl Future<Output = End>>, gate: Option<&SendGate>) -> End {
    poll_fn(|cx| match gate {
        Some(gate) if gate.close_if_late() => Poll::Ready(End::CutShort(None)),
        _ => exchange.as_mut().poll(cx),
    })
    .await
}

/// Reads the body as far as it arrives.
async fn read_body(response: &mut Response, body: &mut Received, limit: usize) -> End {
    loop {
        match response.chunk().await {
            Ok(Some(mut chunk)) => {
                let room = limit - body.len();
                let too_long = chunk.len() > room;
                chunk.truncate(room);
                body.push(chunk);
                if too_long {
                    return End::TooLong;
                }
            }
            Ok(None) => return End::Complete,
            Err(error) => return End::CutShort(Some(error)),
        }
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.trim_start().to_ascii_lowercase().starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// This also holds for a request without a body, which no gate holds back once the connection has received it.
    #[test]
    fn an_exchange_does_not_go_on_after_its_deadline() {
        let run = |time: Duration| {
            let clock = crate::clock::Clock::default();
            let gate = SendGate::new(SendDeadline::after(time, &clock), clock);
            unless_late(pin!(async { End::Complete }), Some(&gate)).now_or_never()
        };
        assert!(matches!(run(Duration::from_secs(60)), Some(End::Complete)));
        assert!(matches!(run(Duration::ZERO), Some(End::CutShort(None))));
    }
}
