//! What can be had on an access, and the permits that follow from it.

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{AccessServices, Service};

use super::{EndpointName, NewOrder, OnApi, segment};
use crate::rules::OnApiId;

/// What an access is offered.
#[derive(Clone, Debug)]
pub struct Offers {
    access: OnApiId,
    answer: AccessServices,
}

/// A service that an access is offered.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    access: &'a OnApiId,
    name: &'a str,
    service: &'a Service,
}

/// That an offer allows its service to be taken over from another service provider, on its access. (Source: ON-API 2.6,
/// orders: `forcedTakeover` only where the offer says `forcedTakeoverPossible`.)
///
/// It comes from [`Offer::takeover_permit`] alone, and is good for one order: [`NewOrder::take_over`].
#[derive(Debug, PartialEq, Eq)]
pub struct TakeoverPermit {
    access: OnApiId,
    service: String,
}

impl TakeoverPermit {
    /// The access.
    pub fn access(&self) -> &OnApiId {
        &self.access
    }

    /// The service.
    pub fn service(&self) -> &str {
        &self.service
    }

    pub(super) fn into_parts(self) -> (OnApiId, String) {
        (self.access, self.service)
    }
}

impl Offers {
    /// The access.
    pub fn access(&self) -> &OnApiId {
        &self.access
    }

    /// The offers, without those that have no readable name: look at the [`answer`](Self::answer) for these.
    pub fn iter(&self) -> impl Iterator<Item = Offer<'_>> {
        self.answer.services.iter().filter_map(|service| {
            let service = service.get()?;
            let name = service.service.as_deref().filter(|name| !name.is_empty())?;
            Some(Offer { access: &self.access, name, service })
        })
    }

    /// The offer of this service.
    pub fn of(&self, service: &str) -> Option<Offer<'_>> {
        self.iter().find(|offer| offer.name == service)
    }

    /// All that the network said.
    pub fn answer(&self) -> &AccessServices {
        &self.answer
    }
}

impl<'a> Offer<'a> {
    /// The name of the service, as orders give it.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// All that the network says about it: since when and until when it can be had, what can be chosen.
    pub fn service(&self) -> &'a Service {
        self.service
    }

    /// The order of this service on this access. See [`NewOrder::activate`].
    pub fn activate(&self, reference: OnApiId) -> NewOrder {
        NewOrder::activate(self.access.clone(), self.name, reference)
    }

    /// The permit to take the service over from another service provider; none, where the offer does not say that this is
    /// possible.
    pub fn takeover_permit(&self) -> Option<TakeoverPermit> {
        let possible = self.service.forced_takeover_possible.get() == Some(&true);
        possible.then(|| TakeoverPermit { access: self.access.clone(), service: self.name.to_owned() })
    }
}

impl OnApi {
    /// Returns the services that the network lists for an access, those that cannot be ordered now included.
    ///
    /// # Errors
    /// The outcome of the call; [`Outcome::Decode`](crate::Outcome::Decode) when the network answers with another access.
    #[doc(alias = "getServices")]
    #[doc(alias = "GET /services/{accessId}")]
    pub async fn offers(&self, access: &OnApiId) -> Result<Offers, Error> {
        let reply = self.services_reply(access).await?;
        if reply.value.access_id.as_deref().is_some_and(|other| other != access.as_str()) {
            return Err(reply.unfit("the network answers with the services of another access"));
        }
        Ok(Offers { access: access.clone(), answer: reply.into_value() })
    }

    /// The services that an access has or can have, as the network says it. See [`offers`](Self::offers) for ordering.
    ///
    /// # Errors
    /// The outcome of the call.
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
