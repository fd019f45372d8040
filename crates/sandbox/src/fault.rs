//! Faults: which ones there are, and how they are sampled.

mod name;

use std::time::Duration;

use fastrand::Rng;

pub use name::ParseFaultError;

/// A fault that a supplier applies to a request that arrived completely.
///
/// [`fail_next`](crate::Supplier::fail_next) applies a fault to the next request for an operation; [`Faults`] samples
/// faults for a share of all requests.
///
/// "Carried out" means that the supplier does what it would do without the fault: a request that it rejects changes
/// nothing. Where a fault produces a response of its own, this is the HTML page of a gateway in front of the
/// supplier.
///
/// ```
/// use std::time::Duration;
/// use lastmile_sandbox::{Fault, Sandbox};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().start().await?;
/// // The first order is placed, but the client gets no response. The second order is not placed; the client may retry
/// // after two seconds.
/// sandbox.onapi().fail_next("createOrder", Fault::ResetAfter);
/// sandbox.onapi().fail_next("createOrder", Fault::Throttled(Some(Duration::from_secs(2))));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is not carried out, and the connection is reset.
    ResetBefore,
    /// The request is carried out, and the connection is reset.
    ResetAfter,
    /// The connection is closed immediately, and the request is carried out after this delay.
    /// [`settled`](crate::Supplier::settled) waits until then.
    CarriedOutLate(Duration),
    /// The connection is closed immediately, and the request is carried out right after a newer request succeeds, so
    /// an older change of an object overwrites a newer one.
    ///
    /// A newer request has the same method and path and a different body; a repetition of the same request does not
    /// count. If none arrives, [`settled`](crate::Supplier::settled) carries the request out.
    CarriedOutAfterNewer,
    /// The request is carried out immediately, and the response is sent after this delay.
    Latency(Duration),
    /// The request is neither carried out nor answered. The connection stays open until the client closes it.
    Silence,
    /// The request is not carried out, and the response is a 429. `Retry-After` has the duration, rounded up to whole
    /// seconds, if there is one.
    Throttled(Option<Duration>),
    /// The request is not carried out, and the response has this status code, which must be a 5xx.
    Unavailable(u16),
    /// The request is carried out, but the response has this status code, which must be a 5xx.
    FailedAfter(u16),
    /// The request is carried out. The connection is closed after half of the response body; a response without a
    /// body is cut off within its head.
    Truncated,
    /// The request is carried out. The connection is reset after half of the response body was sent, so that half may
    /// or may not arrive.
    ResetWithin,
    /// The request is carried out. The response has the real status code, but an HTML page in place of the headers
    /// and the body. With a status code that allows no body (204, 304) there is none.
    WrongBody,
}

impl Fault {
    /// # Panics
    ///
    /// Panics if the fault has a status code that is not a 5xx, which would misreport what happened to the request.
    #[track_caller]
    pub(crate) fn assert_valid(self) {
        if let Fault::Unavailable(status) | Fault::FailedAfter(status) = self {
            assert!((500..600).contains(&status), "the status code {status} is not a 5xx");
        }
    }
}

