//! Drafts to create.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use lastmile_core::Error;
use lastmile_covage::types::{
    ListOrdersParams, OperatorInfoUpdate, OrderCreate, OrderCreateRequestType, OrderCreateType, OrderStatus,
    ProductChoice, SecondAppointmentAddressUpdate,
};
use serde::{Deserialize, Serialize};

use super::texts::{check_lines, check_texts};
use super::{Copper, Covage, Draft, Fibre, Options, refused};
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};

/// A draft to create. It is placed through [`Prepared`](crate::Prepared).
///
/// A draft orders nothing before it is submitted, so a duplicate draft does no harm. If the response to its creation is lost,
/// the draft therefore counts as absent when none of the newest 500 orders has its reference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct NewOrder {
    body: OrderCreate,
}

impl NewOrder {
    /// Creates a draft that activates a product. `eligibility_ref` is the reference that an eligibility request returned.
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

    /// Creates a draft for work on a copper line. The offer must have been requested for the same work.
    pub fn copper(eligibility_ref: impl Into<String>, product_code: impl Into<String>, work: Copper) -> Self {
        Self::activate(eligibility_ref, product_code, work.into())
    }

    /// Creates a draft for work on a fibre line.
    pub fn fibre(eligibility_ref: impl Into<String>, product_code: impl Into<String>, work: Fibre) -> Self {
        Self::activate(eligibility_ref, product_code, work.into())
    }

    /// Creates a draft that terminates a service, which is identified by its id or by its commercial reference, such as
    /// `S191128_21428`. The service is not disconnected before [`Draft::termination`] is placed.
    ///
    /// Source: orders API, "Order terminate".
    pub fn terminate(service: &str) -> Self {
        let mut body = OrderCreate { type_: Some(OrderCreateType::Terminate), ..Default::default() };
        match service.parse() {
            Ok(uuid) => body.service_uuid = Some(uuid),
            Err(_) => body.service_ref = Some(service.to_owned()),
        }
        Self { body }
    }

    /// Sets the initial options.
    pub fn options(mut self, options: Options) -> Self {
        self.body.options.extend(BTreeMap::from(options));
        self
    }

    /// Sets whether a second appointment for the installation of the ONT may be planned. Only the product FP05 has one, for an
    /// existing socket. (Source: orders API, "ONT installation intervention".)
    pub fn second_appointment(mut self, allowed: bool) -> Self {
        self.body.allow_second_rdv = Some(allowed);
        self
    }

    /// Sets a second address, for the delivery of equipment. Only the product FP05 has one.
    pub fn second_address(mut self, address: SecondAppointmentAddressUpdate) -> Self {
        self.body.address_second_rdv = Some(address);
        self
    }

    /// Sets the reference of the order in your own system, which must be unique among all your orders. With it, a draft can be
    /// found after the response to its creation was lost.
    pub fn reference(mut self, order_ref: impl Into<String>) -> Self {
        let info = self.body.operator_info.get_or_insert_with(OperatorInfoUpdate::default);
        info.order_ref = Some(order_ref.into());
        self
    }

    /// Sets any other field that the supplier accepts when a draft is created. If this crate rejects the texts of a customer
    /// although the supplier accepts them, set the customer on the draft afterwards: see [`Draft::skip_validation`].
    pub fn with(mut self, change: impl FnOnce(&mut OrderCreate)) -> Self {
        change(&mut self.body);
        self
    }

    pub(super) fn body(&self) -> &OrderCreate {
        &self.body
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
    const MANUAL_CHECK: &'static str =
        "look among the drafts on the extranet; a draft that is there twice orders nothing and can be left";

    /// Checks the fields marked O and the rules of FP05. (Source: orders API.)
    fn check(&self) -> Result<(), Error> {
        let body = &self.body;
        let is_empty = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        if body.type_ == Some(OrderCreateType::Terminate) {
            if is_empty(&body.service_ref) && body.service_uuid.is_none() {
                return Err(refused("service_ref: a termination names its service by it or by service_uuid"));
            }
            if body.eligibility_ref.is_some() {
                return Err(refused("eligibility_ref: only activations start from an eligibility response"));
            }
        } else {
            if is_empty(&body.eligibility_ref) {
                return Err(refused("eligibility_ref: an activation starts from an eligibility response"));
            }
            if body.service_ref.is_some() || body.service_uuid.is_some() {
                return Err(refused("service_ref, service_uuid: only terminations start from a service"));
            }
        }
        let product = body.product.as_ref().and_then(|product| product.code.as_deref());
        if product.is_some_and(|code| code != "FP05") {
            if body.allow_second_rdv == Some(true) {
                return Err(refused("allow_second_rdv: only the product FP05 has a second appointment"));
            }
            if body.address_second_rdv.is_some() {
                return Err(refused("address_second_rdv: only the product FP05 has a second address"));
            }
        }
        check_texts(body.end_customer.as_ref(), &BTreeSet::new())?;
        check_lines(body, &BTreeSet::new())
    }

    async fn send(&self, covage: &Covage) -> Result<Draft, Error> {
        let body = &self.body;
        let reply = covage.client.create_order(body).await?;
        let held = reply.value.operator_info.get().and_then(|info| info.order_ref.as_deref());
        let told = self.order_ref().zip(held).map(|(given, held)| Match::of_text(held, given));
        if told == Some(Match::No) {
            return Err(reply.contradicts("the response is an order of another reference"));
        }
        match (Draft::id_of(&reply.value), reply.value.status.get()) {
            (Some(uuid), Some(OrderStatus::Draft)) => Ok(Draft::with_id(uuid, reply.value)),
            (Some(_), _) => Err(reply.into_decode_error("the response is an order that is no draft")),
            (None, _) => {
                Err(reply.into_decode_error("the response has no id that a draft could be completed by"))
            }
        }
    }

    async fn find(&self, covage: &Covage, _: LookupPurpose) -> Result<Lookup<Draft>, Error> {
        let Some(order_ref) = self.order_ref() else {
            return Ok(Lookup::Unsupported("the draft was given no reference of yours to look for"));
        };
        // Newest first, so that a draft that was just created is among them.
        let filter = ListOrdersParams {
            sort: Some("-creation_date".to_owned()),
            limit: Some(100),
            ..Default::default()
        };
        let mut orders = covage.orders(filter);
        let (mut draft, mut doubt) = (None, false);
        for _ in 0..500 {
            let Some(order) = orders.next().await.transpose()? else { break };
            let Some(order) = order.into_option() else { continue };
            let Some(held) = order.operator_info.get().and_then(|info| info.order_ref.as_deref()) else {
                continue;
            };
            match Match::of_text(held, order_ref) {
                Match::Yes => {}
                Match::No => continue,
                Match::Maybe => {
                    doubt = true;
                    continue;
                }
            }
            match Draft::try_from(order) {
                Ok(found) => draft = draft.or(Some(found)),
                // A second draft with the same reference may exist, and must not be submitted as well.
                Err(_) => {
                    return Ok(Lookup::Conflict("an order that is no draft any more has the reference"));
                }
            }
        }
        if let Some(draft) = draft {
            return Ok(Lookup::Found(draft));
        }
        if doubt {
            return Ok(Lookup::Conflict("an order has the reference in another spelling"));
        }
        // The draft may be among the orders that were not read or could not be decoded. This is acceptable, because a duplicate
        // draft orders nothing.
        Ok(Lookup::NotFound)
    }
}
