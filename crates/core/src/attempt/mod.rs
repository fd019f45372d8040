use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::time::{Instant, timeout_at};

use super::connect::{has_too_many_headers, without_answer};
use super::context::Context;
use super::error::Outcome;
use super::partial::is_part_of_list;
use super::send_deadline::{SendDeadline, SendGate};
use super::table::{Answer, Operation, Repeat};
use crate::auth::{Credentials, Token};
use crate::retry::{FAR, TooEarly};

/// How many redirects one attempt follows.
const HOPS: usize = 5;

/// What has arrived of the answer to an attempt.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) status: Option<StatusCode>,
    pub(super) headers: HeaderMap,
    pub(super) body: Received,
    /// The answer with its body still to be read: a success of an operation that brings a stream, which may take longer than
    /// its beginning.
    pub(super) unread: Option<Box<Response>>,
    /// Whether an answer of this call had a head with more lines than the usual client reads.
    pub(super) had_large_head: bool,
    /// Why the redirect that it is was not followed.
    pub(super) refused: Option<&'static str>,
}

/// Why an attempt brought no usable answer.
pub(super) struct Failure {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    pub(super) source: Option<reqwest::Error>,
    /// When to come back, where no header says so.
    pub(super) wait: Option<Duration>,
    /// Whether it is the answer to a question whether something has changed: nothing has.
    pub(super) unchanged: bool,
    /// Whether it would fail again, although nothing was sent.
    pub(super) permanent: bool,
}

impl Failure {
    #[cold]
    pub(super) fn of(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), source: None, wait: None, unchanged: false, permanent: false }
    }

    /// It would have to wait longer for its turn than there is time.
    pub(super) fn too_early(TooEarly { wait, interval }: TooEarly) -> Self {
        let reason = match interval {
            Some(interval) => {
                format!(
                    "the supplier takes one such call in {} s, and the handle holds to that",
                    interval.as_secs()
                )
            }
            None => "the rate limit of the handle leaves no turn in time".to_owned(),
        };
        Self { wait: Some(wait), ..Self::of(Outcome::Throttled, reason) }
    }

    /// A change of the same object went unanswered, and may still be carried out and undo this one.
    pub(super) fn older_change(wait: Duration) -> Self {
        let reason = "an earlier change of the same object was not answered and may still be carried out, after this one: wait \
                      until it has settled";
        Self { wait: Some(wait), ..Self::of(Outcome::Throttled, reason) }
    }

    /// It would have to wait longer for a place than there is time.
    pub(super) fn no_place() -> Self {
        let reason = "as many requests as the handle sends at once were under way all the time: allow more (`requests_at_once`)";
        Self::of(Outcome::Throttled, reason)
    }

    /// Whether the same request may be sent again.
    pub(super) fn repeatable(&self, operation: &Operation) -> bool {
        match self.outcome {
            Outcome::NotSent => !self.permanent,
            Outcome::Unknown | Outcome::Throttled => operation.repeat != Repeat::Once,
            Outcome::Invalid | Outcome::Rejected | Outcome::Decode => false,
        }
    }

    /// An earlier attempt was not answered. It may have taken effect, so this one's refusal proves nothing; an answer of
    /// success does. Of a read every answer counts, but not that the last attempt was not sent.
    pub(super) fn weaken(&mut self, operation: &Operation) {
        let counts = match self.outcome {
            Outcome::Unknown | Outcome::Decode => true,
            Outcome::NotSent => false,
            Outcome::Invalid | Outcome::Rejected | Outcome::Throttled => operation.repeat == Repeat::Read,
        };
        if !counts {
            self.reason = format!(
                "an earlier attempt was not answered; the last one: {}, {}",
                self.outcome, self.reason
            );
            self.outcome = Outcome::Unknown;
        }
    }
}

