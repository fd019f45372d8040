//! The versions of the ON-API, and the two forms of 2.6: the standard's and one vendor's.
//!
//! The simulation holds requests and responses in the form of the standard 2.6. A dialect converts requests to it, and
//! responses from it.

mod edit;
mod legacy;
mod request;
mod standard;
mod vendor;

use serde_json::Value;

use crate::spec::Spec;

/// The version and form of the ON-API that the CO implements.
///
/// A CO validates requests against the document of its dialect, and its responses are valid in that document.
///
/// | | `Vendor26` | `Standard26` | `Standard25` | `Standard24` |
/// | --- | --- | --- | --- | --- |
/// | services | `/services/` | `/services/` | inside of accesses | inside of accesses |
/// | dates of services | date-times | date-times or `""` | date-times or `""` | dates, `YES`, `NO` or `""` |
/// | subscriptions | rows of accesses | rows of accesses | one row each; inside of `/accesses/{id}` | as in 2.5 |
/// | `equipment` | one object | a list | a list | a list |
/// | characteristics | `sla`, `ipAddresses` | `SLA`, `ipAddress` | `SLA`, `ipAddress` | `SLA`, `ipAddress` |
/// | DHCP look-up | yes | yes | no | yes |
/// | lists with one element | sometimes that element | lists | lists | lists |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// ON-API 2.6 as one vendor reads it: some lists with one element are that element, leases have the fields of a
    /// MAC address table, the characteristics of services have a field `empty`, and some fields have other names.
    #[default]
    Vendor26,
    /// ON-API 2.6 as the standard specifies it.
    Standard26,
    /// ON-API 2.5 as the standard specifies it.
    Standard25,
    /// ON-API 2.4 as the standard specifies it.
    Standard24,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Dialect; 4] =
        [Dialect::Vendor26, Dialect::Standard26, Dialect::Standard25, Dialect::Standard24];

    /// Returns the name of the dialect, such as `standard24`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Vendor26 => "vendor26",
            Dialect::Standard26 => "standard26",
            Dialect::Standard25 => "standard25",
            Dialect::Standard24 => "standard24",
        }
    }

    /// Returns the version of the ON-API, such as `2.4`.
    pub fn version(self) -> &'static str {
        match self {
            Dialect::Vendor26 | Dialect::Standard26 => "2.6",
            Dialect::Standard25 => "2.5",
            Dialect::Standard24 => "2.4",
        }
    }

    /// Returns the document of the dialect. It contains nothing of the others.
    ///
    /// ```
    /// use lastmile_sandbox::Dialect;
    ///
    /// assert!(Dialect::Standard26.spec().operation("getServices").is_some());
    /// assert!(Dialect::Standard24.spec().operation("getServices").is_none());
    /// ```
    pub fn spec(self) -> &'static Spec {
        Spec::onapi_dialect(self)
    }

    /// Returns the path prefix of the API.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Dialect::Vendor26 | Dialect::Standard26 => "/onapi/2.6",
            Dialect::Standard25 => "/onapi/2.5",
            Dialect::Standard24 => "/onapi/2.4",
        }
    }

    /// Returns whether the CO has its own form of the standard.
    pub(super) fn is_vendor(self) -> bool {
        self == Dialect::Vendor26
    }

    /// Returns whether services and subscriptions are fields of an access, as before 2.6.
    pub(crate) fn is_legacy(self) -> bool {
        matches!(self, Dialect::Standard25 | Dialect::Standard24)
    }

    /// Returns the fields that an order with this operation must have, as the document lists them.
    pub(super) fn required_fields(self, operation: &str) -> impl Iterator<Item = &'static str> {
        let schemas = &self.spec().document()["components"]["schemas"];
        let fields = schemas["OrderCreate"]["x-required-by"][operation].as_array();
        fields.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Converts a request body from the form of the dialect, and drops fields that the dialect does not have.
    pub(super) fn parse_request(self, operation: &str, body: Value) -> Value {
        match operation {
            "createOrder" | "replaceOrder" | "changeOrder" => request::order(self, body),
            "createTicket" => request::ticket(body),
            "updateTicket" => request::ticket_update(body),
            _ => body,
        }
    }

    /// Converts a response body to the form of the dialect.
    pub(super) fn write_response(self, operation: &str, body: Value) -> Value {
        match self {
            Dialect::Vendor26 => vendor::shape(operation, body),
            Dialect::Standard26 => standard::shape(operation, body),
            Dialect::Standard25 | Dialect::Standard24 => {
                legacy::shape(operation, standard::shape(operation, body))
            }
        }
    }
}
