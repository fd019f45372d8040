use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use progenitor_client::ByteStream;

use super::attempt::Failure;
use super::error::{Error, Outcome};
use super::execute::Context;

/// The body of an answer, read as it comes.
pub struct Body {
    stream: ByteStream,
    idle: Duration,
    context: Context,
}

impl Body {
    pub(super) fn new(stream: ByteStream, context: Context) -> Self {
        Self { stream, idle: context.idle(), context }
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`Outcome::Unknown`] when the connection breaks, or says nothing for longer than the policy's `idle`.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        let failure = match tokio::time::timeout(self.idle, self.stream.next()).await {
            Ok(chunk) => match chunk? {
                Ok(chunk) => return Some(Ok(chunk)),
                Err(error) => Failure {
                    source: Some(error.without_url()),
                    ..Failure::of(Outcome::Unknown, "the answer broke off")
                },
            },
            Err(_) => Failure::of(
                Outcome::Unknown,
                format!("the answer stood still for {} ms", self.idle.as_millis()),
            ),
        };
        Some(Err(self.context.broken(failure)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
