//! Metrics, with the facade of the crate `metrics` if the feature is enabled.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `lastmile_outbox_orders` | gauge | `supplier`, `state` (finished orders are not counted) |
//! | `lastmile_outbox_oldest_waiting_seconds` | gauge | `supplier` |
//! | `lastmile_outbox_events` | gauge | `consumer` |
//! | `lastmile_outbox_outcomes_total` | counter | `supplier`, `state` |
//! | `lastmile_outbox_lost_total` | counter | `supplier` |
//! | `lastmile_outbox_contradictions_total` | counter | `supplier` |
//! | `lastmile_outbox_step_duration_seconds` | histogram | `supplier`, `state` |

use std::time::Duration;

use tokio::sync::watch;

use crate::{Outbox, State};

/// How often the gauges are written.
#[cfg(feature = "metrics")]
const REPORT: Duration = Duration::from_secs(15);

#[cfg(feature = "metrics")]
pub(crate) async fn report(outbox: Outbox, mut stopping: watch::Receiver<bool>) {
    use metrics::gauge;

    let mut suppliers = std::collections::BTreeSet::new();
    while !*stopping.borrow() {
        if let Ok(statistics) = outbox.store.statistics(false).await {
            suppliers.extend(statistics.orders.keys().map(|(supplier, _)| supplier.clone()));
            for supplier in &suppliers {
                // A state that no order is in any more is written, too.
                for state in State::ALL.into_iter().filter(|state| !state.is_final()) {
                    let count =
                        statistics.orders.get(&(supplier.clone(), state)).copied().unwrap_or_default();
                    gauge!("lastmile_outbox_orders", "supplier" => supplier.clone(), "state" => state.as_str())
                        .set(count as f64);
                }
                let oldest = statistics.oldest_waiting.get(supplier).copied().unwrap_or_default();
                gauge!("lastmile_outbox_oldest_waiting_seconds", "supplier" => supplier.clone()).set(oldest);
            }
            for (consumer, count) in &statistics.events {
                gauge!("lastmile_outbox_events", "consumer" => consumer.clone()).set(*count as f64);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(REPORT) => {}
            _ = stopping.changed() => {}
        }
    }
}

#[cfg(feature = "metrics")]
pub(crate) fn outcome(supplier: &str, state: State) {
    metrics::counter!("lastmile_outbox_outcomes_total", "supplier" => supplier.to_owned(), "state" => state.as_str())
        .increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn step(supplier: &str, state: State, elapsed: Duration) {
    metrics::histogram!("lastmile_outbox_step_duration_seconds", "supplier" => supplier.to_owned(), "state" => state.as_str())
        .record(elapsed);
}

#[cfg(feature = "metrics")]
pub(crate) fn lost(supplier: &str) {
    metrics::counter!("lastmile_outbox_lost_total", "supplier" => supplier.to_owned()).increment(1);
}

#[cfg(feature = "metrics")]
pub(crate) fn contradicted(supplier: &str) {
    metrics::counter!("lastmile_outbox_contradictions_total", "supplier" => supplier.to_owned()).increment(1);
}

#[cfg(not(feature = "metrics"))]
pub(crate) async fn report(_: Outbox, _: watch::Receiver<bool>) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn outcome(_: &str, _: State) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn step(_: &str, _: State, _: Duration) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn lost(_: &str) {}

#[cfg(not(feature = "metrics"))]
pub(crate) fn contradicted(_: &str) {}
