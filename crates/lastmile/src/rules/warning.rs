use std::fmt;

/// Something that is probably wrong, though no supplier says that it is. It is shown and never enforced.
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
    /// See [`CovageEmail`](super::CovageEmail).
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
    /// See [`ContractDates`](super::ContractDates).
    ContractOrder,
}

impl Warning {
    /// What is probably wrong, and what to compare. The text of a warning stays the same.
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
            Self::ContractOrder => "the contract ends before it starts: compare the two dates",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
