use std::panic::resume_unwind;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::secrets::repeats_one_of;
use crate::classify::{says_not_now, why_unanswered};
use crate::decode::without_mark;
use crate::observe::{ANSWERED, DROPPED, Telemetry, TokenRequestReport, record_failure, record_status};
use crate::operation::TokenFlow;
use crate::retry::{FAR_FUTURE, retry_after};

/// The maximum size of a response with a token, in bytes.
const ANSWER_LIMIT: usize = 1 << 16;

/// How long a refused login is not sent again, so that concurrent calls do not lock the account.
const REFUSAL_HOLDS: Duration = Duration::from_secs(5);

/// Obtains a token, stores it, and renews it once for all concurrent calls.
#[derive(Clone)]
pub(crate) struct TokenSource {
    flow: &'static TokenFlow,
    /// The body of the request that obtains a token. It contains the password.
    login: Bytes,
    state: Arc<Mutex<State>>,
    /// The texts that no error may show: the fields of the login, and the most recent tokens.
    secrets: Arc<Lock<Vec<String>>>,
}

/// The server that issues tokens.
#[derive(Clone)]
pub(crate) struct TokenServer {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
    pub(crate) telemetry: Telemetry,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// When and why the last token request failed.
    failure: Option<(Instant, Box<NoToken>)>,
}

/// A token in the form in which it is sent.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    /// A number that distinguishes the token from earlier ones.
    pub(crate) number: u64,
    renewal: Option<String>,
    since: Instant,
}

/// Why there is no token, with the response if one arrived. The request that needs the token was not sent.
#[derive(Clone)]
pub(crate) struct NoToken {
    pub(crate) kind: NoTokenKind,
    pub(crate) reason: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The time until which no login is sent, if there is one.
    until: Option<Instant>,
    /// How long it takes until that time, for calls that receive the failure of another call's token request.
    pub(crate) wait: Option<Duration>,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTokenKind {
    /// The supplier does not accept the login. Sending it again may lock the account.
    Refused,
    /// The supplier receives too many requests.
    Throttled,
    /// There is no response, or one without a token. A later request may succeed.
    Failed,
    /// No response arrived before the deadline of the call.
    OutOfTime,
    /// There is no response, and there will be none until the configuration changes.
    Permanent,
}

impl NoTokenKind {
    /// Returns the name of the outcome of the failed token request.
    fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "rejected",
            Self::Throttled => "throttled",
            Self::Failed | Self::OutOfTime | Self::Permanent => "failed",
        }
    }
}

impl NoToken {
    fn new(kind: NoTokenKind, reason: impl Into<String>) -> Box<Self> {
        let (status, headers, body) = Default::default();
        Box::new(Self { kind, reason: reason.into(), status, headers, body, until: None, wait: None })
    }

    fn out_of_time() -> Box<Self> {
        Self::new(NoTokenKind::OutOfTime, "no token came in time")
    }

