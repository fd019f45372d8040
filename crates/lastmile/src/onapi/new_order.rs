//! New orders: six operations, each with its own required fields.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lastmile_core::Error;
use lastmile_core::wire::{OneOrMany, Timestamp};
use lastmile_onapi::types::{CharacteristicsRequest, EquipmentRequest, OrderCreate, OrderCreateOperation};
use serde::{Deserialize, Serialize};

use super::offered::{OfferedCharacteristics, check};
use super::offers::TakeoverPermit;
use super::refused;
use crate::checks::Texts;
use crate::rules::{MacAddress, OnApiId};

/// A new order, to be [`Prepared`](crate::Prepared) and placed.
///
/// Each operation has a constructor that takes the operation's required fields. (Source: ON-API 2.6, orders.) A network may
/// require more, by its [`Dialect`](super::Dialect): one that speaks 2.4 also needs the service of the subscription, which
/// [`service_of_subscription`](Self::service_of_subscription) states. The order is written in the dialect of the network that
/// it is placed at.
///
/// | operation | requires | effect |
/// |---|---|---|
/// | [`activate`](Self::activate) | access, service | creates a subscription |
/// | [`take_over`](Self::take_over) | the permit of an offer | replaces a subscription of another service provider |
/// | [`deactivate`](Self::deactivate) | subscription | ends the subscription |
/// | [`suspend`](Self::suspend) | subscription | blocks the subscription; it is still charged |
/// | [`resume`](Self::resume) | suspended subscription | unblocks the subscription |
/// | [`modify`](Self::modify) | subscription, a new reference | changes your references of the subscription |
/// | [`change`](Self::change) | subscription, service | replaces the service of the subscription |
///
/// ```
/// use lastmile::onapi::{NewOrder, SubscriptionAt};
/// use lastmile::Prepared;
///
/// let activation = NewOrder::activate("a-1001".parse()?, "BB-100", "SP-0431".parse()?)
///     .note("Welcome to Ankeborg");
/// let mut prepared = Prepared::new(activation)?;
///
/// let line = SubscriptionAt { access: "a-1001".parse()?, subscription: "s-17".parse()? };
/// let mut prepared = Prepared::new(NewOrder::suspend(line, "SP-0432".parse()?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # The reference
///
/// `reference` (`spReference`) is the order's reference in your own system. Use a different reference for each order: when the
/// response is lost, the order is identified by its reference together with the operation, the access or subscription, the
/// service, and the requested time. A network may store the reference with the subscription, where it replaces the previous one,
/// or with the customer, whose earlier orders then have the same one. (Source: ON-API 2.4 to 2.6, data formats, `spReference`.)
/// At such a network set [`shared_references`](super::OnApiBuilder::shared_references), and give each order a time with
/// [`not_before`](Self::not_before).
///
/// # Reconciliation after a lost response
///
/// A network lists every order of an access and the subscriptions on it. An order is found by its reference, operation, service
/// and requested time. If several orders match, and not exactly one of them has the very requested time, the result is
/// undecidable. If the list has no order that can be this one, the subscription decides:
///
/// | operation | state of the subscription | result of [`reconcile`](crate::Prepared::reconcile) |
/// |---|---|---|
/// | activate | has the service and the reference | placed |
/// | deactivate | exists and has no end date | absent |
/// | deactivate | does not exist, or has an end date | undecidable: by this order or another |
/// | suspend, resume | is in the other state | absent |
/// | suspend, resume | is in the ordered state | undecidable: by this order or another |
/// | modify | has the new references | placed |
/// | modify | has other references | absent |
/// | change | has another service | absent |
/// | change | has the service and the reference | placed |
/// | change | has the service, without the reference | undecidable: by this order or another |
///
/// If a network omits the references of orders, every order of the same kind makes the result indeterminate, because it cannot
/// be distinguished from this one.
///
/// A network may respond to an activation with an order that already exists: an open order of the service, or a finished one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "nothing is sent until it is prepared and placed"]
pub struct NewOrder {
    /// The access of the order. An order by subscription does not send it; look-ups use it.
    pub(super) access: OnApiId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permit: Option<Permitted>,
    /// The order in the names of no dialect in particular.
    pub(super) body: OrderCreate,
    /// The service of the subscription, for networks that need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) service_of_subscription: Option<String>,
    /// What the offer demands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    offered: OfferedCharacteristics,
    #[serde(default, skip_serializing_if = "is_false")]
    skips_validation: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// The takeover that an offer permitted, as it is stored with the order.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Permitted {
    access: OnApiId,
    service: String,
}

