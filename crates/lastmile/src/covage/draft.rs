//! Drafts. The fields of a draft can be completed in any order before it is submitted.

use std::collections::BTreeSet;
use std::fmt;

use lastmile_core::wire::Lenient;
use lastmile_core::{Error, Outcome, Reply};
use lastmile_covage::types::{
    Order, OrderBound, OrderBoundAddressUpdate, OrderBoundUpdate, OrderEndpoint, OrderEndpointType,
    OrderEndpointUpdate, OrderRequestType, OrderStatus, OrderType, OrderUpdate,
    SecondAppointmentAddressUpdate,
};

use serde::{Deserialize, Serialize};

use super::seen::{Seen, plain};
use super::submission::Why;
use super::texts::{check_lines, check_text, check_texts};
use super::{
    ConfirmTermination, Covage, Fibre, NotReady, Options, OrderId, Readiness, Submission, refused, segment,
};
use crate::checks::{blank, changes_nothing};
use crate::rules::Otp;

/// An order that can still be changed. Complete its fields, then submit it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    uuid: OrderId,
    order: Order,
    /// The fields that this crate's rules do not reject.
    #[serde(rename = "overruled")]
    skipped: BTreeSet<String>,
    /// Whether an attempt to change the draft received no response, so that the supplier may still carry it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    has_unanswered_change: bool,
}

impl Draft {
    pub(super) fn with_id(uuid: OrderId, order: Order) -> Self {
        Self { uuid, order, skipped: BTreeSet::new(), has_unanswered_change: false }
    }

    pub(super) fn id_of(order: &Order) -> Option<OrderId> {
        OrderId::try_from(&order.uuid).ok()
    }

    /// Returns the supplier's id of the order (`uuid`).
    pub fn id(&self) -> &OrderId {
        &self.uuid
    }

    /// Returns the order as the supplier last returned it.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// Disables this crate's validation for exactly these fields, given by their [path](super::Issue::path). Use it when the
    /// supplier accepts a value that this crate's rules reject, because the rules may be out of date. The setting applies to
    /// later requests of this value and to its submission. A draft that is read again starts without it.
    ///
    /// ```
    /// # use lastmile::covage::Draft;
    /// # fn example(mut draft: Draft) {
    /// // The supplier has said that it takes this company without its number.
    /// draft.skip_validation(["end_customer.siret"]);
    /// # }
    /// ```
    pub fn skip_validation<S: Into<String>>(&mut self, paths: impl IntoIterator<Item = S>) {
        self.skipped.extend(paths.into_iter().map(Into::into));
    }

    /// Sends the fields that are given, such as customer, operator, options and comment. The method can be called any number of
    /// times.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) in these cases:
    ///
    /// - a text contains a control character or a character that the supplier does not accept (see
    ///   [`CovageText`](crate::rules::CovageText)), or is blank, and the field is not [skipped](Self::skip_validation)
    /// - no field is given
    /// - the status is given, which only [`submission`](Self::submission) changes
    ///
    /// After [`Outcome::Indeterminate`](crate::Outcome::Indeterminate), call the method again with the same data: the change is
    /// idempotent. Returns [`Outcome::Decode`](crate::Outcome::Decode) when the response is another order. The draft then keeps
    /// the state that was read before; read the order again.
    #[doc(alias = "updateOrder")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/")]
    pub async fn complete(&mut self, covage: &Covage, data: &OrderUpdate) -> Result<(), Error> {
        if data.status.is_some() {
            return Err(refused("the status is set by submitting the draft, not by completing it"));
        }
        if changes_nothing(data) {
            return Err(refused("nothing is to be changed: fill in at least one field"));
        }
        check_texts(data.end_customer.as_ref(), &self.skipped)?;
        check_lines(data, &self.skipped)?;
        let uuid = self.uuid.segment();
        let reply = covage.client.update_order(uuid, data).await;
        let reply = self.noted(reply)?;
        if !self.is_this(&reply.value) {
            return Err(reply.into_decode_error("the response is another order"));
        }
        self.order = reply.value;
        Ok(())
    }

    /// Sets options. Options that are not named stay unchanged.
    ///
    /// # Errors
    /// Returns the errors of [`complete`](Self::complete). The method can be called again.
    #[doc(alias = "updateOrder")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/")]
    pub async fn set_options(&mut self, covage: &Covage, options: Options) -> Result<(), Error> {
        let data = OrderUpdate { options: options.into(), ..Default::default() };
        self.complete(covage, &data).await
    }