    /// Returns whether no token request may be sent yet, because the login was refused or the supplier sent `Retry-After`.
    fn is_held(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

/// A response without a usable token.
struct Unusable {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Unusable {
    /// Classifies the response and keeps all of its parts.
    fn without_token(self, what: &str) -> Box<NoToken> {
        let Self { status, headers, body } = self;
        let (kind, reason) = match status.as_u16() {
            // An account stays locked while logins continue, whatever `Retry-After` says.
            423 => (
                NoTokenKind::Refused,
                "the supplier gives no token for these credentials: the account is locked",
            ),
            _ if says_not_now(status, &headers) => {
                (NoTokenKind::Throttled, "the supplier gets too many requests for tokens")
            }
            408 => (NoTokenKind::Failed, "no token was obtained: the server did not wait for the login"),
            // The older supplier documents specify status 400 for unknown credentials.
            400..=499 => {
                (NoTokenKind::Refused, "the supplier gives no token for these credentials: check them")
            }
            200..=299 => (NoTokenKind::Failed, what),
            _ => (NoTokenKind::Failed, "no token was obtained: check the base address, and try again"),
        };
        let asked = retry_after(&headers, SystemTime::now());
        let hold = match kind {
            NoTokenKind::Refused => Some(asked.unwrap_or_default().max(REFUSAL_HOLDS)),
            _ => asked,
        };
        // The time is clamped to what the clock can represent.
        let until = hold.and_then(|hold| Instant::now().checked_add(hold.min(FAR_FUTURE)));
        Box::new(NoToken {
            kind,
            reason: reason.to_owned(),
            status: Some(status),
            headers,
            body,
            until,
            wait: None,
        })
    }
}

impl TokenSource {
    pub(super) fn new(flow: &'static TokenFlow, login: &Value) -> Self {
        let texts =
            login.as_object().into_iter().flat_map(|fields| fields.values()).filter_map(Value::as_str);
        let secrets = texts.filter(|text| !text.is_empty()).map(str::to_owned).collect();
        Self {
            flow,
            login: login.to_string().into(),
            state: Arc::default(),
            secrets: Arc::new(Lock::new(secrets)),
        }
    }

    /// Returns the token to send. `refused` is the number of a token that the supplier has just refused: the first call that
    /// reports it renews the token, and all others wait for the new token or for the failure.
    ///
    /// `server` is called only when a token must be requested.
    pub(crate) async fn token(
        &self,
        server: impl FnOnce() -> TokenServer,
        refused: Option<u64>,
        limit: Duration,
    ) -> Result<Token, Box<NoToken>> {
        if let Ok(state) = self.state.try_lock()
            && let Some(token) = self.usable(&state, refused)
        {
            return Ok(token);
        }
        // A task of its own: a call whose future is not polled any more must not hold the lock that all other calls wait for.
        let (source, server) = (self.clone(), server());
        let asked = Instant::now();
        let task = async move { source.renewed(&server, refused, asked, limit).await };
        match tokio::spawn(task.in_current_span()).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                // An observer of the caller panics.
                Ok(panic) => resume_unwind(panic),
                Err(_) => {
                    Err(NoToken::new(NoTokenKind::Failed, "no token was obtained: the runtime shuts down"))
                }
            },
        }
    }

    /// Returns the stored token, unless the supplier refused it or it expires soon.
    fn usable(&self, state: &State, refused: Option<u64>) -> Option<Token> {
        let is_fresh = |token: &&Token| token.since.elapsed() < self.flow.lifetime.mul_f32(0.9);
        state.token.as_ref().filter(|token| refused != Some(token.number)).filter(is_fresh).cloned()
    }

    /// Returns the token that another call has obtained meanwhile, or requests one.
    async fn renewed(
        &self,
        server: &TokenServer,
        refused: Option<u64>,
        asked: Instant,
        limit: Duration,
    ) -> Result<Token, Box<NoToken>> {
        let wait = async {
            let mut state = self.state.lock().await;
            if let Some(token) = self.usable(&state, refused) {
                return Ok(token);
            }
            if let Some((at, failure)) = &state.failure
                && (*at >= asked || failure.is_held())
            {
                let mut failure = failure.clone();
                // Only a time that the supplier set is reported; the cooldown after a refusal is this library's own.
                failure.wait = retry_after(&failure.headers, SystemTime::now())
                    .and(failure.until)
                    .map(|until| until.saturating_duration_since(Instant::now()));
                return Err(failure);
            }
            let left = limit.saturating_sub(asked.elapsed());
            let result = tokio::time::timeout(left, self.fetch(server, state.token.as_ref())).await;
            match result.unwrap_or_else(|_| Err(NoToken::out_of_time())) {
                Ok(token) => {
                    state.failure = None;
                    Ok(state.token.insert(token).clone())
                }
                Err(failure) => {
                    state.failure = Some((Instant::now(), failure.clone()));
                    Err(failure)
                }
            }
        };
        tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| Err(NoToken::out_of_time()))
    }

    /// Renews the last token, or obtains a new one if there is none or it cannot be renewed.
    async fn fetch(&self, server: &TokenServer, last: Option<&Token>) -> Result<Token, Box<NoToken>> {
        let number = last.map_or(0, |token| token.number) + 1;
        let renewal = last.and_then(|token| token.renewal.clone());
        if let Some(renewal) = &renewal {
            let body = serde_json::json!({ self.flow.renewal_field: renewal }).to_string();
            match self.request_token(server, "renew", self.flow.renew, body.into(), number).await {
                Ok(mut token) => {
                    token.renewal.get_or_insert_with(|| renewal.clone());
                    return Ok(token);
                }
                // An immediate login would ignore `Retry-After`, or would be refused as well.
                Err(no_token) if no_token.kind == NoTokenKind::Throttled || holds_logins(&no_token) => {
                    return Err(no_token);
                }
                Err(_) => {}
            }
        }
        self.request_token(server, "obtain", self.flow.obtain, self.login.clone(), number).await
    }

