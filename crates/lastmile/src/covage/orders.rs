//! Orders as the supplier holds them.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};
use lastmile_core::call::{Error, Reply};
use lastmile_core::wire::Loose;
use lastmile_covage::Client;
use lastmile_covage::types::{ListOrdersParams, Order};

use super::{Covage, segment};

/// How many orders a page has.
const PAGE: i64 = 50;

impl Covage {
    /// Reads an order.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    pub async fn order(&self, uuid: &str) -> Result<Order, Error> {
        let uuid = segment("the order's id", uuid)?;
        self.handle
            .call(|client: Client| async move { client.get_order(&uuid).await })
            .await
            .map(Reply::into_value)
    }

    /// The orders that a filter lets through, page by page as they are asked for. `limit` is the size of a page, and
    /// `offset` where to begin.
    ///
    /// ```no_run
    /// # use lastmile::covage::{Covage, types::ListOrdersParams};
    /// # async fn example(covage: &Covage) -> Result<(), lastmile::Error> {
    /// let newest = ListOrdersParams { sort: Some("-creation_date".into()), ..Default::default() };
    /// let mut orders = covage.orders(newest);
    /// while let Some(order) = orders.next().await {
    ///     println!("{:?}", order?.get().and_then(|order| order.status.get().cloned()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn orders(&self, filter: ListOrdersParams) -> Orders {
        Orders { covage: self.clone(), filter, page: VecDeque::new(), total: None, done: false }
    }
}

/// A list of orders that is read page by page.
#[derive(Debug)]
pub struct Orders {
    covage: Covage,
    filter: ListOrdersParams,
    page: VecDeque<Loose<Order>>,
    total: Option<u64>,
    done: bool,
}

impl Orders {
    /// The next order; none at the end. An order that cannot be read is a `Loose` without a value.
    ///
    /// # Errors
    /// The outcome of reading a page. The same page is asked for again at the next call.
    pub async fn next(&mut self) -> Option<Result<Loose<Order>, Error>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.turn().await
        {
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }

    /// How many orders there are altogether, by the supplier's word (`X-Total-Count`); known once a page has been read.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Loose<Order>, Error>> + Send {
        stream::unfold(self, |mut orders| async move { orders.next().await.map(|order| (order, orders)) })
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let limit = self.filter.limit.unwrap_or(PAGE).max(1);
        let offset = self.filter.offset.unwrap_or(0);
        let params = ListOrdersParams { limit: Some(limit), offset: Some(offset), ..self.filter.clone() };
        let call = |client: Client| async move { client.list_orders(&params).await };
        let reply = self.covage.handle.call(call).await?;
        self.total =
            reply.headers.get("x-total-count").and_then(|total| total.to_str().ok()?.trim().parse().ok());
        let page: VecDeque<_> = reply.value.into_iter().collect();
        let read = i64::try_from(page.len()).unwrap_or(i64::MAX);
        let next = offset.saturating_add(read);
        // A page may be shorter than asked for, since no source states how long it may be: the total tells, where given.
        self.done = match self.total {
            Some(total) => read == 0 || u64::try_from(next).is_ok_and(|next| next >= total),
            // Without it, only an empty page is the end.
            None => read == 0,
        };
        self.filter.offset = Some(next);
        self.page = page;
        Ok(())
    }
}
