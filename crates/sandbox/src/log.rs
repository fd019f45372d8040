//! The latest requests that a supplier received.

use std::collections::VecDeque;

use crate::received::ReceivedRequest;

/// How many requests of each supplier are kept by default.
pub(crate) const KEPT: usize = 10_000;

/// The latest requests, each with its index among all requests that arrived.
#[derive(Debug)]
pub(crate) struct RequestLog {
    kept: VecDeque<ReceivedRequest>,
    /// How many requests were kept once and are not any more.
    dropped: usize,
    limit: usize,
}

impl RequestLog {
    /// Creates a log of at most `limit` requests, and of at least one.
    pub(crate) fn new(limit: usize) -> RequestLog {
        RequestLog { kept: VecDeque::new(), dropped: 0, limit: limit.max(1) }
    }

    /// Returns an empty log with the same limit.
    pub(crate) fn emptied(&self) -> RequestLog {
        RequestLog::new(self.limit)
    }

    pub(crate) fn push(&mut self, received: ReceivedRequest) {
        if self.kept.len() == self.limit {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(received);
    }

    /// Returns how many requests arrived, which is the index of the next one.
    pub(crate) fn arrived(&self) -> usize {
        self.dropped + self.kept.len()
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut ReceivedRequest> {
        self.kept.get_mut(index.checked_sub(self.dropped)?)
    }

    pub(crate) fn last(&self) -> Option<&ReceivedRequest> {
        self.kept.back()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ReceivedRequest> {
        self.kept.iter()
    }

    /// Returns the kept requests from an index on, each with its index.
    pub(crate) fn since(&self, index: usize) -> impl Iterator<Item = (usize, &ReceivedRequest)> {
        (self.dropped..).zip(&self.kept).skip(index.saturating_sub(self.dropped))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn request(path: &str) -> ReceivedRequest {
        let (parts, ()) = http::Request::get(path).body(()).unwrap().into_parts();
        ReceivedRequest::new(&parts, Vec::new())
    }

    #[test]
    fn the_latest_requests_are_kept_with_their_indices() {
        let mut log = RequestLog::new(2);
        for path in ["/0", "/1", "/2", "/3"] {
            log.push(request(path));
        }
        let since =
            |index| log.since(index).map(|(index, one)| (index, one.path.as_str())).collect::<Vec<_>>();
        assert_eq!(since(0), [(2, "/2"), (3, "/3")]);
        assert_eq!(since(3), [(3, "/3")]);
        assert_eq!(since(9), []);
        assert_eq!((log.arrived(), log.iter().count()), (4, 2));
        assert_eq!(log.last().map(|one| one.path.as_str()), Some("/3"));
        assert!(log.get_mut(1).is_none() && log.get_mut(4).is_none());
        assert_eq!(log.get_mut(2).map(|one| one.path.clone()).as_deref(), Some("/2"));
        assert_eq!(log.emptied().arrived(), 0);
    }
}
