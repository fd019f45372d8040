//! The stored form of a prepared value.

use lastmile_core::decode::expected;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use serde_json::value::RawValue;

use super::machine::{Machine, Mark, Sent, State};
use super::{Creation, Prepared};

/// The version of the stored form. Version 1 had no `created` and used other names for the states; it can still be read.
const VERSION: u32 = 2;

const READY: &str = "ready";
const IN_FLIGHT: &str = "in_flight";
const INDETERMINATE: &str = "indeterminate";
const PLACED: &str = "placed";
/// A state of version 1: the value is marked, and it is not known whether it was sent.
const UNCLEAR: &str = "unclear";

/// All fields of a stored value. A value with more fields was written by a later version of this library, and cannot be read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    kind: String,
    #[serde(default)]
    state: Option<String>,
    /// The state of a value of version 1.
    #[serde(default)]
    progress: Option<String>,
    #[serde(default)]
    send_by: Option<u64>,
    #[serde(default)]
    ended_at: Option<u64>,
    #[serde(default)]
    was_contradicted: bool,
    #[serde(default)]
    declared_absent: bool,
    #[serde(default)]
    created: Option<Box<RawValue>>,
    request: Box<RawValue>,
}

impl<C: Creation> Serialize for Prepared<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.machine.note_copy();
        let (send_by, ended_at, created) = match self.machine.state() {
            State::Ready => (None, None, None),
            State::InFlight(mark) => (mark.send_by(), None, None),
            State::Indeterminate(sent) => (sent.send_by, sent.ended_at, None),
            State::Placed(created) => (None, None, created.as_ref()),
        };
        let state = match self.machine.state() {
            State::Ready => READY,
            State::InFlight(_) => IN_FLIGHT,
            State::Indeterminate(_) => INDETERMINATE,
            State::Placed(_) => PLACED,
        };
        let mut stored = serializer.serialize_struct("Prepared", 9)?;
        stored.serialize_field("version", &VERSION)?;
        stored.serialize_field("kind", C::KIND)?;
        stored.serialize_field("state", state)?;
        if let Some(send_by) = send_by {
            stored.serialize_field("send_by", &send_by)?;
        }
        if let Some(ended_at) = ended_at {
            stored.serialize_field("ended_at", &ended_at)?;
        }
        if self.machine.was_contradicted() {
            stored.serialize_field("was_contradicted", &true)?;
        }
        if self.machine.is_declared_absent() {
            stored.serialize_field("declared_absent", &true)?;
        }
        if let Some(created) = created {
            stored.serialize_field("created", created)?;
        }
        stored.serialize_field("request", &self.request)?;
        stored.end()
    }
}

impl<'de, C: Creation> Deserialize<'de> for Prepared<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer).map_err(|error| unreadable(&error))?;
        if !(1..=VERSION).contains(&stored.version) {
            return Err(de::Error::custom(format_args!(
                "stored as version {}, and this library reads versions 1 to {VERSION}: use the version of the library that \
                 stored it, or a later one",
                stored.version
            )));
        }
        if stored.kind != C::KIND {
            return Err(de::Error::custom(format_args!("stored as another kind than {}", C::KIND)));
        }
        let state = state::<C, D::Error>(&stored)?;
        let request: C = part("request", &stored.request)?;
        // A value that is to be sent may have been stored by another version of this library, or changed in the store. A value
        // that may have been sent is read without this check, because it still has to be reconciled.
        if let State::Ready = state {
            request.check().map_err(|error| {
                de::Error::custom(format_args!("the stored request cannot be sent: {error}"))
            })?;
        }
        Ok(Self { request, machine: Machine::loaded(state, stored.declared_absent) })
    }
}

fn state<C: Creation, E: de::Error>(stored: &Stored) -> Result<State<C::Created>, E> {
    let name = match stored.version {
        1 => &stored.progress,
        _ => &stored.state,
    };
    let Stored { send_by, ended_at, was_contradicted, created, .. } = stored;
    Ok(match (name.as_deref(), ended_at) {
        (Some(READY), _) => State::Ready,
        (Some(IN_FLIGHT), _) | (Some(UNCLEAR), None) => State::InFlight(Mark::loaded(*send_by)),
        (Some(INDETERMINATE | UNCLEAR), _) => {
            let (send_by, ended_at, was_contradicted) = (*send_by, *ended_at, *was_contradicted);
            State::Indeterminate(Sent { send_by, ended_at, was_contradicted })
        }
        (Some(PLACED), _) => match created {
            Some(created) => State::Placed(Some(part("created", created)?)),
            // A `created` without content is stored as `null`. Version 1 did not store any other.
            None => State::Placed(serde_json::from_str("null").ok()),
        },
        (None, _) => return Err(E::custom("its state is missing")),
        (Some(_), _) => {
            return Err(E::custom("it holds another state than this version of the library knows"));
        }
    })
}

/// Reads a part of a stored value. Fails if writing the part again would lose a field.
fn part<T: Serialize + de::DeserializeOwned, E: de::Error>(name: &str, raw: &RawValue) -> Result<T, E> {
    let read: T = serde_json::from_str(raw.get()).map_err(|error| unreadable(&E::custom(error)))?;
    let known = serde_json::to_value(&read).map_err(|_| E::custom("it cannot be written again"))?;
    let stored: Value = serde_json::from_str(raw.get()).map_err(|_| E::custom("it is not JSON"))?;
    match unknown_field(&stored, &known) {
        None => Ok(read),
        Some(()) => Err(E::custom(format_args!(
            "the stored {name} has a field that this version of the library does not know and would lose: use the version \
             that stored it, or a later one"
        ))),
    }
}

/// Returns `Some` if the stored value has a field that is not known. Fields that are `null` do not count.
fn unknown_field(stored: &Value, known: &Value) -> Option<()> {
    match (stored, known) {
        (Value::Object(stored), Value::Object(known)) => {
            stored.iter().find_map(|(name, value)| match (value, known.get(name)) {
                (Value::Null, None) => None,
                (_, None) => Some(()),
                (value, Some(known)) => unknown_field(value, known),
            })
        }
        (Value::Array(stored), Value::Array(known)) if stored.len() != known.len() => Some(()),
        (Value::Array(stored), Value::Array(known)) => {
            stored.iter().zip(known).find_map(|(stored, known)| unknown_field(stored, known))
        }
        (Value::Null, _) => None,
        (_, Value::Null) => Some(()),
        _ => None,
    }
}

/// Returns an error with only what was expected or is missing. The rest of serde's message may quote stored personal data.
fn unreadable<E: de::Error>(error: &E) -> E {
    let message = error.to_string();
    if message.starts_with("missing field") {
        return E::custom(message);
    }
    if message.starts_with("unknown field") {
        return E::custom(
            "it has a field that this version of the library does not know and would lose: use the version that stored it, or \
             a later one",
        );
    }
    let what = expected(&message).unwrap_or("a stored value of this kind");
    E::custom(format_args!("it holds something else than {what}"))
}
