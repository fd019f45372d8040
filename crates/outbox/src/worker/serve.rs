//! The loop that claims the orders of one supplier.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::clocks::Clocks;
use super::job::Context;
use crate::Error;
use crate::store::{Claim, Pace};

/// The most orders of one claim.
const BATCH: usize = 32;

/// Claims orders and starts a job for each, until `stopping` says so. Returns when all jobs have ended.
pub(super) async fn serve(
    context: Arc<Context>,
    permits: Arc<Semaphore>,
    pace: Option<Pace>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut jobs = JoinSet::new();
    let mut clocks = Clocks::default();
    while !*stopping.borrow() {
        while jobs.try_join_next().is_some() {}
        if !clocks.agree(&context).await {
            idle(context.times.poll_interval.max(Duration::from_millis(100)), &mut stopping).await;
            continue;
        }
        let wake = context.wake.clone();
        let mut woken = std::pin::pin!(wake.notified());
        // Registered before the database is asked, so that no order falls between the two.
        woken.as_mut().enable();
        let mut held = tokio::select! {
            permit = permits.clone().acquire_owned() => match permit {
                Ok(permit) => vec![permit],
                Err(_) => break,
            },
            _ = stopping.changed() => break,
        };
        while held.len() < BATCH
            && let Ok(permit) = permits.clone().try_acquire_owned()
        {
            held.push(permit);
        }
        let wanted = held.len();
        let asked = Instant::now();
        let result = claim(&context, pace, clocks.latest(), held, &mut jobs).await;
        let took = asked.elapsed();
        let claimed = match result {
            Ok(claimed) => claimed,
            // The clock was set, or the database was asked long before it began with the claim.
            Err(error) if error.is_clock_ahead() && clocks.compare(&context).await => {
                clocks.allow_for(took);
                continue;
            }
            Err(error) => {
                // The claim may have been made. Its orders are claimed again when the leases have ended.
                tracing::warn!(supplier = context.supplier, %error, "orders cannot be claimed");
                0
            }
        };
        if claimed < wanted {
            // Jitter keeps many workers from asking at the same moments.
            let interval = context.times.poll_interval;
            let pause = interval.mul_f64(0.5 + fastrand::f64());
            tokio::select! {
                () = woken => {}
                () = sleep(pause) => {}
                _ = stopping.changed() => break,
            }
        }
    }
    while jobs.join_next().await.is_some() {}
}

async fn idle(time: Duration, stopping: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = sleep(time) => {}
        _ = stopping.changed() => {}
    }
}

/// Claims at most one order for each permit, and starts the jobs. Returns how many.
async fn claim(
    context: &Arc<Context>,
    pace: Option<Pace>,
    latest: Option<i64>,
    held: Vec<OwnedSemaphorePermit>,
    jobs: &mut JoinSet<()>,
) -> Result<usize, Error> {
    let claim = Claim {
        supplier: context.supplier.clone(),
        owner: context.owner.clone(),
        limit: i64::try_from(held.len()).unwrap_or(i64::MAX),
        lease: context.times.lease(context.deadline()),
        quiet: context.times.quiet(context.deadline(), context.settle_time()),
        pace,
        latest,
    };
    context.probe(super::job::Boundary::BeforeClaim);
    let rows = context.store.claim(&claim).await?;
    let count = rows.len();
    for (row, permit) in rows.into_iter().zip(held) {
        let context = context.clone();
        let span = tracing::info_span!(
            "outbox_order",
            supplier = context.supplier,
            kind = row.kind,
            order = row.fence.id,
            step = row.fence.step,
            state = row.state.as_str(),
            outcome = tracing::field::Empty,
        );
        let job = async move {
            context.probe(super::job::Boundary::Claimed);
            context.process(row).await;
            drop(permit);
        };
        jobs.spawn(job.instrument(span));
    }
    Ok(count)
}
