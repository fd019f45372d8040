//! Changes that were sent without a response, and that the server may still process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Request};
use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::retry::FAR_FUTURE;

/// The changes of a client's calls that were sent and not answered.
///
/// A server may process such a change long after the call has ended, and thereby silently undo a newer change of the same object.
/// A newer change with other values therefore waits until the older one has settled.
#[derive(Debug, Default)]
pub(crate) struct UnansweredChanges {
    /// Whether there are any changes, so that most calls need no lock.
    some: AtomicBool,
    changes: Mutex<Vec<Change>>,
    clock: Clock,
}

#[derive(Debug)]
struct Change {
    method: Method,
    path: String,
    body: Bytes,
    /// The time after which the server no longer processes the change.
    settled: Instant,
    /// Whether a later request with the same change succeeded.
    is_confirmed: bool,
}

impl UnansweredChanges {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    fn changes(&self) -> MutexGuard<'_, Vec<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to send a change. When the returned value is dropped without [`PendingChange::answered`], the change counts as
    /// unanswered, and the server may process it for another `settle_time`. Returns `None` for a request that creates something,
    /// since no newer request can contradict it.
    pub(crate) fn begin(&self, request: &Request, settle_time: Duration) -> Option<PendingChange<'_>> {
        if *request.method() == Method::POST {
            return None;
        }
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let body = Bytes::copy_from_slice(body(request));
        let settled = self.clock.instant();
        Some(PendingChange {
            changes: self,
            settle_time,
            change: Some(Box::new(Change { method, path, body, settled, is_confirmed: false })),
        })
    }

    /// Returns how long the server may still process unanswered changes of an object or of a part of it; `None` if there are
    /// none. Changes that were confirmed since, and changes with the body `except`, do not count.
    pub(crate) fn unsettled_below(&self, path: &str, except: &[u8]) -> Option<Duration> {
        let now = self.clock.instant();
        let changes = self.changes();
        let path = path.trim_end_matches('/');
        let is_below = |other: &str| {
            other
                .find(path)
                .is_some_and(|at| matches!(other[at + path.len()..].chars().next(), None | Some('/')))
        };
        let unsettled = changes
            .iter()
            .filter(|change| !change.is_confirmed && change.body != except && is_below(&change.path));
        unsettled
            .filter_map(|change| change.settled.checked_duration_since(now))
            .max()
            .filter(|wait| !wait.is_zero())
    }

    /// Returns how long a request has to wait because an older change of the same object contradicts it; `None` if it need not
    /// wait.
    pub(crate) fn wait(&self, request: &Request) -> Option<Duration> {
        if !self.some.load(Ordering::Acquire) {
            return None;
        }
        let now = self.clock.instant();
        let mut changes = self.changes();
        changes.retain(|change| change.settled > now);
        self.some.store(!changes.is_empty(), Ordering::Release);
        let contradicted = changes.iter().filter(|change| change.contradicts(request));
        contradicted.map(|change| change.settled - now).max()
    }
}

/// A change that is being sent.
pub(crate) struct PendingChange<'a> {
    changes: &'a UnansweredChanges,
    settle_time: Duration,
    change: Option<Box<Change>>,
}

impl PendingChange<'_> {
    /// Records that the change was answered or never sent. A successful response confirms the change: an earlier attempt that the
    /// server processes later has no further effect, unless a newer change came between them.
    pub(crate) fn answered(mut self, with_success: bool) {
        if let Some(change) = self.change.take().filter(|_| with_success)
            && self.changes.some.load(Ordering::Acquire)
        {
            let mut changes = self.changes.changes();
            changes
                .iter_mut()
                .filter(|other| other.is_same(&change))
                .for_each(|other| other.is_confirmed = true);
        }
    }
}

impl Drop for PendingChange<'_> {
    fn drop(&mut self) {
        if let Some(change) = self.change.take() {
            let settled = self.changes.clock.instant() + self.settle_time.min(FAR_FUTURE);
            let mut changes = self.changes.changes();
            changes.retain(|other| !other.is_same(&change));
            changes.push(Change { settled, ..*change });
            self.changes.some.store(true, Ordering::Release);
        }
    }
}

impl Change {
    fn is_same(&self, other: &Self) -> bool {
        (&self.method, &self.path, &self.body) == (&other.method, &other.path, &other.body)
    }

    /// Returns whether the object would differ if the server processed this change after the request.
    fn contradicts(&self, request: &Request) -> bool {
        if self.path != request.url().path() || *request.method() == Method::DELETE {
            return false;
        }
        let newer = body(request);
        if self.method == *request.method() && self.body == newer {
            return false;
        }
        if self.method != Method::PATCH || *request.method() != Method::PATCH {
            return true;
        }
        let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
        json(&self.body).zip(json(newer)).is_none_or(|(older, newer)| differ(&older, &newer))
    }
}

