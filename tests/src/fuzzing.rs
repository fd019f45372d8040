//! The functions of the fuzz targets in `tests/fuzz`, and their seeds.
//!
//! Each target is a plain function that panics when a promise is broken. libFuzzer calls it with generated inputs, and
//! `tests/fuzzing.rs` with the seeds and a few thousand mutations of them, so that each target stays correct between two
//! runs of libFuzzer.

mod answers;
mod errors;
mod mutation;
// The same oracle that the tests of the rules use.
#[allow(dead_code, reason = "those need more of it")]
#[path = "../rules/oracle.rs"]
mod oracle;
mod rows;
mod rules;
mod seeds;
mod stored;
mod tree;
mod wire;

pub use answers::{ANSWERS, cocon, covage, onapi};
pub use errors::errors;
pub use mutation::mutated;
pub use rows::rows;
pub use rules::{cocon_rules, covage_rules, onapi_rules};
pub use seeds::words;
pub use stored::{KINDS, stored};
pub use wire::{OPEN_ENUMS, decimal, lenient, one_or_many, open_enums, patch, segment, timestamp};

/// A fuzz target.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// All targets.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), run: $name, seeds: seeds::$name }),*];

        /// Passes the names of all targets to a macro, so that each can be a test.
        #[macro_export]
        macro_rules! for_each_target {
            ($then:ident) => { $then!($($name),*); };
        }
    };
}

targets!(
    lenient,
    one_or_many,
    patch,
    decimal,
    timestamp,
    segment,
    open_enums,
    cocon,
    covage,
    onapi,
    errors,
    covage_rules,
    onapi_rules,
    cocon_rules,
    rows,
    stored,
);

/// Returns the bytes after the first one, which chooses one of `count` things.
fn choose(data: &[u8], count: usize) -> Option<(usize, &[u8])> {
    let (&choice, rest) = data.split_first()?;
    Some((usize::from(choice) % count, rest))
}

/// Returns bytes as text for a message.
fn lossy(data: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(data)
}
