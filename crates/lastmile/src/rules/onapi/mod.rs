//! Rules of ON-API 2.6.

mod address;
mod dhcp;
mod id;
mod mac;
mod option82;
mod phone;

pub use address::{ApartmentNumber, CountryCode, OnApiPostalCode, OnApiStreetNumber};
pub use dhcp::DhcpIdentifier;
pub use id::OnApiId;
pub use mac::MacAddress;
pub use option82::{Option82, SubOption};
pub use phone::OnApiPhone;
