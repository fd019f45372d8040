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

/// How much of an answer with a token is read.
const ANSWER_LIMIT: usize = 1 << 16;

/// How long refused credentials are not tried again, so that many calls do not lock the account.
const REFUSAL_HOLDS: Duration = Duration::from_secs(5);

/// Obtains a token, keeps it, and renews it once for all calls that wait for it.
#[derive(Clone)]
pub(crate) struct TokenSource {
    flow: &'static TokenFlow,
    /// The body that obtains a token. It holds the password.
    login: Bytes,
    state: Arc<Mutex<State>>,
    /// What no error may show: the texts of the login, and the tokens of late.
    secrets: Arc<Lock<Vec<String>>>,
}

/// Where tokens come from.
#[derive(Clone, Copy)]
pub(crate) struct TokenServer<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) base: &'a str,
    pub(crate) telemetry: &'a Telemetry,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Why there was no token last time, and when.
    failure: Option<(Instant, Box<NoToken>)>,
}

/// A token, as it is sent.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) header: HeaderValue,
    /// Tells it from the tokens before it.
    pub(crate) number: u64,
    renewal: Option<String>,
    since: Instant,
}

/// Why there is no token: what was answered, if anything. Nothing was sent that needed it.
#[derive(Clone)]
pub(crate) struct NoToken {
    pub(crate) kind: NoTokenKind,
    pub(crate) reason: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When a login may be tried again, if there is a time for that.
    until: Option<Instant>,
    /// How long that is from now, for those who get an answer that another call has waited for.
    pub(crate) wait: Option<Duration>,
}

/// What it means that there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTokenKind {
    /// The supplier does not accept the login: tried again, it may lock the account.
    Refused,
    /// The supplier says that it is called too often.
    Throttled,
    /// There is no answer, or one without a token; the next may have one.
    Failed,
    /// There is no answer within the time that the call has.
    OutOfTime,
    /// There is no answer, nor will there be one until something is changed.
    Permanent,
}

impl NoTokenKind {
    /// The outcome of the request that brought no token.
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

    /// Whether nothing is to be asked of the supplier for a while: the login is refused, or the supplier has said when to come
    /// back.
    fn is_held(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

/// An answer that brings no token.
struct Unusable {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Unusable {
    /// What it means, with all that came.
    fn without_token(self, what: &str) -> Box<NoToken> {
        let Self { status, headers, body } = self;
        let (kind, reason) = match status.as_u16() {
            // A locked account is refused for as long as somebody tries, whatever pause it asks for.
            423 => (
                NoTokenKind::Refused,
                "the supplier gives no token for these credentials: the account is locked",
            ),
            _ if says_not_now(status, &headers) => {
                (NoTokenKind::Throttled, "the supplier gets too many requests for tokens")
            }
            408 => (NoTokenKind::Failed, "no token was obtained: the server did not wait for the login"),
            // The older ones of the suppliers' documents answer 400 for credentials that they do not know.
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
        // What is too far away to be counted is as good as never.
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

    /// The token to send. `refused` is the number of one that the supplier has just refused: whoever is first to say so
    /// renews it, and all others wait and get the new one, or learn why there is none.
    pub(crate) async fn token(
        &self,
        server: TokenServer<'_>,
        refused: Option<u64>,
        limit: Duration,
    ) -> Result<Token, Box<NoToken>> {
        let asked = Instant::now();
        let wait = async {
            let mut state = self.state.lock().await;
            if let Some(token) = &state.token
                && refused != Some(token.number)
                && token.since.elapsed() < self.flow.lifetime.mul_f32(0.9)
            {
                return Ok(token.clone());
            }
            if let Some((at, failure)) = &state.failure
                && (*at >= asked || failure.is_held())
            {
                let mut failure = failure.clone();
                // Of a time that the supplier has told, what is left; that of a refusal is this library's own.
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

    /// Renews a token, or obtains one where there is none to renew or it cannot be.
    async fn fetch(&self, server: TokenServer<'_>, last: Option<&Token>) -> Result<Token, Box<NoToken>> {
        let number = last.map_or(0, |token| token.number) + 1;
        let renewal = last.and_then(|token| token.renewal.clone());
        if let Some(renewal) = &renewal {
            let body = serde_json::json!({ self.flow.renewal_field: renewal }).to_string();
            match self.request_token(server, "renew", self.flow.renew, body.into(), number).await {
                Ok(mut token) => {
                    token.renewal.get_or_insert_with(|| renewal.clone());
                    return Ok(token);
                }
                // A login at once would be what the supplier asks not to do, or would be refused as well.
                Err(no_token) if no_token.kind == NoTokenKind::Throttled || holds_logins(&no_token) => {
                    return Err(no_token);
                }
                Err(_) => {}
            }
        }
        self.request_token(server, "obtain", self.flow.obtain, self.login.clone(), number).await
    }

    /// Sends the request that obtains or renews a token, in a span of its own.
    async fn request_token(
        &self,
        server: TokenServer<'_>,
        action: &'static str,
        path: &'static str,
        body: Bytes,
        number: u64,
    ) -> Result<Token, Box<NoToken>> {
        let mut record = TokenRequestRecord::start(server.telemetry, action, path);
        let span = record.span.clone();
        let result = self.ask(server, path, body, number, &mut record.status).instrument(span).await;
        record.outcome = result.as_ref().map_or_else(|no_token| no_token.kind.as_str(), |_| ANSWERED);
        result
    }

    async fn ask(
        &self,
        TokenServer { http, base, .. }: TokenServer<'_>,
        path: &str,
        body: Bytes,
        number: u64,
        answered: &mut Option<StatusCode>,
    ) -> Result<Token, Box<NoToken>> {
        let request = http.post(format!("{base}{path}")).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| {
            // Only host and port of the address are shown.
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
            return Err(unusable("no token was obtained: the answer to the login is not JSON", answer));
        };
        let text =
            |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(token) = text(self.flow.token) else {
            return Err(unusable("no token was obtained: the answer to the login holds none", answer));
        };
        let Ok(mut header) = HeaderValue::from_str(&format!("{} {token}", self.flow.prefix)) else {
            return Err(unusable(
                "no token was obtained: the one in the answer cannot be sent as a header",
                answer,
            ));
        };
        header.set_sensitive(true);
        let renewal = text(self.flow.renewal).map(str::to_owned);
        self.remember([Some(token.to_owned()), renewal.clone()]);
        Ok(Token { header, number, renewal, since: Instant::now() })
    }

    fn remember(&self, new: [Option<String>; 2]) {
        /// Beside the texts of the login, the tokens of the last few renewals are kept.
        const KEPT: usize = 12;
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(new.into_iter().flatten());
        let surplus = secrets.len().saturating_sub(KEPT);
        // The first two are the login's.
        let (from, length) = (secrets.len().min(2), secrets.len());
        secrets.drain(from..(from + surplus).min(length));
    }

    /// Whether a text repeats the login or one of the last tokens.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        repeats_one_of(text, secrets.iter().map(String::as_str))
    }
}

/// Whether a renewal was answered with something that a login would be answered with as well: the account is locked, or the
/// supplier has said when to come back.
fn holds_logins(no_token: &NoToken) -> bool {
    no_token.status == Some(StatusCode::LOCKED) || retry_after(&no_token.headers, SystemTime::now()).is_some()
}

/// What has happened to a token request so far, and its span. Dropped, it says how the request ended.
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