    /// Sends the request that obtains or renews a token, in its own span.
    async fn request_token(
        &self,
        server: &TokenServer,
        action: &'static str,
        path: &'static str,
        body: Bytes,
        number: u64,
    ) -> Result<Token, Box<NoToken>> {
        let mut record = TokenRequestRecord::start(&server.telemetry, action, path);
        let span = record.span.clone();
        let result = self.ask(server, path, body, number, &mut record.status).instrument(span).await;
        record.outcome = result.as_ref().map_or_else(|no_token| no_token.kind.as_str(), |_| ANSWERED);
        result
    }

    async fn ask(
        &self,
        TokenServer { http, base, .. }: &TokenServer,
        path: &str,
        body: Bytes,
        number: u64,
        answered: &mut Option<StatusCode>,
    ) -> Result<Token, Box<NoToken>> {
        let request = http.post(format!("{base}{path}")).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| {
            // Only the host and port of the URL are shown.
            let (permanent, reason) = why_unanswered(error, base);
            let kind = if permanent { NoTokenKind::Permanent } else { NoTokenKind::Failed };
            NoToken::new(kind, format!("no token was obtained: {reason}"))
        })?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        *answered = Some(status);
        let mut answer = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = ANSWER_LIMIT - answer.len();
            answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if answer.len() >= ANSWER_LIMIT {
                break;
            }
        }
        let unusable =
            |what, body: Vec<u8>| Unusable { status, headers, body: body.into() }.without_token(what);
        if !status.is_success() {
            return Err(unusable("", answer));
        }
        let Ok(json) = serde_json::from_slice::<Value>(without_mark(&answer)) else {
            return Err(unusable("no token was obtained: the response to the login is not JSON", answer));
        };
        let text =
            |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(token) = text(self.flow.token) else {
            return Err(unusable("no token was obtained: the response to the login holds none", answer));
        };
        let Ok(mut header) = HeaderValue::from_str(&format!("{} {token}", self.flow.prefix)) else {
            return Err(unusable(
                "no token was obtained: the one in the response cannot be sent as a header",
                answer,
            ));
        };
        header.set_sensitive(true);
        let renewal = text(self.flow.renewal).map(str::to_owned);
        self.remember([Some(token.to_owned()), renewal.clone()]);
        Ok(Token { header, number, renewal, since: Instant::now() })
    }

    fn remember(&self, new: [Option<String>; 2]) {
        /// How many texts are stored: the fields of the login, and the tokens of the last few renewals.
        const KEPT: usize = 12;
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(new.into_iter().flatten());
        let surplus = secrets.len().saturating_sub(KEPT);
        // The first two texts are those of the login.
        let (from, length) = (secrets.len().min(2), secrets.len());
        secrets.drain(from..(from + surplus).min(length));
    }

    /// Returns whether a text contains the login or one of the most recent tokens.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        repeats_one_of(text, secrets.iter().map(String::as_str))
    }
}

/// Returns whether a failed renewal also rules out a login: the account is locked, or the supplier sent `Retry-After`.
fn holds_logins(no_token: &NoToken) -> bool {
    no_token.status == Some(StatusCode::LOCKED) || retry_after(&no_token.headers, SystemTime::now()).is_some()
}

/// The state of a token request, and its span. Reports how the request ended when it is dropped.
struct TokenRequestRecord<'a> {
    telemetry: &'a Telemetry,
    action: &'static str,
    started: Instant,
    span: Span,
    status: Option<StatusCode>,
    outcome: &'static str,
}

impl<'a> TokenRequestRecord<'a> {
    fn start(telemetry: &'a Telemetry, action: &'static str, path: &'static str) -> Self {
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
        Self { telemetry, action, started: Instant::now(), span, status: None, outcome: DROPPED }
    }
}

impl Drop for TokenRequestRecord<'_> {
    fn drop(&mut self) {
        let Self { status, outcome, .. } = *self;
        record_status(&self.span, status);
        self.span.record("outcome", outcome);
        if outcome != ANSWERED {
            record_failure(&self.span, status, outcome);
        }
        if let Some(observer) = &self.telemetry.observer {
            let (api, action, elapsed) = (self.telemetry.api, self.action, self.started.elapsed());
            observer.on_token_request_end(&TokenRequestReport { api, action, outcome, status, elapsed });
        }
    }
}