/// A subscription and the access that it is on.
///
/// ```
/// use lastmile::onapi::SubscriptionAt;
///
/// let line = SubscriptionAt { access: "a-1001".parse()?, subscription: "s-17".parse()? };
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubscriptionAt {
    /// The access. Networks list orders and subscriptions by access, not by subscription.
    pub access: OnApiId,
    /// The network's id of the subscription.
    pub subscription: OnApiId,
}

/// Your new references of a subscription. `None` leaves a reference unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Your reference to the end customer or service (`spReference`).
    pub reference: Option<OnApiId>,
    /// The subscription's id in your own system (`spSubscriptionId`).
    pub subscription: Option<OnApiId>,
}

impl NewOrder {
    /// Creates an order for a new subscription of `service` on `access`.
    pub fn activate(access: OnApiId, service: impl Into<String>, reference: OnApiId) -> Self {
        let body = OrderCreate {
            access_id: Some(access.to_string()),
            service: Some(service.into()),
            sp_reference: Some(reference.into()),
            ..empty(OrderCreateOperation::Activate)
        };
        Self::of(access, body)
    }

    fn of(access: OnApiId, body: OrderCreate) -> Self {
        Self {
            access,
            permit: None,
            body,
            service_of_subscription: None,
            offered: OfferedCharacteristics::new(),
            skips_validation: false,
        }
    }

    /// Creates an order for a new subscription that replaces one of another service provider. It needs the
    /// [permit](super::Offer::takeover_permit) of an offer that allows the takeover, which is valid for the offer's access and
    /// service. A permit cannot be constructed otherwise:
    ///
    /// ```compile_fail,E0451
    /// use lastmile::onapi::{NewOrder, TakeoverPermit};
    ///
    /// let permit = TakeoverPermit { access: "a-1001".parse().unwrap(), service: "BB-100".into() };
    /// let order = NewOrder::take_over(permit, "SP-0431".parse().unwrap());
    /// ```
    ///
    /// A permit is valid for one order:
    ///
    /// ```compile_fail,E0382
    /// # fn example(permit: lastmile::onapi::TakeoverPermit) {
    /// use lastmile::onapi::NewOrder;
    ///
    /// let first = NewOrder::take_over(permit, "SP-0431".parse().unwrap());
    /// let second = NewOrder::take_over(permit, "SP-0432".parse().unwrap());
    /// # }
    /// ```
    pub fn take_over(permit: TakeoverPermit, reference: OnApiId) -> Self {
        let (access, service) = permit.into_parts();
        let mut order = Self::activate(access.clone(), service.clone(), reference);
        order.body.forced_takeover = Some(true);
        order.permit = Some(Permitted { access, service });
        order
    }

    /// Creates an order that ends a subscription.
    pub fn deactivate(line: SubscriptionAt, reference: OnApiId) -> Self {
        Self::by_subscription(OrderCreateOperation::Deactivate, line, reference)
    }

    /// Creates an order that blocks a subscription, for instance because of abuse. The subscription is still charged. State the
    /// reason for the customer with [`note`](Self::note).
    pub fn suspend(line: SubscriptionAt, reference: OnApiId) -> Self {
        Self::by_subscription(OrderCreateOperation::Suspend, line, reference)
    }

    /// Creates an order that unblocks a suspended subscription.
    pub fn resume(line: SubscriptionAt, reference: OnApiId) -> Self {
        Self::by_subscription(OrderCreateOperation::Resume, line, reference)
    }

    /// Creates an order that changes your references of a subscription. At least one reference must be set. The references are
    /// what is ordered, and the order is identified by them.
    pub fn modify(line: SubscriptionAt, new: References) -> Self {
        let body = OrderCreate {
            subscription_id: Some(line.subscription.into()),
            sp_reference: new.reference.map(String::from),
            sp_subscription_id: new.subscription.map(String::from),
            ..empty(OrderCreateOperation::Modify)
        };
        Self::of(line.access, body)
    }

    /// Creates an order that replaces the service of a subscription.
    pub fn change(line: SubscriptionAt, service: impl Into<String>, reference: OnApiId) -> Self {
        let mut order = Self::by_subscription(OrderCreateOperation::Change, line, reference);
        order.body.service = Some(service.into());
        order
    }

    fn by_subscription(operation: OrderCreateOperation, line: SubscriptionAt, reference: OnApiId) -> Self {
        let body = OrderCreate {
            subscription_id: Some(line.subscription.into()),
            sp_reference: Some(reference.into()),
            ..empty(operation)
        };
        Self::of(line.access, body)
    }

    /// Sets the subscription's id in your own system (`spSubscriptionId`).
    pub fn subscription_reference(mut self, id: OnApiId) -> Self {
        self.body.sp_subscription_id = Some(id.into());
        self
    }

