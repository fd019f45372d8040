use std::panic::resume_unwind;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::classify::{Failure, says_not_now, without_response};
use crate::clock::Clock;
use crate::decode::without_mark;
use crate::error::Outcome;
use crate::observe::{ANSWERED, DROPPED, Telemetry, TokenRequestReport, record_end};
use crate::operation::TokenFlow;
use crate::retry::{FAR_FUTURE, retry_after};

/// The maximum size of a response with a token, in bytes.
const ANSWER_LIMIT: usize = 1 << 16;

/// How long a refused login is not sent again, so that concurrent calls do not lock the account.
const REFUSAL_HOLDS: Duration = Duration::from_secs(5);

/// How many tokens and renewal tokens are remembered, so that no error shows them: those of the last few renewals.
const REMEMBERED: usize = 10;

/// Obtains a token, stores it, and renews it once for all concurrent calls.
#[derive(Clone)]
pub(crate) struct TokenSource {
    flow: &'static TokenFlow,
    /// The body of the request that obtains a token. It contains the password.
    login: Bytes,
    state: Arc<Mutex<State>>,
    /// The most recent tokens and renewal tokens.
    recent: Arc<Lock<Vec<String>>>,
}

/// The server that issues tokens.
#[derive(Clone)]
pub(crate) struct TokenServer {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) telemetry: Telemetry,
    pub(crate) clock: Clock,
}

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// When and why the last token request failed.
    failure: Option<(Instant, Box<NoToken>)>,
}

/// A token in the form in which it is sent.
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    /// When the token was obtained, which also distinguishes it from earlier ones.
    pub(crate) obtained: Instant,
    renewal: Option<String>,
}

/// Why there is no token, with the response if one arrived. The request that needs the token was not sent.
#[derive(Clone)]
pub(crate) struct NoToken {
    /// [`Rejected`](Outcome::Rejected) if the supplier does not accept the login, [`Throttled`](Outcome::Throttled) if it
    /// receives too many requests, otherwise [`NotSent`](Outcome::NotSent).
    pub(crate) outcome: Outcome,
    /// Whether there will be no response until the configuration changes.
    pub(crate) permanent: bool,
    /// `None` if no response arrived before the deadline of the call.
    pub(crate) reason: Option<String>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The time until which no login is sent, if there is one.
    until: Option<Instant>,
    /// How long it takes until that time, for calls that receive the failure of another call's token request.
    pub(crate) wait: Option<Duration>,
}

impl NoToken {
    fn without_response(permanent: bool, reason: Option<String>) -> Self {
        let (status, headers, body) = Default::default();
        let outcome = Outcome::NotSent;
        Self { outcome, permanent, reason, status, headers, body, until: None, wait: None }
    }

    fn out_of_time() -> Box<Self> {
        Box::new(Self::without_response(false, None))
    }

    /// Classifies a response without a usable token. `what` is the reason if its status is a success.
    fn of_response(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        what: &str,
        clock: &Clock,
    ) -> Box<Self> {
        let (outcome, reason) = match status.as_u16() {
            // An account stays locked while logins continue, whatever `Retry-After` says.
            423 => (
                Outcome::Rejected,
                "the supplier gives no token for these credentials: the account is locked",
            ),
            _ if says_not_now(status, &headers) => {
                (Outcome::Throttled, "the supplier gets too many requests for tokens")
            }
            408 => (Outcome::NotSent, "no token was obtained: the server did not wait for the login"),
            // The older supplier documents specify status 400 for unknown credentials.
            400..=499 => (Outcome::Rejected, "the supplier gives no token for these credentials: check them"),
            200..=299 => (Outcome::NotSent, what),
            _ => (Outcome::NotSent, "no token was obtained: check the base address, and try again"),
        };
        let asked = retry_after(&headers, clock.now());
        let hold = match outcome {
            Outcome::Rejected => Some(asked.unwrap_or_default().max(REFUSAL_HOLDS)),
            _ => asked,
        };
        // The time is clamped to what the clock can represent.
        let until = hold.and_then(|hold| clock.instant().checked_add(hold.min(FAR_FUTURE)));
        let failure = Self::without_response(false, Some(reason.to_owned()));
        Box::new(Self { outcome, status: Some(status), headers, body, until, ..failure })
    }

