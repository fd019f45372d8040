//! The stored form of a prepared value.

use std::sync::atomic::{AtomicBool, Ordering};

use lastmile_core::call::expected;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Creation, Prepared, Progress, Sent};

/// The version of the stored form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct StoredRef<'a, C> {
    version: u32,
    kind: &'a str,
    progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    send_by: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<u64>,
    request: &'a C,
}

#[derive(Deserialize)]
struct Stored<C> {
    version: u32,
    kind: String,
    progress: Progress,
    #[serde(default)]
    send_by: Option<u64>,
    #[serde(default)]
    ended_at: Option<u64>,
    request: C,
}

impl<C: Creation> Serialize for Prepared<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, progress, sent: Sent { send_by, ended_at }, begun, copied } = self;
        if !(*begun && *progress == Progress::Unclear) {
            copied.store(true, Ordering::Relaxed);
        }
        let (progress, send_by, ended_at) = (*progress, *send_by, *ended_at);
        StoredRef { version: VERSION, kind: C::KIND, progress, send_by, ended_at, request }
            .serialize(serializer)
    }
}

/// What was expected, or is missing. The rest of serde's message may quote what is stored, which may be personal.
fn unreadable<E: de::Error>(error: &E) -> E {
    let message = error.to_string();
    if message.starts_with("missing field") {
        return E::custom(message);
    }
    let what = expected(&message).unwrap_or("a stored value of this kind");
    E::custom(format_args!("it holds something else than {what}"))
}

impl<'de, C: Creation> Deserialize<'de> for Prepared<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<C>::deserialize(deserializer).map_err(|error| unreadable(&error))?;
        if stored.version != VERSION {
            return Err(de::Error::custom(format_args!(
                "stored as version {}, and this library reads version {VERSION}",
                stored.version
            )));
        }
        if stored.kind != C::KIND {
            return Err(de::Error::custom(format_args!("stored as another kind than {}", C::KIND)));
        }
        // It may have been stored by another version of this library, or been changed in the store.
        stored.request.check().map_err(|error| de::Error::custom(format_args!("not to be sent: {error}")))?;
        Ok(Self {
            request: stored.request,
            progress: stored.progress,
            begun: false,
            copied: AtomicBool::new(true),
            sent: Sent { send_by: stored.send_by, ended_at: stored.ended_at },
        })
    }
}
