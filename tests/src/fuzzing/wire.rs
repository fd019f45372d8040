//! The types on the wire.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use chrono::NaiveDate;
use lastmile::onapi::types::{Access, OrderState};
use lastmile::wire::{Decimal, Lenient, OneOrMany, Patch, Segment, Text, Timestamp};
use lastmile_core::reqwest::Url;
use lastmile_core::wire::Readable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::tree::{Tree, readable, reads_back};
use super::{choose, lossy};

pub fn decimal(data: &[u8]) {
    reads_back::<Decimal>(data);
    if let Some(bytes) = data.first_chunk() {
        let float = f64::from_le_bytes(*bytes);
        match Decimal::try_from(float) {
            Ok(number) => assert_eq!((number.to_f64(), float.is_finite()), (float, true)),
            Err(_) => assert!(!float.is_finite(), "{float}"),
        }
        assert_eq!(
            Decimal::from(i64::from_le_bytes(*bytes)).as_str(),
            i64::from_le_bytes(*bytes).to_string()
        );
        assert_eq!(
            Decimal::from(u64::from_le_bytes(*bytes)).as_str(),
            u64::from_le_bytes(*bytes).to_string()
        );
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    // The independent reading: a number is what serde_json accepts as one.
    let raw = serde_json::from_str::<&RawValue>(text).ok().map(RawValue::get);
    let is_number = raw == Some(text) && text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let Ok(number) = text.parse::<Decimal>() else {
        assert!(!is_number, "{text:?} is refused");
        return;
    };
    assert!(is_number, "{text:?} is taken");
    assert_eq!(
        (number.as_str(), number.to_string().as_str(), format!("{number:?}").as_str()),
        (text, text, text)
    );
    assert_eq!(serde_json::to_string(&number).expect("it can be written"), text);
    assert_eq!(serde_json::from_str::<Decimal>(text).expect("it can be read"), number);
    assert_eq!(Some(number.to_f64()), text.parse().ok());
    // Read leniently, as a string and in a list, it has the same digits. As a single value for a list it is a float.
    let read = |json: String| {
        let read: OneOrMany<Lenient<Decimal>> = serde_json::from_str(&json).expect("any JSON is read");
        read.first().and_then(|one| one.get().cloned()).expect("a number")
    };
    assert_eq!(read(format!("[{text}]")), number);
    assert_eq!(read(format!("\"{text}\"")), number);
    if number.to_f64().is_finite() {
        let (alone, float) = (read(text.to_owned()).to_f64(), number.to_f64());
        assert!((alone - float).abs() <= 4.0 * f64::EPSILON * float.abs(), "{text} alone is {alone}");
    }
}

/// Reads any JSON as a lenient value, and returns how it was read.
fn loosely<T>(data: &[u8], expected: impl Fn(&Value) -> Option<Option<T>>)
where
    T: Readable + Serialize + DeserializeOwned + Clone + PartialEq + Debug,
{
    reads_back::<Lenient<T>>(data);
    let Some((json, text)) = readable(data) else { return };
    let read: Lenient<T> = reads_back(text.as_bytes()).unwrap_or_else(|| panic!("refused: {text}"));
    assert!(!read.is_absent(), "{text}");
    if let Some(expected) = expected(&json) {
        assert_eq!(read.get(), expected.as_ref(), "{text}");
    }
    match (read.get(), read.unexpected()) {
        (Some(value), None) => {
            let written = serde_json::to_string(value).expect("it can be written");
            let [written, arrived] = [written, text].map(|text| Tree::of(text.as_bytes()).expect("JSON"));
            assert!(written.says(&arrived), "{arrived:?} is read as {written:?}");
            assert!(!read.is_nothing());
        }
        (None, None) => panic!("{text}: neither a value nor a stray"),
        (_, Some(_)) => assert_eq!(read.is_nothing(), json.is_null() || json == "", "{text}"),
    }
    let shown = format!("{read:?}");
    assert!(read.get().is_some() || shown == "Nothing" || shown == "Unreadable", "{shown}");
    assert_eq!(read.get().cloned(), read.into_option());
}

/// The first byte chooses the expected type, the rest is what arrives.
pub fn lenient(data: &[u8]) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some((chosen, data)) = choose(data, 10) else { return };
    match chosen {
        0 => loosely::<Text>(data, |json| {
            Some(match json {
                Value::String(text) => Some(text.into()),
                Value::Number(number) if number.is_f64() && number.as_f64()?.abs() >= EXACT => None,
                Value::Number(_) | Value::Bool(_) => Some(json.to_string().into()),
                _ => None,
            })
        }),
        1 => loosely::<i64>(data, |json| {
            Some(match json {
                Value::Number(number) if number.is_f64() => {
                    let float = number.as_f64()?;
                    (float.trunc() == float && float.abs() < EXACT).then_some(float as i64)
                }
                Value::Number(number) => number.as_i64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            })
        }),
        2 => loosely::<bool>(data, |json| {
            Some(match json {
                Value::Bool(truth) => Some(*truth),
                Value::String(text) => text.to_ascii_lowercase().parse().ok(),
                _ => None,
            })
        }),
        3 => loosely::<NaiveDate>(data, |json| {
            let date = json.as_str().and_then(|text| text.get(..10));
            let shaped = date.is_some_and(|date| date.bytes().filter(u8::is_ascii_digit).count() == 8);
            (!shaped).then_some(None)
        }),
        4 => loosely::<Timestamp>(data, |json| (!json.is_string()).then_some(None)),
        5 => loosely::<Decimal>(data, |json| {
            Some(match json {
                Value::Number(number) => number.to_string().parse().ok(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            })
        }),
        6 => loosely::<BTreeMap<String, Lenient<i64>>>(data, |json| (!json.is_object()).then_some(None)),
        7 => loosely::<serde_json::Map<String, Value>>(data, |json| Some(json.as_object().cloned())),
        8 => loosely::<OrderState>(data, |json| match json {
            Value::String(text) if text.is_empty() => Some(None),
            Value::String(text) => Some(Some(text.as_str().into())),
            _ => None,
        }),
        _ => {
            reads_back::<Lenient<Access>>(data);
            let Some((json, text)) = readable(data) else { return };
            let read: Lenient<Access> =
                reads_back(text.as_bytes()).unwrap_or_else(|| panic!("refused: {text}"));
            assert_eq!(
                (read.get().is_some(), read.unexpected().is_none()),
                (json.is_object(), json.is_object())
            );
        }
    }
}

fn list<T: Readable + Serialize>(data: &[u8]) {
    reads_back::<OneOrMany<Lenient<T>>>(data);
    let Some((json, text)) = readable(data) else { return };
    let read: OneOrMany<Lenient<T>> =
        reads_back(text.as_bytes()).unwrap_or_else(|| panic!("refused: {text}"));
    let length = match &json {
        Value::Array(items) => items.len(),
        nothing if nothing.is_null() || *nothing == "" => 0,
        _ => 1,
    };
    assert_eq!((read.len(), read.iter().count(), read.is_absent()), (length, length, false), "{text}");
    assert_eq!(read.into_vec().len(), length);
}

/// The first byte chooses the type of the elements.
pub fn one_or_many(data: &[u8]) {
    let Some((chosen, data)) = choose(data, 7) else { return };
    match chosen {
        0 => list::<Text>(data),
        1 => list::<i64>(data),
        2 => list::<Decimal>(data),
        3 => list::<Timestamp>(data),
        4 => list::<Access>(data),
        5 => list::<OrderState>(data),
        _ => list::<BTreeMap<String, Lenient<Decimal>>>(data),
    }
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Change {
    #[serde(skip_serializing_if = "Patch::is_absent")]
    text: Patch<String>,
    #[serde(skip_serializing_if = "Patch::is_absent")]
    list: Patch<Vec<String>>,
    #[serde(skip_serializing_if = "Patch::is_absent")]
    map: Patch<BTreeMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Patch::is_absent")]
    number: Patch<Decimal>,
}

/// A written patch has the same known fields as the one that was read.
fn patches<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<(Tree, Tree)> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("it can be written");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&again).expect("it can be written"), text);
    let (arrived, written) = (Tree::of(data)?, Tree::of(text.as_bytes())?);
    assert!(written.is_within(&arrived), "arrived: {}\nwritten: {text}", lossy(data));
    matches!(arrived, Tree::Object(_)).then_some((arrived, written))
}

