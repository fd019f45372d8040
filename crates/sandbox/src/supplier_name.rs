//! The names of the suppliers.

use std::fmt;

use crate::spec::Spec;

/// Names one of the simulated suppliers. `Display` writes its name in English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SupplierName {
    /// Cocon (Netherlands).
    Cocon,
    /// Covage (France).
    Covage,
    /// A communication operator that implements the ON-API (Sweden).
    OnApi,
}

impl SupplierName {
    /// All suppliers, in alphabetical order.
    pub const ALL: [SupplierName; 3] = [SupplierName::Cocon, SupplierName::Covage, SupplierName::OnApi];

    /// Returns the key by which the control API and the program's options name the supplier, such as `onapi`.
    pub fn key(self) -> &'static str {
        match self {
            SupplierName::Cocon => "cocon",
            SupplierName::Covage => "covage",
            SupplierName::OnApi => "onapi",
        }
    }

    /// Returns the supplier with this key.
    pub fn from_key(key: &str) -> Option<SupplierName> {
        SupplierName::ALL.into_iter().find(|name| name.key() == key)
    }

    /// Returns the country in which the supplier works.
    pub fn country(self) -> &'static str {
        match self {
            SupplierName::Cocon => "Netherlands",
            SupplierName::Covage => "France",
            SupplierName::OnApi => "Sweden",
        }
    }

    /// Returns the supplier's document; for ON-API, that of all dialects, although a network has the document of its
    /// dialect alone, [`Supplier::spec`](crate::Supplier::spec).
    pub fn spec(self) -> &'static Spec {
        match self {
            SupplierName::Cocon => Spec::cocon(),
            SupplierName::Covage => Spec::covage(),
            SupplierName::OnApi => Spec::onapi(),
        }
    }
}

impl fmt::Display for SupplierName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SupplierName::Cocon => "Cocon",
            SupplierName::Covage => "Covage",
            SupplierName::OnApi => "ON-API",
        })
    }
}
