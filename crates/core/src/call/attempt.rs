use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, IF_MODIFIED_SINCE, LOCATION};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::time::{Instant, timeout_at};

use super::error::Outcome;
use super::table::{Answer, Operation, Repeat};
use crate::retry::{FAR, TooEarly};

/// How many redirects one attempt follows.
const HOPS: usize = 5;

/// What one attempt brought.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) status: Option<StatusCode>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) failure: Option<Failure>,
    /// The answer with its body still to be read, where the operation brings a stream.
    pub(super) unread: Option<Response>,
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
}

impl Failure {
    pub(super) fn of(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), source: None, wait: None, unchanged: false }
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
            None => "the rate limit of the handle leaves no turn before the deadline".to_owned(),
        };
        Self { wait: Some(wait), ..Self::of(Outcome::Throttled, reason) }
    }

    /// Whether the same request may be sent again.
    pub(super) fn repeatable(&self, operation: &Operation) -> bool {
        match self.outcome {
            Outcome::NotSent => true,
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
/// begins `now`.
pub(super) async fn attempt(
    http: &reqwest::Client,
    request: &Request,
    operation: &Operation,
    now: Instant,
    limit: Duration,
    body_limit: usize,
) -> Attempt {
    if limit.is_zero() {
        return Failure::of(Outcome::NotSent, "no time is left to send it").into();
    }
    let mut seen = Seen::default();
    let end = {
        let exchange = pin!(exchange(http, request, operation, body_limit, &mut seen));
        timeout_at(now + limit.min(FAR), exchange).await.unwrap_or(End::CutShort(None))
    };
    let Seen { status, headers, body, refused } = seen;
    let Some(status) = status else {
        return match end {
            End::Failed(failure) => failure.into(),
            _ => Failure::of(Outcome::Unknown, format!("no answer within {} ms", limit.as_millis())).into(),
        };
    };
    let body = body.whole();
    // Only to whom has asked that means anything.
    let asked = operation.conditional && request.headers().contains_key(IF_MODIFIED_SINCE);
    let judged = || match status {
        StatusCode::NOT_MODIFIED if asked => {
            Some(Failure { unchanged: true, ..Failure::of(Outcome::Rejected, "nothing has changed") })
        }
        _ => judge(operation, status, &headers, &body),
    };
    let (failure, unread) = match end {
        End::Unread(response) => (None, Some(response)),
        // A refusal stands without the whole of its body.
        End::TooLong | End::CutShort(_) if !status.is_success() => (judged(), None),
        End::TooLong => {
            let reason = format!("the answer is longer than the limit of {body_limit} bytes");
            (Some(Failure::of(Outcome::Decode, reason)), None)
        }
        End::CutShort(error) => {
            let source = error.map(reqwest::Error::without_url);
            (Some(Failure { source, ..Failure::of(Outcome::Unknown, "the answer broke off") }), None)
        }
        End::Failed(failure) => (Some(failure), None),
        End::Whole => (judged(), None),
    };
    let attempt = Attempt { status: Some(status), headers, body, failure, unread };
    match refused {
        Some(why) => refuse_hop(attempt, operation, why),
        None => attempt,
    }
}

/// What has arrived of an answer.
#[derive(Default)]
struct Seen {
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Received,
    /// Why the redirect that it is was not followed.
    refused: Option<&'static str>,
}

/// How an exchange ends.
enum End {
    Whole,
    TooLong,
    /// By an error, or because the time is up.
    CutShort(Option<reqwest::Error>),
    /// It is a success whose body is still to be read: a stream may take longer than its beginning.
    Unread(Response),
    /// There is no answer.
    Failed(Failure),
}

async fn exchange(
    http: &reqwest::Client,
    request: &Request,
    operation: &Operation,
    body_limit: usize,
    seen: &mut Seen,
) -> End {
    let mut place = None;
    for hop in 0..=HOPS {
        let Some(sent) = copy(request, place.as_ref()).map(|copy| http.execute(copy)) else { break };
        let mut response = match sent.await {
            Ok(response) => response,
            Err(error) => return End::Failed(unsent_or_unanswered(error)),
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
            return End::Unread(response);
        }
        return read(&mut response, &mut seen.body, body_limit).await;
    }
    End::Failed(Failure::of(Outcome::Invalid, "the request's body cannot be sent more than once"))
}

/// The request as it is sent, to another place if it was sent there.
fn copy(request: &Request, place: Option<&Url>) -> Option<Request> {
    let mut copy = request.try_clone()?;
    if let Some(place) = place {
        copy.url_mut().clone_from(place);
    }
    Some(copy)
}

fn refuse_hop(mut attempt: Attempt, operation: &Operation, why: &str) -> Attempt {
    let moved = matches!(attempt.status.map(|status| status.as_u16()), Some(301 | 307 | 308));
    // "It is elsewhere" says that nothing was done here; "see there" is what many servers say when it was.
    let outcome =
        if moved || operation.repeat == Repeat::Read { Outcome::Rejected } else { Outcome::Unknown };
    attempt.failure = Some(Failure::of(outcome, why));
    attempt
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

fn unsent_or_unanswered(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let (outcome, reason) = if error.is_builder() {
        (Outcome::Invalid, "the values given cannot be written as a request".to_owned())
    } else if error.is_connect() {
        (Outcome::NotSent, "no connection to the server".to_owned())
    } else {
        (Outcome::Unknown, "the connection broke before an answer came".to_owned())
    };
    Failure { source: Some(error), ..Failure::of(outcome, reason) }
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
struct Received {
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

    fn whole(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
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
            Ok(None) => return End::Whole,
            Err(error) => return End::CutShort(Some(error)),
        }
    }
}

/// What a whole answer means, before its body is decoded.
fn judge(operation: &Operation, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Failure> {
    let failure = |outcome, reason: &str| Some(Failure::of(outcome, reason));
    match status.as_u16() {
        200..=299 => match operation.answer {
            Answer::Json if body.is_empty() => {
                failure(Outcome::Decode, "the answer is empty where a body is documented")
            }
            Answer::Nothing if is_page(headers) && !body.is_empty() => {
                failure(Outcome::Decode, "the answer is a page for people: check the base address")
            }
            Answer::Json | Answer::Nothing | Answer::Stream => None,
        },
        429 => failure(Outcome::Throttled, "the supplier gets too many requests"),
        408 => failure(Outcome::Unknown, "the server did not wait for the request"),
        501 => failure(Outcome::Rejected, "the supplier does not offer this"),
        500.. => failure(Outcome::Unknown, "the server failed"),
        401 => failure(
            Outcome::Rejected,
            "the supplier does not accept the credentials: check key, client id and token",
        ),
        403 => failure(Outcome::Rejected, "these credentials may not do this"),
        404 => failure(Outcome::Rejected, "there is no such thing at the supplier"),
        400..=499 => failure(Outcome::Rejected, "the supplier refuses the request"),
        _ if operation.repeat == Repeat::Read => {
            failure(Outcome::Rejected, "the supplier answers with a status that nothing documents")
        }
        _ => failure(Outcome::Unknown, "the supplier answers with a status that nothing documents"),
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("text/html")
}
