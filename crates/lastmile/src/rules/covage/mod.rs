//! Rules of Covage (Kosc), orders API v2.

mod building;
mod contact;
mod otp;
mod reference;
mod rio;
mod sanitize;
mod siret;
mod text;

pub use building::{BuildingRef, StairsKey};
pub use contact::{CovageEmail, CovagePhone, CovageZipCode, LineNumber};
pub use otp::Otp;
pub use reference::{CovageOrderRef, CovageServiceRef};
pub use rio::Rio;
pub use sanitize::{Change, Proposal};
pub use siret::Siret;
pub use text::CovageText;
