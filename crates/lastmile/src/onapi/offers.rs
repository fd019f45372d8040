//! The services that an access is offered, and the takeover permits of offers.

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{Access, AccessServices, OfferedCharacteristic, Service};

use super::offered::{is_required, offered_by};
use super::{EndpointName, NewOrder, OnApi, segment};
use crate::rules::OnApiId;

/// The services that a network offers on an access.
#[derive(Clone, Debug)]
pub struct Offers {
    access: OnApiId,
    answer: AccessServices,
}

/// A service that a network offers on an access.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    access: &'a OnApiId,
    name: &'a str,
    service: &'a Service,
}

/// The permission of an offer to take its service over from another service provider, on the offer's access. (Source: ON-API
/// 2.6, orders: `forcedTakeover` only where the offer says `forcedTakeoverPossible`.)
///
/// Only [`Offer::takeover_permit`] returns a permit. It is valid for one order: [`NewOrder::take_over`].
#[derive(Debug, PartialEq, Eq)]
pub struct TakeoverPermit {
    access: OnApiId,
    service: String,
}

impl TakeoverPermit {
    /// Returns the access that the permit is valid for.
    pub fn access(&self) -> &OnApiId {
        &self.access
    }

    /// Returns the service that the permit is valid for.
    pub fn service(&self) -> &str {
        &self.service
    }

    pub(super) fn into_parts(self) -> (OnApiId, String) {
        (self.access, self.service)
    }
}

impl Offers {
    /// Returns the access.
    pub fn access(&self) -> &OnApiId {
        &self.access
    }

    /// Returns an iterator over the offers that have a readable name. [`answer`](Self::answer) also has the others.
    pub fn iter(&self) -> impl Iterator<Item = Offer<'_>> {
        self.answer.services.iter().filter_map(|service| {
            let service = service.get()?;
            let name = service.service.as_deref().filter(|name| !name.is_empty())?;
            Some(Offer { access: &self.access, name, service })
        })
    }

    /// Returns the offer of a service, or `None` if the access is not offered this service.
    pub fn of(&self, service: &str) -> Option<Offer<'_>> {
        self.iter().find(|offer| offer.name == service)
    }

    /// Returns the network's complete response.
    pub fn answer(&self) -> &AccessServices {
        &self.answer
    }
}

impl<'a> Offer<'a> {
    /// Returns the name of the service, as used in orders.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Returns all that the network states about the service, such as its availability dates and options.
    pub fn service(&self) -> &'a Service {
        self.service
    }

    /// Returns the characteristics that an order of this service may have, by their names in the network's dialect, such as
    /// `fixedIp` and `SLA`.
    pub fn characteristics(&self) -> impl Iterator<Item = (&'a str, &'a OfferedCharacteristic)> {
        let listed = self.service.characteristics.get().into_iter().flatten();
        listed.filter_map(|(name, offered)| Some((name.as_str(), offered.get()?)))
    }

    /// Returns the names of the characteristics that an order of this service must have.
    pub fn required_characteristics(&self) -> impl Iterator<Item = &'a str> {
        let listed = self.service.characteristics.get().into_iter().flatten();
        listed.filter(|(_, offered)| is_required(offered)).map(|(name, _)| name.as_str())
    }

    /// Creates an order that activates this service on this access. See [`NewOrder::activate`].
    ///
    /// The order knows the characteristics that the offer lists. An order that lacks a required one, or gives one a value that
    /// the offer does not list, is refused before it is sent; [`NewOrder::skip_validation`] sends it nevertheless.
    ///
    /// ```no_run
    /// # use lastmile::Prepared;
    /// # use lastmile::onapi::Offer;
    /// # fn example(offer: Offer<'_>) -> Result<(), Box<dyn std::error::Error>> {
    /// let order = offer.activate("SP-0431".parse()?).fixed_ip(true).sla("SLA-2");
    /// let prepared = Prepared::new(order)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn activate(&self, reference: OnApiId) -> NewOrder {
        NewOrder::activate(self.access.clone(), self.name, reference).offered(offered_by(self.service))
    }

    /// Returns the permit to take the service over from another service provider, or `None` if the offer does not state that
    /// this is possible.
    pub fn takeover_permit(&self) -> Option<TakeoverPermit> {
        let possible = self.service.forced_takeover_possible.get() == Some(&true);
        possible.then(|| TakeoverPermit { access: self.access.clone(), service: self.name.to_owned() })
    }
}

impl OnApi {
    /// Returns the services that the network lists for an access, including those that cannot be ordered at present.
    ///
    /// # Errors
    /// Returns the error of the call, or [`Outcome::Decode`](crate::Outcome::Decode) when the response is about another access.
    #[doc(alias = "getServices")]
    #[doc(alias = "GET /services/{accessId}")]
    #[doc(alias = "getAccess")]
    #[doc(alias = "GET /accesses/{accessId}")]
    pub async fn offers(&self, access: &OnApiId) -> Result<Offers, Error> {
        const ANOTHER: &str = "the network responds with the services of another access";
        if self.lists_in_access(EndpointName::Services) {
            let reply = self.access_reply(access).await?;
            if reply.value.access_id.as_deref().is_some_and(|other| other != access.as_str()) {
                return Err(reply.into_decode_error(ANOTHER));
            }
            return Ok(Offers { access: access.clone(), answer: self.services_in(reply)? });
        }
        let reply = self.services_reply(access).await?;
        if reply.value.access_id.as_deref().is_some_and(|other| other != access.as_str()) {
            return Err(reply.into_decode_error(ANOTHER));
        }
        Ok(Offers { access: access.clone(), answer: reply.into_value() })
    }

    /// Returns the services that an access has or can have, as the network states them. To order a service, use
    /// [`offers`](Self::offers).
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getServices")]
    #[doc(alias = "GET /services/{accessId}")]
    #[doc(alias = "getAccess")]
    #[doc(alias = "GET /accesses/{accessId}")]
    pub async fn services(&self, access: &OnApiId) -> Result<AccessServices, Error> {
        if self.lists_in_access(EndpointName::Services) {
            return self.services_in(self.access_reply(access).await?);
        }
        self.services_reply(access).await.map(Reply::into_value)
    }

    /// Returns the services that the response for an access has, as before ON-API 2.6.
    fn services_in(&self, reply: Reply<Access>) -> Result<AccessServices, Error> {
        if reply.value.services.is_absent() {
            let dialect = self.dialect_of(EndpointName::Accesses);
            return Err(reply.into_decode_error(format!(
                "the access has no list of services: does the network speak {dialect}?"
            )));
        }
        let access = reply.into_value();
        Ok(AccessServices { access_id: access.access_id, services: access.services, ..Default::default() })
    }

    async fn services_reply(&self, access: &OnApiId) -> Result<Reply<AccessServices>, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Services)?;
        client.get_services(&id).await
    }
}
