//! A prepared value as an outbox carries it out.

use std::time::Duration;

use lastmile_core::{Error, Outcome};

use super::machine::{Settling, State};
use super::sealed::Supplier as _;
use super::{Creation, LookedUp, Prepared, PreparedState, Reconciled, invalid};
use crate::outbox::{
    Enqueue, Entry, OpenError, Phase, Refusal, Retry, Step, StepFuture, StepOutcome, canonical,
};

/// A prepared value together with the client of its supplier.
pub(crate) struct PreparedStep<C: Creation> {
    supplier: C::Supplier,
    value: Prepared<C>,
}

/// Opens a stored value.
pub(crate) fn open<C>(supplier: &C::Supplier, body: &str) -> Result<Box<dyn Step>, OpenError>
where
    C: Creation + Send + Sync + 'static,
    C::Created: Send + Sync,
    C::Supplier: Clone + Send + 'static,
{
    let value = serde_json::from_str(body).map_err(|error| OpenError::Unreadable(quiet(&error)))?;
    Ok(Box::new(PreparedStep::<C> { supplier: supplier.clone(), value }))
}

/// Returns the reason why a value cannot be read. The errors of prepared values quote nothing; errors of the JSON syntax are
/// reduced to their position.
fn quiet(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => error.to_string(),
        _ => format!("it is not JSON, at line {} column {}", error.line(), error.column()),
    }
}

impl<C: Creation> Enqueue for Prepared<C> {
    fn entry(&self) -> Result<Entry, Error> {
        if self.state() != PreparedState::Ready {
            return Err(invalid::<C>("this value may have been sent already, so that it cannot be enqueued"));
        }
        let unwritable = |_| invalid::<C>("the request cannot be written as JSON");
        let request = serde_json::to_string(&self.request).map_err(unwritable)?;
        let request = canonical(&request).map_err(unwritable)?;
        let body = serde_json::to_string(self).map_err(unwritable)?;
        Ok(Entry::new(C::Supplier::API, C::KIND, body, request))
    }
}

impl<C> PreparedStep<C>
where
    C: Creation,
    C::Supplier: Sync,
{
    async fn looked_up(&mut self) -> StepOutcome {
        match self.value.look_up_before_sending(&self.supplier).await {
            Ok(LookedUp::Found(_)) => StepOutcome::Placed,
            Ok(LookedUp::NotFound) => StepOutcome::Clear,
            Ok(LookedUp::Unsupported) => StepOutcome::Unsupported,
            Err(error) => match self.value.state() {
                PreparedState::Indeterminate => needs_person::<C>(error.to_string()),
                _ => StepOutcome::Later(Retry::of(&error)),
            },
        }
    }

    async fn placed(&mut self) -> StepOutcome {
        let error = match self.value.place(&self.supplier).await {
            Ok(_) => return StepOutcome::Placed,
            Err(error) => error,
        };
        match (self.value.state(), error.outcome()) {
            // The credentials are wrong or may not do this, which is corrected at the supplier or in the configuration.
            (PreparedState::Ready, Outcome::Rejected) if Retry::is_access(&error) => {
                let retry = Retry::of(&error);
                // A 403 may also be about this order: the credentials sufficed to look for it.
                let is_forbidden = error.status().is_some_and(|status| status.as_u16() == 403);
                StepOutcome::NotSent(if is_forbidden { retry.doubt() } else { retry })
            }
            (PreparedState::Ready, Outcome::Rejected | Outcome::Invalid) => {
                StepOutcome::Refused(Refusal::of(&error))
            }
            (PreparedState::Ready, _) => StepOutcome::NotSent(Retry::of(&error)),
            // Only an expired mark is not sent and leaves the value marked.
            (PreparedState::InFlight, Outcome::Invalid) => StepOutcome::MarkExpired,
            _ => StepOutcome::Indeterminate(Retry::of(&error)),
        }
    }

    async fn reconciled(&mut self) -> StepOutcome {
        let policy = self.supplier.policy();
        let is_settling =
            matches!(self.value.machine.settling(policy.deadline, policy.settle_time), Settling::For(_));
        match self.value.reconcile(&self.supplier).await {
            Ok(Reconciled::Placed(_)) => StepOutcome::Placed,
            Ok(Reconciled::Absent) => StepOutcome::Absent,
            Ok(Reconciled::Indeterminate(later)) => {
                let retry = Retry::new(later.reason, Some(later.retry_after));
                StepOutcome::Later(if is_settling { retry } else { retry.doubt() })
            }
            Ok(Reconciled::Undecidable(person)) => {
                StepOutcome::NeedsPerson { reason: person.reason, manual_check: person.manual_check }
            }
            Err(error) => StepOutcome::Later(Retry::of(&error)),
        }
    }
}

