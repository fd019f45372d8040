//! A test of random interleavings of several workers that share one store, with a supplier that does not detect duplicates.
//!
//! The workers run the real [`Prepared`] under a simulated clock. Each worker yields after every step, for as long as the
//! schedule determines, and may crash there. The supplier executes every request that arrives at most once, at once or later or
//! never, and loses responses. In every interleaving the order takes effect exactly once, unless a request is still being
//! processed after the settle time. The documentation of `Prepared` names this exception.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use lastmile_core::Error;
use lastmile_core::client::SendDeadline;
use lastmile_core::clock::Clock;
use lastmile_core::retry::Policy;
use serde::{Deserialize, Serialize};

use super::creation::Creation;
use super::sealed::{Lookup, LookupPurpose, Sealed, Supplier};
use super::{Prepared, PreparedState, Reconciled};

thread_local! {
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Returns how much time has passed since the schedule began.
fn elapsed() -> Duration {
    NOW.get()
}

/// Sets how much time has passed since the schedule began.
fn set(time: Duration) {
    NOW.set(time);
}

/// Returns a clock that only advances when the test sets the time. It begins on an arbitrary day in 2026.
fn clock() -> Clock {
    Clock::following(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_793_000_000) + elapsed())
}

const MARK: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(40);
const SETTLE: Duration = Duration::from_secs(20);

#[derive(Serialize, Deserialize)]
struct Line {
    reference: String,
}

/// The state outside the workers.
struct World {
    chance: fastrand::Rng,
    stored: String,
    requests: Vec<Request>,
    /// Whether some requests are processed for longer than the settle time.
    has_slow_requests: bool,
    /// The events of the schedule, so that a test can check that they occur.
    met: Met,
}

#[derive(Clone, Copy)]
struct Request {
    left_at: Duration,
    /// When the request takes effect, or `None` if it never does.
    effect_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Met {
    late: usize,
    lapsed: usize,
    lost_replacements: usize,
    refused_replacements: usize,
    absences: usize,
    reconciled: usize,
    found_before_sending: usize,
    declared_absent: usize,
    crashes: usize,
}

impl World {
    fn effects(&self) -> usize {
        self.requests.iter().filter(|request| request.effect_at.is_some_and(|at| at <= elapsed())).count()
    }

    /// Returns the result of a look-up at the current time.
    fn look(&mut self, reference: &str, purpose: LookupPurpose) -> Result<Lookup<String>, Error> {
        match self.chance.u8(..10) {
            0 => Err(Error::indeterminate("model", "the look-up failed")),
            1 => Ok(Lookup::Indeterminate("a page in the place of a response")),
            _ if self.effects() > 0 => {
                self.met.found_before_sending += usize::from(purpose == LookupPurpose::BeforeSending);
                Ok(Lookup::Found(reference.to_owned()))
            }
            _ => Ok(Lookup::NotFound),
        }
    }

    fn some_worked_too_long(&self) -> bool {
        self.requests.iter().any(|one| one.effect_at.is_some_and(|at| at > one.left_at + SETTLE))
    }
}

#[derive(Clone)]
struct Network {
    world: Arc<Mutex<World>>,
    policy: Policy,
    clock: Clock,
    send_deadline: Option<SendDeadline>,
}

impl Network {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Returns whether a person checks the supplier's data, which happens at random, and does not find the order.
    fn person_finds_nothing(&self) -> bool {
        let mut world = self.world();
        world.chance.u8(..8) == 0 && world.effects() == 0
    }
}

impl Supplier for Network {
    const API: &'static str = "model";

    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn with_send_deadline(&self, deadline: SendDeadline) -> Self {
        Self { send_deadline: Some(deadline), ..self.clone() }
    }
}

impl Sealed for Line {}

impl Creation for Line {
    type Supplier = Network;
    type Created = String;
    const KIND: &'static str = "model.line";
    const MANUAL_CHECK: &'static str = "look";

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Sends the request like the call layer: reads the clock before each step, and once the request is sent, waits for the
    /// response until the deadline.
    async fn send(&self, network: &Network) -> Result<String, Error> {
        let deadline = network.send_deadline.expect("every placement has one");
        let steps = network.world().chance.usize(1..4);
        for _ in 0..steps {
            step().await;
        }
        if deadline.has_passed(&network.clock) {
            network.world().met.late += 1;
            return Err(Error::invalid("model", "not sent: the deadline has passed"));
        }
        let (left_at, answer) = {
            let mut world = network.world();
            let left_at = elapsed();
            let most = if world.has_slow_requests { SETTLE * 6 } else { SETTLE };
            let effect_at = match world.chance.u8(..10) {
                0 => None,
                1..6 => Some(left_at),
                _ => Some(left_at + most.mul_f64(world.chance.f64())),
            };
            world.requests.push(Request { left_at, effect_at });
            (left_at, effect_at.filter(|_| world.chance.u8(..3) > 0))
        };
        loop {
            step().await;
            if answer.is_some_and(|at| at <= elapsed()) {
                return Ok(self.reference.clone());
            }
            if elapsed() >= left_at + DEADLINE {
                return Err(Error::indeterminate("model", "no response"));
            }
        }
    }

