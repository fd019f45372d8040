//! What goes wrong on demand: with which request, with how many of them, and with which connection.

use std::time::Duration;

use fastrand::Rng;

/// What goes wrong with a request that arrived whole. Told by [`fail_next`](crate::Supplier::fail_next) for the next
/// request of an operation, or drawn by [`Faults`].
///
/// To carry out is to do what the supplier does without a fault: a request that is refused then changes nothing here
/// either. A page of its own, where one is answered, is that of a gateway in front of the supplier, in HTML.
///
/// ```
/// use std::time::Duration;
/// use lastmile_sandbox::{Fault, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().start().await?;
/// // The first order is placed and nobody is told; the second is not placed, and may come again in two seconds.
/// sandbox.onapi().fail_next("createOrder", Fault::ResetAfter);
/// sandbox.onapi().fail_next("createOrder", Fault::Throttled(Some(Duration::from_secs(2))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not carried out, and the connection is reset.
    ResetBefore,
    /// It is carried out, and the connection is reset.
    ResetAfter,
    /// The connection is closed at once, and the request is carried out this much later, when the client has long
    /// given up. [`settled`](crate::Supplier::settled) waits for it.
    CarriedOutLate(Duration),
    /// The connection is closed at once, and the request is carried out directly after the next request with the same method
    /// and path, but another body, has succeeded: an older change of an object overtakes a newer one. A repetition of the
    /// same change does not count as newer. If no newer request comes, [`settled`](crate::Supplier::settled) carries it out.
    CarriedOutAfterNewer,
    /// It is carried out at once and answered this much later, if the client is still there.
    Latency(Duration),
    /// It is not carried out and not answered. The connection stays open until the client goes.
    Silence,
    /// It is not carried out, and answered with 429; with `Retry-After`, in whole seconds, if there is a time.
    Throttled(Option<Duration>),
    /// It is not carried out, and answered with this status, a 5xx.
    Unavailable(u16),
    /// It is carried out, and answered with this status all the same, a 5xx.
    FailedAfter(u16),
    /// It is carried out. Half of the body arrives, then the connection is closed; an answer without a body breaks off
    /// within its head.
    Truncated,
    /// It is carried out. Half of the body is sent, then the connection is reset, so that even that half may not arrive.
    ResetWithin,
    /// It is carried out, and answered with the status of the real answer, but with a page in HTML instead of its headers
    /// and its body. A status that allows no body (204, 304) comes without.
    WrongBody,
}

impl Fault {
    /// # Panics
    ///
    /// If its status is no 5xx, which would be a lie about what happened to the request.
    #[track_caller]
    pub(crate) fn assert_valid(self) {
        if let Fault::Unavailable(status) | Fault::FailedAfter(status) = self {
            assert!((500..600).contains(&status), "{status} is no status of a server's own fault");
        }
    }
}

/// How often what goes wrong, for [`set_faults`](crate::Supplier::set_faults).
///
/// Drawn from the seed, for the requests in the order in which they arrive and for the connections in the order in which
/// they are accepted, so that the same order meets with the same faults. Where requests race, the seed decides how many
/// meet with which fault, but not who.
///
/// ```
/// use lastmile_sandbox::{Fault, Faults};
///
/// let faults = Faults::new(7, 0.3, [Fault::ResetAfter, Fault::Silence]).only(["createOrder"]).refusing(0.02);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    seed: u64,
    share: f64,
    kinds: Vec<Fault>,
    only: Option<Vec<String>>,
    refusing: f64,
}

impl Faults {
    /// This share of all requests, from 0 to 1, meets with a fault. The kinds are as likely as each other; one that is
    /// listed twice is twice as likely.
    ///
    /// # Panics
    ///
    /// If the share is not between 0 and 1, if there is a share but no kind, or if a status is no 5xx.
    #[track_caller]
    pub fn new(seed: u64, share: f64, kinds: impl Into<Vec<Fault>>) -> Faults {
        let kinds = kinds.into();
        assert_share(share);
        assert!(share == 0.0 || !kinds.is_empty(), "there is no kind of fault to draw from");
        for fault in &kinds {
            fault.assert_valid();
        }
        Faults { seed, share, kinds, only: None, refusing: 0.0 }
    }

    /// Nothing goes wrong.
    pub fn none() -> Faults {
        Faults { seed: 0, share: 0.0, kinds: Vec::new(), only: None, refusing: 0.0 }
    }

    /// Only requests for these operations meet with faults, and the share is of these. If not said, all requests do,
    /// also those that no operation has the path of.
    #[must_use]
    pub fn only(mut self, operation_ids: impl IntoIterator<Item = impl Into<String>>) -> Faults {
        self.only = Some(operation_ids.into_iter().map(Into::into).collect());
        self
    }

