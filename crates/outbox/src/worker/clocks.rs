//! Compares the clocks of this machine with the clock of the database.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::job::Context;
use crate::store::{millis_since_1970, time};

/// How often the clocks are compared.
const INTERVAL: Duration = Duration::from_secs(30);

/// By how much the clock of the database may advance more than the time that has passed. A clock that is corrected slowly is no danger.
const TOLERANCE: Duration = Duration::from_secs(1);

/// What is known of the database's clock.
#[derive(Default)]
pub(super) struct Clocks {
    /// A time of the database, and a moment before it was read.
    read: Option<(SystemTime, Instant)>,
    /// How long the database took for a claim that it refused although its clock was right.
    delay: Duration,
}

impl Clocks {
    /// Returns whether orders may be claimed. Compares the clocks if that was not done for a while.
    pub(super) async fn agree(&mut self, context: &Context) -> bool {
        match self.read {
            Some((_, at)) if at.elapsed() < INTERVAL => true,
            _ => {
                self.delay = Duration::ZERO;
                self.compare(context).await
            }
        }
    }

    /// Returns the time that the database's clock does not show yet, unless it was set, in milliseconds since 1970.
    pub(super) fn latest(&self) -> Option<i64> {
        let (theirs, at) = self.read?;
        Some(millis_since_1970(theirs + at.elapsed() + TOLERANCE + self.delay))
    }

    /// Allows for a database that takes so long to begin with a claim, until the clocks are compared the next time.
    pub(super) fn allow_for(&mut self, delay: Duration) {
        if delay > TOLERANCE {
            tracing::warn!(delay_ms = delay.as_millis(), "the database takes long to answer");
        }
        self.delay = delay.min(INTERVAL);
    }

    /// Compares the clock of the database with two others, and returns whether orders may be claimed.
    ///
    /// With the wall clock of this machine: leases and settle times are the database's. A prepared value also keeps the time until which
    /// it may be sent, by the clock of the machine that sent it; the machine that reconciles it compares that with its own, and would
    /// wait for as long as the two disagree.
    ///
    /// With the time that has passed: when the clock of the database is set forward, settle times end too early. They are prolonged.
    pub(super) async fn compare(&mut self, context: &Context) -> bool {
        let (before, started) = (SystemTime::now(), Instant::now());
        let theirs = match context.store.clock().await {
            Ok(theirs) => time(theirs),
            Err(error) => {
                tracing::warn!(supplier = context.supplier, %error, "the database cannot be asked for its time");
                return false;
            }
        };
        let took = started.elapsed();
        let ours = before + took / 2;
        let apart = ours.duration_since(theirs).unwrap_or_else(|error| error.duration());
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
        let expected = self.read.map(|(theirs, at)| theirs + started.duration_since(at) + took);
        let ahead = expected.and_then(|expected| theirs.duration_since(expected).ok()).unwrap_or_default();
        if ahead > TOLERANCE {
            tracing::warn!(
                supplier = context.supplier,
                "the clock of the database was set: orders that may have been sent wait for their settle time once more"
            );
            let quiet = context.times.quiet(context.deadline(), context.settle_time());
            if let Err(error) = context.store.prolong_settle_times(&context.supplier, quiet, ahead).await {
                tracing::warn!(supplier = context.supplier, %error, "the settle times cannot be prolonged");
                return false;
            }
        }
        self.read = Some((theirs, started));
        true
    }
}
