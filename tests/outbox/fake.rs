//! A supplier in memory, whose answers a test chooses, and which counts what took effect.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use lastmile::outbox::{
    Client, Enqueue, Entry, OpenError, Phase, Refusal, Retry, Step, StepFuture, StepOutcome, canonical,
};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};

/// What happens to a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Refused,
    /// It takes effect, and the response is lost.
    AnswerLost,
    /// It is lost.
    RequestLost,
    NotSent,
    /// The supplier asks to be left alone for this time.
    Throttled(Duration),
    /// It takes effect at once; the answer arrives when the test adds a permit to [`World::answers`].
    Waits,
    Panics,
}

/// A call that panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bug {
    Open,
    DeclareAbsent,
    DeclarePlaced,
}

#[derive(Default)]
struct Inner {
    effects: HashMap<String, usize>,
    fates: HashMap<String, VecDeque<Fate>>,
    /// Why the next marks of an order fail.
    marks: HashMap<String, VecDeque<lastmile::Error>>,
    /// The calls of an order that panic.
    bugs: HashSet<(String, Bug)>,
    reconciliations: usize,
    /// When each request was sent.
    sent: Vec<std::time::Instant>,
}

pub(crate) struct World {
    inner: Mutex<Inner>,
    pub(crate) answers: Semaphore,
    /// Whether the supplier can be asked what it has.
    pub(crate) has_look_up: bool,
    /// How long a request may take effect after its call has ended.
    settle: Duration,
    /// Whether reconciliations wait for their answers.
    holds: watch::Sender<bool>,
}

impl World {
    pub(crate) fn new(has_look_up: bool) -> Arc<Self> {
        Self::settling(has_look_up, Duration::ZERO)
    }

    pub(crate) fn settling(has_look_up: bool, settle: Duration) -> Arc<Self> {
        let (inner, holds) = (Mutex::default(), watch::channel(false).0);
        Arc::new(Self { inner, answers: Semaphore::new(0), has_look_up, settle, holds })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Decides about the next requests of an order.
    pub(crate) fn fates(&self, reference: &str, fates: impl IntoIterator<Item = Fate>) {
        self.inner().fates.entry(reference.to_owned()).or_default().extend(fates);
    }

    /// Decides why the next marks of an order fail.
    pub(crate) fn fail_marks(&self, reference: &str, errors: impl IntoIterator<Item = lastmile::Error>) {
        self.inner().marks.entry(reference.to_owned()).or_default().extend(errors);
    }

    /// Lets a call panic whenever it is made for this order.
    pub(crate) fn panic_at(&self, reference: &str, bug: Bug) {
        self.inner().bugs.insert((reference.to_owned(), bug));
    }

    fn panic_if_told(&self, reference: &str, bug: Bug) {
        let has_bug = self.inner().bugs.contains(&(reference.to_owned(), bug));
        assert!(!has_bug, "a bug in {bug:?}");
    }

    /// Lets reconciliations, which look at once, wait for their answers.
    pub(crate) fn hold_reconciliations(&self, holds: bool) {
        self.holds.send_replace(holds);
    }

    pub(crate) fn reconciliations(&self) -> usize {
        self.inner().reconciliations
    }

    /// Returns how often an order took effect.
    pub(crate) fn effects(&self, reference: &str) -> usize {
        self.inner().effects.get(reference).copied().unwrap_or_default()
    }

    pub(crate) fn add_effect(&self, reference: &str) {
        *self.inner().effects.entry(reference.to_owned()).or_default() += 1;
    }

    pub(crate) fn sent(&self) -> Vec<std::time::Instant> {
        self.inner().sent.clone()
    }
}

/// The client of the supplier.
#[derive(Clone)]
pub(crate) struct Fake(pub(crate) Arc<World>);

pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

impl Client for Fake {
    fn supplier(&self) -> &str {
        "fake"
    }

    fn deadline(&self) -> Duration {
        DEADLINE
    }

    fn settle_time(&self) -> Duration {
        self.0.settle
    }

    fn open(&self, kind: &str, body: &str) -> Result<Box<dyn Step>, OpenError> {
        if kind != "fake.order" {
            return Err(OpenError::UnknownKind);
        }
        let order: FakeOrder =
            serde_json::from_str(body).map_err(|_| OpenError::Unreadable("it is no order".into()))?;
        self.0.panic_if_told(&order.reference, Bug::Open);
        Ok(Box::new(FakeStep { world: self.0.clone(), order }))
    }
}

/// An order at the supplier.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct FakeOrder {
    reference: String,
    is_sent: bool,
    created: Option<String>,
    /// How many steps of a chain follow. The reference of the next one has a `+` more.
    #[serde(default)]
    steps_left: usize,
}

impl FakeOrder {
    pub(crate) fn new(reference: &str) -> Self {
        Self { reference: reference.to_owned(), is_sent: false, created: None, steps_left: 0 }
    }

    /// Returns a chain with so many steps after the first.
    pub(crate) fn chain(reference: &str, steps_left: usize) -> Self {
        Self { steps_left, ..Self::new(reference) }
    }
}