    /// Sets the type of work on the fibre line. The work on a copper line is determined by its offer and cannot be changed.
    ///
    /// # Errors
    /// Returns the error of the call. The method can be called again.
    #[doc(alias = "updateOrder")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/")]
    pub async fn set_fibre(&mut self, covage: &Covage, work: Fibre) -> Result<(), Error> {
        let data = OrderUpdate { request_type: Some(work.changed()), ..Default::default() };
        self.complete(covage, &data).await
    }

    /// Sets whether a second appointment for the installation of the ONT may be planned, and optionally a second address for
    /// the delivery of equipment. (Source: orders API, "ONT installation intervention".)
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the product is not FP05.
    #[doc(alias = "updateOrder")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/")]
    pub async fn set_second_appointment(
        &mut self,
        covage: &Covage,
        allowed: bool,
        address: Option<SecondAppointmentAddressUpdate>,
    ) -> Result<(), Error> {
        let product = self.order.product.get().and_then(|product| product.code.as_deref());
        // Disabling the second appointment is allowed for every product, because it repairs a draft whose product was changed.
        let is_another = product.is_some_and(|code| code != "FP05");
        for (field, is_given) in [("allow_second_rdv", allowed), ("address_second_rdv", address.is_some())] {
            if is_given && is_another && !self.skipped.contains(field) {
                return Err(refused(format_args!("{field}: only the product FP05 has a second appointment")));
            }
        }
        let data = OrderUpdate {
            allow_second_rdv: Some(allowed),
            address_second_rdv: address,
            ..Default::default()
        };
        self.complete(covage, &data).await
    }

    /// Sets the location of the customer within the building, for a fibre order with a new socket or a socket whose reference
    /// is not known.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when a text is blank or contains a character that the supplier
    /// does not accept, when the request type is another one (the platform then fills in the location), or when the draft has
    /// no address yet.
    #[doc(alias = "updateOrderBound")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/bounds/{bound_uuid}/")]
    pub async fn set_floor(&mut self, covage: &Covage, stairs: &str, floor: &str) -> Result<(), Error> {
        self.check_address([("stairs", stairs), ("floor", floor)])?;
        self.demand(
            &[OrderRequestType::Create, OrderRequestType::ActivateUndefined],
            "stairs and floor are given for create and activate_undefined only",
        )?;
        let address = OrderBoundAddressUpdate {
            stairs: Some(stairs.into()),
            floor: Some(floor.into()),
            ..Default::default()
        };
        self.set_address(covage, address).await
    }

    /// Sets the street number at which the new line ends, for a copper order next to a neighbour's line. For a range, give its
    /// first number. A suffix is appended as a capital letter: `12B`.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the number is blank or contains a character that the supplier
    /// does not accept, when the request type is another one (the platform then fills in the number), or when the draft has no
    /// address yet.
    #[doc(alias = "updateOrderBound")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/bounds/{bound_uuid}/")]
    pub async fn set_street_number(&mut self, covage: &Covage, number: &str) -> Result<(), Error> {
        self.check_address([("street_number", number)])?;
        self.demand(
            &[OrderRequestType::CreateNeighbour],
            "a street number is given for create_neighbour only",
        )?;
        let address = OrderBoundAddressUpdate { street_number: Some(number.into()), ..Default::default() };
        self.set_address(covage, address).await
    }

    /// Checks the fields that [`set_address`](Self::set_address) sends. Errors show their paths in the order.
    fn check_address<const N: usize>(&self, fields: [(&str, &str); N]) -> Result<(), Error> {
        let at = self.address().map_or(0, |(at, _)| at);
        fields.into_iter().try_for_each(|(name, text)| {
            let path = format!("bounds[{at}].address.{name}");
            check_text(&path, text, &self.skipped)?;
            if text.trim().is_empty() && !self.skipped.contains(&path) {
                return Err(refused(format_args!("{path}: it is {}: fill it in", blank(text))));
            }
            Ok(())
        })
    }

    async fn set_address(&mut self, covage: &Covage, address: OrderBoundAddressUpdate) -> Result<(), Error> {
        let body = OrderBoundUpdate { address: Some(address) };
        let bound = self.address().and_then(|(_, bound)| bound.uuid.get().cloned());
        let bound = segment(
            "the address's id",
            &bound.ok_or_else(|| refused("bounds: the draft has no address yet"))?,
        )?;
        let uuid = self.uuid.segment();
        let reply = covage.client.update_order_bound(uuid, &bound, &body).await;
        self.noted(reply)?;
        self.reread(covage).await
    }

    /// Rejects a request that only other request types allow. If the draft has no readable request type, the supplier decides.
    fn demand(&self, allowed: &[OrderRequestType], otherwise: &str) -> Result<(), Error> {
        match self.order.request_type.get() {
            Some(request_type)
                if !allowed.contains(request_type) && !self.skipped.contains("request_type") =>
            {
                Err(refused(format_args!("request_type: {otherwise}")))
            }
            _ => Ok(()),
        }
    }