/// Samples faults for a share of all requests and connections; see [`set_faults`](crate::Supplier::set_faults).
///
/// The sequence of faults depends only on the seed: it is sampled for requests in the order of arrival, and for
/// connections in the order in which they are accepted. With concurrent requests, the seed determines how many
/// requests get which fault, but not which requests.
///
/// ```
/// use lastmile_sandbox::{Fault, Faults};
///
/// let faults = Faults::new(7, 0.3, [Fault::ResetAfter, Fault::Silence]).only(["createOrder"]).refusing_connections(0.02);
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
    /// Applies faults to a share of all requests, from 0 to 1.
    ///
    /// All `kinds` are equally likely; one that is listed twice is twice as likely.
    ///
    /// # Panics
    ///
    /// Panics if the share is not between 0 and 1, if the share is greater than 0 and `kinds` is empty, or if a fault
    /// has a status code that is not a 5xx.
    #[track_caller]
    pub fn new(seed: u64, share: f64, kinds: impl Into<Vec<Fault>>) -> Faults {
        let kinds = kinds.into();
        assert_share(share);
        assert!(share == 0.0 || !kinds.is_empty(), "there are no kinds of faults to sample from");
        for fault in &kinds {
            fault.assert_valid();
        }
        Faults { seed, share, kinds, only: None, refusing: 0.0 }
    }

    /// Returns settings without faults.
    pub fn none() -> Faults {
        Faults { seed: 0, share: 0.0, kinds: Vec::new(), only: None, refusing: 0.0 }
    }

    /// Limits the faults to requests for these operations; the share is that of these requests.
    ///
    /// Without this, faults apply to all requests, including those that match no operation.
    #[must_use]
    pub fn only(mut self, operation_ids: impl IntoIterator<Item = impl Into<String>>) -> Faults {
        self.only = Some(operation_ids.into_iter().map(Into::into).collect());
        self
    }

    /// Resets a share of all connections, from 0 to 1, right after they are accepted.
    ///
    /// # Panics
    ///
    /// Panics if the share is not between 0 and 1.
    #[must_use]
    #[track_caller]
    pub fn refusing_connections(mut self, share: f64) -> Faults {
        assert_share(share);
        self.refusing = share;
        self
    }

    /// Returns the seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the share of requests with a fault.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Returns the faults that are sampled.
    pub fn kinds(&self) -> &[Fault] {
        &self.kinds
    }

    /// Returns the share of connections that are reset.
    pub fn refused_connections(&self) -> f64 {
        self.refusing
    }

    /// Returns the operations that the faults are limited to. Empty if they apply to all requests.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.only.iter().flatten().map(String::as_str)
    }

    fn applies_to(&self, operation_id: Option<&str>) -> bool {
        let Some(only) = &self.only else { return true };
        operation_id.is_some_and(|id| only.iter().any(|other| other == id))
    }
}

#[track_caller]
fn assert_share(share: f64) {
    assert!((0.0..=1.0).contains(&share), "the share {share} is not between 0 and 1");
}

/// Samples faults from a seed.
#[derive(Debug)]
pub(crate) struct FaultSampler {
    faults: Faults,
    requests: Rng,
    /// A generator of its own, because clients decide how many requests a connection carries.
    connections: Rng,
}

impl FaultSampler {
    pub(crate) fn new(faults: Faults) -> FaultSampler {
        let mut requests = Rng::with_seed(faults.seed);
        let connections = requests.fork();
        FaultSampler { faults, requests, connections }
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Returns the fault for the next request, which is for this operation.
    pub(crate) fn next_fault(&mut self, operation_id: Option<&str>) -> Option<Fault> {
        let is_faulty = self.faults.applies_to(operation_id) && self.requests.f64() < self.faults.share;
        if is_faulty { self.requests.choice(&self.faults.kinds).copied() } else { None }
    }

    /// Returns whether the next connection is to be reset.
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
    fn shares_are_respected() {
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
    fn equal_seeds_sample_equal_faults() {
        let faults = Faults::new(7, 0.3, KINDS);
        assert_eq!(sampled(faults.clone()), sampled(faults.clone()));
        assert_ne!(sampled(faults), sampled(Faults::new(8, 0.3, KINDS)));
    }

    #[test]
    fn connections_and_other_operations_do_not_change_the_sequence() {
        let faults = Faults::new(7, 0.3, KINDS).only(["createOrder"]).refusing_connections(0.5);
        let mut sampler = FaultSampler::new(faults.clone());
        let mut refused = 0;
        let interleaved = (0..3000).map(|_| {
            refused += usize::from(sampler.refuses_connection());
            assert_eq!((sampler.next_fault(None), sampler.next_fault(Some("getOrder"))), (None, None));
            sampler.next_fault(Some("createOrder"))
        });
        assert_eq!(interleaved.collect::<Vec<_>>(), sampled(faults));
        assert!((1400..1600).contains(&refused), "{refused}");
    }

    #[test]
    fn invalid_settings_panic() {
        let fails = |make: fn() -> Faults| std::panic::catch_unwind(make).is_err();
        assert!(fails(|| Faults::new(1, 1.1, KINDS)));
        assert!(fails(|| Faults::new(1, f64::NAN, KINDS)));
        assert!(fails(|| Faults::new(1, 0.1, [])));
        assert!(fails(|| Faults::none().refusing_connections(-0.1)));
        assert!(fails(|| Faults::new(1, 0.1, [Fault::Unavailable(429)])));
        assert!(fails(|| Faults::new(1, 0.1, [Fault::FailedAfter(200)])));
        assert!(!fails(|| Faults::new(1, 1.0, [Fault::Unavailable(599)]).refusing_connections(1.0)));
    }
}
