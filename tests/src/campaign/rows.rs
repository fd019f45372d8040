//! Long lists under faults: a copy that `sync` keeps is compared with the network's data.
//!
//! In each round the network adds and deletes accesses, and is read twice: once while one of the lists breaks in a
//! certain [way](Broken), once without a fault. Whatever a broken pass returned, the copy must not lose an object that
//! the network still has; and after the next successful pass, the copy has exactly the network's objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::onapi::types::{Access, AccessServices};
use lastmile::onapi::{Changes, Deleted, OnApi, SyncItem, SyncPlan, SyncState, Synced};
use lastmile_sandbox::{Answer, Fault, Sandbox, Supplier};
use serde_json::{Value, json};

/// The options of a run.
#[derive(Clone, Copy, Debug)]
pub struct RowsPlan {
    /// The number of rounds: each list breaks in each way once in [`Broken::ALL`] times two.
    pub rounds: usize,
    /// The minimum number of accesses.
    pub accesses: usize,
    /// The seed of all random decisions.
    pub seed: u64,
}

/// The ways in which a list breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The connection is closed half-way.
    Truncated,
    /// The connection is reset half-way.
    Reset,
    /// An HTML page with status 200.
    Page,
    /// An object that contains the rows.
    Envelope,
    /// An object with a cause, and status 200.
    ErrorObject,
    /// A list whose rows have no id.
    NoIds,
    /// Only the first rows, with status 206.
    Part,
    /// 404, as if there were nothing to list.
    Nothing,
    /// 503, until the client gives up.
    Unavailable,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Truncated,
        Self::Reset,
        Self::Page,
        Self::Envelope,
        Self::ErrorObject,
        Self::NoIds,
        Self::Part,
        Self::Nothing,
        Self::Unavailable,
    ];

    /// Breaks the next request for a list in this way. `rows` is what a list could hold, `now` the date of the
    /// latest change.
    fn lay_down(self, supplier: &Supplier, operation: &str, rows: &[Value], now: &str, attempts: u32) {
        // A client that keeps the date of an unreadable list misses the changes before it.
        let dated = |answer: Answer| answer.header("last-modified", now);
        let body = |value: Value| supplier.answer_next(operation, dated(Answer::json(200, &value)));
        match self {
            Self::Truncated => supplier.fail_next(operation, Fault::Truncated),
            Self::Reset => supplier.fail_next(operation, Fault::ResetWithin),
            Self::Page => {
                let page = Answer::status(200).header("content-type", "text/html");
                supplier.answer_next(operation, dated(page.body("<html>Maintenance</html>")));
            }
            Self::Envelope => body(json!({ "count": rows.len(), "results": rows })),
            Self::ErrorObject => body(json!({ "cause": "The list cannot be read now" })),
            Self::NoIds => body(rows.iter().map(|_| json!({ "accessId": null, "objectId": "" })).collect()),
            Self::Part => {
                let some = &rows[..rows.len().min(1)];
                supplier.answer_next(operation, dated(Answer::json(206, &json!(some))));
            }
            Self::Nothing => supplier.answer_next(operation, Answer::json(404, &json!({ "cause": "none" }))),
            Self::Unavailable => {
                (0..attempts).for_each(|_| supplier.answer_next(operation, Answer::status(503)));
            }
        }
    }
}

/// The result of a run for the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsVerdict {
    /// Rounds that were read to their end.
    pub rounds: usize,
    /// Passes that failed or ended early.
    pub failed: usize,
    /// The errors, with the round in which they were found.
    pub wrong: Vec<String>,
}

impl RowsVerdict {
    /// Returns whether the copy was right whenever it had to be.
    pub fn is_right(&self) -> bool {
        self.wrong.is_empty() && self.rounds > 0
    }
}

impl fmt::Display for RowsVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rounds, {} passes failed", self.rounds, self.failed)?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "\n  {wrong}"))
    }
}

/// A kind of object of which a copy can be kept here.
pub trait Row: Synced {
    /// The operation that lists them.
    const LIST: &'static str;

    /// Returns the access of a row.
    fn access(&self) -> Option<&str>;
}

impl Row for Access {
    const LIST: &'static str = "listAccesses";

    fn access(&self) -> Option<&str> {
        self.access_id.as_deref()
    }
}

impl Row for AccessServices {
    const LIST: &'static str = "listServices";

    fn access(&self) -> Option<&str> {
        self.access_id.as_deref()
    }
}

/// A copy, kept as the documentation of `sync` describes.
#[derive(Default)]
struct Copy {
    /// The accesses, each with the pass that saw it last.
    held: BTreeMap<String, usize>,
    state: Option<SyncState>,
    passes: usize,
}

