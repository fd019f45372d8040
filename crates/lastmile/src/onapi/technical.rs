//! The current state of a line, as reported by the elements of a network. Every field is optional. (Source: ON-API 2.6,
//! technical information.)

use lastmile_core::{Error, Reply};
use lastmile_onapi::types::{CpeStatus, Hardware, IgmpGroup, Lease, LinkStatus, MacEntry};

use super::{EndpointName, OnApi, segment};
use crate::List;
use crate::rules::OnApiId;

impl OnApi {
    /// Returns the customer's equipment: its type, its state, its ports and the devices connected to it.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getCpeStatus")]
    #[doc(alias = "GET /tech/cpe/{accessId}/status")]
    pub async fn cpe_status(&self, access: &OnApiId) -> Result<CpeStatus, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::TechCpe)?;
        client.get_cpe_status(&id).await.map(Reply::into_value)
    }

    /// Returns the network element that the line is connected to.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getHardware")]
    #[doc(alias = "GET /tech/access/{accessId}/hardware")]
    pub async fn hardware(&self, access: &OnApiId) -> Result<Hardware, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::TechAccess)?;
        client.get_hardware(&id).await.map(Reply::into_value)
    }

    /// Returns whether the line is up, with its speed and traffic counters.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getLinkStatus")]
    #[doc(alias = "GET /tech/access/{accessId}/link/status")]
    pub async fn link_status(&self, access: &OnApiId) -> Result<LinkStatus, Error> {
        let id = segment(access)?;
        let client = self.endpoint_client(EndpointName::TechAccess)?;
        client.get_link_status(&id).await.map(Reply::into_value)
    }

    /// Lists the devices that the network has seen on the line.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getMacAddressTable")]
    #[doc(alias = "GET /tech/access/{accessId}/link/macaddresstable")]
    pub fn mac_table(&self, access: &OnApiId) -> List<MacEntry> {
        let (network, access) = (self.clone(), access.clone());
        List::new(async move {
            let id = segment(&access)?;
            let client = network.endpoint_client(EndpointName::TechAccess)?;
            Ok(client.get_mac_address_table(&id).await?.value.into_vec())
        })
    }

    /// Lists the addresses that are leased to devices on the line. Some networks respond with the fields of a MAC table; fields
    /// that a lease does not have are in its `extra`.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getLeaseInfo")]
    #[doc(alias = "GET /tech/access/{accessId}/link/leaseinfo")]
    pub fn leases(&self, access: &OnApiId) -> List<Lease> {
        let (network, access) = (self.clone(), access.clone());
        List::new(async move {
            let id = segment(&access)?;
            let client = network.endpoint_client(EndpointName::TechAccess)?;
            Ok(client.get_lease_info(&id).await?.value.into_vec())
        })
    }

    /// Lists the multicast groups that devices on the line have joined.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getIgmpSnooping")]
    #[doc(alias = "GET /tech/access/{accessId}/link/igmpsnooping")]
    pub fn igmp_groups(&self, access: &OnApiId) -> List<IgmpGroup> {
        let (network, access) = (self.clone(), access.clone());
        List::new(async move {
            let id = segment(&access)?;
            let client = network.endpoint_client(EndpointName::TechAccess)?;
            Ok(client.get_igmp_snooping(&id).await?.value.into_vec())
        })
    }
}