/// The first byte chooses the patch.
pub fn patch(data: &[u8]) {
    use lastmile::cocon::types::{ContactPatch, CustomerContractPatch, CustomerPatch};

    let Some((chosen, data)) = choose(data, 4) else { return };
    match chosen {
        0 => {
            let Some((arrived, written)) = patches::<Change>(data) else { return };
            for key in ["text", "list", "map", "number"] {
                // Absent, null and set are three states.
                match (arrived.member(key), written.member(key)) {
                    (None, None) => {}
                    (Some(arrived), Some(written)) => {
                        assert!(arrived.says(written), "{key}: {}", lossy(data))
                    }
                    other => panic!("{key}: {other:?}"),
                }
            }
        }
        1 => drop(patches::<ContactPatch>(data)),
        2 => drop(patches::<CustomerPatch>(data)),
        _ => drop(patches::<CustomerContractPatch>(data)),
    }
}

pub fn timestamp(data: &[u8]) {
    loosely::<Timestamp>(data, |_| None);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let json = serde_json::to_string(text).expect("a text can be written");
    let lenient: Lenient<Timestamp> = reads_back(json.as_bytes()).expect("any text is read");
    let moment = text.parse::<Timestamp>();
    assert_eq!(serde_json::from_str::<Timestamp>(&json).is_ok(), moment.is_ok());
    let Ok(moment) = moment else {
        // A date alone, or a time without an offset, is coerced, and reported as such.
        assert!(lenient.unexpected().is_some(), "{text}");
        return;
    };
    assert_eq!(lenient.get(), Some(&moment));
    let written = moment.to_string();
    assert_eq!(written.parse(), Ok(moment), "{text} is written as {written}");
    assert_eq!(written.parse::<Timestamp>().map(|again| again.at()), Ok(moment.at()));
    assert_eq!(lenient.unexpected().is_none(), written == text, "{text} is written as {written}");
    let own = Timestamp::from(moment.at());
    assert_eq!((own.at(), own.to_string().parse()), (moment.at(), Ok(own)), "{text}");
}

