//! Chains: several steps that one enqueued value describes.
//!
//! A chain holds all inputs of all its steps. The outbox stores it once, and with every step that is done it stores the next one in
//! the same transaction: no process has to remember what comes next. A step that sends a creating call is a
//! [`Prepared`](crate::Prepared) value, which is looked up, marked and placed; other steps may be repeated, and need no mark.

use std::time::Duration;

use lastmile_core::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[cfg(feature = "onapi")]
use super::Refusal;
use super::{Client, Enqueue, Entry, OpenError, Phase, Retry, Step, StepFuture, StepOutcome, canonical};

/// The version of the stored form.
const VERSION: u32 = 1;

/// A chain of steps at one supplier. The trait is sealed: see the implementations.
pub trait Chain: Serialize + DeserializeOwned + Send + Sync + sealed::Steps + 'static {
    /// What the last step returns.
    type Finished: DeserializeOwned;
    /// The name of the kind, which is stored.
    const KIND: &'static str;
}

#[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
pub(crate) mod sealed {
    use super::{Client, Duration, Error, Part, StepOutcome};

    /// The steps of a chain.
    pub trait Steps {
        type Supplier: Client + Clone + Send + Sync + 'static;
        const API: &'static str;
        const MANUAL_CHECK: &'static str;

        /// Checks the inputs of all steps, and returns the first one.
        fn first(&self) -> Result<Part, Error>;

        /// Returns the step that follows a creating call of this kind. `created` is what it created.
        fn after(&self, kind: &str, created: Option<&str>) -> Result<Part, Error>;

        /// Takes a step that may be repeated. `state` is what the step before left.
        fn repeat(
            &self,
            supplier: &Self::Supplier,
            state: &str,
        ) -> impl Future<Output = Result<Repeated, Error>> + Send;
    }

    /// What a step that may be repeated leads to.
    #[cfg_attr(not(all(feature = "covage", feature = "onapi")), allow(dead_code))]
    pub enum Repeated {
        /// The same step again, after this time.
        Again(Duration),
        /// The next step.
        Next(Part),
        /// Nothing more, because of this.
        Ended(StepOutcome),
    }
}
pub(crate) use sealed::Repeated;

/// A step of a chain, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(unnameable_types, reason = "the trait that uses it is sealed")]
pub enum Part {
    /// A creating call: the stored form of its prepared value.
    Prepared { kind: String, body: Box<RawValue> },
    /// A step that may be repeated, and what it needs to know.
    Repeat { state: Box<RawValue> },
    /// All steps are done, with this result.
    Done { result: Box<RawValue> },
}

impl Part {
    /// Returns the step that places a prepared value.
    pub(crate) fn prepared<C: crate::Creation>(value: &crate::Prepared<C>) -> Result<Self, Error> {
        Ok(Self::Prepared { kind: C::KIND.to_owned(), body: raw(value)? })
    }

    pub(crate) fn repeat(state: &impl Serialize) -> Result<Self, Error> {
        Ok(Self::Repeat { state: raw(state)? })
    }

