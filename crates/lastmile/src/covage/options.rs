//! Options of an order, by name.

use std::collections::BTreeMap;

use lastmile_covage::types::OrderOptionUpdate;

use crate::rules::Rio;

/// An option that the supplier's page names. [`Options::other`] takes any other.
///
/// Source: orders API, "Options". The page calls its list informative: the catalogue and the offers decide. So an option that
/// does not belong to a product's family is shown by [`Draft::readiness`](super::Draft::readiness) as a warning and sent.
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
    /// Guaranteed time to repair, with a value. Families A, S, M, F, E.
    Gtr,
    /// Length of the contract, with a value such as `36_months`. Families A, S, M, F, E.
    ContractTerm,
    /// Cabling inside the building; whether it has a value is not stated. Families A, S, M, E.
    InternalCabling,
    /// Taking the number along: [`Options::portability`]. Families A, S, M.
    Portability,
    /// A number that no directory lists. Families A, S, M.
    UnlistedNumber,
    /// Installation in an optical panel. Family E.
    PatchPanel,
    /// A second way to the operator's link. Families S, E.
    EnniRedundancy,
    /// Installation of the customer's device, on or off. Family F.
    CpeInstall,
    /// Installation by an expert, with a value. Family F.
    InstallationExpert,
    /// Guaranteed bandwidth, with a value. Family F.
    GuaranteedBandwidth,
    /// A device where the line ends, on or off. Family F.
    DemarcationDevice,
    /// A second socket, on or off. Family F, where a socket is built.
    DoubleOtp,
    /// Moving a socket, on or off. Family F, where a socket exists.
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

    /// Returns the option of a supplier's code, if it is known.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.code() == code)
    }

    /// What the supplier calls it.
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

    /// The codes of the product families that have it.
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

    /// Whether products of this family have it.
    pub fn is_for(self, family: &str) -> bool {
        self.families().contains(&family)
    }

    /// Whether it has a value, as far as the page says.
    pub(super) fn has_value(self) -> bool {
        matches!(self, Self::Gtr | Self::ContractTerm | Self::InstallationExpert | Self::GuaranteedBandwidth)
    }
}

/// The options of an order, to be set with [`NewOrder::options`](super::NewOrder::options) or
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
    /// None yet. What is not named stays as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Switches an option on.
    pub fn on(self, option: OrderOption) -> Self {
        self.other(option.code(), OrderOptionUpdate { enabled: Some(true), ..Default::default() })
    }

    /// Switches an option off.
    pub fn off(self, option: OrderOption) -> Self {
        self.other(option.code(), OrderOptionUpdate { enabled: Some(false), ..Default::default() })
    }

    /// Switches an option on with a value. No source lists the values; the catalogue and the offers do.
    pub fn value(self, option: OrderOption, value: impl Into<String>) -> Self {
        let update =
            OrderOptionUpdate { enabled: Some(true), value: Some(value.into()), ..Default::default() };
        self.other(option.code(), update)
    }

    /// Takes the number along from another operator, proved by its RIO. No source describes the prefix code.
    ///
    /// [`Rio::warnings_for`] tells whether it belongs to the line's number; [`Draft::readiness`](super::Draft::readiness) shows
    /// it, too.
    pub fn portability(self, rio: &Rio, prefix: Option<&str>) -> Self {
        let update = OrderOptionUpdate {
            enabled: Some(true),
            rio_code: Some(rio.to_string()),
            prefix_code: prefix.map(str::to_owned),
            ..Default::default()
        };
        self.other(OrderOption::Portability.code(), update)
    }

    /// Any option, by the code that the catalogue or an offer gives it.
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
