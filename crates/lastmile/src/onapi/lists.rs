//! Long lists, read row by row, and the changes in them since a cursor.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Stream, StreamExt as _};
use lastmile_core::Error;
use lastmile_core::reqwest::StatusCode;
use lastmile_core::reqwest::header::HeaderMap;
use lastmile_core::rows::{RowError, Rows};
use lastmile_core::wire::{Lenient, Timestamp};
use lastmile_onapi::types::{
    Access, AccessServices, AccessSubscriptions, ListAccessesParams, ListEventsParams, ListServicesParams,
    ListSubscriptionsParams, ObjectEvent, Subscription,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::dialect::ListedIn;
use super::{EndpointName, OnApi, refused};
use crate::redact;

impl OnApi {
    /// Returns the accesses that were created or changed since a cursor, or all accesses. The rows are decoded one by one, so
    /// the length of the list does not matter.
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
    /// The list does not show deleted accesses; see [`sync`](Self::sync).
    ///
    /// # Errors
    /// Returns the error of the call. A network without any access returns status 404 with a cause, which is not an error but
    /// [`Changes::Nothing`].
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

    /// Returns the services of all accesses, or of the accesses whose services changed since a cursor.
    ///
    /// Before ON-API 2.6 these are the rows of [`accesses`](Self::accesses), which list the services in short: each with its
    /// dates only. The other fields of such an access are in `extra`.
    ///
    /// # Errors
    /// Returns the same errors as [`accesses`](Self::accesses).
    #[doc(alias = "listServices")]
    #[doc(alias = "GET /services/")]
    pub async fn all_services(&self, since: Option<&Cursor>) -> Result<Changes<AccessServices>, Error> {
        self.changes(since, self.open_services(since).await)
    }

    pub(super) async fn open_services(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Option<Rows<AccessServices>>, Error> {
        if self.lists_in_access(EndpointName::Services) {
            // Each row of the accesses has the services of the access, in short.
            let rows = self.open_accesses(since).await?;
            return Ok(rows.map(Rows::decode_as));
        }
        let params = ListServicesParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Services)?;
        if_modified(client.list_services_rows(&params).await)
    }

    /// Returns your subscriptions on all accesses, or on the accesses whose subscriptions changed since a cursor. Networks have
    /// this list from ON-API 2.6 on; see [`flat_subscriptions`](Self::flat_subscriptions).
    ///
    /// # Errors
    /// Returns the same errors as [`accesses`](Self::accesses), and [`Outcome::Invalid`](crate::Outcome::Invalid) for a network
    /// whose list has one row for each subscription.
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
        if self.has_flat_subscriptions() {
            let dialect = self.dialect_of(EndpointName::Subscriptions);
            return Err(refused(format_args!(
                "subscriptions: a network that speaks {dialect} lists one subscription in each row: use \
                 `flat_subscriptions`, and `Subscription` to synchronize"
            )));
        }
        self.open_subscription_rows(since).await
    }

    /// Returns your subscriptions, one in each row with the id of its access, or the subscriptions that were created or changed
    /// since a cursor. Networks have this list before ON-API 2.6; see [`all_subscriptions`](Self::all_subscriptions).
    ///
    /// # Errors
    /// Returns the same errors as [`accesses`](Self::accesses), and [`Outcome::Invalid`](crate::Outcome::Invalid) for a network
    /// whose list has one row for each access.
    #[doc(alias = "listSubscriptions")]
    #[doc(alias = "GET /subscriptions/")]
    pub async fn flat_subscriptions(&self, since: Option<&Cursor>) -> Result<Changes<Subscription>, Error> {
        self.changes(since, self.open_flat_subscriptions(since).await)
    }

    pub(super) async fn open_flat_subscriptions(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Option<Rows<Subscription>>, Error> {
        if !self.has_flat_subscriptions() {
            let dialect = self.dialect_of(EndpointName::Subscriptions);
            return Err(refused(format_args!(
                "subscriptions: a network that speaks {dialect} lists the subscriptions of an access in each row: use \
                 `all_subscriptions`, and `AccessSubscriptions` to synchronize"
            )));
        }
        let rows = self.open_subscription_rows(since).await?;
        Ok(rows.map(Rows::decode_as))
    }

    async fn open_subscription_rows(
        &self,
        since: Option<&Cursor>,
    ) -> Result<Option<Rows<AccessSubscriptions>>, Error> {
        let params = ListSubscriptionsParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let client = self.endpoint_client(EndpointName::Subscriptions)?;
        if_modified(client.list_subscriptions_rows(&params).await)
    }

    fn has_flat_subscriptions(&self) -> bool {
        self.dialect_of(EndpointName::Subscriptions).traits().listed_in == ListedIn::Access
    }

    /// Returns the events of objects of all kinds since a cursor, or all events that the network still keeps. A network keeps
    /// events for at least 24 hours. (Source: ON-API 2.6, events.)
    ///
    /// # Errors
    /// Returns the same errors as [`accesses`](Self::accesses).
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

/// Returns the response to a conditional request, or `None` if it is "not modified".
pub(super) fn if_modified<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_not_modified() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether an error is the network's own 404 response on a collection, with a `cause`, which means "nothing to list".
/// Any other 404, such as that of a wrong address, is an error.
pub(super) fn says_nothing_to_list(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 404) && error.is_in_supplier_format()
}

/// The `Last-Modified` value of a list, which the next request sends back unchanged. Store it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Cursor(pub(super) String);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        redact::text(deserializer).map(Self)
    }
}

