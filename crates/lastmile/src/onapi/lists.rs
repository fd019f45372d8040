//! Long lists: read row by row, and what has changed in them since last time.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt as _};
use lastmile_core::Error;
use lastmile_core::reqwest::StatusCode;
use lastmile_core::reqwest::header::HeaderMap;
use lastmile_core::rows::{RowError, Rows};
use lastmile_onapi::types::{
    Access, AccessServices, AccessSubscriptions, ListAccessesParams, ListEventsParams, ListServicesParams,
    ListSubscriptionsParams, ObjectEvent,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::{EndpointName, OnApi};
use crate::quiet;

impl OnApi {
    /// The accesses that were created or changed since a cursor, or all of them. They are read row by row, however many
    /// there are.
    ///
    /// ```no_run
    /// use lastmile::StreamExt as _;
    /// # use lastmile::onapi::{Changes, Cursor, OnApi};
    ///
    /// # async fn example(network: &OnApi, stored: Option<Cursor>) -> lastmile::Result<Option<Cursor>> {
    /// let Changes::Rows(mut rows) = network.accesses(stored.as_ref()).await? else {
    ///     return Ok(stored); // nothing has changed
    /// };
    /// while let Some(access) = rows.next().await {
    ///     println!("{:?}", access?.access_id.get());
    /// }
    /// Ok(rows.cursor().cloned()) // for next time, now that all rows are read
    /// # }
    /// ```
    ///
    /// What was deleted is not among them: see [`sync`](Self::sync).
    ///
    /// # Errors
    /// The outcome of the call. A network without any access answers 404: see [`Changes::Nothing`].
    #[doc(alias = "listAccesses")]
    #[doc(alias = "GET /accesses/")]
    pub async fn accesses(&self, since: Option<&Cursor>) -> Result<Changes<Access>, Error> {
        self.changes(since, self.open_accesses(since).await)
    }

    pub(super) async fn open_accesses(&self, since: Option<&Cursor>) -> Result<Option<Rows<Access>>, Error> {
        let params = ListAccessesParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Accesses)?;
        if_modified(client.list_accesses_rows(&params).await)
    }

    /// The services of all accesses, or of those where they changed since a cursor.
    ///
    /// # Errors
    /// As those of [`accesses`](Self::accesses).
    #[doc(alias = "listServices")]
    #[doc(alias = "GET /services/")]
    pub async fn all_services(&self, since: Option<&Cursor>) -> Result<Changes<AccessServices>, Error> {
        self.changes(since, self.open_services(since).await)
    }

    pub(super) async fn open_services(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Option<Rows<AccessServices>>, Error> {
        let params = ListServicesParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Services)?;
        if_modified(client.list_services_rows(&params).await)
    }

    /// Your subscriptions on all accesses, or on those where they changed since a cursor.
    ///
    /// # Errors
    /// As those of [`accesses`](Self::accesses).
    #[doc(alias = "listSubscriptions")]
    #[doc(alias = "GET /subscriptions/")]
    pub async fn all_subscriptions(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Changes<AccessSubscriptions>, Error> {
        self.changes(since, self.open_subscriptions(since).await)
    }

    pub(super) async fn open_subscriptions(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Option<Rows<AccessSubscriptions>>, Error> {
        let params = ListSubscriptionsParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Subscriptions)?;
        if_modified(client.list_subscriptions_rows(&params).await)
    }

    /// What became of objects of all kinds since a cursor, or as far back as the network remembers, which is 24 hours at
    /// least. (Source: ON-API 2.6, events.)
    ///
    /// # Errors
    /// As those of [`accesses`](Self::accesses).
    #[doc(alias = "listEvents")]
    #[doc(alias = "GET /events/")]
    pub async fn object_events(&self, since: Option<&Cursor>) -> Result<Changes<ObjectEvent>, Error> {
        let params = ListEventsParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Events)?;
        self.changes(since, if_modified(client.list_events_rows(&params).await))
    }

    pub(super) fn changes<T: DeserializeOwned + Send + 'static>(
        &self,
        since: Option<&Cursor>,
        opened: Result<Option<Rows<T>>, Error>,
    ) -> Result<Changes<T>, Error> {
        let rows = match opened {
            Ok(Some(rows)) => rows,
            Ok(None) => return Ok(Changes::NotModified),
            Err(error) if says_nothing_to_list(&error) => {
                return Ok(Changes::Nothing { cause: error.message().unwrap_or_default().to_owned() });
            }
            Err(error) => return Err(error),
        };
        let (cursor, is_ok) = (Cursor::of(rows.headers()), rows.status() == StatusCode::OK);
        Ok(Changes::Rows(Box::new(ChangedRows {
            rows,
            since: since.cloned(),
            cursor,
            is_ok,
            end: End::NotYet,
        })))
    }
}

