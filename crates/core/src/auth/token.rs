use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::call::TokenFlow;

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
#[derive(Clone, Default)]
pub(crate) struct NoToken {
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl NoToken {
    /// Whether the supplier does not know these credentials. The older ones of its documents answer 400 for that.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 403))
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
        http: &reqwest::Client,
        base: &str,
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
                && (*at >= asked || (failure.is_refusal() && at.elapsed() < REFUSAL_HOLDS))
            {
                return Err(failure.clone());
            }
            let left = limit.saturating_sub(asked.elapsed());
            let result = tokio::time::timeout(left, self.fetch(http, base, state.token.as_ref())).await;
            match result.unwrap_or_else(|_| Err(Box::default())) {
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
        tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| Err(Box::default()))
    }

    /// Renews a token, or obtains one where there is none to renew or it cannot be.
    async fn fetch(
        &self,
        http: &reqwest::Client,
        base: &str,
        last: Option<&Token>,
    ) -> Result<Token, Box<NoToken>> {
        let number = last.map_or(0, |token| token.number) + 1;
        let renewal = last.and_then(|token| token.renewal.clone());
        let renewed = match &renewal {
            Some(renewal) => {
                let body = serde_json::json!({ self.flow.renewal_field: renewal }).to_string();
                self.ask(http, base, self.flow.renew, body.into()).await.ok()
            }
            None => None,
        };
        let answer = match renewed {
            Some(answer) => answer,
            None => self.ask(http, base, self.flow.obtain, self.login.clone()).await?,
        };
        let text =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let token = text(self.flow.token).ok_or_else(Box::default)?;
        let header = HeaderValue::from_str(&format!("{} {token}", self.flow.prefix));
        let mut header = header.map_err(|_| Box::default())?;
        header.set_sensitive(true);
        let renewal = text(self.flow.renewal).map(str::to_owned).or(renewal);
        self.remember([Some(token.to_owned()), renewal.clone()]);
        Ok(Token { header, number, renewal, since: Instant::now() })
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        base: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Value, Box<NoToken>> {
        let request = http.post(format!("{base}{path}")).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|_| Box::default())?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut answer = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = ANSWER_LIMIT - answer.len();
            answer.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if answer.len() >= ANSWER_LIMIT {
                break;
            }
        }
        if !status.is_success() {
            return Err(Box::new(NoToken { status: Some(status), headers, body: answer.into() }));
        }
        serde_json::from_slice(&answer).map_err(|_| Box::default())
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
        secrets.iter().any(|secret| text.contains(secret.as_str()))
    }
}