impl Cursor {
    /// Returns the cursor from the `Last-Modified` header of a response.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let modified = headers.get("last-modified").and_then(|value| value.to_str().ok());
        modified.map(|value| Self(value.to_owned()))
    }

    /// Returns the time of the cursor, in seconds since 1970, if it is an HTTP date.
    pub(super) fn at(&self) -> Option<u64> {
        let time: Lenient<Timestamp> = serde_json::from_value(self.0.as_str().into()).ok()?;
        time.get()?.at().timestamp().try_into().ok()
    }
}

/// The changes since a [`Cursor`].
///
/// `Debug` does not show text from the network.
pub enum Changes<T> {
    /// Nothing has changed since the cursor.
    NotModified,
    /// The network reports with status 404 and a cause that it has nothing to list at all. Some networks also report this for a
    /// path in the wrong style: check [`path_style`](super::OnApiBuilder::path_style) before you rely on it. A 404 without a
    /// cause, such as that of a wrong address, is an error.
    Nothing {
        /// The cause, as the network states it.
        cause: String,
    },
    /// The rows that were created or changed.
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

/// A [`Stream`] of the rows of a list, decoded one by one, with the [`cursor`](Self::cursor) after it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ChangedRows<T> {
    rows: Rows<T>,
    /// The cursor that the request was sent with.
    since: Option<Cursor>,
    /// The cursor that the response gives.
    cursor: Option<Cursor>,
    /// Whether the status is 200. Other success statuses (202, 203, 207) do not guarantee that the list is the network's own
    /// and complete.
    is_ok: bool,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    /// The list broke off, or the response was not a list. What was not read is not known.
    Broken,
    Whole,
}

impl<T: DeserializeOwned + Send + 'static> ChangedRows<T> {
    fn seen(&mut self, row: Option<&Result<T, RowError>>) {
        match row {
            None if self.end == End::NotYet => self.end = End::Whole,
            Some(Err(error)) if !matches!(error, RowError::Unreadable(_)) => self.end = End::Broken,
            None | Some(_) => {}
        }
    }

    /// Returns whether the response was read to its end, has status 200 and is a JSON list. Returns `false` while rows remain,
    /// after an error that ended the list, for an empty response (`null`, `""`, status 204), for a single object instead of a
    /// list, and for another success status, such as 202, 203 or 207.
    pub fn is_whole_list(&self) -> bool {
        self.is_ok && self.is_list_to_end()
    }

    /// Returns whether the response was read to its end and is a JSON list, whatever its status.
    pub(super) fn is_list_to_end(&self) -> bool {
        self.end == End::Whole && self.rows.is_array()
    }

    /// Returns the cursor for the next request, once all rows are read and if the network gives one. After a response without
    /// an error that is [not a whole list](Self::is_whole_list), returns the cursor that the request was sent with. After a
    /// list that broke off, returns `None`. A row that cannot be decoded does not affect the cursor, because the stream
    /// returned its error.
    pub fn cursor(&self) -> Option<&Cursor> {
        match self.end {
            End::Whole if self.is_whole_list() => self.cursor.as_ref(),
            End::Whole => self.since.as_ref(),
            End::NotYet | End::Broken => None,
        }
    }
}

/// To use the cursor afterwards, borrow the rows: `(&mut rows).map(…)`.
///
/// # Errors
/// Returns [`RowError::Unreadable`] for a row that cannot be decoded; when polled again, the stream continues after that row.
impl<T: DeserializeOwned + Send + 'static> Stream for ChangedRows<T> {
    type Item = Result<T, RowError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let row = ready!(self.rows.poll_next_unpin(cx));
        self.seen(row.as_ref());
        Poll::Ready(row)
    }
}