impl Enqueue for FakeOrder {
    fn entry(&self) -> Result<Entry, lastmile::Error> {
        let request = canonical(&serde_json::json!({ "reference": self.reference }).to_string()).unwrap();
        Ok(Entry::new("fake", "fake.order", serde_json::to_string(self).unwrap(), request))
    }
}

struct FakeStep {
    world: Arc<World>,
    order: FakeOrder,
}

impl FakeStep {
    fn found(&mut self) -> bool {
        let found = self.world.has_look_up && self.world.effects(&self.order.reference) > 0;
        if found {
            self.order.created = Some("{\"found\":true}".to_owned());
        }
        found
    }

    /// Returns the outcome of a step that is placed: the next step of a chain begins.
    fn placed(&mut self) -> StepOutcome {
        let Some(steps_left) = self.order.steps_left.checked_sub(1) else { return StepOutcome::Placed };
        self.order = FakeOrder::chain(&format!("{}+", self.order.reference), steps_left);
        StepOutcome::Advanced(Duration::ZERO)
    }

    async fn send(&mut self) -> StepOutcome {
        let fate = {
            let mut inner = self.world.inner();
            inner.sent.push(std::time::Instant::now());
            inner.fates.get_mut(&self.order.reference).and_then(VecDeque::pop_front)
        };
        let reference = self.order.reference.clone();
        match fate {
            None => {}
            Some(Fate::Waits) => {
                self.world.add_effect(&reference);
                self.world.answers.acquire().await.unwrap().forget();
                self.order.created = Some("{\"late\":true}".to_owned());
                return self.placed();
            }
            Some(Fate::Refused) => {
                self.order.is_sent = false;
                return StepOutcome::Refused(Refusal::new("it is wrong"));
            }
            Some(Fate::AnswerLost) => {
                self.world.add_effect(&reference);
                return StepOutcome::Indeterminate(Retry::new("no response", None));
            }
            Some(Fate::RequestLost) => return StepOutcome::Indeterminate(Retry::new("no response", None)),
            Some(Fate::NotSent) => {
                self.order.is_sent = false;
                return StepOutcome::NotSent(Retry::new("unreachable", None));
            }
            Some(Fate::Throttled(time)) => {
                self.order.is_sent = false;
                let retry = Retry { pauses_supplier: true, ..Retry::new("busy", Some(time)) };
                return StepOutcome::NotSent(retry);
            }
            Some(Fate::Panics) => panic!("a poisonous order"),
        }
        self.world.add_effect(&reference);
        self.order.created = Some(format!("{{\"id\":\"{reference}\"}}"));
        self.placed()
    }
}

impl Step for FakeStep {
    fn phase(&self) -> Phase {
        match (&self.order.created, self.order.is_sent) {
            (Some(_), _) => Phase::Done,
            (None, true) => Phase::Sent,
            (None, false) => Phase::Ready,
        }
    }

    fn manual_check(&self) -> &str {
        "look at the fake supplier"
    }

    fn body(&self) -> Result<String, lastmile::Error> {
        Ok(serde_json::to_string(&self.order).unwrap())
    }

    fn look_up(&mut self) -> StepFuture<'_> {
        let answer = match (self.found(), self.world.has_look_up) {
            (true, _) => self.placed(),
            (false, true) => StepOutcome::Clear,
            (false, false) => StepOutcome::Unsupported,
        };
        Box::pin(std::future::ready(answer))
    }

    fn mark(&mut self, _: Duration) -> Result<(), lastmile::Error> {
        let error = self.world.inner().marks.get_mut(&self.order.reference).and_then(VecDeque::pop_front);
        if let Some(error) = error {
            return Err(error);
        }
        self.order.is_sent = true;
        Ok(())
    }

    fn place(&mut self) -> StepFuture<'_> {
        Box::pin(self.send())
    }

    fn reconcile(&mut self) -> StepFuture<'_> {
        self.world.inner().reconciliations += 1;
        let answer = match (self.found(), self.world.has_look_up) {
            (true, _) => self.placed(),
            (false, true) => {
                self.order.is_sent = false;
                StepOutcome::Absent
            }
            (false, false) => StepOutcome::NeedsPerson {
                reason: "the supplier cannot be asked".into(),
                manual_check: self.manual_check().into(),
            },
        };
        let mut holds = self.world.holds.subscribe();
        Box::pin(async move {
            let _ = holds.wait_for(|holds| !holds).await;
            answer
        })
    }

    fn repeat(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(StepOutcome::Later(Retry::default())))
    }

    fn declare_absent(&mut self) -> Result<(), lastmile::Error> {
        self.world.panic_if_told(&self.order.reference, Bug::DeclareAbsent);
        self.order.is_sent = false;
        Ok(())
    }

    fn declare_placed(&mut self, created: Option<&str>) -> Result<StepOutcome, lastmile::Error> {
        self.world.panic_if_told(&self.order.reference, Bug::DeclarePlaced);
        self.order.created = Some(created.unwrap_or("null").to_owned());
        Ok(self.placed())
    }

    fn result(&self) -> Option<String> {
        self.order.created.clone()
    }
}
