//! Drafts: born, completed, submitted.

use lastmile_core::call::Error;
use lastmile_core::wire::{Loose, Segment};
use lastmile_covage::Client;
use lastmile_covage::types::{
    EndCustomerUpdate, ListOrdersParams, OperatorInfoUpdate, Order, OrderBound, OrderBoundAddressUpdate,
    OrderBoundUpdate, OrderCreate, OrderCreateRequestType, OrderCreateType, OrderEndpoint, OrderEndpointType,
    OrderEndpointUpdate, OrderStatus, OrderType, OrderUpdate, OrderUpdateStatus, ProductChoice,
};
use serde::{Deserialize, Serialize};

use super::{Covage, refused, segment};
use crate::prepared::Creation;
use crate::prepared::sealed::{Found, Look, Sealed};
use crate::rules::{CovageText, Otp};

/// A draft to be created, to be [`Prepared`](crate::Prepared).
///
/// A draft orders nothing before it is submitted, so one that was created twice harms nobody. Therefore one whose answer was
/// lost counts as absent when none of your newest 1,000 orders has its reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NewOrder {
    body: OrderCreate,
}

impl NewOrder {
    /// A draft that puts a product into operation, as an eligibility request offered it.
    pub fn activate(
        eligibility_ref: impl Into<String>,
        product_code: impl Into<String>,
        request_type: OrderCreateRequestType,
    ) -> Self {
        let body = OrderCreate {
            type_: Some(OrderCreateType::Activate),
            eligibility_ref: Some(eligibility_ref.into()),
            product: Some(ProductChoice { code: Some(product_code.into()) }),
            request_type: Some(request_type),
            ..Default::default()
        };
        Self { body }
    }

    /// The reference of the order in your own system, which must be unique over all your orders. With it, a draft whose
    /// answer was lost can be found again.
    #[must_use]
    pub fn reference(mut self, order_ref: impl Into<String>) -> Self {
        let info = self.body.operator_info.get_or_insert_with(OperatorInfoUpdate::default);
        info.order_ref = Some(order_ref.into());
        self
    }

    /// Everything else that the supplier takes when a draft is created.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut OrderCreate)) -> Self {
        change(&mut self.body);
        self
    }

    fn order_ref(&self) -> Option<&str> {
        self.body.operator_info.as_ref()?.order_ref.as_deref()
    }
}

impl Sealed for NewOrder {}

impl Creation for NewOrder {
    type Supplier = Covage;
    type Created = Draft;
    const KIND: &'static str = "covage.order";
    const LOOK_AT: &'static str =
        "Look among the drafts on the extranet; a draft that is there twice orders nothing and can be left";

    fn check(&self) -> Result<(), Error> {
        check_texts(self.body.end_customer.as_ref())
    }

    async fn send(&self, covage: &Covage) -> Result<Draft, Error> {
        let body = &self.body;
        let reply =
            covage.handle.call(|client: Client| async move { client.create_order(body).await }).await?;
        match (Draft::id_of(&reply.value), reply.value.status.get()) {
            (Some(uuid), Some(OrderStatus::Draft)) => Ok(Draft { uuid, order: reply.value }),
            (Some(_), _) => Err(reply.unfit("the answer is an order that is no draft")),
            (None, _) => Err(reply.unfit("the answer has no id that a draft could be completed by")),
        }
    }

    async fn find(&self, covage: &Covage, _: Look) -> Result<Found<Draft>, Error> {
        let Some(order_ref) = self.order_ref() else {
            return Ok(Found::Never("the draft was given no reference of yours to look for"));
        };
        // The newest first: what was just created is among them.
        let filter = ListOrdersParams {
            sort: Some("-creation_date".to_owned()),
            limit: Some(100),
            ..Default::default()
        };
        let mut orders = covage.orders(filter);
        for _ in 0..1000 {
            let Some(order) = orders.next().await.transpose()? else { break };
            let Some(order) = order.into_option() else { continue };
            let found = order.operator_info.get().and_then(|info| info.order_ref.as_deref());
            if found == Some(order_ref) {
                let no_draft = "an order has the reference, but it is no draft";
                return Ok(Draft::of(order).map_or(Found::Never(no_draft), Found::Held));
            }
        }
        // Should it be among those that were not looked at or could not be read: a second draft orders nothing.
        Ok(Found::Nothing)
    }
}

/// An order that can still be changed: complete it, then submit it.
#[derive(Debug)]
pub struct Draft {
    uuid: Segment,
    order: Order,
}