/// Sends a request once, follows the redirects that may be followed, and reads the answer: all within a limit of time that
/// begins `now`. A request with a body does not leave after `deadline`, if there is one.
///
/// What arrives is written where it stays: to hand it from one future to the next costs more than to judge it.
pub(super) async fn attempt(
    context: &Context,
    request: &mut Request,
    operation: &Operation,
    token: Option<&Token>,
    (now, limit): (Instant, Duration),
    deadline: Option<SendDeadline>,
    seen: &mut Seen,
) -> Result<(), Failure> {
    if limit.is_zero() {
        let reason = format!("no time is left to send it: {}", context.spent());
        return Err(Failure::of(Outcome::NotSent, reason));
    }
    let gate = deadline.map(SendGate::new);
    let end = {
        let exchange = pin!(exchange(context, request, operation, token, gate.as_ref(), seen));
        let end = timeout_at(now + limit.min(FAR), in_time(exchange, gate.as_ref())).await;
        end.unwrap_or(End::CutShort(None))
    };
    let Some(status) = seen.status else {
        // Only a request with a body passes the gate, so that of others it cannot be told whether they have left.
        let not_sent = gated_bytes(request).is_some() && gate.is_some_and(|gate| gate.close());
        return Err(match end {
            End::Failed(failure) if not_sent && failure.outcome == Outcome::Unknown => {
                Failure { outcome: Outcome::NotSent, ..failure }
            }
            End::Failed(failure) => failure,
            End::CutShort(_) if not_sent => {
                Failure::of(Outcome::NotSent, context.out_of_time("the request could not be sent", limit))
            }
            _ => Failure::of(Outcome::Unknown, context.out_of_time("no answer", limit)),
        });
    };
    if let Some(why) = seen.refused {
        return Err(refused_hop(status, operation, why));
    }
    // Only to whom has asked that means anything.
    if status == StatusCode::NOT_MODIFIED
        && operation.conditional
        && request.headers().contains_key(IF_MODIFIED_SINCE)
    {
        return Err(Failure { unchanged: true, ..Failure::of(Outcome::Rejected, "nothing has changed") });
    }
    match end {
        End::Complete => judge(context, operation, status, seen),
        // A refusal stands without the whole of its body.
        End::TooLong | End::CutShort(_) if !status.is_success() => judge(context, operation, status, seen),
        End::TooLong => {
            let limit = context.policy().body_limit;
            let reason = format!("the answer is longer than the limit of {limit} bytes");
            Err(Failure::of(Outcome::Decode, reason))
        }
        End::CutShort(None) => {
            Err(Failure::of(Outcome::Unknown, context.out_of_time("the answer was not complete", limit)))
        }
        End::CutShort(Some(error)) => {
            let source = Some(error.without_url());
            Err(Failure { source, ..Failure::of(Outcome::Unknown, "the answer broke off") })
        }
        End::Failed(failure) => Err(failure),
    }
}

/// How an exchange ends.
enum End {
    /// All is there that is to be read now.
    Complete,
    TooLong,
    /// By an error, or because the time is up.
    CutShort(Option<reqwest::Error>),
    /// There is no answer.
    Failed(Failure),
}

/// The body that a gate keeps back. An empty one is never asked for, since there is nothing to be read.
fn gated_bytes(request: &Request) -> Option<&[u8]> {
    request.body().and_then(reqwest::Body::as_bytes).filter(|bytes| !bytes.is_empty())
}

/// Goes on with an exchange for as long as its request may leave, and to its end once it has left.
///
/// A process that was paused finds its sockets ready and its timers over at the same moment, and whichever is looked at first
/// wins. So the clocks are read before the exchange goes on.
async fn in_time(mut exchange: Pin<&mut impl Future<Output = End>>, gate: Option<&SendGate>) -> End {
    poll_fn(|cx| match gate {
        Some(gate) if gate.close_if_late() => Poll::Ready(End::CutShort(None)),
        _ => exchange.as_mut().poll(cx),
    })
    .await
}

