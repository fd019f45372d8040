//! Accesses and what can be had on them.

use futures_util::stream::{self, Stream};
use lastmile_core::call::{Error, Reply};
use lastmile_core::rows::RowError;
use lastmile_onapi::Client;
use lastmile_onapi::types::{Access, AccessServices, AccessSubscriptions, ListAccessesParams};
use serde::{Deserialize, Serialize};

use super::{OnApi, refused, segment};
use crate::rules::OnApiId;

impl OnApi {
    /// The access that a DHCP server's option 82 belongs to: the whole option in hexadecimal, beginning with `52`.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it is not hexadecimal; [`Outcome::Rejected`](crate::Outcome::Rejected)
    /// with status 404 when no access has it.
    pub async fn access_of_option82(&self, hex: &str) -> Result<OnApiId, Error> {
        let stranger = hex.char_indices().find(|(_, character)| !character.is_ascii_hexdigit());
        if let Some((at, _)) = stranger {
            return Err(refused(format_args!(
                "option 82 holds something else than hexadecimal digits at byte {at}"
            )));
        }
        if !hex.starts_with("52") || !hex.len().is_multiple_of(2) {
            return Err(refused("option 82 begins with 52 and has two digits for each byte"));
        }
        let option = hex.parse().map_err(|_| refused("option 82 is empty"))?;
        let reply =
            self.handle.call(|client: Client| async move { client.lookup_option82(&option).await }).await?;
        match reply.value.access_id.as_deref().map(OnApiId::try_from) {
            Some(Ok(id)) => Ok(id),
            _ => Err(reply.unfit("the answer has no id of an access")),
        }
    }

    /// Reads an access.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    pub async fn access(&self, access: &OnApiId) -> Result<Access, Error> {
        let id = segment(access)?;
        self.handle
            .call(|client: Client| async move { client.get_access(&id).await })
            .await
            .map(Reply::into_value)
    }

    /// The services that an access has or can have.
    ///
    /// # Errors
    /// The outcome of the call.
    pub async fn services(&self, access: &OnApiId) -> Result<AccessServices, Error> {
        let id = segment(access)?;
        self.handle
            .call(|client: Client| async move { client.get_services(&id).await })
            .await
            .map(Reply::into_value)
    }

    /// Your subscriptions on an access.
    ///
    /// # Errors
    /// The outcome of the call.
    pub async fn subscriptions(&self, access: &OnApiId) -> Result<AccessSubscriptions, Error> {
        let id = segment(access)?;
        self.handle
            .call(|client: Client| async move { client.get_subscriptions(&id).await })
            .await
            .map(Reply::into_value)
    }

    /// The accesses that were created or changed since a cursor, or all of them. They are read row by row, however many
    /// there are.
    ///
    /// ```no_run
    /// # use lastmile::onapi::{Changes, Cursor, OnApi};
    /// # async fn example(network: &OnApi, stored: Option<Cursor>) -> Result<Option<Cursor>, Box<dyn std::error::Error>> {
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
    /// # Errors
    /// The outcome of the call. A network without any access answers 404: see [`Changes::Nothing`].
    pub async fn accesses(&self, since: Option<&Cursor>) -> Result<Changes<Access>, Error> {
        let params = ListAccessesParams { if_modified_since: since.map(|cursor| cursor.0.clone()) };
        let call = |client: Client| async move { client.list_accesses_stream(&params).await };
        let reply = match self.handle.open(call).await {
            Ok(Some(reply)) => reply,
            Ok(None) => return Ok(Changes::NotModified),
            Err(error) if says_nothing_to_list(&error) => return Ok(Changes::Nothing),
            Err(error) => return Err(error),
        };
        let modified = reply.headers.get("last-modified").and_then(|value| value.to_str().ok());
        let cursor = modified.map(|value| Cursor(value.to_owned()));
        let rows = lastmile_core::rows::Rows::new(reply.value, self.handle.policy().body_limit);
        Ok(Changes::Rows(Box::new(ChangedRows { rows, cursor, ended: false })))
    }
}

/// A 404 on a collection means "nothing to list" when the network says so itself, with its `cause`. Any other 404, such as
/// that of a wrong address, is an error.
pub(super) fn says_nothing_to_list(error: &Error) -> bool {
    error.status().is_some_and(|status| status.as_u16() == 404) && error.message().is_some()
}

/// Where a list was read up to: the network's own `Last-Modified`, to be sent back as it came. Store it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// What has changed since a [`Cursor`].
#[derive(Debug)]
pub enum Changes<T> {
    /// Nothing.
    NotModified,
    /// The network says that it has nothing to list at all. Some say so of a path that is not in their form, too: look at
    /// [`path_habits`](super::OnApiBuilder::path_habits) before you believe it.
    Nothing,
    /// These rows.
    Rows(Box<ChangedRows<T>>),
}

/// A list that is read row by row.
#[derive(Debug)]
pub struct ChangedRows<T> {
    rows: lastmile_core::rows::Rows<T>,
    cursor: Option<Cursor>,
    ended: bool,
}

impl<T: serde::de::DeserializeOwned> ChangedRows<T> {
    /// The next row; none at the end.
    ///
    /// # Errors
    /// [`RowError::Unreadable`] costs one row and no more: the next call goes on behind it.
    pub async fn next(&mut self) -> Option<Result<T, RowError>> {
        match self.rows.next().await {
            None => {
                self.ended = true;
                None
            }
            Some(Err(error)) if !matches!(error, RowError::Unreadable(_)) => {
                self.cursor = None;
                Some(Err(error))
            }
            row => row,
        }
    }

    /// The cursor for next time: once all rows are read, and if the network gives one.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref().filter(|_| self.ended)
    }

    /// The same as a stream. The cursor is lost: use [`next`](Self::next) when you need it.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, RowError>> + Send {
        stream::unfold(self, |mut rows| async move { rows.next().await.map(|row| (row, rows)) })
    }
}
