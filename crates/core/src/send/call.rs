use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use progenitor_client::{ByteStream, ResponseValue};
use reqwest::header::HeaderMap;
use reqwest::{Request, StatusCode, Url};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::attempt::{Failure, Seen};
use super::decode::Misfit;
use super::error::{Error, Inner, Outcome};
use super::error_body::Said;
use super::execute::{Sent, execute};
use super::paths::PathHabits;
use super::reply::Reply;
use super::send_deadline::SendDeadline;
use super::table::{ListShape, Operation, Repeat, Table};
use super::unanswered::{PendingChange, UnansweredChanges};
use super::whole;
use crate::auth::Credentials;
use crate::retry::{FAR, Limits, Policy, Purse, retry_after};
use crate::wire::ResponseBody;

/// What all calls of a handle share.
///
/// It begins a cache line: the count of its owners, which stands before it, changes with each call on whatever processor.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Shared {
    pub(super) table: &'static Table,
    pub(super) base: String,
    /// The beginning of documented paths that is in the base already, under a name of the server's own.
    pub(super) stands_for: &'static str,
    /// What addresses begin with that are there: scheme, host, and port if it is not the usual one.
    pub(super) origin: String,
    pub(super) credentials: Credentials,
    pub(super) habits: PathHabits,
    pub(super) purse: Arc<Purse>,
    pub(super) limits: Arc<Limits>,
    pub(super) unanswered: Arc<UnansweredChanges>,
    pub(super) http: reqwest::Client,
    /// Makes a connection for each request, for those that are sent once: one that was idle may be closing, or hold
    /// something that nobody has asked for and that would be taken for the answer.
    /// It reads more header lines of an answer, since that of a creation cannot be asked for again.
    pub(super) unshared: reqwest::Client,
}

