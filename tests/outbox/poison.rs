//! Orders that no worker can carry out.

use std::time::Duration;

use lastmile::outbox::{Enqueue, Entry};
use lastmile_outbox::{By, EventKind, State};
use lastmile_tests::outbox::{quick, until_done};

use crate::fake::{Bug, Fake, FakeOrder, Fate, World};
use crate::stores::stores;

struct Raw(&'static str, &'static str);

impl Enqueue for Raw {
    fn entry(&self) -> Result<Entry, lastmile::Error> {
        Ok(Entry::new("fake", self.0, self.1, self.1))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_order_needs_a_person_and_stops_no_other() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("no JSON", &Raw("fake.order", "{ name: secret")).await.unwrap();
        outbox.enqueue("unknown kind", &Raw("fake.order-of-tomorrow", "{}")).await.unwrap();
        world.fates("panics", [Fate::Panics, Fate::Panics, Fate::Panics, Fate::Panics]);
        outbox.enqueue("panics", &FakeOrder::new("panics")).await.unwrap();
        outbox.enqueue("plain", &FakeOrder::new("plain")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).crashes(1).start();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        let mut states = std::collections::BTreeMap::new();
        while states.len() < 4 {
            let event = events.next().await.unwrap().unwrap();
            if let EventKind::NeedsPerson { reason, .. } = event.kind() {
                assert!(!reason.contains("secret"), "{reason}");
            }
            states.insert(event.key().to_owned(), matches!(event.kind(), EventKind::Placed));
            event.ack().await.unwrap();
        }
        let placed: Vec<_> =
            states.iter().filter(|(_, placed)| **placed).map(|(key, _)| key.as_str()).collect();
        assert_eq!(placed, ["plain"], "{}", store.name);
        assert_eq!(outbox.needs_person().await.unwrap().len(), 3);
        worker.drain(Duration::from_secs(5)).await;
    }
}

#[tokio::test]
async fn a_person_settles_an_order_that_cannot_be_read() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("1", &Raw("fake.order", "{")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        assert!(matches!(events.next().await.unwrap().unwrap().kind(), EventKind::NeedsPerson { .. }));
        let by = By("operator-7");
        // Nobody can try it again: it still cannot be read.
        outbox.declare_absent("1", by, "not in the portal").await.unwrap();
        assert!(matches!(events.next().await.unwrap().unwrap().kind(), EventKind::NeedsPerson { .. }));
        outbox.declare_placed("1", None, by, "it is in the portal").await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Placed);
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(outbox.order("1").await.unwrap().unwrap().state(), State::Placed, "{}", store.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_crashes_a_worker_while_it_is_opened_needs_a_person() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        world.panic_at("1", Bug::Open);
        outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).crashes(1).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        let order = outbox.order("1").await.unwrap().unwrap();
        assert_eq!((order.state(), order.crashes()), (State::NeedsPerson, 0), "{}", store.name);
        assert!(order.reason().unwrap().contains("stopped"), "{:?}", order.reason());
        outbox.cancel("1", By("operator-7"), "nobody can read it").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_crashes_a_worker_while_a_decision_is_applied_needs_a_person_again() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        for (key, bug) in [("absent", Bug::DeclareAbsent), ("placed", Bug::DeclarePlaced)] {
            world.fates(key, [Fate::RequestLost]);
            world.panic_at(key, bug);
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).crashes(1).start();
        until_done(outbox).await;
        let by = By("operator-7");
        outbox.declare_absent("absent", by, "not in the portal").await.unwrap();
        outbox.declare_placed("placed", None, by, "it is in the portal").await.unwrap();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        for key in ["absent", "placed"] {
            let order = outbox.order(key).await.unwrap().unwrap();
            assert_eq!((order.state(), order.decision()), (State::NeedsPerson, None), "{} {key}", store.name);
            assert!(order.reason().unwrap().contains("stopped"), "{:?}", order.reason());
            outbox.cancel(key, by, "the customer is gone").await.unwrap();
        }
    }
}