impl Draft {
    /// An order that was read, as a draft.
    ///
    /// # Errors
    /// When it is no draft any more, or has no id.
    pub fn of(order: Order) -> Result<Self, Error> {
        if order.status.get() != Some(&OrderStatus::Draft) {
            return Err(refused("the order is no draft: only drafts can be changed and submitted"));
        }
        match Self::id_of(&order) {
            Some(uuid) => Ok(Self { uuid, order }),
            None => Err(refused("the order has no id: read it again")),
        }
    }

    fn id_of(order: &Order) -> Option<Segment> {
        order.uuid.as_deref()?.parse().ok()
    }

    /// The supplier's id.
    pub fn uuid(&self) -> &str {
        self.uuid.as_str()
    }

    /// The order as the supplier answered last.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Fills in what is given: customer, operator, options, comment. Can be called as often as needed.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when a text holds a character that the supplier does not take (see
    /// [`CovageText`]), or the status is in it, which [`submission`](Self::submission) sets.
    pub async fn complete(&mut self, covage: &Covage, data: &OrderUpdate) -> Result<(), Error> {
        if data.status.is_some() {
            return Err(refused("the status is set by submitting the draft, not by completing it"));
        }
        check_texts(data.end_customer.as_ref())?;
        let uuid = &self.uuid;
        let call = |client: Client| async move { client.update_order(uuid, data).await };
        self.order = covage.handle.call(call).await?.value;
        Ok(())
    }

    /// Says where in the building the customer lives, of a fibre order for a socket that is new or not known.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when a text holds a character that the supplier does not take, or the
    /// draft has no address yet.
    pub async fn set_floor(&mut self, covage: &Covage, stairs: &str, floor: &str) -> Result<(), Error> {
        check_text("stairs", stairs)?;
        check_text("floor", floor)?;
        let address = OrderBoundAddressUpdate {
            stairs: Some(stairs.into()),
            floor: Some(floor.into()),
            ..Default::default()
        };
        let body = OrderBoundUpdate { address: Some(address) };
        let bound = self.socket().map(|(bound, _)| bound).or_else(|| self.bounds().next());
        let bound = bound.and_then(|bound| bound.uuid.get().cloned());
        let bound =
            segment("the address's id", &bound.ok_or_else(|| refused("the draft has no address yet"))?)?;
        let uuid = &self.uuid;
        covage
            .handle
            .call(|client: Client| async move { client.update_order_bound(uuid, &bound, &body).await })
            .await?;
        self.reread(covage).await
    }

    /// Says which optical socket to use. The draft's `request_type` must be `activate_defined` by then. The supplier looks
    /// the socket up and fills in its stairs and floor: compare them with what the customer says, as a wrong socket is
    /// the usual reason for a rejected order.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the draft has no socket to set.
    pub async fn set_otp(&mut self, covage: &Covage, otp: &Otp) -> Result<Socket, Error> {
        let endpoint = self.socket().and_then(|(_, socket)| socket.uuid.get().cloned());
        let endpoint =
            endpoint.ok_or_else(|| refused("the draft has no optical socket: is it a fibre order?"))?;
        let endpoint = segment("the socket's id", &endpoint)?;
        let uuid = &self.uuid;
        let body = OrderEndpointUpdate { reference: otp.to_string() };
        covage
            .handle
            .call(|client: Client| async move { client.update_order_endpoint(uuid, &endpoint, &body).await })
            .await?;
        self.reread(covage).await?;
        let address = self.socket().and_then(|(bound, _)| bound.address.get());
        Ok(address.map_or_else(Socket::default, |address| Socket {
            stairs: address.stairs.get().cloned(),
            floor: address.floor.get().cloned(),
        }))
    }

    /// The submission, which is what orders. The draft is used up: nothing can be changed behind it.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) for the termination of a service, which is cut the moment it is
    /// submitted.
    pub fn submission(self) -> Result<Submission, Error> {
        match self.order.type_.get() {
            Some(OrderType::Activate) => Ok(Submission { uuid: self.uuid }),
            _ => Err(refused("only activations are submitted here: a termination cuts the service at once")),
        }
    }

    /// The end of the line that has an optical socket, and the socket.
    fn socket(&self) -> Option<(&OrderBound, &OrderEndpoint)> {
        self.bounds().find_map(|bound| {
            let mut endpoints = bound.endpoints.iter().filter_map(Loose::get);
            let socket = endpoints.find(|endpoint| endpoint.type_.get() == Some(&OrderEndpointType::Otp))?;
            Some((bound, socket))
        })
    }

