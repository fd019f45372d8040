//! The bodies of responses as they are sent.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::rows::Rows;

/// The body of a response.
pub(crate) enum ResponseBody {
    /// A complete body. Empty once it has been sent.
    Full(Bytes),
    /// Chunks that are produced when the connection can send them.
    Chunks(Box<dyn Iterator<Item = Bytes> + Send>),
    /// Chunks as a task sends them. The body ends when the sender is dropped.
    Channel(mpsc::Receiver<Bytes>),
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut *self {
            ResponseBody::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then_some(bytes)
            }
            ResponseBody::Chunks(chunks) => chunks.next(),
            ResponseBody::Channel(receiver) => std::task::ready!(receiver.poll_recv(context)),
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, ResponseBody::Full(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ResponseBody::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            ResponseBody::Chunks(_) | ResponseBody::Channel(_) => SizeHint::default(),
        }
    }
}

/// Returns a response as it is sent: a list that is generated while it is sent becomes chunks.
pub(crate) fn into_sent(mut response: Response<Bytes>) -> Response<ResponseBody> {
    match response.extensions_mut().remove::<Rows>() {
        Some(rows) => response.map(|_| ResponseBody::Chunks(Box::new(rows.chunks()))),
        None => response.map(ResponseBody::from),
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> ResponseBody {
        ResponseBody::Full(bytes)
    }
}
