use std::fmt;

use email_address::{EmailAddress, Options};

/// A problem that is probable, although no supplier states a rule about it. Warnings are reported and never enforced.
///
/// ```
/// use lastmile::rules::Siret;
///
/// let siret: Siret = "81352886600028".parse()?; // 14 digits, as it has to be
/// let warnings = siret.warnings();
/// assert!(warnings[0].as_str().starts_with("the checksum of the SIRET is wrong"));
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// See [`Siret`](super::Siret).
    SiretChecksum,
    /// See [`Rio`](super::Rio).
    RioLine,
    /// See [`Rio::warnings_for`](super::Rio::warnings_for).
    RioKey,
    /// See [`CovageOrderRef`](super::CovageOrderRef) and [`CovageServiceRef`](super::CovageServiceRef).
    ReferenceDate,
    /// See [`CovageOrderRef`](super::CovageOrderRef) and [`CovageServiceRef`](super::CovageServiceRef).
    ReferenceLetters,
    /// See [`BuildingRef`](super::BuildingRef).
    BuildingForm,
    /// See [`CovagePhone`](super::CovagePhone) and [`LineNumber`](super::LineNumber).
    FrenchNumber,
    /// A text in an e-mail field is not an e-mail address: it is not the address of a mailbox as defined by RFC 5321 and RFC
    /// 5322, or its domain contains no dot.
    Email,
    /// See [`OnApiId`](super::OnApiId).
    IdentityNumber,
    /// See [`MacAddress`](super::MacAddress).
    GroupAddress,
    /// See [`CountryCode`](super::CountryCode).
    Country,
    /// See [`OnApiPhone`](super::OnApiPhone).
    InternationalNumber,
    /// See [`Geometry`](super::Geometry).
    MixedPositions,
    /// See [`Geometry`](super::Geometry).
    BoundingBox,
    /// See [`Geometry`](super::Geometry).
    MixedCoordinates,
    /// See [`Geometry`](super::Geometry).
    SwappedCoordinates,
    /// See [`Geometry`](super::Geometry).
    OutsideNetherlands,
    /// See [`ContractDates`](super::ContractDates).
    ContractOrder,
    /// An attenuation is below zero.
    NegativeAttenuation,
    /// A text is longer than 255 characters, or a multi-line text is longer than 4000 characters, and the supplier states no
    /// limit.
    LongText,
    /// A field that no document requires is missing, and the object is hard to find again without it.
    MissingField,
}

impl Warning {
    /// Returns a description of the problem that states what to compare. The text of a warning is stable.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SiretChecksum => {
                "the checksum of the SIRET is wrong: compare it with what the company gave"
            }
            Self::RioLine => {
                "the third character of the RIO is not F to Z, as that of a fixed line is: ask for the RIO of the line \
                 whose number is ported"
            }
            Self::RioKey => {
                "the last three characters of the RIO do not fit the number: compare both with what the customer gave"
            }
            Self::ReferenceDate => {
                "the six digits of the reference are no date: compare it with what the supplier gave"
            }
            Self::ReferenceLetters => {
                "the reference ends with letters, and all that are known end with five digits: compare it with what the \
                 supplier gave"
            }
            Self::BuildingForm => {
                "the building is not written as those that are known, such as IMB/76540/X/043X: compare it with what the \
                 supplier gave"
            }
            Self::FrenchNumber => {
                "the number is not ten digits that begin with 0, as those that are known: write it as it is dialled in \
                 France"
            }
            Self::Email => "this is no e-mail address: compare it with what the customer gave",
            Self::IdentityNumber => {
                "the id holds what looks like a personal identity number, which the standard forbids: use another id"
            }
            Self::GroupAddress => {
                "the MAC address is that of a group, not of one device: read it from the equipment again"
            }
            Self::Country => "the country code is not assigned in ISO 3166-1: compare it with the list",
            Self::InternationalNumber => {
                "the number is no E.164 number: write the country's code, which does not begin with 0, and at most 15 \
                 digits in all"
            }
            Self::MixedPositions => {
                "the positions have different numbers of coordinates: check where they were measured"
            }
            Self::BoundingBox => {
                "the bounding box has not twice as many numbers as a position has: leave it out or give both corners"
            }
            Self::MixedCoordinates => {
                "some coordinates are degrees and others are metres: convert all of them into the system that the supplier \
                 agreed on with you"
            }
            Self::SwappedCoordinates => {
                "the coordinates are in the Netherlands only when the two axes are swapped: compare their order with what \
                 the supplier agreed on with you"
            }
            Self::OutsideNetherlands => {
                "a position in degrees is outside of the Netherlands: check the coordinates where they were measured"
            }
            Self::ContractOrder => "the contract ends before it starts: compare the two dates",
            Self::NegativeAttenuation => {
                "an attenuation is below zero, and a loss is a positive number: compare it with the measurement"
            }
            Self::LongText => {
                "the text is longer than most systems store: shorten it, or check afterwards what the supplier kept"
            }
            Self::MissingField => {
                "it is missing, and the object can hardly be found again without it: fill it in"
            }
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A [`Warning`] and the field that it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldWarning {
    /// The path of the field in the request, such as `delayedConnections[0].attenuation1`. The keys of free-form maps are
    /// replaced by indices.
    pub path: String,
    /// The warning.
    pub warning: Warning,
}

impl FieldWarning {
    #[cfg(feature = "_calls")]
    pub(crate) fn new(path: impl Into<String>, warning: Warning) -> Self {
        Self { path: path.into(), warning }
    }
}

impl fmt::Display for FieldWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.warning)
    }
}

/// Returns whether a text is the address of a mailbox whose domain contains a dot.
pub(crate) fn is_email(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}