async fn exchange(
    context: &Context,
    request: &mut Request,
    operation: &Operation,
    token: Option<&Token>,
    gate: Option<&SendGate>,
    seen: &mut Seen,
) -> End {
    let shared = context.shared();
    let is_roomy = operation.repeat == Repeat::Once || seen.had_large_head;
    let http = if is_roomy { &shared.unshared } else { &shared.http };
    let mut place = None;
    for hop in 0..=HOPS {
        // The copy stays, which has room for no further headers, nor holds any credentials.
        let Some(copy) = request.try_clone() else { break };
        let mut sent = std::mem::replace(request, copy);
        if let Some(place) = &place {
            sent.url_mut().clone_from(place);
        }
        if let (Some(gate), Some(bytes)) = (gate, gated_bytes(&sent)) {
            *sent.body_mut() = Some(reqwest::Body::wrap(gate.body(Bytes::copy_from_slice(bytes))));
        }
        dress(sent.headers_mut(), operation, &shared.credentials, token);
        let mut response = match http.execute(sent).await {
            Ok(response) => response,
            Err(error) => {
                seen.had_large_head |= has_too_many_headers(&error);
                return End::Failed(without_answer(error, place.as_ref().unwrap_or(request.url())));
            }
        };
        let here = place.as_ref().unwrap_or(request.url());
        seen.refused = match next_hop(request.method(), here, &response) {
            Hop::None => None,
            Hop::To(url) if hop < HOPS => {
                place = Some(url);
                continue;
            }
            Hop::To(_) => Some("the server redirects again and again: check the base address"),
            Hop::Refused(why) => Some(why),
        };
        seen.status = Some(response.status());
        seen.headers = std::mem::take(response.headers_mut());
        if operation.answer == Answer::Stream && response.status().is_success() {
            seen.unread = Some(Box::new(response));
            return End::Complete;
        }
        return read(&mut response, &mut seen.body, context.policy().body_limit).await;
    }
    End::Failed(Failure::of(Outcome::Invalid, "the request's body cannot be sent more than once"))
}

/// The headers that generated code does not give a request.
fn dress(headers: &mut HeaderMap, operation: &Operation, credentials: &Credentials, token: Option<&Token>) {
    // Generated code gives it to those whose answer it decodes.
    if operation.answer != Answer::Json {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    if let Some(media_type) = operation.media_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    credentials.apply(headers);
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, token.header.clone());
    }
}

#[cold]
fn refused_hop(status: StatusCode, operation: &Operation, why: &str) -> Failure {
    let moved = matches!(status.as_u16(), 301 | 307 | 308);
    // "It is elsewhere" says that nothing was done here; "see there" is what many servers say when it was.
    let outcome =
        if moved || operation.repeat == Repeat::Read { Outcome::Rejected } else { Outcome::Unknown };
    Failure::of(outcome, why)
}

enum Hop {
    /// Not a redirect.
    None,
    To(Url),
    Refused(&'static str),
}

/// A redirect is followed within the origin only, and never turns a request into another one.
fn next_hop(method: &Method, here: &Url, response: &Response) -> Hop {
    let keeps_the_method = match response.status().as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return Hop::None,
    };
    if !keeps_the_method && *method != Method::GET {
        return Hop::Refused(
            "the server redirects a changing request to be read elsewhere: check the base address",
        );
    }
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    match location.and_then(|location| here.join(location).ok()) {
        None => Hop::Refused("the server redirects without saying where: check the base address"),
        Some(url) if url.origin() != here.origin() => Hop::Refused(
            "the server redirects to another origin, where no credentials are sent: check the base address",
        ),
        Some(url) => Hop::To(url),
    }
}

/// The bytes of a body. Most come at once, and are not copied.
#[derive(Default)]
pub(super) struct Received {
    first: Bytes,
    /// The first and those behind it, if there are any.
    all: BytesMut,
}

impl Received {
    fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.first.is_empty() {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
    }

    fn as_bytes(&self) -> &[u8] {
        if self.all.is_empty() { &self.first } else { &self.all }
    }

