//! A supplier that answers at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lastmile::outbox::{Client, Enqueue, Entry, OpenError, Phase, Step, StepFuture, StepOutcome};

/// A supplier that answers at once, and notes when each order was sent.
#[derive(Clone, Default)]
pub(super) struct NoOp(pub(super) Arc<Mutex<HashMap<String, Instant>>>);

impl Client for NoOp {
    fn supplier(&self) -> &str {
        "no-op"
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn settle_time(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn open(&self, _: &str, body: &str) -> std::result::Result<Box<dyn Step>, OpenError> {
        Ok(Box::new(NoOpStep { client: self.clone(), body: body.to_owned(), phase: Phase::Ready }))
    }
}

struct NoOpStep {
    client: NoOp,
    body: String,
    phase: Phase,
}

impl Step for NoOpStep {
    fn phase(&self) -> Phase {
        self.phase
    }

    fn manual_check(&self) -> &str {
        ""
    }

    fn body(&self) -> std::result::Result<String, lastmile::Error> {
        Ok(self.body.clone())
    }

    fn look_up(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(StepOutcome::Clear))
    }

    fn mark(&mut self, _: Duration) -> std::result::Result<(), lastmile::Error> {
        self.phase = Phase::Sent;
        Ok(())
    }

    fn place(&mut self) -> StepFuture<'_> {
        let mut sent = self.client.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.insert(self.body.clone(), Instant::now());
        self.phase = Phase::Done;
        Box::pin(std::future::ready(StepOutcome::Placed))
    }

    fn reconcile(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(StepOutcome::Absent))
    }

    fn repeat(&mut self) -> StepFuture<'_> {
        Box::pin(std::future::ready(StepOutcome::Placed))
    }

    fn declare_absent(&mut self) -> std::result::Result<(), lastmile::Error> {
        Ok(())
    }

    fn declare_placed(&mut self, _: Option<&str>) -> std::result::Result<StepOutcome, lastmile::Error> {
        Ok(StepOutcome::Placed)
    }

    fn result(&self) -> Option<String> {
        Some(r#"{"id":"4711"}"#.to_owned())
    }
}

/// An order with a body of the usual size.
pub(super) struct Order(pub(super) String);

impl Enqueue for Order {
    fn entry(&self) -> std::result::Result<Entry, lastmile::Error> {
        Ok(Entry::new("no-op", "no-op.order", format!("{:<600}", self.0), self.0.clone()))
    }
}