impl Copy {
    /// Updates the copy. Returns whether the pass came to its end.
    async fn bring_up_to_date<T: Row>(&mut self, network: &OnApi, plan: &SyncPlan) -> bool {
        self.passes += 1;
        let Ok(mut run) = network.sync::<T>(self.state.as_ref(), plan).await else { return false };
        let mut is_whole = true;
        while let Some(item) = run.next().await {
            match item {
                // A row without an id cannot be stored.
                Ok(SyncItem::Upserted(row)) => {
                    if let Some(access) = row.access().filter(|id| !id.is_empty()) {
                        self.held.insert(access.to_owned(), self.passes);
                    }
                }
                Ok(SyncItem::Deleted(Deleted::Access(id))) => drop(self.held.remove(&id)),
                Ok(_) => {}
                Err(_) => is_whole = false,
            }
        }
        if run.is_complete() {
            self.held.retain(|_, seen| *seen == self.passes);
        }
        // As documented: if there is no new state, the old one stays.
        match run.state() {
            Some(state) => self.state = Some(state.clone()),
            None => is_whole = false,
        }
        is_whole
    }

    fn ids(&self) -> BTreeSet<String> {
        self.held.keys().cloned().collect()
    }
}

/// Keeps a copy while the lists break in every way, and compares it.
pub async fn keep_a_copy<T: Row>(plan: &RowsPlan) -> RowsVerdict {
    let sandbox = Sandbox::builder().seed(plan.seed).start().await.expect("a loopback port");
    let network = crate::onapi(&sandbox);
    let supplier = sandbox.onapi();
    let there = || supplier.accesses().into_iter().map(|access| access.id).collect::<BTreeSet<String>>();
    let mut chance = fastrand::Rng::with_seed(plan.seed);
    supplier.add_accesses(plan.accesses.saturating_sub(there().len()).max(1));
    let mut copy = Copy::default();
    let mut verdict = RowsVerdict::default();
    for round in 0..plan.rounds {
        let broken = Broken::ALL[round / 2 % Broken::ALL.len()];
        let list = if round % 2 == 0 { T::LIST } else { "listEvents" };
        // After every second cycle through all ways, the broken pass is a full run.
        let full = round / (2 * Broken::ALL.len()) % 2 == 1;
        let what =
            format!("round {round}: {broken:?} for {list}, {}", if full { "everything" } else { "the news" });
        let known = verdict.wrong.len();
        change(supplier, &mut chance);

        let rows: Vec<Value> = there().into_iter().map(|id| json!({ "accessId": id })).collect();
        let now = latest_change(&network).await;
        broken.lay_down(supplier, list, &rows, &now, network.raw().policy().max_attempts);
        let before = copy.ids();
        verdict.failed += usize::from(!copy.bring_up_to_date::<T>(&network, &sync_plan(full)).await);
        missed(&mut verdict, &what, "taken out, and still there", before.intersection(&there()), &copy.ids());

        change(supplier, &mut chance);
        let before = copy.ids();
        if copy.bring_up_to_date::<T>(&network, &sync_plan(false)).await {
            verdict.rounds += 1;
            missed(&mut verdict, &what, "lost", there().iter(), &copy.ids());
            missed(&mut verdict, &what, "kept, and gone", copy.ids().iter(), &there());
        } else {
            verdict.failed += 1;
            missed(
                &mut verdict,
                &what,
                "taken out, and still there",
                before.intersection(&there()),
                &copy.ids(),
            );
        }
        // A failed round does not hide the next one.
        if verdict.wrong.len() > known {
            copy = Copy::default();
            copy.bring_up_to_date::<T>(&network, &sync_plan(false)).await;
        }
    }
    let violations = supplier.violations();
    assert!(violations.is_empty(), "{violations:?}");
    verdict
}

/// Returns a plan in which every doubt causes a full run at the next pass. (The default is a day.)
fn sync_plan(full: bool) -> SyncPlan {
    let plan = SyncPlan::default().with_full_every_without_cursor(Duration::ZERO);
    if full { plan.with_full_every(Duration::ZERO) } else { plan }
}

/// Returns when anything changed last, by the network's clock.
async fn latest_change(network: &OnApi) -> String {
    let Ok(Changes::Rows(mut events)) = network.object_events(None).await else { panic!("there are events") };
    while let Some(event) = events.next().await {
        event.expect("it is readable");
    }
    let cursor = serde_json::to_value(events.cursor().expect("the list is dated")).expect("JSON");
    cursor.as_str().expect("a date").to_owned()
}

/// Adds some accesses and deletes others.
fn change(supplier: &lastmile_sandbox::OnApi, chance: &mut fastrand::Rng) {
    supplier.add_accesses(chance.usize(1..4));
    for _ in 0..chance.usize(1..3) {
        let accesses = supplier.accesses();
        supplier.tear_down(&accesses[chance.usize(..accesses.len())].id);
    }
}

/// Records those of `expected` that are not among `actual`.
fn missed<'a>(
    verdict: &mut RowsVerdict,
    what: &str,
    how: &str,
    expected: impl Iterator<Item = &'a String>,
    actual: &BTreeSet<String>,
) {
    let missed = expected.filter(|id| !actual.contains(*id)).count();
    if missed > 0 {
        verdict.wrong.push(format!("{what}: {missed} accesses {how}"));
    }
}