/// Returns whether two merge patches set a field to different values.
fn differ(older: &Value, newer: &Value) -> bool {
    match (older, newer) {
        (Value::Object(older), Value::Object(newer)) => {
            older.iter().any(|(field, value)| newer.get(field).is_some_and(|other| differ(value, other)))
        }
        (older, newer) => older != newer,
    }
}

fn body(request: &Request) -> &[u8] {
    request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(300);

    fn request(method: Method, path: &str, body: &str) -> Request {
        let mut request = Request::new(method, format!("http://127.0.0.1{path}").parse().unwrap());
        *request.body_mut() = Some(body.to_owned().into());
        request
    }

    fn waits(older: (Method, &str, &str), newer: (Method, &str, &str)) -> bool {
        let changes = UnansweredChanges::default();
        let [older, newer] = [older, newer].map(|(method, path, body)| request(method, path, body));
        drop(changes.begin(&older, SETTLE));
        changes.wait(&newer).is_some_and(|wait| wait > SETTLE / 2)
    }

    #[test]
    fn what_an_older_change_would_undo_waits_for_it() {
        let patch = |body| (Method::PATCH, "/orders/1", body);
        assert!(waits(patch(r#"{"a":1}"#), patch(r#"{"a":2}"#)));
        assert!(waits(patch(r#"{"a":{"b":1,"c":1}}"#), patch(r#"{"a":{"b":2}}"#)));
        assert!(waits(patch(r#"{"a":null}"#), patch(r#"{"a":{"b":2}}"#)));
        assert!(waits((Method::PUT, "/orders/1", r#"{"a":1}"#), patch(r#"{"b":1}"#)));
        assert!(waits(patch(r#"{"b":1}"#), (Method::PUT, "/orders/1", r#"{"a":1}"#)));
        assert!(waits((Method::DELETE, "/orders/1", ""), patch(r#"{"b":1}"#)));
        assert!(waits(patch("not JSON"), patch(r#"{"b":1}"#)));
    }

    #[test]
    fn what_an_older_change_leaves_alone_does_not_wait() {
        let patch = |body| (Method::PATCH, "/orders/1", body);
        assert!(!waits(patch(r#"{"a":1}"#), patch(r#"{"a":1}"#)), "the same change again");
        assert!(!waits(patch(r#"{"a":{"b":1}}"#), patch(r#"{"a":{"c":2},"d":3}"#)));
        assert!(!waits(patch(r#"{"a":1}"#), (Method::PATCH, "/orders/2", r#"{"a":2}"#)));
        assert!(!waits(patch(r#"{"a":1}"#), (Method::DELETE, "/orders/1", "")), "then there is no object");
        assert!(!waits((Method::POST, "/orders/1", "{}"), patch(r#"{"a":2}"#)));
    }

    #[test]
    fn an_answered_change_is_not_noted() {
        let changes = UnansweredChanges::default();
        changes.begin(&request(Method::PATCH, "/orders/1", r#"{"a":1}"#), SETTLE).unwrap().answered(false);
        assert_eq!(changes.wait(&request(Method::PATCH, "/orders/1", r#"{"a":2}"#)), None);
    }

    #[test]
    fn an_object_is_unsettled_while_a_change_of_a_part_of_it_is_unanswered() {
        let changes = UnansweredChanges::default();
        let change = request(Method::PATCH, "/api/orders/1/endpoints/2/", r#"{"reference":"a"}"#);
        assert_eq!(changes.unsettled_below("/orders/1/", b""), None);
        drop(changes.begin(&change, SETTLE));
        assert!(changes.unsettled_below("/orders/1/", b"").is_some_and(|wait| wait > SETTLE / 2));
        assert_eq!(changes.unsettled_below("/orders/12/", b""), None);
        assert_eq!(changes.unsettled_below("/orders/2/", b""), None);
        assert_eq!(changes.unsettled_below("/orders/1/", br#"{"reference":"a"}"#), None, "its own");
        changes.begin(&change, SETTLE).unwrap().answered(true);
        assert_eq!(changes.unsettled_below("/orders/1/", b""), None, "carried out again, it changes nothing");
        assert!(
            changes
                .wait(&request(Method::PATCH, "/api/orders/1/endpoints/2/", r#"{"reference":"b"}"#))
                .is_some()
        );
    }

    #[test]
    fn a_change_is_forgotten_once_it_has_settled() {
        let changes = UnansweredChanges::default();
        drop(changes.begin(&request(Method::PATCH, "/orders/1", r#"{"a":1}"#), Duration::ZERO));
        assert_eq!(changes.wait(&request(Method::PATCH, "/orders/1", r#"{"a":2}"#)), None);
        assert!(!changes.some.load(Ordering::Acquire) && changes.changes().is_empty());
    }
}
