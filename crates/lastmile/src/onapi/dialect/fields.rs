//! Fields that have other names in other dialects, read by their meaning.

use lastmile_core::wire::{Decimal, Lenient, Text};
use lastmile_onapi::types::{Characteristics, CpePort, InvoiceLine, LinkStatus, Transceiver};

/// Reads the characteristics of an order or a subscription, whatever their names in the dialect of the network.
///
/// ```
/// use lastmile::onapi::CharacteristicsExt as _;
/// use lastmile::onapi::types::Characteristics;
///
/// for arrived in [r#"{ "SLA": "gold", "ipAddress": ["192.0.2.17"] }"#, r#"{ "sla": "gold", "ipAddresses": ["192.0.2.17"] }"#] {
///     let read: Characteristics = serde_json::from_str(arrived)?;
///     assert_eq!(read.service_level(), Some("gold"));
///     assert_eq!(read.addresses().collect::<Vec<_>>(), ["192.0.2.17"]);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait CharacteristicsExt {
    /// Returns the service level: `SLA` in the standard, `sla` in one vendor's reading.
    fn service_level(&self) -> Option<&str>;

    /// Returns the IP addresses: `ipAddress` or `ipAddresses`.
    fn addresses(&self) -> impl Iterator<Item = &str>;
}

impl CharacteristicsExt for Characteristics {
    fn service_level(&self) -> Option<&str> {
        first([&self.sla_upper, &self.sla])
    }

    fn addresses(&self) -> impl Iterator<Item = &str> {
        self.ip_address.iter().chain(&self.ip_addresses).filter_map(|address| address.as_deref())
    }
}

/// Reads an invoice line, whatever the names of its fields in the dialect of the network.
///
/// ```
/// use lastmile::onapi::InvoiceLineExt as _;
/// use lastmile::onapi::types::InvoiceLine;
///
/// for arrived in [
///     r#"{ "coID": "Ankeborg", "address": { "accessID": "a-1" }, "subscription": { "serviceName": "BB-100" } }"#,
///     r#"{ "coId": "Ankeborg", "access": { "accessId": "a-1" }, "subscription": { "service": "BB-100" } }"#,
/// ] {
///     let line: InvoiceLine = serde_json::from_str(arrived)?;
///     let read = (line.operator(), line.access_id(), line.service());
///     assert_eq!(read, (Some("Ankeborg"), Some("a-1"), Some("BB-100")));
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait InvoiceLineExt {
    /// Returns the name of the network's operator: `coId`, or `coID` before 2.6.
    fn operator(&self) -> Option<&str>;

    /// Returns the name of the service provider: `spName`, or `serviceProvider.name` before 2.6.
    fn service_provider_name(&self) -> Option<&str>;

    /// Returns the id of the access: `access.accessId`, or `address.accessID` before 2.6.
    fn access_id(&self) -> Option<&str>;

    /// Returns the name of the service: `subscription.service`, or `subscription.serviceName` before 2.6.
    fn service(&self) -> Option<&str>;

    /// Returns the group of accesses: `access.population`, or `population` before 2.6.
    fn population(&self) -> Option<&str>;

    /// Returns the apartment number: `access.mduApartmentNumber`, or `address.apartmentNumber` before 2.6.
    fn apartment_number(&self) -> Option<&str>;

    /// Returns the credited amount as the network states it: `invoice.creditAmount` before 2.6. From 2.6 on a credit is a
    /// negative `invoicedAmount`.
    fn credit_amount(&self) -> Option<&Decimal>;
}

impl InvoiceLineExt for InvoiceLine {
    fn operator(&self) -> Option<&str> {
        first([&self.co_id, &self.co_id_upper])
    }

    fn service_provider_name(&self) -> Option<&str> {
        let earlier = self.service_provider.get().and_then(|provider| text(&provider.name));
        text(&self.sp_name).or(earlier)
    }

    fn access_id(&self) -> Option<&str> {
        let earlier = || self.address.get().and_then(|address| text(&address.access_id));
        self.access.get().and_then(|access| text(&access.access_id)).or_else(earlier)
    }

    fn service(&self) -> Option<&str> {
        let subscription = self.subscription.get()?;
        first([&subscription.service, &subscription.service_name])
    }

    fn population(&self) -> Option<&str> {
        self.access.get().and_then(|access| text(&access.population)).or_else(|| text(&self.population))
    }

    fn apartment_number(&self) -> Option<&str> {
        let earlier = || self.address.get().and_then(|address| text(&address.apartment_number));
        self.access.get().and_then(|access| text(&access.mdu_apartment_number)).or_else(earlier)
    }

    fn credit_amount(&self) -> Option<&Decimal> {
        self.invoice.get()?.credit_amount.get()
    }
}

/// Reads the optical module of a port, whatever its name in the dialect of the network.
pub trait TransceiverExt {
    /// Returns the optical module: `transceiver`, or `fiber` before 2.6.
    fn optics(&self) -> Option<&Transceiver>;
}

impl TransceiverExt for LinkStatus {
    fn optics(&self) -> Option<&Transceiver> {
        self.transceiver.get().or(self.fiber.get())
    }
}

impl TransceiverExt for CpePort {
    fn optics(&self) -> Option<&Transceiver> {
        self.transceiver.get().or(self.fiber.get())
    }
}

/// Returns a text, unless it is empty.
fn text(field: &Lenient<Text>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}

fn first<const N: usize>(fields: [&Lenient<Text>; N]) -> Option<&str> {
    fields.into_iter().find_map(text)
}
