//! Lists that arrive in one response.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::vec;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::Error;
use lastmile_core::wire::Lenient;

/// A list that arrives in one response. It is a [`Stream`] of its elements, and a future that resolves to all of them.
///
/// The request is sent when the list is first polled or awaited. An element that cannot be decoded is a [`Lenient`] without a
/// value. The stream ends after an error.
///
/// ```no_run
/// use lastmile::{StreamExt as _, TryStreamExt as _};
///
/// # async fn example(covage: &lastmile::covage::Covage) -> lastmile::Result<()> {
/// // All at once:
/// let contacts = covage.contacts().await?;
/// println!("{} contacts", contacts.len());
///
/// // Or as a stream, as every other list:
/// let mut contacts = covage.contacts();
/// while let Some(contact) = contacts.next().await {
///     println!("{:?}", contact?.get().and_then(|contact| contact.contact_uuid.get()));
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list sends no request until it is polled or awaited"]
pub struct List<T> {
    state: State<T>,
}

enum State<T> {
    // The mutex is never locked. It makes `List` implement `Sync`.
    Requested(Mutex<BoxFuture<'static, Result<Vec<Lenient<T>>, Error>>>),
    Arrived(vec::IntoIter<Lenient<T>>),
}

impl<T> List<T> {
    pub(crate) fn new(
        request: impl Future<Output = Result<Vec<Lenient<T>>, Error>> + Send + 'static,
    ) -> Self {
        Self { state: State::Requested(Mutex::new(request.boxed())) }
    }

    /// Creates a list from a response that has already arrived.
    #[cfg(feature = "onapi")]
    pub(crate) fn arrived(elements: Vec<Lenient<T>>) -> Self {
        Self { state: State::Arrived(elements.into_iter()) }
    }
}

// Elements are returned by value and are never pinned.
impl<T> Unpin for List<T> {}

impl<T> Stream for List<T> {
    type Item = Result<Lenient<T>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut self.state {
                State::Requested(request) => {
                    let (elements, error) = match ready!(
                        request.get_mut().unwrap_or_else(PoisonError::into_inner).poll_unpin(cx)
                    ) {
                        Ok(elements) => (elements, None),
                        Err(error) => (Vec::new(), Some(error)),
                    };
                    self.state = State::Arrived(elements.into_iter());
                    if let Some(error) = error {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                State::Arrived(elements) => return Poll::Ready(elements.next().map(Ok)),
            }
        }
    }
}

/// Resolves to all elements that the stream has not yet returned.
impl<T: Send + 'static> IntoFuture for List<T> {
    type Output = Result<Vec<Lenient<T>>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        match self.state {
            State::Requested(request) => request.into_inner().unwrap_or_else(PoisonError::into_inner),
            State::Arrived(elements) => std::future::ready(Ok(elements.collect())).boxed(),
        }
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = match &self.state {
            State::Requested(_) => None,
            State::Arrived(elements) => Some(elements.len()),
        };
        f.debug_struct("List").field("left", &left).finish_non_exhaustive()
    }
}