    /// This share of all connections, from 0 to 1, is reset as soon as it is accepted.
    ///
    /// # Panics
    ///
    /// If the share is not between 0 and 1.
    #[must_use]
    #[track_caller]
    pub fn refusing(mut self, share: f64) -> Faults {
        assert_share(share);
        self.refusing = share;
        self
    }

    /// The operations that it is limited to.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.only.iter().flatten().map(String::as_str)
    }

    fn applies_to(&self, operation_id: Option<&str>) -> bool {
        let Some(only) = &self.only else { return true };
        operation_id.is_some_and(|id| only.iter().any(|other| other == id))
    }
}

#[track_caller]
fn assert_share(share: f64) {
    assert!((0.0..=1.0).contains(&share), "{share} is no share: it is not between 0 and 1");
}

/// Draws what goes wrong.
#[derive(Debug)]
pub(crate) struct FaultSampler {
    faults: Faults,
    requests: Rng,
    /// Of its own, because clients decide how many requests a connection carries.
    connections: Rng,
}

impl FaultSampler {
    pub(crate) fn new(faults: Faults) -> FaultSampler {
        let mut requests = Rng::with_seed(faults.seed);
        let connections = requests.fork();
        FaultSampler { faults, requests, connections }
    }

    /// What goes wrong with the next request, if it is for this operation.
    pub(crate) fn next_fault(&mut self, operation_id: Option<&str>) -> Option<Fault> {
        let is_faulty = self.faults.applies_to(operation_id) && self.requests.f64() < self.faults.share;
        if is_faulty { self.requests.choice(&self.faults.kinds).copied() } else { None }
    }

    /// Whether the next connection is refused.
    pub(crate) fn refuses_connection(&mut self) -> bool {
        self.connections.f64() < self.faults.refusing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Fault; 3] = [Fault::ResetAfter, Fault::Silence, Fault::Silence];

    fn sampled(faults: Faults) -> Vec<Option<Fault>> {
        let mut sampler = FaultSampler::new(faults);
        (0..3000).map(|_| sampler.next_fault(Some("createOrder"))).collect()
    }

    #[test]
    fn shares_are_kept() {
        let faults = sampled(Faults::new(1, 0.3, KINDS));
        let count = |fault| faults.iter().filter(|sampled| **sampled == fault).count();
        assert!((2000..2200).contains(&count(None)), "{}", count(None));
        assert!((250..350).contains(&count(Some(Fault::ResetAfter))));
        assert!((540..660).contains(&count(Some(Fault::Silence))), "listed twice");
        assert!(sampled(Faults::new(1, 1.0, KINDS)).iter().all(Option::is_some));
        assert!(sampled(Faults::new(1, 0.0, KINDS)).iter().all(Option::is_none));
        assert!(sampled(Faults::none()).iter().all(Option::is_none));
    }

    #[test]
    fn a_seed_decides_what_is_drawn() {
        let faults = Faults::new(7, 0.3, KINDS);
        assert_eq!(sampled(faults.clone()), sampled(faults.clone()));
        assert_ne!(sampled(faults), sampled(Faults::new(8, 0.3, KINDS)));
    }

    #[test]
    fn connections_and_other_operations_do_not_change_what_is_drawn() {
        let faults = Faults::new(7, 0.3, KINDS).only(["createOrder"]).refusing(0.5);
        let mut sampler = FaultSampler::new(faults.clone());
        let mut refused = 0;
        let among_others = (0..3000).map(|_| {
            refused += usize::from(sampler.refuses_connection());
            assert_eq!((sampler.next_fault(None), sampler.next_fault(Some("getOrder"))), (None, None));
            sampler.next_fault(Some("createOrder"))
        });
        assert_eq!(among_others.collect::<Vec<_>>(), sampled(faults));
        assert!((1400..1600).contains(&refused), "{refused}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let fails = |make: fn() -> Faults| std::panic::catch_unwind(make).is_err();
        assert!(fails(|| Faults::new(1, 1.1, KINDS)));
        assert!(fails(|| Faults::new(1, f64::NAN, KINDS)));
        assert!(fails(|| Faults::new(1, 0.1, [])));
        assert!(fails(|| Faults::none().refusing(-0.1)));
        assert!(fails(|| Faults::new(1, 0.1, [Fault::Unavailable(429)])));
        assert!(fails(|| Faults::new(1, 0.1, [Fault::FailedAfter(200)])));
        assert!(!fails(|| Faults::new(1, 1.0, [Fault::Unavailable(599)]).refusing(1.0)));
    }
}