impl Shared {
    fn is_at_origin(&self, url: &Url) -> bool {
        url.as_str().strip_prefix(self.origin.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Generated code appends the whole documented path to the base.
    pub(super) fn take_out_documented(&self, url: &mut Url) {
        if self.stands_for.is_empty() {
            return;
        }
        // Behind scheme and host.
        let base = self.base.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let rest = url.path().strip_prefix(base.as_str()).and_then(|path| path.strip_prefix(self.stands_for));
        if let Some(rest) = rest {
            let own = format!("{base}{rest}");
            url.set_path(&own);
        }
    }
}

/// One call: what it shares with others, its policy, and the record of what happens to it.
///
/// A generated client is made of it, builds a request with it, and hands that over to it. The context makes the attempts that the
/// policy and the operation allow, and keeps what happened in its record, for [`Handle::call`](super::Handle::call) to tell.
#[derive(Clone)]
pub struct Context(Arc<Call>);

struct Call {
    shared: Arc<Shared>,
    policy: Policy,
    started: Instant,
    /// The moment after which no changing request leaves, where the caller set one.
    send_deadline: Option<SendDeadline>,
    record: Mutex<Record>,
}

/// What has happened to a call so far.
#[derive(Default)]
struct Record {
    operation: Option<&'static Operation>,
    attempts: u32,
    /// Whether an attempt before the last one was sent and not answered.
    unanswered: bool,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Bytes,
    /// Why there is no answer.
    failure: Option<Failure>,
    /// Where in the answer the part is that was not understood.
    misfit: Option<String>,
    /// The span of the call, to be told how it ended; none before there is an operation.
    span: Option<Span>,
}

impl Record {
    fn tell(&self, outcome: &str) {
        if let Some(span) = &self.span {
            span.record("attempts", self.attempts);
            if let Some(status) = self.status {
                span.record("status", status.as_u16());
            }
            span.record("outcome", outcome);
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("api", &self.0.shared.table.api).finish_non_exhaustive()
    }
}

impl Context {
    pub(super) fn new(shared: Arc<Shared>, policy: Policy, send_deadline: Option<SendDeadline>) -> Self {
        let started = Instant::now();
        Self(Arc::new(Call { shared, policy, started, send_deadline, record: Mutex::default() }))
    }

    /// The moment after which a request of this operation must not leave; none for one that changes nothing.
    pub(super) fn send_deadline(&self, operation: &Operation) -> Option<SendDeadline> {
        if operation.repeat == Repeat::Read {
            return None;
        }
        let of_call = SendDeadline::at(self.0.started + self.0.policy.deadline.min(FAR));
        Some(self.0.send_deadline.map_or(of_call, |deadline| deadline.min(of_call)))
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // The record is plain data: a panic elsewhere leaves nothing half done in it.
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record, for good. That a call was made stays in its place: a clone of the client may be about still.
    fn take(&self) -> Record {
        let mut record = self.record();
        let operation = record.operation;
        std::mem::replace(&mut *record, Record { operation, ..Record::default() })
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    /// How much of the deadline is left.
    pub(super) fn left(&self, now: Instant) -> Duration {
        self.0.policy.deadline.saturating_sub(now.saturating_duration_since(self.0.started))
    }

    /// How long a request may wait until it is sent.
    pub(super) fn patience(&self, operation: &Operation, now: Instant) -> Duration {
        let left = self.left(now);
        match operation.repeat {
            Repeat::Once => left.saturating_sub(self.0.policy.least_for_one()),
            Repeat::Read | Repeat::Idempotent => left,
        }
    }

    /// Whether a call that is done once may still be begun: without time to wait for its answer it is not.
    pub(super) fn in_time(&self, operation: &Operation, now: Instant) -> Result<(), Failure> {
        if operation.repeat == Repeat::Once && self.left(now) < self.0.policy.least_for_one() {
            let reason = format!("too little time is left to send it and hear the answer: {}", self.spent());
            return Err(Failure::of(Outcome::NotSent, reason));
        }
        Ok(())
    }

    /// How much of the deadline is spent, in words.
    #[cold]
    pub(super) fn spent(&self) -> String {
        let (spent, deadline) = (self.0.started.elapsed().as_millis(), self.0.policy.deadline.as_millis());
        format!("{spent} ms of the call's deadline of {deadline} ms are spent")
    }

    /// The failure of a call that would have to wait longer than it has time, with that time.
    #[cold]
    pub(super) fn waited_for(&self, failure: Failure) -> Failure {
        Failure { reason: format!("{} ({})", failure.reason, self.spent()), ..failure }
    }

    /// What did not come within the limit of an attempt, which is the rest of the deadline or the policy's limit for one.
    #[cold]
    pub(super) fn out_of_time(&self, what: &str, limit: Duration) -> String {
        if limit == self.0.policy.attempt {
            format!("{what} within {} ms, the limit of one attempt: {}", limit.as_millis(), self.spent())
        } else {
            format!("{what} within the deadline: {}", self.spent())
        }
    }

    /// From here on the request may have arrived.
    pub(super) fn sending(&self, attempt: u32) {
        self.record().attempts = attempt;
    }

    /// An attempt is over. What an earlier one was answered stays when this one was not.
    pub(super) fn note(&self, attempts: u32, seen: Seen) {
        let mut record = self.record();
        record.attempts = attempts;
        if seen.status.is_some() {
            (record.status, record.headers, record.body) = (seen.status, seen.headers, seen.body.whole());
        }
    }

    /// An attempt was sent and not answered: the server may still carry it out.
    pub(super) fn unanswered(&self, operation: &Operation) {
        self.record().unanswered |= operation.repeat != Repeat::Read;
    }

    /// Begins to send a request that changes an object; none for one that reads or creates.
    pub(super) fn begin_change(&self, request: &Request, operation: &Operation) -> Option<PendingChange<'_>> {
        if operation.repeat == Repeat::Read {
            return None;
        }
        self.0.shared.unanswered.begin(request, self.0.policy.settle)
    }

    /// There will be no answer.
    pub(super) fn give_up(&self, mut failure: Failure, operation: &Operation, unanswered: bool) {
        if unanswered {
            failure.weaken(operation);
        }
        self.record().failure = Some(failure);
    }

    /// The reply of a call that is over.
    pub(super) fn succeed<T>(&self, value: T) -> Reply<T> {
        let mut record = self.record();
        let (headers, body) = (std::mem::take(&mut record.headers), std::mem::take(&mut record.body));
        self.reply(value, headers, body, &record)
    }

    /// The reply of a call whose body is still to be read, and may break yet.
    pub(super) fn open<T>(&self, value: T) -> Reply<T> {
        let record = self.record();
        self.reply(value, record.headers.clone(), record.body.clone(), &record)
    }

    /// What is known of the list that the operation of this call answers with.
    pub(super) fn list(&self) -> Option<ListShape> {
        self.record().operation?.list
    }

    /// Whether the answer has no content by its status (204).
    pub(super) fn has_no_content(&self) -> bool {
        self.record().status == Some(StatusCode::NO_CONTENT)
    }

    /// Ends a call for whom its answer alone matters.
    pub(super) fn close(&self) {
        self.record().tell("answered");
    }

    fn reply<T>(&self, value: T, headers: HeaderMap, body: Bytes, record: &Record) -> Reply<T> {
        record.tell("answered");
        Reply {
            value,
            // A call that succeeded has an answer with a status.
            status: record.status.unwrap_or_default(),
            headers,
            body,
            attempts: record.attempts,
            earlier_attempt_unanswered: record.unanswered,
            elapsed: self.0.started.elapsed(),
            table: self.0.shared.table,
            operation: record.operation,
        }
    }

    pub(super) fn fail(self, error: progenitor_client::Error<()>) -> Error {
        use progenitor_client::Error as Generated;
        let mut record = self.take();
        let failure = record.failure.take().unwrap_or_else(|| match error {
            // The caller's own future has ended before the call.
            _ if record.operation.is_some() && record.attempts == 0 => {
                Failure::of(Outcome::NotSent, "the call was given up before it was sent")
            }
            _ if record.operation.is_some() && !record.status.is_some_and(|status| status.is_success()) => {
                Failure::of(Outcome::Unknown, "the call was given up before its answer came")
            }
            _ if record.operation.is_some() => {
                Failure::of(Outcome::Decode, "the answer is not one that the document describes")
            }
            // The request was never handed over: its parts do not make a request.
            error => {
                let source = match error {
                    Generated::CommunicationError(error) | Generated::InvalidUpgrade(error) => {
                        Some(error.without_url())
                    }
                    _ => None,
                };
                Failure {
                    source,
                    ..Failure::of(Outcome::Invalid, "the values given cannot be written as a request")
                }
            }
        });
        self.error(record, failure)
    }

    /// The error of an answer that broke after it had begun to be read.
    pub(super) fn broken(&self, failure: Failure) -> Error {
        let record = self.take();
        self.error(record, failure)
    }

    fn error(&self, record: Record, mut failure: Failure) -> Error {
        record.tell(failure.outcome.as_str());
        // A status of success stands with "not sent" when it is that of an answer without a token.
        let is_refused = |status: &StatusCode| !status.is_success() || failure.outcome == Outcome::NotSent;
        let mut said = match record.status.filter(is_refused) {
            Some(status) => Said::read(status, &record.headers, &record.body, &self.0.shared.table.errors),
            None => Said::default(),
        };
        if failure.outcome == Outcome::Rejected && !said.is_documented {
            failure.reason.push_str(not_the_supplier(record.status));
        }
        let repeats_secret = |text: &str| self.0.shared.credentials.occur_in(text);
        said.hide(repeats_secret);
        Error::new(Inner {
            api: self.0.shared.table.api,
            operation: record.operation,
            outcome: failure.outcome,
            unchanged: failure.unchanged,
            contradicts: false,
            has_own_advice: false,
            reason: failure.reason,
            status: record.status,
            retry_after: failure.wait.or_else(|| retry_after(&record.headers, SystemTime::now())),
            headers: record.headers,
            body: record.body,
            said,
            decode_path: record.misfit.filter(|path| !repeats_secret(path)),
            attempts: record.attempts,
            elapsed: self.0.started.elapsed(),
            source: failure.source,
        })
    }
}

/// What generated code needs.
impl Context {
    /// The base address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.0.shared.base
    }

    /// What requests are built with. What is sent with it alone has no credentials, and its redirects are not followed.
    pub fn http(&self) -> &reqwest::Client {
        &self.0.shared.http
    }

    /// Sends a request and decodes the answer.
    ///
    /// # Errors
    /// That there is no such answer; why not is in the record.
    pub async fn json<T: ResponseBody>(
        &self,
        mut request: Request,
        operation: &'static Operation,
    ) -> Answered<T> {
        let Some(Sent::Whole) = self.send(&mut request, operation).await else { return Err(no_answer()) };
        let record = self.record();
        match whole::read(&record.body, operation) {
            Ok(value) => Ok(answered(&record, value)),
            Err(misfit) => {
                note_misfit(record, misfit);
                Err(no_answer())
            }
        }
    }

    /// Sends a request whose answer has nothing to be decoded.
    ///
    /// # Errors
    /// That it was not answered with success; why not is in the record.
    pub async fn nothing(&self, mut request: Request, operation: &'static Operation) -> Answered<()> {
        match self.send(&mut request, operation).await {
            Some(Sent::Whole) => Ok(answered(&self.record(), ())),
            _ => Err(no_answer()),
        }
    }

    /// Sends a request whose answer is read as it comes.
    ///
    /// # Errors
    /// That it was not answered with success; why not is in the record.
    pub async fn stream(&self, mut request: Request, operation: &'static Operation) -> Answered<ByteStream> {
        match self.send(&mut request, operation).await {
            Some(Sent::Unread(response)) => Ok(ResponseValue::stream(*response)),
            _ => Err(no_answer()),
        }
    }

    /// The answer; none when why there is none is in the record.
    ///
    /// Borrows the request: each future that has it as its own is so much larger, and moved as a whole.
    async fn send(&self, request: &mut Request, operation: &'static Operation) -> Option<Sent> {
        let span = tracing::info_span!(
            "call",
            api = self.0.shared.table.api,
            operation = operation.id,
            method = operation.method,
            path = operation.path,
            attempts = Empty,
            status = Empty,
            outcome = Empty,
        );
        {
            let mut record = self.record();
            if record.operation.is_some() {
                let twice =
                    || Failure::of(Outcome::Unknown, "a call was made before this one with the same client");
                record.failure.get_or_insert_with(twice);
                return None;
            }
            record.operation = Some(operation);
            if !self.0.shared.is_at_origin(request.url()) {
                record.failure = Some(Failure::of(
                    Outcome::Invalid,
                    "the request is for another origin than the handle's",
                ));
                return None;
            }
            record.span = Some(span.clone());
        }
        let mut dropped = Dropped(Some(self));
        // Pinned where they are, since each future is moved whole, and these are large.
        let sent = pin!(execute(self, request, operation)).instrument(span).await;
        dropped.0 = None;
        sent
    }
}

/// What a method of a generated client gives.
type Answered<T> = Result<ResponseValue<T>, progenitor_client::Error<()>>;

/// Its headers stay in the record: they are the reply's.
fn answered<T>(record: &Record, value: T) -> ResponseValue<T> {
    // Each answer has a status.
    ResponseValue::new(value, record.status.unwrap_or_default(), HeaderMap::new())
}

/// What else such a refusal may mean, when its body is not of the form that the supplier documents: another server, or another part
/// of this one, answers for every path that does not exist.
fn not_the_supplier(status: Option<StatusCode>) -> &'static str {
    match status.map(|status| status.as_u16()) {
        Some(404 | 405 | 501) => {
            " (the answer is not in the supplier's own form: if other calls end so, too, check the base address and its path)"
        }
        _ => "",
    }
}

/// Where and why an answer is not what the document describes.
#[cold]
fn note_misfit(mut record: MutexGuard<'_, Record>, misfit: Misfit) {
    record.failure = Some(Failure::of(Outcome::Decode, misfit.what));
    record.misfit = misfit.path;
}

#[cold]
fn no_answer() -> progenitor_client::Error<()> {
    progenitor_client::Error::Custom("there is no answer: what the call gives says why".to_owned())
}

/// Tells the span of a call whose future is dropped half-way that nobody waited for the end.
struct Dropped<'a>(Option<&'a Context>);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if let Some(context) = self.0 {
            context.record().tell("dropped");
        }
    }
}