pub fn segment(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let json = serde_json::to_string(text).expect("a text can be written");
    let Ok(segment) = text.parse::<Segment>() else {
        assert!(matches!(text, "" | "." | "..") || text.contains('\\'), "{text:?} is refused");
        assert!(
            serde_json::from_str::<Segment>(&json).is_err() && Segment::try_from(text.to_owned()).is_err()
        );
        return;
    };
    assert_eq!((segment.as_str(), segment.to_string().as_str()), (text, text));
    assert_eq!(serde_json::to_string(&segment).expect("it can be written"), json);
    assert_eq!(serde_json::from_str::<Segment>(&json).expect("it can be read"), segment);
    // In the URL that the generated clients build, it is one segment and decodes to itself.
    let address = format!("http://sp.example/before/{}/after", segment.encoded());
    let url: Url = address.parse().unwrap_or_else(|error| panic!("{error}: {address}"));
    let segments: Vec<&str> = url.path_segments().expect("it has a path").collect();
    let [before, within, after] = segments.as_slice() else { panic!("{text:?} is another path: {url}") };
    assert_eq!((*before, *after, url.query(), url.fragment()), ("before", "after", None, None), "{text:?}");
    assert_eq!(decoded(within), text.as_bytes(), "{url}");
}

/// Returns how a server decodes a segment.
fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|digit| char::from(digit.expect("two digits")));
                u8::from_str_radix(&digits.iter().collect::<String>(), 16).expect("hexadecimal")
            }
            byte => byte,
        });
    }
    decoded
}

/// An enum that accepts any string.
pub struct OpenEnum {
    pub api: &'static str,
    pub name: &'static str,
    check: fn(&[u8]),
}

fn open<T>(data: &[u8])
where
    T: Readable + Serialize + DeserializeOwned + FromStr + Clone + Debug + PartialEq,
    T: for<'a> From<&'a str> + std::fmt::Display,
{
    loosely::<T>(data, |_| None);
    let Ok(word) = std::str::from_utf8(data) else { return };
    let json = serde_json::to_string(word).expect("a text can be written");
    let value = T::from(word);
    assert_eq!(value.to_string(), word);
    assert_eq!(serde_json::to_string(&value).expect("it can be written"), json);
    assert_eq!(serde_json::from_str::<T>(&json).expect("any word is read"), value);
    let read: Lenient<T> = reads_back(json.as_bytes()).expect("any word is read");
    assert_eq!(read.get(), Some(&value).filter(|_| !word.is_empty()), "{word:?}");
    assert_eq!(read.unexpected().is_none(), !word.is_empty(), "{word:?}");
}

macro_rules! open_enums {
    ($($api:ident: [$($name:ident),* $(,)?])*) => {
        /// All generated open enums.
        pub const OPEN_ENUMS: &[OpenEnum] = &[$($(OpenEnum {
            api: stringify!($api),
            name: stringify!($name),
            check: open::<lastmile::$api::types::$name>,
        }),*),*];
    };
}

open_enums! {
    cocon: [AssetApprovalType, AssetType, NewRouteType]
    covage: [
        BuildingType, CopperInformationStatus, EligibilityCopperInfoStatus, EligibilityEndpointEndpointRefType,
        EndCustomerType, EventObjectType, EventType, ForecastMessageEligCode, OrderEndpointType, OrderRequestType,
        OrderStatus, OrderType, ServiceStatus,
    ]
    onapi: [
        AccessAccessState, AccessCoNetworkAgreement, AccessPremisesType, ConfiguredSpeedServiceType,
        DhcpSnoopingEntryServiceType, InvoiceAccessPremisesType, InvoiceItemInvoiceType, InvoiceItemRowType,
        LeaseServiceType, MacEntryServiceType,
        ObjectEventType, OrderOfEventOperation, OrderOfEventState, OrderOperation, OrderState,
        SubscriptionOperationalState, TicketProblemType, TicketResponsible, TicketStatus, TicketSummaryResponsible,
        TicketSummaryStatus,
    ]
}

/// The first byte chooses the enum, the rest is the string.
pub fn open_enums(data: &[u8]) {
    let Some((chosen, word)) = choose(data, OPEN_ENUMS.len()) else { return };
    (OPEN_ENUMS[chosen].check)(word);
}
