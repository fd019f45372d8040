//! The loop that claims the orders of one supplier.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use super::job::Context;
use crate::store::{Claim, Pace};

/// The most orders of one claim.
const BATCH: usize = 32;

/// How often the clocks of this machine and of the database are compared.
const COMPARE_CLOCKS: Duration = Duration::from_secs(30);

/// Claims orders and starts a job for each, until `stopping` says so. Returns when all jobs have ended.
pub(super) async fn serve(
    context: Arc<Context>,
    permits: Arc<Semaphore>,
    pace: Option<Pace>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut jobs = JoinSet::new();
    let mut compared: Option<Instant> = None;
    while !*stopping.borrow() {
        while jobs.try_join_next().is_some() {}
        if compared.is_none_or(|at| at.elapsed() >= COMPARE_CLOCKS) {
            if !clocks_agree(&context).await {
                idle(context.times.poll_interval.max(Duration::from_millis(100)), &mut stopping).await;
                continue;
            }
            compared = Some(Instant::now());
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
        let claimed = claim(&context, pace, held, &mut jobs).await;
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
    held: Vec<OwnedSemaphorePermit>,
    jobs: &mut JoinSet<()>,
) -> usize {
    let claim = Claim {
        supplier: context.supplier.clone(),
        owner: context.owner.clone(),
        limit: i64::try_from(held.len()).unwrap_or(i64::MAX),
        lease: context.times.lease(context.deadline()),
        quiet: context.times.quiet(context.deadline(), context.settle_time()),
        pace,
    };
    context.probe(super::job::Boundary::BeforeClaim);
    let rows = match context.store.claim(&claim).await {
        Ok(rows) => rows,
        Err(error) => {
            // The claim may have been made. Its orders are claimed again when the leases have ended.
            tracing::warn!(supplier = context.supplier, %error, "orders cannot be claimed");
            return 0;
        }
    };
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
    count
}

/// Returns whether the clocks of this machine and of the database agree well enough. Leases and settle times are the database's. A
/// prepared value also keeps the time until which it may be sent, by the clock of the machine that sent it; the machine that
/// reconciles it compares that with its own, and would wait for as long as the two disagree.
async fn clocks_agree(context: &Context) -> bool {
    let before = SystemTime::now();
    let started = Instant::now();
    let theirs = match context.store.clock().await {
        Ok(theirs) => crate::store::time(theirs),
        Err(error) => {
            tracing::warn!(supplier = context.supplier, %error, "the database cannot be asked for its time");
            return false;
        }
    };
    let took = started.elapsed();
    let ours = before + took / 2;
    let apart = match ours.duration_since(theirs) {
        Ok(apart) => apart,
        Err(error) => error.duration(),
    };
    // The answer may have been read anywhere within the time that it took.
    let apart = apart.saturating_sub(took / 2);
    let allowed = (context.settle_time() / 10).max(Duration::from_millis(100));
    if apart > allowed {
        tracing::error!(
            supplier = context.supplier,
            apart_ms = apart.as_millis(),
            allowed_ms = allowed.as_millis(),
            "the clocks of this machine and of the database disagree: no orders are claimed"
        );
        return false;
    }
    true
}
