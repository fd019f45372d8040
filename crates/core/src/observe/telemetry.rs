use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use tracing::Span;

use super::{Observer, WaitReason, WaitReport};
use crate::operation::Operation;

/// The outcome of a call, attempt or token request with a usable response.
pub(crate) const ANSWERED: &str = "answered";

/// The outcome of a call or token request that is dropped.
pub(crate) const DROPPED: &str = "dropped";

/// Records in a span how it ended: the outcome, the status code of the response if there is one (subscribers would print an empty
/// value for `None`) and, if it `failed`, its `error.type`.
pub(crate) fn record_end(span: &Span, status: Option<StatusCode>, outcome: &str, failed: bool) {
    if let Some(status) = status {
        span.record("http.response.status_code", status.as_u16());
    }
    span.record("outcome", outcome);
    if failed {
        let error = status.as_ref().filter(|status| status.is_client_error() || status.is_server_error());
        span.record("error.type", error.map_or(outcome, StatusCode::as_str));
        span.record("otel.status_code", "ERROR");
    }
}

/// What the spans and reports of all calls to one server share.
#[derive(Clone)]
pub(crate) struct Telemetry {
    pub(crate) api: &'static str,
    pub(crate) server_address: String,
    pub(crate) server_port: u16,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Telemetry {
    pub(crate) fn new(api: &'static str, base_url: &Url, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { api, server_address: String::new(), server_port: 0, observer }.at(base_url)
    }

    /// Returns the same telemetry for another server.
    pub(crate) fn at(&self, base_url: &Url) -> Self {
        let host = base_url.host_str().unwrap_or_default();
        Self {
            // An IPv6 address has brackets only inside a URL.
            server_address: host.trim_matches(['[', ']']).to_owned(),
            server_port: base_url.port_or_known_default().unwrap_or_default(),
            ..self.clone()
        }
    }

    pub(crate) fn report_wait(&self, operation: &'static Operation, reason: WaitReason, elapsed: Duration) {
        if let Some(observer) = &self.observer {
            observer.on_wait_end(&WaitReport { api: self.api, operation, reason, elapsed });
        }
    }
}