    pub(crate) fn done(result: &impl Serialize) -> Result<Self, Error> {
        Ok(Self::Done { result: raw(result)? })
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, Error> {
    serde_json::value::to_raw_value(value)
        .map_err(|_| Error::invalid("chain", "a step of the chain cannot be written as JSON"))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored<C> {
    version: u32,
    inputs: C,
    part: Part,
}

/// Returns what an outbox stores of a chain.
pub(crate) fn entry<C: Chain>(chain: &C) -> Result<Entry, Error> {
    let unwritable = |_| Error::invalid(C::API, "the chain cannot be written as JSON");
    let part = chain.first()?;
    let request = serde_json::to_string(chain).map_err(unwritable)?;
    let request = canonical(&request).map_err(unwritable)?;
    let stored = Stored { version: VERSION, inputs: chain, part };
    let body = serde_json::to_string(&stored).map_err(unwritable)?;
    Ok(Entry::new(C::API, C::KIND, body, request))
}

impl<C: Chain> Enqueue for C {
    fn entry(&self) -> Result<Entry, Error> {
        entry(self)
    }
}

/// Opens a stored chain.
pub(crate) fn open<C: Chain>(supplier: &C::Supplier, body: &str) -> Result<Box<dyn Step>, OpenError> {
    let unreadable = || OpenError::Unreadable("it is no chain of this kind".to_owned());
    let stored: Stored<C> = serde_json::from_str(body).map_err(|_| unreadable())?;
    if stored.version != VERSION {
        return Err(OpenError::Unreadable(format!(
            "stored as version {}, and this library reads version {VERSION}",
            stored.version
        )));
    }
    let mut step =
        ChainStep { supplier: supplier.clone(), chain: stored.inputs, part: stored.part, inner: None };
    step.open_part()?;
    Ok(Box::new(step))
}

struct ChainStep<C: Chain> {
    supplier: C::Supplier,
    chain: C,
    part: Part,
    /// The creating call of this step.
    inner: Option<Box<dyn Step>>,
}

impl<C: Chain> ChainStep<C> {
    fn open_part(&mut self) -> Result<(), OpenError> {
        self.inner = match &self.part {
            Part::Prepared { kind, body } => Some(self.supplier.open(kind, body.get())?),
            _ => None,
        };
        Ok(())
    }

    /// Goes on to the step after a creating call that was placed.
    fn advance(&mut self) -> StepOutcome {
        let (Part::Prepared { kind, .. }, Some(inner)) = (&self.part, &self.inner) else {
            return needs_person::<C>("the chain has no step to be continued".to_owned());
        };
        match self.chain.after(kind, inner.result().as_deref()) {
            Ok(next) => self.enter(next),
            Err(error) => needs_person::<C>(error.to_string()),
        }
    }

    fn enter(&mut self, next: Part) -> StepOutcome {
        let is_done = matches!(next, Part::Done { .. });
        self.part = next;
        match self.open_part() {
            Ok(()) if is_done => StepOutcome::Placed,
            Ok(()) => StepOutcome::Advanced(Duration::ZERO),
            Err(error) => needs_person::<C>(error.to_string()),
        }
    }

    /// Replaces `Placed` of a step by the outcome of the chain.
    fn concluded(&mut self, outcome: StepOutcome) -> StepOutcome {
        if outcome == StepOutcome::Placed { self.advance() } else { outcome }
    }

    async fn repeated(&mut self) -> StepOutcome {
        let state = match &self.part {
            Part::Repeat { state } => state.clone(),
            // The call is placed, and only the next step is missing.
            Part::Prepared { .. } => return self.advance(),
            Part::Done { .. } => return StepOutcome::Placed,
        };
        match self.chain.repeat(&self.supplier, state.get()).await {
            Ok(Repeated::Again(after)) => {
                StepOutcome::Later(Retry::new("the supplier is at work", Some(after)))
            }
            Ok(Repeated::Next(next)) => self.enter(next),
            Ok(Repeated::Ended(outcome)) => outcome,
            Err(error) => StepOutcome::Later(Retry::of(&error)),
        }
    }
}

fn needs_person<C: Chain>(reason: String) -> StepOutcome {
    StepOutcome::NeedsPerson { reason, manual_check: C::MANUAL_CHECK.to_owned() }
}

/// Returns the response of an order that the supplier did not carry out.
#[cfg(feature = "onapi")]
pub(crate) fn failed(reason: &str, supplier_reason: Option<&str>) -> StepOutcome {
    StepOutcome::Refused(Refusal { message: supplier_reason.map(str::to_owned), ..Refusal::new(reason) })
}

impl<C: Chain> Step for ChainStep<C> {
    fn phase(&self) -> Phase {
        match (&self.part, &self.inner) {
            (Part::Done { .. }, _) => Phase::Done,
            (Part::Prepared { .. }, Some(inner)) if inner.phase() != Phase::Done => inner.phase(),
            _ => Phase::Repeatable,
        }
    }

    fn manual_check(&self) -> &str {
        self.inner.as_ref().map_or(C::MANUAL_CHECK, |inner| inner.manual_check())
    }

    fn body(&self) -> Result<String, Error> {
        let part = match (&self.part, &self.inner) {
            (Part::Prepared { kind, .. }, Some(inner)) => {
                let body = RawValue::from_string(inner.body()?)
                    .map_err(|_| Error::invalid(C::API, "a step of the chain is not JSON"))?;
                Part::Prepared { kind: kind.clone(), body }
            }
            (part, _) => part.clone(),
        };
        let stored = Stored { version: VERSION, inputs: &self.chain, part };
        serde_json::to_string(&stored)
            .map_err(|_| Error::invalid(C::API, "the chain cannot be written as JSON"))
    }

    fn look_up(&mut self) -> StepFuture<'_> {
        Box::pin(async move {
            let Some(inner) = &mut self.inner else { return no_call::<C>() };
            let outcome = inner.look_up().await;
            self.concluded(outcome)
        })
    }

    fn mark(&mut self, valid_for: Duration) -> Result<(), Error> {
        match &mut self.inner {
            Some(inner) => inner.mark(valid_for),
            None => Err(Error::invalid(C::API, NO_CALL)),
        }
    }

    fn place(&mut self) -> StepFuture<'_> {
        Box::pin(async move {
            let Some(inner) = &mut self.inner else { return no_call::<C>() };
            let outcome = inner.place().await;
            self.concluded(outcome)
        })
    }

    fn reconcile(&mut self) -> StepFuture<'_> {
        Box::pin(async move {
            let Some(inner) = &mut self.inner else { return no_call::<C>() };
            let outcome = inner.reconcile().await;
            self.concluded(outcome)
        })
    }

    fn repeat(&mut self) -> StepFuture<'_> {
        Box::pin(self.repeated())
    }

    fn declare_absent(&mut self) -> Result<(), Error> {
        match &mut self.inner {
            Some(inner) if inner.phase() != Phase::Done => inner.declare_absent(),
            // A step that may be repeated is tried again.
            _ => Ok(()),
        }
    }

    fn declare_placed(&mut self, created: Option<&str>) -> Result<StepOutcome, Error> {
        let Some(inner) = &mut self.inner else {
            let result = created.unwrap_or("null").to_owned();
            let result = RawValue::from_string(result)
                .map_err(|_| Error::invalid(C::API, "what was created is not JSON"))?;
            self.part = Part::Done { result };
            return Ok(StepOutcome::Placed);
        };
        inner.declare_placed(created)?;
        Ok(self.advance())
    }

    fn result(&self) -> Option<String> {
        match (&self.part, &self.inner) {
            (Part::Done { result }, _) => Some(result.get().to_owned()),
            (Part::Repeat { state }, _) => Some(state.get().to_owned()),
            (_, inner) => inner.as_ref()?.result(),
        }
    }
}

const NO_CALL: &str = "this step of the chain has no creating call";

fn no_call<C: Chain>() -> StepOutcome {
    needs_person::<C>(NO_CALL.to_owned())
}

/// A kind of order with a typed result: a request, or a chain.
pub trait Kind {
    /// What the order returns in the end.
    type Created: DeserializeOwned;
    /// The name of the kind, which is stored.
    const KIND: &'static str;
}

/// A request that a [`Prepared`](crate::Prepared) value places is a kind of order.
impl<C: crate::Creation> Kind for C {
    type Created = C::Created;
    const KIND: &'static str = C::KIND;
}
