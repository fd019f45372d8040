//! Orders, as the supplier returns them.

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

/// The default number of orders on a page.
const PAGE: i64 = 50;

impl Covage {
    /// Reads an order.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no order has this id.
    #[doc(alias = "getOrder")]
    #[doc(alias = "GET /api/v2/orders/{uuid}/")]
    pub async fn order(&self, id: &OrderId) -> Result<Order, Error> {
        self.client.get_order(id.segment()).await.map(Reply::into_value)
    }

    /// Returns a stream of the orders that match a filter. It requests each page when it is needed. `limit` is the page size
    /// (default: 50), and `offset` is the index of the first order.
    ///
    /// ```no_run
    /// use lastmile::StreamExt as _;
    /// # use lastmile::covage::{Covage, OrderFilter, OrderSort};
    ///
    /// # async fn example(covage: &Covage) -> lastmile::Result<()> {
    /// let oldest_first = OrderFilter::default().with_sort(OrderSort::CreationDate);
    /// let mut orders = covage.orders(oldest_first);
    /// while let Some(order) = orders.next().await {
    ///     println!("{:?}", order?.get().and_then(|order| order.status.get().cloned()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Pagination uses offsets. If orders are inserted into the list or removed from it before the current offset, the next
    /// page repeats or skips some orders. To avoid this, read the oldest orders first, and do not filter by a status that
    /// changes while you read.
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

/// The sort order of orders. Source: orders API, "Available fields".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderSort {
    /// By the supplier's reference, ascending.
    Reference,
    /// By the supplier's reference, descending.
    ReferenceDown,
    /// By the creation date of the draft, oldest first.
    CreationDate,
    /// By the creation date of the draft, newest first.
    CreationDateDown,
    /// By the submission date, oldest first.
    SubmissionDate,
    /// By the submission date, newest first.
    SubmissionDateDown,
}

impl OrderSort {
    /// Returns the value that is sent to the supplier.
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

/// The filter and the sort order of a list of orders. An order must match all fields that are set. Source: orders API,
/// "Available fields".
///
/// `Debug` does not show the end customer and the line.
///
/// ```
/// use lastmile::covage::{OrderFilter, OrderSort};
///
/// let newest = OrderFilter::default().with_product_family("F").with_sort(OrderSort::CreationDateDown);
/// assert_eq!(newest.product_family.as_deref(), Some("F"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderFilter {
    /// The supplier's reference of the order, such as `O191016_32563`.
    pub reference: Option<String>,
    /// The type of the orders: activations or terminations.
    pub type_: Option<ListOrdersType>,
    /// The supplier's status of the orders. No source lists all values.
    pub status: Option<String>,
    /// The reference of the line or the socket.
    pub endpoint_ref: Option<String>,
    /// The name of the end customer.
    pub end_customer: Option<String>,
    /// The code of the product family, such as `F`.
    pub product_family: Option<String>,
    /// The code of the product line, such as `FP`.
    pub product_line: Option<String>,
    /// The sort order. No source states the default.
    pub sort: Option<OrderSort>,
}

impl OrderFilter {
    /// Sets the supplier's reference of the order, the [`reference`](Self::reference).
    #[must_use]
    pub fn with_reference(self, reference: impl Into<String>) -> Self {
        Self { reference: Some(reference.into()), ..self }
    }

    /// Sets the type of the orders, the [`type_`](Self::type_).
    #[must_use]
    pub fn with_type(self, type_: ListOrdersType) -> Self {
        Self { type_: Some(type_), ..self }
    }

    /// Sets the supplier's [`status`](Self::status) of the orders.
    #[must_use]
    pub fn with_status(self, status: impl Into<String>) -> Self {
        Self { status: Some(status.into()), ..self }
    }

    /// Sets the reference of the line or the socket, the [`endpoint_ref`](Self::endpoint_ref).
    #[must_use]
    pub fn with_endpoint_ref(self, endpoint_ref: impl Into<String>) -> Self {
        Self { endpoint_ref: Some(endpoint_ref.into()), ..self }
    }

    /// Sets the name of the end customer, the [`end_customer`](Self::end_customer).
    #[must_use]
    pub fn with_end_customer(self, end_customer: impl Into<String>) -> Self {
        Self { end_customer: Some(end_customer.into()), ..self }
    }

    /// Sets the code of the [`product_family`](Self::product_family).
    #[must_use]
    pub fn with_product_family(self, product_family: impl Into<String>) -> Self {
        Self { product_family: Some(product_family.into()), ..self }
    }

    /// Sets the code of the [`product_line`](Self::product_line).
    #[must_use]
    pub fn with_product_line(self, product_line: impl Into<String>) -> Self {
        Self { product_line: Some(product_line.into()), ..self }
    }

    /// Sets the sort order, [`sort`](Self::sort).
    #[must_use]
    pub fn with_sort(self, sort: OrderSort) -> Self {
        Self { sort: Some(sort), ..self }
    }
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

/// The reply to a page request.
type PageReply = Result<Reply<OneOrMany<Lenient<Order>>>, Error>;

/// A [`Stream`] of orders that is read page by page. Returned by [`Covage::orders`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Orders {
    covage: Covage,
    filter: ListOrdersParams,
    page: VecDeque<Lenient<Order>>,
    total: Option<u64>,
    /// The fingerprint of the previous page.
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
    /// Returns the total number of orders, if the supplier states it (in the header `X-Total-Count` or the field `count` of an
    /// envelope). Requests the first page unless it has already been read.
    ///
    /// # Errors
    /// Returns the error of the page request. The next call requests the page again.
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
            return Err(
                reply.into_decode_error("the page is the one before it again: the list cannot be read on")
            );
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

/// An order that cannot be decoded is a [`Lenient`] without a value.
///
/// # Errors
/// Returns the error of the page request, or [`Outcome::Decode`](crate::Outcome::Decode) when the supplier responds with the
/// previous page instead of the next one. When the stream is polled again after an error, it requests the same page again.
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
