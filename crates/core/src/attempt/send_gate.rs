//! A request body that is not sent after a deadline.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::client::SendDeadline;
use crate::clock::Clock;

const UNREAD: u8 = 0;
const READ: u8 = 1;
const CLOSED: u8 = 2;

/// Controls whether the (non-empty) body of a request may still be passed to the connection.
///
/// The HTTP client writes a request in a task of its own. Until that task has polled the body, nothing of the request has been
/// sent; afterwards it may have been.
#[derive(Clone)]
pub(super) struct SendGate(Arc<Gate>);

struct Gate {
    deadline: SendDeadline,
    clock: Clock,
    state: AtomicU8,
}

impl SendGate {
    pub(super) fn new(deadline: SendDeadline, clock: Clock) -> Self {
        Self(Arc::new(Gate { deadline, clock, state: AtomicU8::new(UNREAD) }))
    }

    /// Closes the gate. Returns whether the body had not been passed on: if so, nothing of the request has been or will be sent.
    pub(super) fn close(&self) -> bool {
        let closed = self.0.state.compare_exchange(UNREAD, CLOSED, Ordering::AcqRel, Ordering::Acquire);
        matches!(closed, Ok(_) | Err(CLOSED))
    }

    /// Closes the gate if the deadline has passed and the body has not been passed on. Returns whether the gate is closed.
    pub(super) fn close_if_late(&self) -> bool {
        match self.0.state.load(Ordering::Acquire) {
            READ => false,
            CLOSED => true,
            _ => self.0.deadline.has_passed(&self.0.clock) && self.close(),
        }
    }

    /// Returns a request body that passes this gate. A body that was sent before a redirect does not count for the redirected
    /// request.
    pub(super) fn body(&self, bytes: Bytes) -> GatedBody {
        let _ = self.0.state.compare_exchange(READ, UNREAD, Ordering::AcqRel, Ordering::Acquire);
        GatedBody { bytes: Some(bytes), gate: self.clone() }
    }

    fn pass(&self) -> Result<(), TooLate> {
        if self.close_if_late() {
            return Err(TooLate);
        }
        match self.0.state.compare_exchange(UNREAD, READ, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(READ) => Ok(()),
            Err(_) => Err(TooLate),
        }
    }
}

/// The body of a request, in one chunk. It cannot be read once its gate is closed.
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    gate: SendGate,
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(self.gate.pass().map(|()| Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// The connection polled the body of a request after the deadline.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the deadline passed before the request was sent")]
pub(super) struct TooLate;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn gate_for(time: Duration) -> SendGate {
        let clock = Clock::default();
        SendGate::new(SendDeadline::after(time, &clock), clock)
    }

    fn frame(body: &mut GatedBody) -> Option<Result<Bytes, ()>> {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut cx) {
            Poll::Ready(frame) => {
                frame.map(|frame| frame.map(|frame| frame.into_data().unwrap()).map_err(|TooLate| ()))
            }
            Poll::Pending => panic!("the body is here"),
        }
    }

    #[test]
    fn a_body_is_handed_out_once_and_in_time() {
        let gate = gate_for(MINUTE);
        let mut body = gate.body(Bytes::from_static(b"{}"));
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(2), false));
        assert_eq!(frame(&mut body), Some(Ok(Bytes::from_static(b"{}"))));
        assert_eq!((frame(&mut body), body.is_end_stream()), (None, true));
        assert!(!gate.close() && !gate.close_if_late(), "it may have left");
    }

    #[test]
    fn a_redirected_body_passes_the_gate_anew() {
        let gate = gate_for(MINUTE);
        assert!(frame(&mut gate.body(Bytes::from_static(b"{}"))).is_some_and(|frame| frame.is_ok()));
        let mut again = gate.body(Bytes::from_static(b"{}"));
        assert!(gate.close());
        assert_eq!(frame(&mut again), Some(Err(())));
    }

    #[test]
    fn a_body_that_is_asked_for_too_late_stays() {
        let gate = gate_for(Duration::ZERO);
        assert_eq!(frame(&mut gate.body(Bytes::from_static(b"{}"))), Some(Err(())));
        assert!(gate.close() && gate.close_if_late());

        let gate = gate_for(MINUTE);
        assert!(!gate.close_if_late() && gate.close());
        assert_eq!(frame(&mut gate.body(Bytes::from_static(b"{}"))), Some(Err(())), "the caller gave up");
    }
}