    pub(super) fn whole(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

impl From<Bytes> for Received {
    fn from(first: Bytes) -> Self {
        Self { first, all: BytesMut::new() }
    }
}

/// The body as far as it can be had.
async fn read(response: &mut Response, body: &mut Received, limit: usize) -> End {
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

/// What a whole answer means, before its body is decoded.
fn judge(context: &Context, operation: &Operation, status: StatusCode, seen: &Seen) -> Result<(), Failure> {
    if !status.is_success() {
        return Err(refusal(context, operation, status, &seen.headers));
    }
    match operation.answer {
        _ if is_part_of_list(operation, status, &seen.headers) => {
            Err(Failure::of(Outcome::Decode, "the answer is a part of a list"))
        }
        // A list may have nothing to say.
        Answer::Json if status == StatusCode::NO_CONTENT && operation.list.is_some() => Ok(()),
        Answer::Json if seen.body.len() == 0 => {
            Err(Failure::of(Outcome::Decode, "the answer is empty where a body is documented"))
        }
        Answer::Nothing if is_page(&seen.headers) && seen.body.len() > 0 => {
            Err(Failure::of(Outcome::Decode, "the answer is a page for people: check the base address"))
        }
        // Some servers answer a failure with status 200.
        Answer::Nothing if context.shared().table.errors.is_in(seen.body.as_bytes()) => {
            Err(Failure::of(Outcome::Decode, "the answer is an error, with a status of success"))
        }
        Answer::Json | Answer::Nothing | Answer::Stream => Ok(()),
    }
}

/// Whether a refusal says that it is about how often the supplier is called, or about a state that passes, and not about the call.
///
/// That is status 429, and these with `Retry-After`: 403, with which quotas are refused (Azure API Management's `quota` policies for
/// one), 420 (an older form of 429), 423 (locked), 413 and 425, of which RFC 9110 (15.5.14) and RFC 8470 say that they pass. Not
/// 409: that a conflict passes does not say that the call is not the reason. Nor 503 and other 5xx, whose `Retry-After` is waited
/// for, but which do not say that nothing was done.
pub(crate) fn says_not_now(status: StatusCode, headers: &HeaderMap) -> bool {
    match status.as_u16() {
        429 => true,
        403 | 413 | 420 | 423 | 425 => headers.contains_key(RETRY_AFTER),
        _ => false,
    }
}

/// What a status means that is none of success.
#[cold]
fn refusal(context: &Context, operation: &Operation, status: StatusCode, headers: &HeaderMap) -> Failure {
    let (outcome, reason) = match status.as_u16() {
        429 => (Outcome::Throttled, "the supplier gets too many requests"),
        _ if says_not_now(status, headers) => (
            Outcome::Throttled,
            "the supplier refuses the request for now and says when to come back: a quota may be used up",
        ),
        408 => (Outcome::Unknown, "the server did not wait for the request"),
        501 => (Outcome::Rejected, "the supplier does not offer this"),
        500.. => (Outcome::Unknown, "the server failed"),
        401 => {
            let reason = format!(
                "the supplier does not accept the credentials: check {}",
                context.shared().credentials.described()
            );
            return Failure::of(Outcome::Rejected, reason);
        }
        403 => (Outcome::Rejected, "these credentials may not do this"),
        404 => (Outcome::Rejected, "there is no such thing at the supplier"),
        400..=499 => (Outcome::Rejected, "the supplier refuses the request"),
        _ if operation.repeat == Repeat::Read => {
            (Outcome::Rejected, "the supplier answers with a status that nothing documents")
        }
        _ => (Outcome::Unknown, "the supplier answers with a status that nothing documents"),
    };
    Failure::of(outcome, reason)
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Also for a request without a body, which no gate keeps back once it was handed to the connection.
    #[test]
    fn an_exchange_does_not_go_on_after_its_deadline() {
        let run = |time: Duration| {
            let gate = SendGate::new(SendDeadline::after(time));
            in_time(pin!(async { End::Complete }), Some(&gate)).now_or_never()
        };
        assert!(matches!(run(Duration::from_secs(60)), Some(End::Complete)));
        assert!(matches!(run(Duration::ZERO), Some(End::CutShort(None))));
    }
}
