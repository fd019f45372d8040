//! The services that an access is offered, and the takeover permits of offers.

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{AccessServices, Service};

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

    /// Creates an order that activates this service on this access. See [`NewOrder::activate`].
    pub fn activate(&self, reference: OnApiId) -> NewOrder {
        NewOrder::activate(self.access.clone(), self.name, reference)
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
    pub async fn offers(&self, access: &OnApiId) -> Result<Offers, Error> {
        let reply = self.services_reply(access).await?;
        if reply.value.access_id.as_deref().is_some_and(|other| other != access.as_str()) {
            return Err(reply.into_decode_error("the network responds with the services of another access"));
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
    pub async fn services(&self, access: &OnApiId) -> Result<AccessServices, Error> {
        self.services_reply(access).await.map(Reply::into_value)
    }

    async fn services_reply(&self, access: &OnApiId) -> Result<Reply<AccessServices>, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Services)?;
        client.get_services(&id).await
    }
}
