//! Accesses: reading them, and finding them by the identifiers that a DHCP server logs.

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{Access, AccessSubscriptions, FoundAccess, LookupDhcpParams};

use super::dialect::ListedIn;
use super::{Dialect, EndpointName, OnApi, refused, segment};
use crate::rules::{DhcpIdentifier, OnApiId, Option82};

impl OnApi {
    /// Returns the id of the access that an option 82 value belongs to.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no access has this value.
    #[doc(alias = "lookupOption82")]
    #[doc(alias = "GET /option82/{option82}")]
    pub async fn access_of_option82(&self, option: &Option82) -> Result<OnApiId, Error> {
        let option = option.as_str().parse().map_err(|_| refused("option 82 is empty"))?;
        let client = self.endpoint_client(EndpointName::Option82)?;
        found(client.lookup_option82(&option).await?)
    }

    /// Returns the id of the only access that matches the identifiers of a DHCP server. Set the identifiers that the log shows;
    /// the access must match all of them.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when no identifier is set or one is empty, and
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no access matches or more than one does.
    #[doc(alias = "lookupDhcp")]
    #[doc(alias = "GET /dhcplookup/")]
    pub async fn access_of_dhcp(&self, identifiers: &DhcpIdentifier) -> Result<OnApiId, Error> {
        let given = [
            ("ipv4CircuitId", &identifiers.ipv4_circuit_id),
            ("ipv4RemoteId", &identifiers.ipv4_remote_id),
            ("ipv6InterfaceId", &identifiers.ipv6_interface_id),
            ("ipv6RemoteId", &identifiers.ipv6_remote_id),
        ];
        if identifiers.is_empty() {
            return Err(refused("there is nothing to look up: give one identifier at least"));
        }
        if let Some((name, _)) = given.iter().find(|(_, value)| value.as_deref() == Some("")) {
            return Err(refused(format_args!("{name}: it is empty")));
        }
        let params = LookupDhcpParams {
            ipv4_circuit_id: identifiers.ipv4_circuit_id.clone(),
            ipv4_remote_id: identifiers.ipv4_remote_id.clone(),
            ipv4option82: None,
            ipv6_interface_id: identifiers.ipv6_interface_id.clone(),
            ipv6_remote_id: identifiers.ipv6_remote_id.clone(),
        };
        let client = self.endpoint_client(EndpointName::DhcpLookup)?;
        found(client.lookup_dhcp(&params).await?)
    }

    /// Reads an access.
    ///
    /// # Errors
    /// Returns [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no access has this id.
    #[doc(alias = "getAccess")]
    #[doc(alias = "GET /accesses/{accessId}")]
    pub async fn access(&self, access: &OnApiId) -> Result<Access, Error> {
        self.access_reply(access).await.map(Reply::into_value)
    }

    pub(super) async fn access_reply(&self, access: &OnApiId) -> Result<Reply<Access>, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Accesses)?;
        client.get_access(&id).await
    }

    /// Returns whether the network lists the services, or the subscriptions, of one access in the access itself, as before
    /// ON-API 2.6.
    pub(super) fn lists_in_access(&self, endpoint: EndpointName) -> bool {
        let in_access = |dialect: Dialect| dialect.traits().listed_in == ListedIn::Access;
        match self.offers_endpoint(endpoint) {
            Some(false) => in_access(self.dialect_of(EndpointName::Accesses)),
            Some(true) | None => in_access(self.dialect_of(endpoint)),
        }
    }

    /// Returns your subscriptions on an access.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getSubscriptions")]
    #[doc(alias = "GET /subscriptions/{accessId}")]
    #[doc(alias = "getAccess")]
    #[doc(alias = "GET /accesses/{accessId}")]
    pub async fn subscriptions(&self, access: &OnApiId) -> Result<AccessSubscriptions, Error> {
        if self.lists_in_access(EndpointName::Subscriptions) {
            let access = self.access(access).await?;
            let (access_id, subscriptions) = (access.access_id, access.subscriptions);
            return Ok(AccessSubscriptions { access_id, subscriptions, ..Default::default() });
        }
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Subscriptions)?;
        client.get_subscriptions(&id).await.map(Reply::into_value)
    }
}

fn found(reply: Reply<FoundAccess>) -> Result<OnApiId, Error> {
    match reply.value.access_id.as_deref().map(OnApiId::try_from) {
        Some(Ok(id)) => Ok(id),
        _ => Err(reply.into_decode_error("the response has no id of an access")),
    }
}
