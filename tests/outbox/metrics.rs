//! The values of the metrics.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastmile_outbox::{By, Error, State};
use lastmile_tests::outbox::{quick, until};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::fake::{Fake, FakeOrder, Fate, World};
use crate::stores::stores;

/// The latest value of each gauge, the sum of each counter, and the number of values of each histogram.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<BTreeMap<String, f64>>>);

struct Metric(Recorded, String);

impl Recorded {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Metric(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn get(&self, metric: &str) -> f64 {
        self.0.lock().unwrap().get(metric).copied().unwrap_or_default()
    }
}

impl Metric {
    fn change(&self, change: impl Fn(f64) -> f64) {
        let mut values = self.0.0.lock().unwrap();
        let value = values.entry(self.1.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.change(|old| old + value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Metric {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Metric {
    fn record(&self, _: f64) {
        self.change(|old| old + 1.0);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

// A runtime with one thread: the recorder is that thread's.
#[tokio::test]
async fn the_metrics_say_what_the_orders_are_doing() {
    for store in stores().await {
        let recorded = Recorded::default();
        let _recording = metrics::set_default_local_recorder(&recorded);
        // This supplier cannot be asked, and processes for an hour.
        let (world, outbox) = (World::settling(false, Duration::from_secs(3600)), &store.outbox);
        outbox.register_consumer("billing").await.unwrap();
        let fates = [("in flight", Fate::Waits), ("person", Fate::RequestLost), ("refused", Fate::Refused)];
        for (key, fate) in fates {
            world.fates(key, [fate]);
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        for key in ["placed", "placed too"] {
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let worker =
            quick(outbox.worker()).serve(Fake(world.clone())).lease_margin(Duration::from_secs(60)).start();
        let is_at_rest = || async {
            let counts = outbox.statistics().await.unwrap();
            let count = |state| counts.count(state);
            [State::InFlight, State::NeedsPerson, State::Refused, State::Placed].map(count) == [1, 1, 1, 2]
        };
        until(is_at_rest).await;
        // An order that may still be processed waits for a person to look again.
        let early = outbox.declare_absent("person", By("operator-7"), "not in the portal").await;
        assert!(matches!(early, Err(Error::TooEarly(_))), "{early:?}");
        // Nobody serves this supplier.
        for key in ["1", "2", "3"] {
            outbox.enqueue_at("gaseborg", key, &FakeOrder::new(key)).await.unwrap();
        }
        let oldest =
            || async { outbox.statistics().await.unwrap().oldest_waiting.contains_key("fake/gaseborg") };
        until(oldest).await;
        // A worker writes the gauges when it starts, and then again and again.
        let reporter = outbox.worker().start();
        let gauge = |supplier: &str, state: &str| {
            recorded.get(&format!("lastmile_outbox_orders{{supplier={supplier},state={state}}}"))
        };
        until(|| async { gauge("fake/gaseborg", "ready") > 0.0 }).await;
        reporter.drain(Duration::from_secs(5)).await;
        let states = ["ready", "in_flight", "indeterminate", "following", "needs_person"];
        assert_eq!(states.map(|state| gauge("fake", state)), [0.0, 1.0, 0.0, 0.0, 1.0], "{}", store.name);
        assert_eq!(
            states.map(|state| gauge("fake/gaseborg", state)),
            [3.0, 0.0, 0.0, 0.0, 0.0],
            "{}",
            store.name
        );
        let oldest = |supplier| {
            recorded.get(&format!("lastmile_outbox_oldest_waiting_seconds{{supplier={supplier}}}"))
        };
        assert!(oldest("fake/gaseborg") > 0.0 && oldest("fake/gaseborg") < 60.0, "{}", store.name);
        assert!(oldest("fake") > 0.0, "{}: one is in flight", store.name);
        // Placed, placed, refused, and the question to a person.
        assert_eq!(recorded.get("lastmile_outbox_events{consumer=billing}"), 4.0, "{}", store.name);
        let outcomes =
            |state| recorded.get(&format!("lastmile_outbox_outcomes_total{{supplier=fake,state={state}}}"));
        assert_eq!(["placed", "refused", "needs_person"].map(outcomes), [2.0, 1.0, 1.0], "{}", store.name);
        assert!(outcomes("indeterminate") >= 1.0, "{}", store.name);
        let steps = "lastmile_outbox_step_duration_seconds{supplier=fake,state=ready}";
        assert_eq!(recorded.get(steps), 4.0, "{}: one is not over", store.name);
        world.answers.add_permits(1);
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(outcomes("placed"), 3.0, "{}", store.name);
        assert_eq!(recorded.get("lastmile_outbox_lost_total{supplier=fake}"), 0.0, "{}", store.name);
    }
}