/// The answer to a question for what has changed; none when nothing has.
pub(super) fn if_modified<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_modified() => Ok(None),
        Err(error) => Err(error),
    }
}

/// A 404 on a collection means "nothing to list" when the network says so itself, with its `cause`. Any other 404, such as
/// that of a wrong address, is an error.
pub(super) fn says_nothing_to_list(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 404) && error.is_in_supplier_format()
}

/// Where a list was read up to: the network's own `Last-Modified`, to be sent back as it came. Store it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(pub(super) String);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        quiet::text(deserializer).map(Self)
    }
}

impl Cursor {
    /// What an answer says about when its list was modified last.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let modified = headers.get("last-modified").and_then(|value| value.to_str().ok());
        modified.map(|value| Self(value.to_owned()))
    }
}

/// What has changed since a [`Cursor`].
///
/// `Debug` does not show the network's words.
pub enum Changes<T> {
    /// Nothing.
    NotModified,
    /// The network itself says that it has nothing to list at all, by a status 404 with a cause. Some say so of a path that is
    /// not in their form, too: look at [`path_style`](super::OnApiBuilder::path_style) before you believe it. A 404 without a
    /// cause, such as that of a wrong address, is an error.
    Nothing {
        /// In the network's own words.
        cause: String,
    },
    /// These rows.
    Rows(Box<ChangedRows<T>>),
}

impl<T: fmt::Debug> fmt::Debug for Changes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotModified => f.write_str("NotModified"),
            Self::Nothing { .. } => f.debug_struct("Nothing").finish_non_exhaustive(),
            Self::Rows(rows) => f.debug_tuple("Rows").field(rows).finish(),
        }
    }
}

/// A [`Stream`] of the rows of a list that is read row by row, and the [`cursor`](Self::cursor) after it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ChangedRows<T> {
    rows: Rows<T>,
    /// The cursor that was asked with.
    since: Option<Cursor>,
    /// The one that the answer gives.
    cursor: Option<Cursor>,
    /// Whether the status is 200. Others of success (202, 203, 207) do not say that the list is the network's own and whole.
    is_ok: bool,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    /// The list broke off, or was none: nothing says what was not read.
    Broken,
    Whole,
}

impl<T: DeserializeOwned + Send + 'static> ChangedRows<T> {
    fn seen(&mut self, row: Option<Result<T, RowError>>) -> Option<Result<T, RowError>> {
        match &row {
            None if self.end == End::NotYet => self.end = End::Whole,
            Some(Err(error)) if !matches!(error, RowError::Unreadable(_)) => self.end = End::Broken,
            None => {}
            Some(_) => {}
        }
        row
    }

    /// Whether the whole answer was read, has status 200 and is a JSON list. Not so while rows remain, after an error that
    /// ended it, for an answer that says nothing (`null`, `""`, status 204) or has one object in place of the list, and for
    /// another status of success, such as 202, 203 or 207.
    pub fn is_whole_list(&self) -> bool {
        self.is_ok && self.is_list_to_end()
    }

    /// Whether the whole answer was read and is a JSON list, whatever its status.
    pub(super) fn is_list_to_end(&self) -> bool {
        self.end == End::Whole && self.rows.is_array()
    }

    /// The cursor for next time, if the network gives one: once all rows are read. After an answer that is
    /// [no list](Self::is_whole_list) but no error either, it is the one that was asked with; after a list that broke off
    /// there is none. A row that cannot be read does not hold it back, since its error was returned.
    pub fn cursor(&self) -> Option<&Cursor> {
        match self.end {
            End::Whole if self.is_whole_list() => self.cursor.as_ref(),
            End::Whole => self.since.as_ref(),
            End::NotYet | End::Broken => None,
        }
    }
}

/// Keep the rows when you need their cursor: `(&mut rows).map(…)`.
///
/// # Errors
/// [`RowError::Unreadable`] costs one row: polled again, the stream goes on after it.
impl<T: DeserializeOwned + Send + 'static> Stream for ChangedRows<T> {
    type Item = Result<T, RowError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let row = ready!(self.rows.poll_next_unpin(cx));
        Poll::Ready(self.seen(row))
    }
}