    /// States the service of the subscription. A network that speaks ON-API 2.4 needs it in orders by subscription; others do
    /// not get it. An order that [changes](Self::change) the service has its own. (Source: ON-API 2.4, orders, `service`.)
    pub fn service_of_subscription(mut self, service: impl Into<String>) -> Self {
        self.service_of_subscription = Some(service.into());
        self
    }

    /// Sets the characteristics of the service, for a service whose offer requires them. The network gets them under the names
    /// of its dialect, or under those that its offer lists.
    pub fn characteristics(mut self, characteristics: CharacteristicsRequest) -> Self {
        self.body.characteristics = Some(characteristics);
        self
    }

    /// Sets whether the IP address is to be fixed.
    pub fn fixed_ip(self, is_fixed: bool) -> Self {
        self.with_characteristics(|given| given.fixed_ip = Some(is_fixed))
    }

    /// Sets the IPv4 or IPv6 addresses to use, each with a prefix length or without. Without them the network picks one.
    pub fn ip_addresses<S: Into<String>>(self, addresses: impl IntoIterator<Item = S>) -> Self {
        let addresses = addresses.into_iter().map(Into::into).collect();
        self.with_characteristics(|given| given.ip_addresses = Some(addresses))
    }

    /// Sets the service level, such as `SLA-2`.
    pub fn sla(self, level: impl Into<String>) -> Self {
        let level = level.into();
        self.with_characteristics(|given| given.sla = Some(level))
    }

    /// Sets another characteristic, by the name that the [offer](super::Offer::characteristics) lists.
    pub fn characteristic(self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.with_characteristics(|given| drop(given.extra.insert(name, value)))
    }

    fn with_characteristics(mut self, set: impl FnOnce(&mut CharacteristicsRequest)) -> Self {
        set(self.body.characteristics.get_or_insert_default());
        self
    }

    /// Adds a piece of equipment that the customer uses. A network that speaks [`Vendor26`](super::Dialect::Vendor26) takes one
    /// piece in an order.
    pub fn equipment(mut self, equipment: EquipmentRequest) -> Self {
        let mut pieces = std::mem::take(&mut self.body.equipment).into_vec();
        self.body.equipment = if pieces.is_empty() {
            OneOrMany::one(equipment)
        } else {
            pieces.push(equipment);
            pieces.into()
        };
        self
    }

    pub(super) fn offered(mut self, offered: OfferedCharacteristics) -> Self {
        self.offered = offered;
        self
    }

    /// Returns the names of the characteristics that the offer lists.
    pub(super) fn offered_names(&self) -> impl Iterator<Item = &str> {
        self.offered.keys().map(String::as_str)
    }

    /// Lets the order pass without a characteristic that its offer requires, and with values that its offer does not list.
    pub fn skip_validation(mut self) -> Self {
        self.skips_validation = true;
        self
    }

    /// Sets the earliest time at which the network executes the order. By default, and for a time in the past, the network
    /// executes it at once.
    pub fn not_before(mut self, moment: Timestamp) -> Self {
        self.body.requested_date_time = Some(moment);
        self
    }

    /// Sets a note that may be shown to the customer (`externalNote`).
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.body.external_note = Some(text.into());
        self
    }

    /// Returns the order's operation.
    pub fn operation(&self) -> OrderCreateOperation {
        self.body.operation
    }

    /// Returns the access that the order is for.
    pub fn access(&self) -> &OnApiId {
        &self.access
    }

    /// Checks the rules that the network enforces, and that a stored order was not changed.
    pub(super) fn check_fields(&self) -> Result<(), Error> {
        use OrderCreateOperation::{Activate, Change, Modify};
        let body = &self.body;
        let changed = |what: &str| Err(refused(format_args!("{what}: the order was changed in the store")));
        match body.operation {
            Activate => {
                id("accessId", body.access_id.as_deref())?;
                if body.access_id.as_deref() != Some(self.access.as_str()) {
                    return changed("another access than it was made for");
                }
            }
            _ => {
                id("subscriptionId", body.subscription_id.as_deref())?;
                if body.access_id.is_some() {
                    return changed("an access beside the subscription");
                }
            }
        }
        match body.operation {
            Activate | Change => text("service", body.service.as_deref().unwrap_or_default(), 1)?,
            _ if body.service.is_some() => return changed("a service that the operation does not take"),
            _ => {}
        }
        if body.operation == Modify && body.sp_reference.is_none() && body.sp_subscription_id.is_none() {
            return Err(refused("spReference, spSubscriptionId: one of them at least is to be new"));
        }
        if body.operation != Modify || body.sp_reference.is_some() {
            id("spReference", body.sp_reference.as_deref())?;
        }
        if body.sp_subscription_id.is_some() {
            id("spSubscriptionId", body.sp_subscription_id.as_deref())?;
        }
        self.check_takeover()?;
        let set_by_the_network = body.order_id.is_some()
            || body.state.is_some()
            || body.message.is_some()
            || body.expected_completion_date.is_some();
        if set_by_the_network || (body.operation == Activate && body.subscription_id.is_some()) {
            return changed("a field that is the network's to set");
        }
        check_given(body.external_note.as_deref(), body.characteristics.as_ref(), &body.equipment)?;
        if let Some(service) = &self.service_of_subscription {
            text("service", service, 1)?;
        }
        if !self.skips_validation {
            let none = CharacteristicsRequest::default();
            check(&self.offered, body.characteristics.as_ref().unwrap_or(&none))?;
        }
        check_lines(body)
    }

    /// Checks that a takeover is an activation of the access and service that its offer permitted.
    fn check_takeover(&self) -> Result<(), Error> {
        let permitted = self.permit.as_ref().is_some_and(|permit| {
            self.body.operation == OrderCreateOperation::Activate
                && permit.access == self.access
                && Some(&permit.service) == self.body.service.as_ref()
        });
        match (self.body.forced_takeover, permitted) {
            (Some(true), true) | (None, false) => Ok(()),
            _ => Err(refused(
                "forcedTakeover: it is not what an offer permitted: the order was changed in the store",
            )),
        }
    }
}

