//! Orders as the supplier holds them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::Stream;
use lastmile_core::wire::{Lenient, OneOrMany};
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{ListOrdersParams, ListOrdersType, Order};

use super::pages::{Page, is_past_the_end, mark};
use super::{Covage, OrderId};
use crate::stream::Pending;

/// How many orders a page has.
const PAGE: i64 = 50;

impl Covage {
    /// Reads an order.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getOrder")]
    #[doc(alias = "GET /api/v2/orders/{uuid}/")]
    pub async fn order(&self, id: &OrderId) -> Result<Order, Error> {
        self.client.get_order(id.segment()).await.map(Reply::into_value)
    }

    /// The orders that a filter lets through, page by page as they are asked for. `limit` is the size of a page, and
    /// `offset` where to begin.
    ///
    /// ```no_run
    /// use lastmile::StreamExt as _;
    /// # use lastmile::covage::{Covage, OrderFilter, OrderSort};
    ///
    /// # async fn example(covage: &Covage) -> lastmile::Result<()> {
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
            fetch: |covage, params| page(covage, params).boxed(),
            request: Pending::none(),
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

/// The reply to the request of a page.
type PageReply = Result<Reply<OneOrMany<Lenient<Order>>>, Error>;

/// A [`Stream`] of orders that are read page by page: [`Covage::orders`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Orders {
    covage: Covage,
    filter: ListOrdersParams,
    page: VecDeque<Lenient<Order>>,
    total: Option<u64>,
    /// What the page before is recognised by.
    before: Option<u64>,
    begun: bool,
    done: bool,
    fetch: fn(Covage, ListOrdersParams) -> BoxFuture<'static, PageReply>,
    request: Pending<PageReply>,
}

async fn page(covage: Covage, params: ListOrdersParams) -> PageReply {
    covage.client.list_orders(&params).await
}

impl Orders {
    /// Returns how many orders there are altogether, if the supplier says so (`X-Total-Count`, or the `count` of an envelope). Reads
    /// the first page, unless it is read already.
    ///
    /// # Errors
    /// The outcome of reading the page. The next call requests it again.
    pub async fn total(&mut self) -> Result<Option<u64>, Error> {
        if !self.begun {
            poll_fn(|cx| self.poll_page(cx)).await?;
        }
        Ok(self.total)
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let limit = self.filter.limit.unwrap_or(PAGE).max(1);
        let offset = self.filter.offset.unwrap_or(0);
        let (covage, filter, fetch) = (&self.covage, &self.filter, self.fetch);
        let reply = ready!(self.request.poll(cx, || {
            let params = ListOrdersParams { limit: Some(limit), offset: Some(offset), ..filter.clone() };
            fetch(covage.clone(), params)
        }));
        Poll::Ready(self.read(reply, offset))
    }

    fn read(&mut self, reply: PageReply, offset: i64) -> Result<(), Error> {
        let reply = match reply {
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

/// An order that cannot be read is a [`Lenient`] without a value.
///
/// # Errors
/// The outcome of reading a page; [`Outcome::Decode`](crate::Outcome::Decode) when the supplier answers with the previous page
/// instead of the next one. Polled again after an error, the stream requests the same page again.
impl Stream for Orders {
    type Item = Result<Lenient<Order>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.page.is_empty()
            && !self.done
            && let Err(error) = ready!(self.poll_page(cx))
        {
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Ready(self.page.pop_front().map(Ok))
    }
}
