//! Where a service keeps what it is about to order: it survives the process, and says after a crash how far each order
//! has come.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

/// A file of lines, one for each step of an order. A line that a killed process left half written is the step that it did
/// not take.
pub struct Outbox {
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    steps: HashMap<String, Step>,
}

/// How far an order has come, and what is stored of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is at.
    pub stage: Stage,
    /// The stored form of a prepared value, or an id.
    pub value: String,
}

/// What an order is at. One that has ended is not touched again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A value that creates the order is prepared.
    Create,
    /// There is a draft, to be completed.
    Complete,
    /// A value that submits the draft is prepared.
    Submit,
    /// The supplier has it.
    Placed,
    /// Nobody but a person can find out.
    Undecidable,
    /// The supplier refused it, which no order of a campaign deserves.
    Failed,
}

impl Stage {
    /// Whether nothing is to be done any more.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Placed | Self::Undecidable | Self::Failed)
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    #[serde(flatten)]
    step: Step,
}

impl Outbox {
    /// Opens it with what it holds already.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let steps = lines.map(|line| (line.key, line.step)).collect();
        Ok(Self { inner: Mutex::new(Inner { file, steps }) })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while it is held")
    }

    /// How far an order has come; none if it was never begun.
    pub fn step(&self, key: &str) -> Option<Step> {
        self.inner().steps.get(key).cloned()
    }

    /// Every order with how far it has come.
    pub fn steps(&self) -> HashMap<String, Step> {
        self.inner().steps.clone()
    }

    /// Takes down a step. When this returns, the step outlives the process.
    pub fn put(&self, key: &str, stage: Stage, value: impl Into<String>) {
        let line = Line { key: key.to_owned(), step: Step { stage, value: value.into() } };
        let text = serde_json::to_string(&line).expect("text") + "\n";
        let mut inner = self.inner();
        // In one piece, so that a killed process leaves at most the last line half written.
        inner.file.write_all(text.as_bytes()).expect("a disk with room");
        inner.steps.insert(line.key, line.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_written_step_was_not_taken() {
        let path = std::env::temp_dir().join(format!("lastmile-outbox-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let outbox = Outbox::open(&path).unwrap();
        outbox.put("1", Stage::Create, "a");
        outbox.put("2", Stage::Create, "b");
        outbox.put("1", Stage::Placed, "17");
        drop(outbox);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"key":"2","stage":"Pla"#).unwrap();
        let outbox = Outbox::open(&path).unwrap();
        outbox.put("3", Stage::Create, "c");
        drop(outbox);
        let outbox = Outbox::open(&path).unwrap();
        let at = |key: &str| outbox.step(key).map(|step| (step.stage, step.value));
        assert_eq!(at("1"), Some((Stage::Placed, "17".into())));
        assert_eq!(at("2"), Some((Stage::Create, "b".into())));
        assert_eq!(at("3"), Some((Stage::Create, "c".into())));
        assert_eq!((at("4"), outbox.steps().len()), (None, 3));
        std::fs::remove_file(&path).unwrap();
    }
}
