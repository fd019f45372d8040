//! How simulated time passes.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::AbortHandle;
use tokio::time::MissedTickBehavior;

use crate::clock::{Clock, DAY};
use crate::control::Controlled;

/// How simulated time passes.
///
/// In both modes, every request that changes something takes one simulated second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum ClockMode {
    /// Time passes only on demand: by `advance` of a supplier, or by the control API. The same sequence of requests
    /// always produces the same responses.
    #[default]
    Manual,
    /// Time starts at the current time and passes by itself. With each simulated day, every open order that is due
    /// advances by one state.
    Wall {
        /// How many simulated seconds pass in one second. With 8640, a day takes ten seconds.
        speed: f64,
    },
}

/// Moves the clocks of the suppliers. Dropping it stops them.
#[derive(Debug)]
pub(crate) struct RunningClock(AbortHandle);

impl RunningClock {
    /// Starts a clock that runs at this speed.
    pub(crate) fn start(suppliers: Vec<Arc<dyn Controlled>>, speed: f64) -> RunningClock {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let start = now.max(Clock::START.seconds());
        for supplier in &suppliers {
            supplier.advance_to(start);
        }
        RunningClock(tokio::spawn(run(suppliers, start, speed)).abort_handle())
    }
}

impl Drop for RunningClock {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn run(suppliers: Vec<Arc<dyn Controlled>>, start: u64, speed: f64) {
    /// The most steps at once: more are never needed, because no order has as many states.
    const MAX_STEPS: u64 = 10;
    let day = DAY as f64 / speed;
    let mut ticks = tokio::time::interval(Duration::from_secs_f64((day / 10.0).clamp(0.02, 1.0)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (begun, mut days) = (Instant::now(), 0);
    loop {
        ticks.tick().await;
        let elapsed = (begun.elapsed().as_secs_f64() * speed) as u64;
        let due = elapsed / DAY;
        for supplier in &suppliers {
            supplier.advance_to(start.saturating_add(elapsed));
            for _ in 0..(due - days).min(MAX_STEPS) {
                supplier.step();
            }
        }
        days = due;
    }
}
