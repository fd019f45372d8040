//! The store of a service's orders. It survives the process, and says after a crash which step each order has reached.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

/// A file of lines, one for each step of an order. A half-written line of a killed process is a step that was not taken.
///
/// Several processes may have the file open at once, and each sees what the others wrote: every access takes an advisory
/// lock on the file and reads what was appended since the last one. The system releases the lock of a killed process.
pub struct Outbox {
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    steps: HashMap<String, Step>,
    /// The offset up to which the file was read.
    read: u64,
}

/// The file, locked and read to its end.
struct Locked<'a>(MutexGuard<'a, Inner>);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // The file is unlocked at the latest when it is closed.
        let _ = self.0.file.unlock();
    }
}

impl Inner {
    /// Reads what other processes have appended.
    fn catch_up(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(self.read))?;
        self.file.read_to_end(&mut text)?;
        self.read += u64::try_from(text.len()).map_err(io::Error::other)?;
        if text.last().is_some_and(|byte| *byte != b'\n') {
            // The writer is dead, or it would hold the lock.
            self.file.write_all(b"\n")?;
            self.read += 1;
        }
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
        self.steps.extend(lines.map(|line| (line.key, line.step)));
        Ok(())
    }

    /// Appends a line to a file that is locked and read to its end.
    fn append(&mut self, line: Line) {
        let text = serde_json::to_string(&line).expect("text") + "\n";
        // In one write, so that a killed process leaves at most the last line half written.
        self.file.write_all(text.as_bytes()).expect("a disk with room");
        self.read += u64::try_from(text.len()).expect("a short line");
        self.steps.insert(line.key, line.step);
    }
}

/// The step that an order has reached, and what is stored of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// The stored form of a prepared value, or an id.
    pub value: String,
}

impl Step {
    /// Returns a step with what is stored of it.
    pub fn new(stage: Stage, value: impl Into<String>) -> Self {
        Self { stage, value: value.into() }
    }
}

/// The stage of an order. An order that has ended is not processed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// A value that creates the order is prepared.
    Create,
    /// A draft exists, to be completed.
    Complete,
    /// A value that submits the draft is prepared.
    Submit,
    /// The supplier holds the order.
    Placed,
    /// Only a person can decide whether the order was placed.
    Undecidable,
    /// The supplier rejected the order, which no order of a campaign deserves.
    Failed,
}