fn empty(operation: OrderCreateOperation) -> OrderCreate {
    OrderCreate {
        operation,
        access_id: None,
        characteristics: None,
        equipment: OneOrMany::default(),
        expected_completion_date: None,
        external_note: None,
        forced_takeover: None,
        message: None,
        order_id: None,
        requested_date_time: None,
        service: None,
        sp_reference: None,
        sp_subscription_id: None,
        state: None,
        subscription_id: None,
    }
}

/// Checks the optional fields of an order or of a change. (Source: ON-API 2.6, data formats.)
pub(super) fn check_given(
    note: Option<&str>,
    characteristics: Option<&CharacteristicsRequest>,
    equipment: &[EquipmentRequest],
) -> Result<(), Error> {
    text("externalNote", note.unwrap_or_default(), 0)?;
    if let Some(given) = characteristics {
        for sla in [&given.sla, &given.sla_upper] {
            text("characteristics.sla", sla.as_deref().unwrap_or_default(), 0)?;
        }
        for (field, list) in [("ipAddress", &given.ip_address), ("ipAddresses", &given.ip_addresses)] {
            if list.iter().flatten().any(|address| !is_ip_address(address)) {
                return Err(refused(format_args!(
                    "characteristics.{field}: one is no IPv4 or IPv6 address, with a prefix length or without"
                )));
            }
        }
    }
    for given in equipment {
        text("equipment.vendorId", given.vendor_id.as_deref().unwrap_or_default(), 0)?;
        if let Some(Err(error)) = given.mac_address.as_deref().map(str::parse::<MacAddress>) {
            return Err(refused(format_args!("equipment.macAddress: {error}")));
        }
    }
    Ok(())
}

fn is_ip_address(text: &str) -> bool {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| {
        prefix.bytes().all(|digit| digit.is_ascii_digit())
            && prefix.parse::<u8>().is_ok_and(|length| length <= longest)
    })
}

/// The text rules of orders and tickets: texts that are written for people may have several lines.
pub(super) const TEXTS: Texts =
    Texts { multiline: &["externalNote", "description", "message"], may_be_empty: &[], maps: &[] };

/// The text rules of changes: an empty note removes the existing one.
const CHANGED: Texts = Texts { may_be_empty: &["externalNote"], ..TEXTS };

/// Checks that no text is blank or has control characters.
pub(super) fn check_lines(request: &impl Serialize) -> Result<(), Error> {
    TEXTS.check(request, &|_| false).map_err(refused)
}

pub(super) fn check_changed_lines(change: &impl Serialize) -> Result<(), Error> {
    CHANGED.check(change, &|_| false).map_err(refused)
}

pub(super) fn id(field: &str, text: Option<&str>) -> Result<OnApiId, Error> {
    match text.unwrap_or_default().parse() {
        Ok(id) => Ok(id),
        Err(error) => Err(refused(format_args!("{field}: {error}"))),
    }
}

pub(super) fn text(field: &str, text: &str, shortest: usize) -> Result<(), Error> {
    match text.chars().count() {
        length if length < shortest => Err(refused(format_args!("{field}: it is empty"))),
        length if length > 255 => Err(refused(format_args!("{field}: it is longer than 255 characters"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds() {
        for good in ["192.0.2.1", "192.0.2.0/24", "2001:db8::1", "2001:db8::/128"] {
            assert!(is_ip_address(good), "{good}");
        }
        for bad in ["", "192.0.2", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/+8", "x/8", "2001:db8::/129"] {
            assert!(!is_ip_address(bad), "{bad}");
        }
    }
}
