use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use super::{AttemptReport, CallReport, Observer, TokenRequestReport, WaitReport};

const CALLS: &str = "lastmile_call_duration_seconds";
const ATTEMPTS: &str = "lastmile_attempts_total";
const WAITS: &str = "lastmile_wait_duration_seconds";
const TOKENS: &str = "lastmile_token_requests_total";

/// Records metrics with the facade [`metrics`](https://docs.rs/metrics), for any recorder or exporter that the program installs.
///
/// | metric | kind | labels |
/// |---|---|---|
/// | `lastmile_call_duration_seconds` | histogram | `api`, `operation`, `outcome`, `failed` |
/// | `lastmile_attempts_total` | counter | `api`, `operation`, `outcome`, `retry` |
/// | `lastmile_wait_duration_seconds` | histogram | `api`, `operation`, `reason` |
/// | `lastmile_token_requests_total` | counter | `api`, `action`, `outcome` |
///
/// All labels have few values: see [`CallReport`], [`AttemptReport`], [`WaitReport`] and [`TokenRequestReport`]. `failed` and
/// `retry` are `true` or `false`. The program must depend on the same version of the facade, 0.24: a recorder for another version
/// receives nothing.
#[derive(Clone, Copy, Debug)]
pub struct MetricsObserver(());

impl MetricsObserver {
    /// Returns the observer, and describes the metrics to the recorder, which must already be installed.
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Self {
        describe_histogram!(CALLS, Unit::Seconds, "Duration of calls.");
        describe_counter!(ATTEMPTS, Unit::Count, "Attempts of calls, retries included.");
        describe_histogram!(WAITS, Unit::Seconds, "Time that calls wait before they send a request.");
        describe_counter!(TOKENS, Unit::Count, "Requests that obtain or renew a token.");
        Self(())
    }
}

impl Observer for MetricsObserver {
    fn on_call_end(&self, call: &CallReport) {
        let failed = as_label(call.failed);
        histogram!(CALLS, "api" => call.api, "operation" => call.operation.id, "outcome" => call.outcome, "failed" => failed)
            .record(call.elapsed);
    }

    fn on_attempt_end(&self, attempt: &AttemptReport) {
        let (operation, retry) = (attempt.operation.id, as_label(attempt.number > 1));
        counter!(ATTEMPTS, "api" => attempt.api, "operation" => operation, "outcome" => attempt.outcome, "retry" => retry)
            .increment(1);
    }

    fn on_wait_end(&self, wait: &WaitReport) {
        let (operation, reason) = (wait.operation.id, wait.reason.as_str());
        histogram!(WAITS, "api" => wait.api, "operation" => operation, "reason" => reason)
            .record(wait.elapsed);
    }

    fn on_token_request_end(&self, request: &TokenRequestReport) {
        counter!(TOKENS, "api" => request.api, "action" => request.action, "outcome" => request.outcome)
            .increment(1);
    }
}

fn as_label(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use metrics::{
        Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString,
        with_local_recorder,
    };
    use reqwest::StatusCode;

    use super::*;
    use crate::observe::WaitReason;
    use crate::operation::Operation;

    /// The recorded metrics as texts, in their order.
    #[derive(Clone, Default)]
    struct Recorded(Arc<Mutex<Vec<String>>>);

    struct Metric(Recorded, String);

    impl Recorded {
        fn metric(&self, key: &Key) -> Arc<Metric> {
            let labels: Vec<_> =
                key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            Arc::new(Metric(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
        }
    }

    impl CounterFn for Metric {
        fn increment(&self, value: u64) {
            self.0.0.lock().unwrap().push(format!("{} +{value}", self.1));
        }

        fn absolute(&self, _: u64) {}
    }

    impl HistogramFn for Metric {
        fn record(&self, value: f64) {
            self.0.0.lock().unwrap().push(format!("{} {value}", self.1));
        }
    }

    impl Recorder for Recorded {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.metric(key))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(self.metric(key))
        }
    }

    static READ: Operation = Operation::READ;

    #[test]
    fn reports_become_metrics() {
        let recorded = Recorded::default();
        let (api, operation, elapsed, status) =
            ("onapi", &READ, Duration::from_millis(500), Some(StatusCode::OK));
        with_local_recorder(&recorded, || {
            let observer = MetricsObserver::new();
            let outcome = "answered";
            let call = CallReport { api, operation, outcome, failed: false, status, attempts: 2, elapsed };
            observer.on_call_end(&call);
            observer.on_attempt_end(&AttemptReport { api, operation, number: 2, outcome, status, elapsed });
            observer.on_wait_end(&WaitReport { api, operation, reason: WaitReason::Permit, elapsed });
            let request =
                TokenRequestReport { api, action: "renew", outcome: "failed", status: None, elapsed };
            observer.on_token_request_end(&request);
        });
        assert_eq!(
            *recorded.0.lock().unwrap(),
            [
                "lastmile_call_duration_seconds{api=onapi,operation=read,outcome=answered,failed=false} 0.5",
                "lastmile_attempts_total{api=onapi,operation=read,outcome=answered,retry=true} +1",
                "lastmile_wait_duration_seconds{api=onapi,operation=read,reason=permit} 0.5",
                "lastmile_token_requests_total{api=onapi,action=renew,outcome=failed} +1",
            ]
        );
    }
}