    /// Sets the reference of the optical socket to use. The draft's `request_type` must be `activate_defined`
    /// ([`set_fibre`](Self::set_fibre)). The supplier looks up the socket and fills in its stairs and floor. Compare them with
    /// what the customer states, as a wrong socket is the usual reason for a rejected order.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the draft has no socket to set, when its socket is locked to
    /// another reference, or when its request type is another one. Returns
    /// [`Outcome::Indeterminate`](crate::Outcome::Indeterminate) when the draft, read again, has a socket other than this one,
    /// because an earlier change may have been carried out late. Check the order, and set the socket again.
    #[doc(alias = "updateOrderEndpoint")]
    #[doc(alias = "PATCH /api/v2/orders/{uuid}/endpoints/{endpoint_uuid}/")]
    pub async fn set_otp(&mut self, covage: &Covage, otp: &Otp) -> Result<Socket, Error> {
        self.demand(&[OrderRequestType::ActivateDefined], "a socket is given for activate_defined only")?;
        let Some((_, socket)) = self.socket() else {
            return Err(refused(
                "bounds[0].endpoints: the draft has no optical socket: is it a fibre order?",
            ));
        };
        if socket.locked.get() == Some(&true) {
            if !is_reference_of(socket, otp) {
                return Err(refused("bounds[0].endpoints[0].reference: the socket is fixed to another one"));
            }
            self.reread(covage).await?;
            return self.place_of(otp);
        }
        let endpoint = socket
            .uuid
            .get()
            .cloned()
            .ok_or_else(|| refused("the socket has no id: read the order again"))?;
        let endpoint = segment("the socket's id", &endpoint)?;
        let uuid = self.uuid.segment();
        let body = OrderEndpointUpdate { reference: otp.to_string() };
        let reply = covage.client.update_order_endpoint(uuid, &endpoint, &body).await;
        self.noted(reply)?;
        self.reread(covage).await?;
        self.place_of(otp)
    }

    /// Returns the location that the supplier states for the socket, if the draft has this socket.
    fn place_of(&self, otp: &Otp) -> Result<Socket, Error> {
        let Some((bound, _)) = self.socket().filter(|(_, socket)| is_reference_of(socket, otp)) else {
            return Err(Error::indeterminate(
                lastmile_covage::TABLE.api,
                "the draft has another socket than the one that was set, as another change may have been carried out later: look \
                 at the order, and set the socket again",
            ));
        };
        let address = bound.address.get();
        Ok(address.map_or_else(Socket::default, |address| Socket {
            stairs: address.stairs.as_deref().map(str::to_owned),
            floor: address.floor.as_deref().map(str::to_owned),
        }))
    }

    /// Returns all fields that are missing or invalid, and warnings about fields that are probably wrong.
    ///
    /// The check uses the order as the supplier last returned it. (Source: the O/S/C tables of the orders API.)
    pub fn readiness(&self) -> Readiness {
        Readiness::of(&self.order)
    }

    /// Converts the draft into its submission, which places the order. The draft is consumed, so it cannot be changed after its
    /// submission.
    ///
    /// # Errors
    /// Returns [`NotReady`] with the draft and all fields that are missing or invalid and not [skipped](Self::skip_validation).
    /// Also returns [`NotReady`] for the termination of a service, which disconnects the service as soon as it is submitted:
    /// use [`termination`](Self::termination).
    pub fn submission(self) -> Result<Submission, NotReady> {
        if self.order.type_.get() == Some(&OrderType::Activate) {
            return self.submitted();
        }
        let why = "type: only activations are submitted so: a termination cuts the service at once, and is confirmed";
        Err(NotReady::new(self, Why::Otherwise(why)))
    }

    /// Converts the draft into the submission of a termination. **The service is disconnected as soon as the submission is
    /// placed**, so this method requires a confirmation that names the service. (Source: orders API, note of "Order
    /// terminate".)
    ///
    /// ```compile_fail,E0061
    /// # use lastmile::covage::Draft;
    /// fn cut(draft: Draft) {
    ///     let submission = draft.termination(); // which service?
    /// }
    /// ```
    ///
    /// # Errors
    /// Returns [`NotReady`] when a field that is not [skipped](Self::skip_validation) is missing, when the confirmation names
    /// another service, or when the draft is not a termination.
    pub fn termination(self, confirmation: ConfirmTermination) -> Result<Submission, NotReady> {
        let why = match self.order.type_.get() {
            Some(OrderType::Terminate) if confirmation.is_of(&self.order) => return self.submitted(),
            Some(OrderType::Terminate) => {
                "service_ref, service_uuid: the confirmation is for another service than the draft ends"
            }
            _ => "type: the draft is no termination",
        };
        Err(NotReady::new(self, Why::Otherwise(why)))
    }

