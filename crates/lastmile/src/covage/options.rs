//! Options of an order, identified by name.

use std::collections::BTreeMap;

use lastmile_covage::types::OrderOptionUpdate;

use crate::rules::Rio;

/// An option that the supplier's page names. [`Options::other`] sets any other option.
///
/// Source: orders API, "Options". The page calls its list informative: the catalogue and the offers are authoritative. An
/// option that does not belong to a product's family is therefore sent, and causes a warning in
/// [`Draft::readiness`](super::Draft::readiness).
///
/// ```
/// use lastmile::covage::OrderOption;
///
/// assert_eq!(OrderOption::ContractTerm.code(), "contract_term");
/// assert!(OrderOption::Portability.is_for("A") && !OrderOption::Portability.is_for("F"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderOption {
    /// Guaranteed time to repair (French: GTR), with a value. Families A, S, M, F, E.
    Gtr,
    /// Duration of the contract, with a value such as `36_months`. Families A, S, M, F, E.
    ContractTerm,
    /// Cabling inside the building. No source states whether the option has a value. Families A, S, M, E.
    InternalCabling,
    /// Porting of the number; use [`Options::portability`]. Families A, S, M.
    Portability,
    /// Exclusion of the number from directories. Families A, S, M.
    UnlistedNumber,
    /// Installation in an optical patch panel. Family E.
    PatchPanel,
    /// A redundant connection to the operator's link (ENNI: external network-to-network interface). Families S, E.
    EnniRedundancy,
    /// Installation of the customer's device (CPE: customer premises equipment), on or off. Family F.
    CpeInstall,
    /// Installation by an expert, with a value. Family F.
    InstallationExpert,
    /// Guaranteed bandwidth, with a value. Family F.
    GuaranteedBandwidth,
    /// A demarcation device at the end of the line, on or off. Family F.
    DemarcationDevice,
    /// A second optical socket, on or off. Family F, for orders that build a socket.
    DoubleOtp,
    /// Relocation of an optical socket, on or off. Family F, for orders with an existing socket.
    OtpDisplacement,
}

impl OrderOption {
    const ALL: [Self; 13] = [
        Self::Gtr,
        Self::ContractTerm,
        Self::InternalCabling,
        Self::Portability,
        Self::UnlistedNumber,
        Self::PatchPanel,
        Self::EnniRedundancy,
        Self::CpeInstall,
        Self::InstallationExpert,
        Self::GuaranteedBandwidth,
        Self::DemarcationDevice,
        Self::DoubleOtp,
        Self::OtpDisplacement,
    ];

    /// Returns the option with a supplier's code, or `None` if the code is not known.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.code() == code)
    }

    /// Returns the supplier's code of the option.
    pub fn code(self) -> &'static str {
        match self {
            Self::Gtr => "gtr",
            Self::ContractTerm => "contract_term",
            Self::InternalCabling => "internal_cabling",
            Self::Portability => "portability",
            Self::UnlistedNumber => "unlisted_number",
            Self::PatchPanel => "patch_panel",
            Self::EnniRedundancy => "enni_redundancy",
            Self::CpeInstall => "cpe_install",
            Self::InstallationExpert => "installation_expert",
            Self::GuaranteedBandwidth => "guaranteed_bandwidth",
            Self::DemarcationDevice => "demarcation_device",
            Self::DoubleOtp => "double_otp",
            Self::OtpDisplacement => "otp_displacement",
        }
    }

    /// Returns the codes of the product families that offer this option.
    pub fn families(self) -> &'static [&'static str] {
        match self {
            Self::Gtr | Self::ContractTerm => &["A", "S", "M", "F", "E"],
            Self::InternalCabling => &["A", "S", "M", "E"],
            Self::Portability | Self::UnlistedNumber => &["A", "S", "M"],
            Self::PatchPanel => &["E"],
            Self::EnniRedundancy => &["S", "E"],
            Self::CpeInstall
            | Self::InstallationExpert
            | Self::GuaranteedBandwidth
            | Self::DemarcationDevice
            | Self::DoubleOtp
            | Self::OtpDisplacement => &["F"],
        }
    }

    /// Returns whether products of this family offer this option.
    pub fn is_for(self, family: &str) -> bool {
        self.families().contains(&family)
    }

    /// Returns whether the supplier's page states that the option has a value.
    pub(super) fn has_value(self) -> bool {
        matches!(self, Self::Gtr | Self::ContractTerm | Self::InstallationExpert | Self::GuaranteedBandwidth)
    }
}

/// Options of an order. Pass them to [`NewOrder::options`](super::NewOrder::options) or
/// [`Draft::set_options`](super::Draft::set_options).
///
/// ```
/// use lastmile::covage::{OrderOption, Options};
///
/// let options = Options::new()
///     .value(OrderOption::ContractTerm, "36_months")
///     .on(OrderOption::UnlistedNumber)
///     .portability(&"01FA1B2C37Y0".parse()?, None);
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options are set by a draft or a new order"]
pub struct Options(BTreeMap<String, OrderOptionUpdate>);

impl Options {
    /// Creates an empty set of options. Options that are not named stay unchanged.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enables an option.
    pub fn on(self, option: OrderOption) -> Self {
        self.other(option.code(), OrderOptionUpdate { enabled: Some(true), ..Default::default() })
    }

    /// Disables an option.
    pub fn off(self, option: OrderOption) -> Self {
        self.other(option.code(), OrderOptionUpdate { enabled: Some(false), ..Default::default() })
    }

    /// Enables an option and sets its value. No source lists the values; the catalogue and the offers contain them.
    pub fn value(self, option: OrderOption, value: impl Into<String>) -> Self {
        let update =
            OrderOptionUpdate { enabled: Some(true), value: Some(value.into()), ..Default::default() };
        self.other(option.code(), update)
    }

    /// Ports the number from another operator, with its RIO (*relevé d'identité opérateur*, the authorization code). No source
    /// describes the prefix code.
    ///
    /// [`Rio::warnings_for`] checks whether the RIO belongs to the number of the line, as does
    /// [`Draft::readiness`](super::Draft::readiness).
    pub fn portability(self, rio: &Rio, prefix: Option<&str>) -> Self {
        let update = OrderOptionUpdate {
            enabled: Some(true),
            rio_code: Some(rio.to_string()),
            prefix_code: prefix.map(str::to_owned),
            ..Default::default()
        };
        self.other(OrderOption::Portability.code(), update)
    }

    /// Sets any option, by its code in the catalogue or in an offer.
    pub fn other(mut self, code: impl Into<String>, option: OrderOptionUpdate) -> Self {
        self.0.insert(code.into(), option);
        self
    }
}

impl From<Options> for BTreeMap<String, OrderOptionUpdate> {
    fn from(options: Options) -> Self {
        options.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_found_by_its_code() {
        for option in OrderOption::ALL {
            assert_eq!(OrderOption::from_code(option.code()), Some(option));
            assert!(!option.families().is_empty());
        }
        assert_eq!(OrderOption::from_code("grt"), None, "the misspelling of an older page is another option");
    }
}