fn needs_person<C: Creation>(reason: String) -> StepOutcome {
    StepOutcome::NeedsPerson { reason, manual_check: C::MANUAL_CHECK.to_owned() }
}

impl<C> Step for PreparedStep<C>
where
    C: Creation + Send + Sync,
    C::Created: Send + Sync,
    C::Supplier: Send + Sync,
{
    fn phase(&self) -> Phase {
        match self.value.state() {
            PreparedState::Ready => Phase::Ready,
            PreparedState::InFlight | PreparedState::Indeterminate => Phase::Sent,
            PreparedState::Placed => Phase::Done,
        }
    }

    fn manual_check(&self) -> &str {
        C::MANUAL_CHECK
    }

    fn body(&self) -> Result<String, Error> {
        serde_json::to_string(&self.value).map_err(|_| invalid::<C>("the value cannot be written as JSON"))
    }

    fn look_up(&mut self) -> StepFuture<'_> {
        Box::pin(self.looked_up())
    }

    fn mark(&mut self, valid_for: Duration) -> Result<(), Error> {
        let is_looked_up = self.phase() != Phase::Ready || !self.value.machine.needs_look_up();
        let marked = self.value.mark_in_flight_for(valid_for);
        // An outbox that has to look up again learns that from the time; another error rejects the request.
        marked.map_err(|error| if is_looked_up { error } else { error.with_retry_after(Duration::ZERO) })
    }

    fn place(&mut self) -> StepFuture<'_> {
        Box::pin(self.placed())
    }

    fn reconcile(&mut self) -> StepFuture<'_> {
        Box::pin(self.reconciled())
    }

    fn repeat(&mut self) -> StepFuture<'_> {
        let reason = "a single order has nothing that may be repeated";
        Box::pin(std::future::ready(needs_person::<C>(reason.to_owned())))
    }

    fn declare_absent(&mut self) -> Result<(), Error> {
        // Also in the state `Ready`: an inconclusive look-up no longer prevents sending.
        self.value.declare_absent(&self.supplier)
    }

    fn declare_placed(&mut self, created: Option<&str>) -> Result<StepOutcome, Error> {
        let created = created
            .map(serde_json::from_str)
            .transpose()
            .map_err(|_| invalid::<C>("what was created is not the JSON that this kind of order creates"))?;
        self.value.declare_placed(created);
        Ok(StepOutcome::Placed)
    }

    fn result(&self) -> Option<String> {
        match self.value.machine.state() {
            State::Placed(Some(created)) => serde_json::to_string(created).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod doubt {
    use std::task::{Context, Poll, Waker};

    use lastmile_core::client::SendDeadline;
    use lastmile_core::clock::Clock;
    use lastmile_core::retry::Policy;
    use serde::{Deserialize, Serialize};

    use super::super::sealed::{Lookup, LookupPurpose, Sealed, Supplier};
    use super::*;

    /// A supplier whose look-ups are inconclusive.
    #[derive(Clone, Default)]
    struct Doubtful {
        policy: Policy,
        clock: Clock,
    }

    impl Supplier for Doubtful {
        const API: &'static str = "doubtful";

        fn policy(&self) -> &Policy {
            &self.policy
        }

        fn clock(&self) -> &Clock {
            &self.clock
        }

        fn with_send_deadline(&self, _: SendDeadline) -> Self {
            self.clone()
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Line {
        conflicts: bool,
    }

    impl Sealed for Line {}

    impl Creation for Line {
        type Supplier = Doubtful;
        type Created = String;
        const KIND: &'static str = "doubtful.line";
        const MANUAL_CHECK: &'static str = "look";

        fn check(&self) -> Result<(), Error> {
            Ok(())
        }

        async fn send(&self, _: &Doubtful) -> Result<String, Error> {
            Ok("17".to_owned())
        }

        async fn find(&self, _: &Doubtful, _: LookupPurpose) -> Result<Lookup<String>, Error> {
            let reason = "there is another line like it";
            Ok(if self.conflicts { Lookup::Conflict(reason) } else { Lookup::Indeterminate(reason) })
        }
    }

    fn now(mut outcome: StepFuture<'_>) -> StepOutcome {
        match outcome.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    #[test]
    fn an_order_that_a_person_has_declared_absent_is_sent_in_spite_of_inconclusive_look_ups() {
        for conflicts in [false, true] {
            let body = serde_json::to_string(&Prepared::new(Line { conflicts }).unwrap()).unwrap();
            let again = |body: &str| open::<Line>(&Doubtful::default(), body).unwrap();
            let mut step = again(&body);
            let outcome = now(step.look_up());
            assert_eq!(matches!(outcome, StepOutcome::NeedsPerson { .. }), conflicts, "{outcome:?}");
            if !conflicts {
                // After several of them, a person is asked.
                assert!(matches!(outcome, StepOutcome::Later(retry) if retry.is_doubt));
                assert_eq!(step.phase(), Phase::Ready);
                step.declare_absent().unwrap();
                let mut step = again(&step.body().unwrap());
                // The look-up showed nothing: if there is reason to believe that it was sent, a person decides again.
                assert_eq!(now(step.look_up()), StepOutcome::Unsupported);
                step.mark(Duration::from_secs(5)).unwrap();
                step.body().unwrap();
                assert_eq!(now(step.place()), StepOutcome::Placed);
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "cocon")]
mod tests {
    use super::*;
    use crate::cocon::Cocon;
    use crate::cocon::types::CustomerCreate;
    use crate::outbox::Client as _;

    fn customer(name: &str) -> Prepared<CustomerCreate> {
        Prepared::new(CustomerCreate { name: Some(name.to_owned()), ..Default::default() }).unwrap()
    }

    fn client() -> Cocon {
        Cocon::builder("http://127.0.0.1:9").api_key("k").client_id("c").build().unwrap()
    }

    #[test]
    fn an_entry_identifies_the_request_and_not_its_state() {
        let entry = customer("Ankeborg").entry().unwrap();
        assert_eq!((entry.supplier(), entry.kind()), ("cocon", "cocon.customer"));
        assert_eq!(entry.request(), r#"{"name":"Ankeborg"}"#);
        let again: Prepared<CustomerCreate> = serde_json::from_str(entry.body()).unwrap();
        assert_eq!(again.entry().unwrap(), entry);
        assert_ne!(customer("Gåseborg").entry().unwrap().request(), entry.request());

        let mut sent = customer("Ankeborg");
        sent.mark_in_flight().unwrap();
        assert_eq!(sent.entry().unwrap_err().outcome(), Outcome::Invalid);
        assert!(!format!("{entry:?}").contains("Ankeborg"));
    }

    #[test]
    fn a_stored_body_is_opened_in_its_phase() {
        let client = client();
        let mut value = customer("Ankeborg");
        let open = |value: &Prepared<CustomerCreate>| {
            client.open("cocon.customer", &serde_json::to_string(value).unwrap()).unwrap()
        };
        assert_eq!(open(&value).phase(), Phase::Ready);
        value.mark_in_flight().unwrap_err();
        let mut step = open(&value);
        let error = step.mark(Duration::from_secs(1)).unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::ZERO), "it is to be looked up again");
        step.declare_absent().unwrap();
        assert_eq!(step.declare_placed(Some(r#"{"id":"17"}"#)).unwrap(), StepOutcome::Placed);
        assert_eq!((step.phase(), step.result()), (Phase::Done, Some(r#"{"id":"17"}"#.to_owned())));
        assert!(step.declare_placed(Some("17")).is_err());
        assert_eq!(step.declare_placed(None).unwrap(), StepOutcome::Placed);
        assert_eq!(step.result(), None);
    }

    #[test]
    fn a_body_that_cannot_be_opened_says_why_and_quotes_nothing() {
        let client = client();
        let error = |kind: &str, body: &str| client.open(kind, body).map(|_| ()).unwrap_err();
        assert_eq!(error("cocon.contact-of-tomorrow", "{}"), OpenError::UnknownKind);
        let entry = customer("Ankeborg").entry().unwrap();
        for body in ["", "{", "{\"Ankeborg", "\"Ankeborg\"", &entry.body().replace("2", "9")] {
            let error = error("cocon.customer", body);
            assert!(
                matches!(error, OpenError::Unreadable(_)) && !error.to_string().contains("Ankeborg"),
                "{error}"
            );
        }
    }
}