    fn submitted(self) -> Result<Submission, NotReady> {
        let readiness = self.readiness().without(&self.skipped);
        match readiness.is_ready() {
            true => Ok(Submission::new(self.uuid, Seen::of(&self.order))),
            false => Err(NotReady::new(self, Why::Incomplete(readiness))),
        }
    }

    /// Returns the end of the line whose address is set, and its index: the end with an optical socket if there is one, and
    /// otherwise the first end.
    fn address(&self) -> Option<(usize, &OrderBound)> {
        let bounds = || self.order.bounds.iter().enumerate();
        let of_socket = self.socket().and_then(|(socket, _)| {
            bounds().find(|(_, bound)| bound.get().is_some_and(|bound| std::ptr::eq(bound, socket)))
        });
        let (at, bound) = of_socket.or_else(|| bounds().next())?;
        Some((at, bound.get()?))
    }

    /// Returns the end of the line that has an optical socket, and the socket.
    fn socket(&self) -> Option<(&OrderBound, &OrderEndpoint)> {
        self.bounds().find_map(|bound| {
            let mut endpoints = bound.endpoints.iter().filter_map(Lenient::get);
            let socket = endpoints.find(|endpoint| endpoint.type_.get() == Some(&OrderEndpointType::Otp))?;
            Some((bound, socket))
        })
    }

    fn bounds(&self) -> impl Iterator<Item = &OrderBound> {
        self.order.bounds.iter().filter_map(Lenient::get)
    }

    /// Returns whether an attempt to change this draft received no response, so that the supplier may still carry it out, even
    /// after a newer change. The client delays conflicting changes until the policy's [`settle`](crate::Policy::settle_time)
    /// time has passed, and the [`Submission`] compares the draft with its last known state.
    pub fn has_unanswered_change(&self) -> bool {
        self.has_unanswered_change
    }

    /// Returns whether a response contains the order of this draft.
    fn is_this(&self, order: &Order) -> bool {
        order.uuid.as_deref().is_some_and(|uuid| uuid.eq_ignore_ascii_case(self.uuid.as_str()))
    }

    fn noted<T>(&mut self, reply: Result<Reply<T>, Error>) -> Result<Reply<T>, Error> {
        self.has_unanswered_change |= match &reply {
            Ok(reply) => reply.earlier_attempt_unanswered,
            Err(error) => error.outcome() == Outcome::Indeterminate,
        };
        reply
    }

    async fn reread(&mut self, covage: &Covage) -> Result<(), Error> {
        let uuid = self.uuid.segment();
        let reply = covage.client.get_order(uuid).await?;
        if !self.is_this(&reply.value) {
            return Err(reply.into_decode_error("the response is another order"));
        }
        self.order = reply.value;
        Ok(())
    }
}

/// Creates a draft from an order that was read, for example after a restart.
///
/// # Errors
/// Returns [`Outcome::Invalid`] when the order is no longer a draft, or has no id.
impl TryFrom<Order> for Draft {
    type Error = Error;

    fn try_from(order: Order) -> Result<Self, Error> {
        if order.status.get() != Some(&OrderStatus::Draft) {
            return Err(refused("the order is no draft: only drafts can be changed and submitted"));
        }
        match Self::id_of(&order) {
            Some(uuid) => Ok(Self::with_id(uuid, order)),
            None => Err(refused("the order has no id: read it again")),
        }
    }
}

/// Returns whether a socket has this reference. A truncated reference does not match.
fn is_reference_of(socket: &OrderEndpoint, otp: &Otp) -> bool {
    socket.reference.as_deref().is_some_and(|reference| plain(reference) == plain(otp.as_str()))
}

/// The location of an optical socket, as the supplier reports it.
///
/// `Debug` does not show the location, because it is personal data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Socket {
    /// The name of the stairs, if the supplier reports it.
    pub stairs: Option<String>,
    /// The name of the floor, if the supplier reports it.
    pub floor: Option<String>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket((hidden))")
    }
}

impl Socket {
    /// Returns whether the supplier's location of the socket equals the location that the customer states. Returns `None` if
    /// the supplier does not report the location.
    pub fn is_at(&self, stairs: &str, floor: &str) -> Option<bool> {
        let (known_stairs, known_floor) = (self.stairs.as_deref()?, self.floor.as_deref()?);
        Some(known_stairs == stairs && known_floor == floor)
    }
}