impl Stage {
    /// Returns whether nothing remains to be done.
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
    /// Opens the file with what it already holds.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let outbox = Self { inner: Mutex::new(Inner { file, steps: HashMap::new(), read: 0 }) };
        drop(outbox.try_lock()?);
        Ok(outbox)
    }

    /// Returns every step that was ever stored, in order, each with the offset at which its line ends. Takes no
    /// lock, which a stopped process may hold: written lines never change.
    pub(super) fn history(path: &Path) -> io::Result<Vec<(u64, String, Step)>> {
        let text = std::fs::read(path)?;
        let mut end = 0;
        let lines = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
            end += line.len() as u64;
            let Line { key, step } = serde_json::from_slice(line).ok()?;
            Some((end, key, step))
        });
        Ok(lines.collect())
    }

    fn try_lock(&self) -> io::Result<Locked<'_>> {
        let inner = self.inner.lock().expect("no panic while it is held");
        inner.file.lock()?;
        let mut locked = Locked(inner);
        locked.0.catch_up()?;
        Ok(locked)
    }

    fn lock(&self) -> Locked<'_> {
        self.try_lock().expect("a file that can be locked and read")
    }

    /// Returns the step of an order; none if it was never started.
    pub fn step(&self, key: &str) -> Option<Step> {
        self.lock().0.steps.get(key).cloned()
    }

    /// Returns every order with its step.
    pub fn steps(&self) -> HashMap<String, Step> {
        self.lock().0.steps.clone()
    }

    /// Stores a step if the order's step is still the expected one: of several processes that try the same, one
    /// succeeds. `None` expects an order that was never started. When this returns true, the step outlives the
    /// process.
    pub fn replace(&self, key: &str, expected: Option<&Step>, new: Step) -> bool {
        let mut locked = self.lock();
        if locked.0.steps.get(key) != expected {
            return false;
        }
        locked.0.append(Line { key: key.to_owned(), step: new });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores a step in place of whatever step the order has.
    fn put(outbox: &Outbox, key: &str, stage: Stage, value: &str) {
        assert!(outbox.replace(key, outbox.step(key).as_ref(), Step::new(stage, value)));
    }

    #[test]
    fn a_half_written_step_is_ignored() {
        let path = std::env::temp_dir().join(format!("lastmile-outbox-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let outbox = Outbox::open(&path).unwrap();
        put(&outbox, "1", Stage::Create, "a");
        put(&outbox, "2", Stage::Create, "b");
        put(&outbox, "1", Stage::Placed, "17");
        drop(outbox);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"key":"2","stage":"Pla"#).unwrap();
        let outbox = Outbox::open(&path).unwrap();
        put(&outbox, "3", Stage::Create, "c");
        drop(outbox);
        let outbox = Outbox::open(&path).unwrap();
        let at = |key: &str| outbox.step(key).map(|step| (step.stage, step.value));
        assert_eq!(at("1"), Some((Stage::Placed, "17".into())));
        assert_eq!(at("2"), Some((Stage::Create, "b".into())));
        assert_eq!(at("3"), Some((Stage::Create, "c".into())));
        assert_eq!((at("4"), outbox.steps().len()), (None, 3));
        std::fs::remove_file(&path).unwrap();
    }

    /// Returns a file of its own for a test.
    fn new_file(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("lastmile-outbox-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    fn step(stage: Stage, value: impl ToString) -> Step {
        Step { stage, value: value.to_string() }
    }

    #[test]
    fn steps_of_another_process_are_visible() {
        let path = new_file("seen");
        let (first, second) = (Outbox::open(&path).unwrap(), Outbox::open(&path).unwrap());
        put(&first, "1", Stage::Create, "a");
        assert_eq!(second.step("1"), Some(step(Stage::Create, "a")));
        assert!(!second.replace("1", None, step(Stage::Submit, "b")), "it is begun already");
        assert!(!second.replace("1", Some(&step(Stage::Create, "z")), step(Stage::Submit, "b")));
        assert!(second.replace("1", Some(&step(Stage::Create, "a")), step(Stage::Submit, "b")));
        assert!(!first.replace("1", Some(&step(Stage::Create, "a")), step(Stage::Submit, "c")));
        assert_eq!(first.steps(), second.steps());
        // A process that is killed while it writes.
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"key":"1","stage":"Placed","val"#).unwrap();
        assert!(first.replace("2", None, step(Stage::Create, "d")), "on a line of its own");
        assert_eq!(second.step("2"), Some(step(Stage::Create, "d")));
        assert_eq!(second.step("1"), Some(step(Stage::Submit, "b")), "the half step was not taken");
        assert_eq!(Outbox::open(&path).unwrap().steps(), first.steps());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn exactly_one_of_several_writers_succeeds() {
        const WORKERS: usize = 6;
        const ROUNDS: usize = 40;
        let path = new_file("race");
        let claims: Vec<usize> = std::thread::scope(|scope| {
            let work = |worker: usize| {
                let path = &path;
                move || {
                    let outbox = Outbox::open(path).unwrap();
                    let claim = |key: usize| {
                        outbox.replace(&format!("order-{key}"), None, step(Stage::Create, worker))
                    };
                    let claims = (0..ROUNDS).filter(|key| claim(*key)).count();
                    for _ in 0..ROUNDS {
                        loop {
                            let before = outbox.step("count");
                            let count: usize = before.as_ref().map_or(0, |step| step.value.parse().unwrap());
                            if outbox.replace("count", before.as_ref(), step(Stage::Create, count + 1)) {
                                break;
                            }
                        }
                    }
                    claims
                }
            };
            let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(work(worker))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(claims.iter().sum::<usize>(), ROUNDS, "each order has one worker: {claims:?}");
        let outbox = Outbox::open(&path).unwrap();
        assert_eq!(outbox.step("count"), Some(step(Stage::Create, WORKERS * ROUNDS)), "no step is lost");
        assert_eq!(outbox.steps().len(), ROUNDS + 1);
        std::fs::remove_file(&path).unwrap();
    }
}
