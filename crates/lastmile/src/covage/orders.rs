//! Orders as the supplier holds them.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};
use lastmile_core::wire::Loose;
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ListOrdersParams, ListOrdersType, Order};

use super::pages::{Page, is_past_the_end, mark};
use super::{Covage, segment};

/// How many orders a page has.
const PAGE: i64 = 50;

impl Covage {
    /// Reads an order.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getOrder")]
    #[doc(alias = "GET /api/v2/orders/{uuid}/")]
    pub async fn order(&self, uuid: &str) -> Result<Order, Error> {
        let uuid = segment("the order's id", uuid)?;
        self.client.get_order(&uuid).await.map(Reply::into_value)
    }

    /// The orders that a filter lets through, page by page as they are asked for. `limit` is the size of a page, and
    /// `offset` where to begin.
    ///
    /// ```no_run
    /// # use lastmile::covage::{Covage, OrderFilter, OrderSort};
    /// # async fn example(covage: &Covage) -> Result<(), lastmile::Error> {
    /// let oldest_first = OrderFilter { sort: Some(OrderSort::CreationDate), ..Default::default() };
    /// let mut orders = covage.orders(oldest_first);
    /// while let Some(order) = orders.next().await {
    ///     println!("{:?}", order?.get().and_then(|order| order.status.get().cloned()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Pages are told apart by a count. Orders that come into the list before the place that is read, or leave it, make the next
    /// page repeat some or skip some: so read oldest first, and do not filter by a status that changes while you read.
    #[doc(alias = "listOrders")]
    #[doc(alias = "GET /api/v2/orders/")]
    pub fn orders(&self, filter: impl Into<ListOrdersParams>) -> Orders {
        Orders {
            covage: self.clone(),
            filter: filter.into(),
            page: VecDeque::new(),
            total: None,
            before: None,
            begun: false,
            done: false,
        }
    }
}

/// By what orders are sorted. Source: orders API, "Available fields".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderSort {
    /// By the supplier's reference.
    Reference,
    /// By the supplier's reference, the last first.
    ReferenceDown,
    /// By when the draft was created.
    CreationDate,
    /// By when the draft was created, the newest first.
    CreationDateDown,
    /// By when they were submitted.
    SubmissionDate,
    /// By when they were submitted, the newest first.
    SubmissionDateDown,
}

impl OrderSort {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::ReferenceDown => "-reference",
            Self::CreationDate => "creation_date",
            Self::CreationDateDown => "-creation_date",
            Self::SubmissionDate => "submission_date",
            Self::SubmissionDateDown => "-submission_date",
        }
    }
}

/// Which orders are listed, and in which order. All that is given must hold. Source: orders API, "Available fields".
///
/// `Debug` does not show the end customer and the line.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// The supplier's reference of the order, such as `O191016_32563`.
    pub reference: Option<String>,
    /// Activations or terminations.
    pub type_: Option<ListOrdersType>,
    /// The supplier's word for the state; no source lists them all.
    pub status: Option<String>,
    /// The line or socket.
    pub endpoint_ref: Option<String>,
    /// The name of the end customer.
    pub end_customer: Option<String>,
    /// The code of the product family, such as `F`.
    pub product_family: Option<String>,
    /// The code of the product line, such as `FP`.
    pub product_line: Option<String>,
    /// By what they are sorted; no source says what holds without it.
    pub sort: Option<OrderSort>,
}

impl From<OrderFilter> for ListOrdersParams {
    fn from(filter: OrderFilter) -> Self {
        Self {
            reference: filter.reference,
            type_: filter.type_,
            status: filter.status,
            endpoint_ref: filter.endpoint_ref,
            end_customer: filter.end_customer,
            product_family: filter.product_family,
            product_line: filter.product_line,
            sort: filter.sort.map(|sort| sort.as_str().to_owned()),
            limit: None,
            offset: None,
        }
    }
}

impl std::fmt::Debug for OrderFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderFilter")
            .field("type_", &self.type_)
            .field("status", &self.status)
            .field("sort", &self.sort)
            .finish_non_exhaustive()
    }
}

/// A list of orders that is read page by page.
#[derive(Debug)]
pub struct Orders {
    covage: Covage,
    filter: ListOrdersParams,
    page: VecDeque<Loose<Order>>,
    total: Option<u64>,
    /// What the page before is recognised by.
    before: Option<u64>,
    begun: bool,
    done: bool,
}

impl Orders {
    /// The next order; none at the end. An order that cannot be read is a `Loose` without a value.
    ///
    /// # Errors
    /// The outcome of reading a page; [`Outcome::Decode`](crate::Outcome::Decode) when the supplier gives the same page again in
    /// place of the next. The same page is asked for again at the next call.
    pub async fn next(&mut self) -> Option<Result<Loose<Order>, Error>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = self.turn().await
        {
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }

    /// How many orders there are altogether, by the supplier's word (`X-Total-Count`, or the `count` of an envelope), if it gives one. Reads the first page,
    /// unless it is read already.
    ///
    /// # Errors
    /// The outcome of reading the page. It is asked for again at the next call.
    pub async fn total(&mut self) -> Result<Option<u64>, Error> {
        if !self.begun {
            self.turn().await?;
        }
        Ok(self.total)
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Loose<Order>, Error>> + Send {
        stream::unfold(self, |mut orders| async move { orders.next().await.map(|order| (order, orders)) })
    }

    async fn turn(&mut self) -> Result<(), Error> {
        let limit = self.filter.limit.unwrap_or(PAGE).max(1);
        let offset = self.filter.offset.unwrap_or(0);
        let params = ListOrdersParams { limit: Some(limit), offset: Some(offset), ..self.filter.clone() };
        let reply = match self.covage.client.list_orders(&params).await {
            Err(error) if self.begun && is_past_the_end(&error, self.total, offset) => {
                self.done = true;
                return Ok(());
            }
            reply => reply?,
        };
        let first = reply.value.first().and_then(|order| order.get()?.uuid.as_deref());
        let mark = if reply.value.is_empty() { None } else { mark(first, &reply.body) };
        if self.begun && mark.is_some() && mark == self.before {
            return Err(reply.unfit("the page is the one before it again: the list cannot be read on"));
        }
        let page = Page::of(&reply);
        let read = i64::try_from(reply.value.len()).unwrap_or(i64::MAX);
        let next = offset.saturating_add(read);
        (self.total, self.done) = (page.total, page.ends(reply.value.len(), next));
        (self.begun, self.before) = (true, mark);
        self.filter.offset = Some(next);
        self.page = reply.value.into_iter().collect();
        Ok(())
    }
}