    /// Returns whether no token request may be sent yet, because the login was refused or the supplier sent `Retry-After`.
    fn is_held(&self, clock: &Clock) -> bool {
        self.until.is_some_and(|until| clock.instant() < until)
    }

    /// Returns whether a failed renewal also rules out a login, which would ignore `Retry-After` or be refused as well.
    fn holds_logins(&self, clock: &Clock) -> bool {
        self.outcome == Outcome::Throttled
            || self.status == Some(StatusCode::LOCKED)
            || retry_after(&self.headers, clock.now()).is_some()
    }
}

impl TokenSource {
    pub(super) fn new(flow: &'static TokenFlow, login: &Value) -> Self {
        Self { flow, login: login.to_string().into(), state: Arc::default(), recent: Arc::default() }
    }

    /// Returns the token to send. `refused` is the time at which a token was obtained that the supplier has just refused: the
    /// first call that reports it renews the token, and all others wait for the new token or for the failure.
    ///
    /// `server` is called only when a token must be requested.
    pub(crate) async fn token(
        &self,
        server: impl FnOnce() -> TokenServer,
        clock: &Clock,
        refused: Option<Instant>,
        limit: Duration,
    ) -> Result<Arc<Token>, Box<NoToken>> {
        if let Ok(state) = self.state.try_lock()
            && let Some(token) = self.usable(&state, clock, refused)
        {
            return Ok(token);
        }
        // A task of its own: a call whose future is not polled any more must not hold the lock that all other calls wait for.
        let (source, server) = (self.clone(), server());
        let asked = clock.instant();
        let task = async move { source.renewed(&server, refused, asked, limit).await };
        match tokio::spawn(task.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                // An observer of the caller panics.
                Ok(panic) => resume_unwind(panic),
                Err(_) => {
                    let reason = "no token was obtained: the runtime shuts down".to_owned();
                    Err(Box::new(NoToken::without_response(false, Some(reason))))
                }
            },
        }
    }

    /// Returns the stored token, unless the supplier refused it or it expires soon.
    fn usable(&self, state: &State, clock: &Clock, refused: Option<Instant>) -> Option<Arc<Token>> {
        let is_fresh = |token: &&Arc<Token>| clock.since(token.obtained) < self.flow.lifetime.mul_f32(0.9);
        state.token.as_ref().filter(|token| refused != Some(token.obtained)).filter(is_fresh).cloned()
    }

    /// Returns the token that another call has obtained meanwhile, or requests one.
    async fn renewed(
        &self,
        server: &TokenServer,
        refused: Option<Instant>,
        asked: Instant,
        limit: Duration,
    ) -> Result<Arc<Token>, Box<NoToken>> {
        let clock = &server.clock;
        let Ok(mut state) = timeout(limit, self.state.lock()).await else {
            return Err(NoToken::out_of_time());
        };
        if let Some(token) = self.usable(&state, &server.clock, refused) {
            return Ok(token);
        }
        if let Some((at, failure)) = &state.failure
            && (*at >= asked || failure.is_held(clock))
        {
            let mut failure = failure.clone();
            // Only a time that the supplier set is reported; the cooldown after a refusal is this library's own.
            failure.wait = retry_after(&failure.headers, clock.now())
                .and(failure.until)
                .map(|until| until.saturating_duration_since(clock.instant()));
            return Err(failure);
        }
        let left = limit.saturating_sub(clock.since(asked));
        let result = timeout(left, self.fetch(server, state.token.as_deref())).await;
        match result.unwrap_or_else(|_| Err(NoToken::out_of_time())) {
            Ok(token) => {
                state.failure = None;
                Ok(state.token.insert(Arc::new(token)).clone())
            }
            Err(failure) => {
                state.failure = Some((clock.instant(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// Renews the last token, or obtains a new one if there is none or it cannot be renewed.
    async fn fetch(&self, server: &TokenServer, last: Option<&Token>) -> Result<Token, Box<NoToken>> {
        if let Some(renewal) = last.and_then(|token| token.renewal.clone()) {
            let body = serde_json::json!({ self.flow.renewal_field: renewal }).to_string();
            match self.request_token(server, "renew", self.flow.renew, body.into()).await {
                Ok(mut token) => {
                    token.renewal.get_or_insert(renewal);
                    return Ok(token);
                }
                Err(no_token) if no_token.holds_logins(&server.clock) => return Err(no_token),
                Err(_) => {}
            }
        }
        self.request_token(server, "obtain", self.flow.obtain, self.login.clone()).await
    }

    /// Sends the request that obtains or renews a token, in its own span.
    async fn request_token(
        &self,
        server: &TokenServer,
        action: &'static str,
        path: &'static str,
        body: Bytes,
    ) -> Result<Token, Box<NoToken>> {
        let mut record = TokenRequestRecord::start(server, action, path);
        let span = record.span.clone();
        let result = self.ask(server, path, body, &mut record.status).instrument(span).await;
        record.outcome = match &result {
            Ok(_) => ANSWERED,
            Err(no_token) if no_token.outcome == Outcome::NotSent => "failed",
            Err(no_token) => no_token.outcome.as_str(),
        };
        result
    }

    async fn ask(
        &self,
        TokenServer { http, base, clock, .. }: &TokenServer,
        path: &str,
        body: Bytes,
        answered: &mut Option<StatusCode>,
    ) -> Result<Token, Box<NoToken>> {
        let request = http.post(format!("{base}{path}")).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| {
            let Failure { permanent, reason, .. } = without_response(error);
            Box::new(NoToken::without_response(permanent, Some(format!("no token was obtained: {reason}"))))
        })?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        *answered = Some(status);
        let mut answer = Vec::new();
        while answer.len() < ANSWER_LIMIT
            && let Ok(Some(chunk)) = response.chunk().await
        {
            answer.extend_from_slice(&chunk);
        }
        answer.truncate(ANSWER_LIMIT);
        let token = if status.is_success() { self.read(&answer, clock) } else { Err("") };
        token.map_err(|what| NoToken::of_response(status, headers, answer.into(), what, clock))
    }

    /// Reads the token in the body of a successful response, and remembers it as a secret.
    fn read(&self, body: &[u8], clock: &Clock) -> Result<Token, &'static str> {
        let json: Value = serde_json::from_slice(without_mark(body))
            .map_err(|_| "no token was obtained: the response to the login is not JSON")?;
        let text =
            |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let token =
            text(self.flow.token).ok_or("no token was obtained: the response to the login holds none")?;
        let mut header = HeaderValue::from_str(&format!("{} {token}", self.flow.prefix))
            .map_err(|_| "no token was obtained: the one in the response cannot be sent as a header")?;
        header.set_sensitive(true);
        let renewal = text(self.flow.renewal).map(str::to_owned);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.extend([Some(token.to_owned()), renewal.clone()].into_iter().flatten());
        let surplus = recent.len().saturating_sub(REMEMBERED);
        recent.drain(..surplus);
        Ok(Token { header, obtained: clock.instant(), renewal })
    }

    /// Returns the most recent tokens and renewal tokens.
    pub(super) fn recent_tokens(&self) -> Vec<String> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The state of a token request, and its span. Reports how the request ended when it is dropped.
struct TokenRequestRecord<'a> {
    telemetry: &'a Telemetry,
    clock: &'a Clock,
    action: &'static str,
    started: Instant,
    span: Span,
    status: Option<StatusCode>,
    outcome: &'static str,
}

impl<'a> TokenRequestRecord<'a> {
    fn start(server: &'a TokenServer, action: &'static str, path: &'static str) -> Self {
        let TokenServer { telemetry, clock, .. } = server;
        let span = tracing::info_span!(
            "token_request",
            otel.kind = "client",
            otel.name = %format_args!("POST {path}"),
            otel.status_code = Empty,
            api = telemetry.api,
            action,
            http.request.method = "POST",
            url.template = path,
            server.address = telemetry.server_address,
            server.port = telemetry.server_port,
            http.response.status_code = Empty,
            outcome = Empty,
            error.type = Empty,
        );
        Self { telemetry, clock, action, started: clock.instant(), span, status: None, outcome: DROPPED }
    }
}

impl Drop for TokenRequestRecord<'_> {
    fn drop(&mut self) {
        let Self { status, outcome, .. } = *self;
        record_end(&self.span, status, outcome, outcome != ANSWERED);
        if let Some(observer) = &self.telemetry.observer {
            let (api, action, elapsed) = (self.telemetry.api, self.action, self.clock.since(self.started));
            observer.on_token_request_end(&TokenRequestReport { api, action, outcome, status, elapsed });
        }
    }
}