    fn bounds(&self) -> impl Iterator<Item = &OrderBound> {
        self.order.bounds.iter().filter_map(Loose::get)
    }

    async fn reread(&mut self, covage: &Covage) -> Result<(), Error> {
        self.order = covage.order(self.uuid.as_str()).await?;
        Ok(())
    }
}

/// Where an optical socket is, as the supplier's look-up says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// The stairs.
    pub stairs: Option<String>,
    /// The floor.
    pub floor: Option<String>,
}

impl Socket {
    /// Whether the supplier's look-up puts the socket where the customer says it is; none when it does not say.
    pub fn is_at(&self, stairs: &str, floor: &str) -> Option<bool> {
        let (known_stairs, known_floor) = (self.stairs.as_deref()?, self.floor.as_deref()?);
        Some(known_stairs == stairs && known_floor == floor)
    }
}

/// The submission of a draft, to be [`Prepared`](crate::Prepared).
///
/// There is no way back: a submitted order cannot be changed, and cannot be submitted again.
///
/// ```compile_fail,E0382
/// # use lastmile::covage::Draft;
/// fn twice(draft: Draft) {
///     let first = draft.submission();
///     let second = draft.submission();
/// }
/// ```
#[derive(Debug, Serialize, Deserialize)]
pub struct Submission {
    uuid: Segment,
}

impl Submission {
    /// Whether an answer says that this order is submitted: none when it is another order or does not tell.
    fn is_submitted(&self, order: &Order) -> Option<bool> {
        if order.uuid.as_deref() != Some(self.uuid.as_str()) {
            return None;
        }
        match order.status.get()? {
            OrderStatus::Draft => Some(false),
            OrderStatus::Submitted => Some(true),
            // No source lists what comes after; the date of the submission tells.
            _ => order.submission_date.get().map(|_| true),
        }
    }
}

impl Sealed for Submission {}

impl Creation for Submission {
    type Supplier = Covage;
    type Created = Order;
    const KIND: &'static str = "covage.submission";
    const LOOK_AT: &'static str = "Look at the order on the extranet, whether it is submitted";

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn send(&self, covage: &Covage) -> Result<Order, Error> {
        let uuid = &self.uuid;
        let body = OrderUpdate { status: Some(OrderUpdateStatus::Submitted), ..Default::default() };
        let call = |client: Client| async move { client.update_order(uuid, &body).await };
        let reply = covage.handle.call(call).await?;
        if self.is_submitted(&reply.value) == Some(true) {
            return Ok(reply.value);
        }
        Err(reply.unfit("the answer does not say that this order is submitted"))
    }

    async fn find(&self, covage: &Covage, _: Look) -> Result<Found<Order>, Error> {
        let order = covage.order(self.uuid.as_str()).await?;
        Ok(match self.is_submitted(&order) {
            Some(true) => Found::Held(order),
            Some(false) => Found::Nothing,
            None => Found::Unclear("the answer does not tell whether this order is submitted"),
        })
    }
}

/// The texts of an end customer that the supplier's own suppliers read.
fn check_texts(customer: Option<&EndCustomerUpdate>) -> Result<(), Error> {
    let Some(customer) = customer else { return Ok(()) };
    let contact = customer.contact.as_ref();
    let texts = [
        ("end_customer.name", customer.name.as_ref()),
        ("end_customer.first_name", customer.first_name.as_ref()),
        ("end_customer.last_name", customer.last_name.as_ref()),
        ("end_customer.siret", customer.siret.as_ref()),
        ("end_customer.contact.first_name", contact.and_then(|contact| contact.first_name.as_ref())),
        ("end_customer.contact.last_name", contact.and_then(|contact| contact.last_name.as_ref())),
        ("end_customer.contact.email", contact.and_then(|contact| contact.email.as_ref())),
        ("end_customer.contact.phone_number", contact.and_then(|contact| contact.phone_number.as_ref())),
        (
            "end_customer.contact.cell_phone_number",
            contact.and_then(|contact| contact.cell_phone_number.as_ref()),
        ),
    ];
    texts.into_iter().try_for_each(|(field, text)| text.map_or(Ok(()), |text| check_text(field, text)))
}

fn check_text(field: &str, text: &str) -> Result<(), Error> {
    match CovageText::try_from(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(format_args!("{field}: {error}"))),
    }
}