    async fn find(&self, network: &Network, purpose: LookupPurpose) -> Result<Lookup<String>, Error> {
        let steps = network.world().chance.usize(1..3);
        for _ in 0..steps {
            step().await;
        }
        let told = network.world().look(&self.reference, purpose);
        step().await;
        told
    }
}

/// Yields to the schedule.
async fn step() {
    let mut has_stopped = false;
    poll_fn(|_| if std::mem::replace(&mut has_stopped, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

/// Replaces what a worker loaded with its current value. Returns whether the replacement is known to have happened. A database
/// may have replaced the value without a confirmation.
async fn replace(network: &Network, old: &str, new: &str) -> bool {
    step().await;
    let replaced = {
        let mut world = network.world();
        if world.stored != old {
            world.met.refused_replacements += 1;
            return false;
        }
        world.stored = new.to_owned();
        let is_reported = world.chance.u8(..10) > 0;
        world.met.lost_replacements += usize::from(!is_reported);
        is_reported
    };
    step().await;
    replaced
}

/// Runs a worker as the documentation of `Prepared` describes it. The worker ends once the order is placed.
async fn work(network: Network) {
    loop {
        step().await;
        let mut stored = network.world().stored.clone();
        let mut order: Prepared<Line> = serde_json::from_str(&stored).unwrap();
        loop {
            step().await;
            match order.state() {
                PreparedState::Placed => return,
                PreparedState::Ready => {
                    // Looks up, marks and stores the value, unless another worker was faster.
                    let looked_up = order.look_up(&network).await;
                    let Ok(None) = looked_up else {
                        let now = text(&order);
                        replace(&network, &stored, &now).await;
                        break;
                    };
                    step().await;
                    if order.mark_in_flight_for(MARK).is_err() {
                        break;
                    }
                    let marked = text(&order);
                    if !replace(&network, &stored, &marked).await {
                        break;
                    }
                    stored = marked;
                    step().await;
                    let placed = order.place(&network).await;
                    let has_lapsed = matches!(&placed, Err(error) if error.to_string().contains("lapsed"));
                    network.world().met.lapsed += usize::from(has_lapsed);
                }
                PreparedState::InFlight | PreparedState::Indeterminate if network.person_finds_nothing() => {
                    step().await;
                    if order.declare_absent(&network).is_err() {
                        break;
                    }
                    network.world().met.declared_absent += 1;
                }
                PreparedState::InFlight | PreparedState::Indeterminate => {
                    match order.reconcile(&network).await {
                        Ok(Reconciled::Absent) => network.world().met.absences += 1,
                        Ok(Reconciled::Placed(_)) => network.world().met.reconciled += 1,
                        // The worker loads the value again later.
                        _ => break,
                    }
                }
            }
            let now = text(&order);
            if !replace(&network, &stored, &now).await {
                break;
            }
            stored = now;
            // Some workers load the value again before each step, and some continue with the value they have.
            if network.world().chance.bool() {
                break;
            }
        }
    }
}

fn text(order: &Prepared<Line>) -> String {
    serde_json::to_string(order).unwrap()
}

type Worker = Pin<Box<dyn Future<Output = ()>>>;

/// Runs one schedule to its end, and returns the world afterwards.
fn run(seed: u64, workers: usize, has_slow_requests: bool) -> Arc<Mutex<World>> {
    set(Duration::ZERO);
    let order = Prepared::new(Line { reference: "SP-1".into() }).unwrap();
    let mut chance = fastrand::Rng::with_seed(seed);
    let world = World {
        chance: chance.fork(),
        stored: text(&order),
        requests: Vec::new(),
        has_slow_requests,
        met: Met::default(),
    };
    let network = Network {
        world: Arc::new(Mutex::new(world)),
        policy: Policy::default().with_deadline(DEADLINE).with_settle_time(SETTLE),
        clock: clock(),
        send_deadline: None,
    };
    let start = || -> Worker { Box::pin(work(network.clone())) };
    let mut running: Vec<Option<Worker>> = (0..workers).map(|_| Some(start())).collect();
    let mut stalled_until = vec![Duration::ZERO; workers];
    let mut cx = Context::from_waker(Waker::noop());
    for number in 0.. {
        // From here on, no more faults are injected.
        let is_calm = number > 400;
        assert!(number < 20_000, "seed {seed}: no end");
        let at = chance.usize(..workers);
        if running.iter().all(Option::is_none) {
            break;
        }
        if !is_calm && chance.u8(..40) == 0 {
            network.world().met.crashes += 1;
            (running[at], stalled_until[at]) = (Some(start()), Duration::ZERO);
        }
        if !is_calm && chance.u8(..20) == 0 {
            // The stall may last beyond the mark, the deadline or the settle time.
            let whole = [MARK, MARK + DEADLINE, MARK + DEADLINE + SETTLE * 2][chance.usize(..3)];
            stalled_until[at] = elapsed() + whole.mul_f64(chance.f64() * 1.5);
        }
        let passed = Duration::from_millis(chance.u64(..2000));
        if chance.u8(..4) == 0 {
            set(elapsed() + passed);
        }
        if stalled_until[at] > elapsed() {
            // Other workers continue. If there are none, the clock advances.
            if workers == 1 || is_calm {
                set(stalled_until[at]);
            }
            continue;
        }
        if let Some(worker) = &mut running[at]
            && worker.as_mut().poll(&mut cx).is_ready()
        {
            running[at] = None;
        }
    }
    // All requests that are still being processed complete.
    set(elapsed() + SETTLE * 8);
    network.world
}

/// The number of schedules. Each has its own seed.
const SCHEDULES: u64 = 4_000;

#[track_caller]
fn never_twice(workers: usize) -> Met {
    let mut all = Met::default();
    for seed in 0..SCHEDULES {
        let world = run(seed, workers, false);
        let world = world.lock().unwrap();
        assert!(!world.some_worked_too_long());
        assert_eq!(world.effects(), 1, "seed {seed}, {workers} workers: {:?}", world.met);
        let met = world.met;
        all.late += met.late;
        all.lapsed += met.lapsed;
        all.lost_replacements += met.lost_replacements;
        all.refused_replacements += met.refused_replacements;
        all.absences += met.absences;
        all.reconciled += met.reconciled;
        all.found_before_sending += met.found_before_sending;
        all.declared_absent += met.declared_absent;
        all.crashes += met.crashes;
    }
    all
}

#[test]
fn one_worker_that_crashes_places_an_order_once() {
    let met = never_twice(1);
    assert!(met.crashes > 100 && met.absences > 100 && met.reconciled > 100, "{met:?}");
}

#[test]
fn two_workers_place_an_order_once() {
    let met = never_twice(2);
    let Met { late, lapsed, lost_replacements, refused_replacements, .. } = met;
    let known = [met.absences, met.reconciled, met.declared_absent];
    let least = [late, lapsed, lost_replacements, refused_replacements].into_iter().chain(known);
    let least: Vec<usize> = least.collect();
    assert!(least.iter().all(|met| *met > 20), "{met:?}");
}

#[test]
fn three_workers_place_an_order_once() {
    let met = never_twice(3);
    assert!(met.found_before_sending > 10 && met.refused_replacements > 100, "{met:?}");
}

/// Checks that the exception which the documentation names occurs, and no other.
#[test]
fn only_a_request_at_work_beyond_the_settle_time_takes_effect_beside_another() {
    let mut doubled = 0;
    for seed in 0..SCHEDULES {
        let world = run(seed, 2, true);
        let world = world.lock().unwrap();
        match world.effects() {
            1 => {}
            _ if world.some_worked_too_long() => doubled += 1,
            effects => panic!("seed {seed}: {effects} effects, {:?}", world.met),
        }
    }
    assert!(doubled > 0, "some requests are at work for too long");
}
