//! Accesses: found by what DHCP servers log, and read.

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{Access, AccessSubscriptions, FoundAccess, LookupDhcpParams};

use super::{EndpointName, OnApi, refused, segment};
use crate::rules::{DhcpIdentifier, OnApiId, Option82};

impl OnApi {
    /// The access that a DHCP server's option 82 belongs to.
    ///
    /// # Errors
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no access has it.
    #[doc(alias = "lookupOption82")]
    #[doc(alias = "GET /option82/{option82}")]
    pub async fn access_of_option82(&self, option: &Option82) -> Result<OnApiId, Error> {
        let option = option.as_str().parse().map_err(|_| refused("option 82 is empty"))?;
        let client = self.endpoint_client(EndpointName::Option82)?;
        found(client.lookup_option82(&option).await?)
    }

    /// The access that a DHCP server's identifiers belong to, if they belong to one alone. Give what the log shows; every
    /// part that is given must fit.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when none is given, or one is empty;
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when no access has them, or more than one.
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
    /// [`Outcome::Rejected`](crate::Outcome::Rejected) with status 404 when there is none of this id.
    #[doc(alias = "getAccess")]
    #[doc(alias = "GET /accesses/{accessId}")]
    pub async fn access(&self, access: &OnApiId) -> Result<Access, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Accesses)?;
        client.get_access(&id).await.map(Reply::into_value)
    }

    /// Your subscriptions on an access.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "getSubscriptions")]
    #[doc(alias = "GET /subscriptions/{accessId}")]
    pub async fn subscriptions(&self, access: &OnApiId) -> Result<AccessSubscriptions, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::Subscriptions)?;
        client.get_subscriptions(&id).await.map(Reply::into_value)
    }
}

fn found(reply: Reply<FoundAccess>) -> Result<OnApiId, Error> {
    match reply.value.access_id.as_deref().map(OnApiId::try_from) {
        Some(Ok(id)) => Ok(id),
        _ => Err(reply.unfit("the answer has no id of an access")),
    }
}
