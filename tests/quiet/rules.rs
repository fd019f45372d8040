//! Values of the rules: `Debug` redacts those that identify a person or an address.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use lastmile::rules::*;

use crate::marks::{NUMBER, PERSONAL, SOCKET, Walked};

/// A value that `Debug` does not show. `Display` does: it is how the caller reads the value.
#[track_caller]
fn hidden<T: FromStr<Err = RuleError> + Debug + Display>(walked: &Walked, text: &str) {
    let value: T = text.parse().unwrap();
    walked.debug(&value);
    assert_eq!(value.to_string(), text);
    let name = std::any::type_name::<T>().rsplit("::").next().unwrap();
    assert_eq!(format!("{value:?}"), format!("{name}((hidden))"));
}

/// An error does not repeat a rejected text, except for one character.
#[track_caller]
fn refused<T: FromStr<Err = RuleError> + Debug>(walked: &Walked) {
    for text in [PERSONAL.repeat(9), format!("{PERSONAL}\\data\t"), format!("{PERSONAL}É")] {
        let Err(error) = text.parse::<T>() else { continue };
        walked.error(&error);
        walked.debug(&error.problem());
    }
}

macro_rules! walk {
    ($walked:expr, $($type:ident: $text:expr),* $(,)?) => {$(
        hidden::<$type>($walked, $text);
        refused::<$type>($walked);
    )*};
}

pub fn walk(walked: &Walked) {
    walk!(
        walked,
        Otp: SOCKET,
        CovageText: PERSONAL,
        CovageEmail: "Personal@sp.example",
        CovagePhone: "+33 471100811",
        CovageZipCode: "06130",
        LineNumber: "0471100811",
        Siret: "47110081100029",
        Rio: "03H000017NH+",
        StairsKey: "Personal^C",
        MacAddress: "02:00:00:00:00:FE",
        OnApiPostalCode: "98499",
        OnApiStreetNumber: "550-7",
        ApartmentNumber: "1001",
        OnApiPhone: "+46471100811",
        Option82: "520A0108506572736F6E616C",
    );
    // References, which identify nobody.
    walked.both(&"17".parse::<OnApiId>().unwrap());
    walked.both(&"SE".parse::<CountryCode>().unwrap());
    walked.both(&"IMB/76540/X/043X".parse::<BuildingRef>().unwrap());
    walked.both(&"O191016_32563".parse::<CovageOrderRef>().unwrap());
    walked.both(&"S191128_21428".parse::<CovageServiceRef>().unwrap());
    refused::<OnApiId>(walked);
    refused::<BuildingRef>(walked);

    let option: Option82 = "520A0108506572736F6E616C".parse().unwrap();
    assert_eq!(option.circuit_id().and_then(SubOption::text).as_deref(), Some(PERSONAL));
    walked.debug(&option.circuit_id().unwrap());
    walked.debug(&option.dhcp_identifier().unwrap());
    walked.both(&Warning::SiretChecksum);
    let proposal = CovageText::sanitize(&format!("O'{PERSONAL}"));
    walked.debug(&proposal);
    walked.both(&proposal.changes[0]);

    let place = NUMBER as f64;
    let geometry = Geometry::line([[place, 2.0], [3.0, place]]).unwrap().with_bounding_box([place]).unwrap();
    walked.debug(&geometry);
    walked.both(geometry.kind());
    walked.debug(&RouteScenario::NewRoute(geometry.clone()));
    walked.error(&Geometry::line([[place, f64::NAN], [1.0, 2.0]]).unwrap_err());
    walked.error(&RouteScenario::of(Some(geometry), Some(true)).unwrap_err());
    let day = "2026-01-01".parse().unwrap();
    walked.debug(&ContractDates { start: None, end: day });
}
