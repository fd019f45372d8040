use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::call::TokenFlow;

/// How much of an answer with a token is read.
const ANSWER_LIMIT: usize = 1 << 16;

/// Obtains a token, keeps it, and renews it once for all calls that wait for it.
#[derive(Clone)]
pub(crate) struct TokenSource {
    flow: &'static TokenFlow,
    /// The body that obtains a token. It holds the password.
    login: Bytes,
    current: Arc<Mutex<Option<Token>>>,
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

/// Why there is no token. Nothing was sent that needed it.
pub(crate) struct NoToken {
    /// The supplier's refusal, if it refused.
    pub(crate) refused: Option<StatusCode>,
    pub(crate) source: Option<reqwest::Error>,
}

impl TokenSource {
    pub(super) fn new(flow: &'static TokenFlow, login: &Value) -> Self {
        Self { flow, login: login.to_string().into(), current: Arc::default() }
    }

    /// The token to send. `refused` is the number of one that the supplier has just refused: whoever is first to say so
    /// renews it, and all others wait and get the new one.
    pub(crate) async fn token(
        &self,
        http: &reqwest::Client,
        base: &str,
        refused: Option<u64>,
        limit: Duration,
    ) -> Result<Token, NoToken> {
        let mut current = self.current.lock().await;
        let last = current.as_ref();
        if let Some(token) = last
            && refused != Some(token.number)
            && token.since.elapsed() < self.flow.lifetime.mul_f32(0.9)
        {
            return Ok(token.clone());
        }
        let number = last.map_or(0, |token| token.number) + 1;
        let renewal = last.and_then(|token| token.renewal.clone());
        let renewed = match &renewal {
            Some(renewal) => {
                let body = serde_json::json!({ self.flow.renewal_field: renewal }).to_string();
                self.ask(http, base, self.flow.renew, body.into(), limit).await.ok()
            }
            None => None,
        };
        let answer = match renewed {
            Some(answer) => answer,
            None => self.ask(http, base, self.flow.obtain, self.login.clone(), limit).await?,
        };
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let header = text(self.flow.token).map(|token| format!("{} {token}", self.flow.prefix));
        let Some(mut header) = header.and_then(|header| HeaderValue::from_str(&header).ok()) else {
            return Err(NoToken { refused: None, source: None });
        };
        header.set_sensitive(true);
        let renewal = text(self.flow.renewal).map(str::to_owned).or(renewal);
        let token = Token { header, number, renewal, since: Instant::now() };
        *current = Some(token.clone());
        Ok(token)
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        base: &str,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<Value, NoToken> {
        let failed = |error: reqwest::Error| NoToken { refused: None, source: Some(error.without_url()) };
        let request = http.post(format!("{base}{path}")).timeout(limit);
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            let refused = response.status().is_client_error().then_some(response.status());
            return Err(NoToken { refused, source: None });
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > ANSWER_LIMIT {
                return Err(NoToken { refused: None, source: None });
            }
            answer.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&answer).map_err(|_| NoToken { refused: None, source: None })
    }

    /// The secrets it holds now: the token, and what it is renewed with.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        let Ok(current) = self.current.try_lock() else { return false };
        current.as_ref().is_some_and(|token| {
            let bare =
                token.header.to_str().ok().and_then(|header| header.split_once(' ')).map(|(_, token)| token);
            [bare, token.renewal.as_deref()].into_iter().flatten().any(|secret| text.contains(secret))
        })
    }
}
