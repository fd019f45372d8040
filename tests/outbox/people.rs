//! What people decide, retention and erasure.

use std::time::Duration;

use lastmile_outbox::{By, Error, EventKind, Outbox, State};
use lastmile_tests::outbox::quick;

use crate::fake::{Fake, FakeOrder, Fate, World};
use crate::stores::{alter, stores};

/// Enqueues orders whose answers are lost at a supplier that cannot be asked, and waits until each needs a person.
async fn stuck(outbox: &Outbox, world: &std::sync::Arc<World>, keys: &[&str]) {
    outbox.register_consumer("stuck").await.unwrap();
    for key in keys {
        world.fates(key, [Fate::RequestLost]);
        outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
    }
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    let mut events = outbox.events("stuck").poll_interval(Duration::from_millis(20));
    for _ in keys {
        let event = events.next().await.unwrap().unwrap();
        assert!(matches!(event.kind(), EventKind::NeedsPerson { .. }));
        event.ack().await.unwrap();
    }
    worker.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_person_decides_and_the_audit_trail_says_who_and_why() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        stuck(outbox, &world, &["absent", "placed", "cancelled"]).await;
        let by = By("operator-7");
        outbox.declare_absent("absent", by, "looked in the portal").await.unwrap();
        outbox.declare_placed("placed", Some("{\"id\":\"17\"}".into()), by, "it is there").await.unwrap();
        outbox.cancel("cancelled", by, "the customer is gone").await.unwrap();
        let mut events = outbox.events("stuck").poll_interval(Duration::from_millis(20));
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let mut ended = std::collections::BTreeMap::new();
        while ended.len() < 3 {
            let event = events.next().await.unwrap().unwrap();
            ended.insert(event.key().to_owned(), (event.kind(), event.data().map(str::to_owned)));
            event.ack().await.unwrap();
        }
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(ended["absent"], (EventKind::Placed, Some("{\"id\":\"absent\"}".to_owned())));
        assert_eq!(ended["placed"], (EventKind::Placed, Some("{\"id\":\"17\"}".to_owned())));
        assert_eq!(ended["cancelled"], (EventKind::Cancelled, None));
        assert_eq!([world.effects("absent"), world.effects("placed"), world.effects("cancelled")], [1, 0, 0]);
        let audit = outbox.audit("absent").await.unwrap();
        assert_eq!(
            (audit[0].who(), audit[0].what(), audit[0].why()),
            ("operator-7", "declare_absent", Some("looked in the portal"))
        );
        for key in ["absent", "placed", "cancelled"] {
            assert!(matches!(outbox.declare_absent(key, by, "again").await, Err(Error::NotAllowed(_))));
            assert!(matches!(outbox.cancel(key, by, "again").await, Err(Error::NotAllowed(_))));
            assert_eq!(outbox.audit(key).await.unwrap().len(), 1, "{} {key}", store.name);
        }
        assert!(matches!(outbox.cancel("unknown", by, "?").await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn pruning_keeps_key_digest_state_and_audit() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        stuck(outbox, &world, &["1", "2"]).await;
        outbox.cancel("1", By("operator-7"), "the customer is gone").await.unwrap();
        let pruned = outbox.prune(Duration::from_secs(3600)).await.unwrap();
        assert_eq!(pruned.orders, 0);
        let pruned = outbox.prune(Duration::ZERO).await.unwrap();
        assert_eq!(pruned.orders, 1, "{}", store.name);
        let order = outbox.order("1").await.unwrap().unwrap();
        assert!(order.is_erased() && order.body().is_none() && order.reason().is_none());
        assert_eq!(order.state(), State::Cancelled);
        assert_eq!(outbox.audit("1").await.unwrap()[0].why(), Some("the customer is gone"));
        assert!(outbox.order("2").await.unwrap().unwrap().body().is_some(), "it is not decided");
        assert_eq!(
            outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap(),
            lastmile_outbox::Enqueued::Known
        );
        assert!(matches!(outbox.enqueue("1", &FakeOrder::new("9")).await, Err(Error::KeyUsed)));
        assert_eq!(outbox.prune(Duration::ZERO).await.unwrap().orders, 0);
    }
}

#[tokio::test]
async fn an_erasure_leaves_nothing_about_the_person() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        stuck(outbox, &world, &["secret-1"]).await;
        let by = By("operator-7");
        outbox.declare_absent("secret-1", by, "asked the secret customer").await.unwrap();
        assert!(matches!(outbox.erase("secret-1", by).await, Err(Error::NotAllowed(State::Indeterminate))));
        outbox.enqueue("A-2", &FakeOrder::new("secret-2")).await.unwrap();
        outbox.erase("A-2", by).await.unwrap();
        let order = outbox.order("A-2").await.unwrap().unwrap();
        assert_eq!((order.state(), order.body(), order.is_erased()), (State::Cancelled, None, true));
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let mut events = outbox.events("stuck").poll_interval(Duration::from_millis(20));
        loop {
            let event = events.next().await.unwrap().unwrap();
            if event.kind() == EventKind::Placed {
                break;
            }
            event.ack().await.unwrap();
        }
        worker.drain(Duration::from_secs(5)).await;
        outbox.erase("secret-1", by).await.unwrap();
        let order = outbox.order("secret-1").await.unwrap().unwrap();
        assert_eq!((order.state(), order.body(), order.result()), (State::Placed, None, None));
        let audit = outbox.audit("secret-1").await.unwrap();
        assert!(audit.iter().all(|entry| entry.why().is_none()));
        assert_eq!(audit.last().unwrap().what(), "erase");
        assert_eq!(world.effects("secret-2"), 0, "it was never sent");
        assert_eq!(
            outbox.enqueue("A-2", &FakeOrder::new("secret-2")).await.unwrap(),
            lastmile_outbox::Enqueued::Known
        );
    }
}

#[tokio::test]
async fn an_order_that_is_followed_cannot_be_cancelled_as_if_it_was_not_sent() {
    for store in stores().await {
        let (outbox, by) = (&store.outbox, By("operator-7"));
        outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        // The supplier has what the earlier steps of a chain have placed.
        for (state, step) in [(State::Following, 0), (State::Following, 1), (State::Ready, 1)] {
            alter(&store, &format!("update lastmile_order set state = '{state}', step = {step}")).await;
            let cancelled = outbox.cancel("1", by, "the customer is gone").await;
            assert!(
                matches!(cancelled, Err(Error::NotAllowed(found)) if found == state),
                "{} {state} {step}: {cancelled:?}",
                store.name
            );
            let erased = outbox.erase("1", by).await;
            assert!(matches!(erased, Err(Error::NotAllowed(found)) if found == state), "{erased:?}");
            let order = outbox.order("1").await.unwrap().unwrap();
            assert_eq!((order.state(), order.is_erased()), (state, false));
        }
        assert!(outbox.audit("1").await.unwrap().is_empty());
        alter(&store, "update lastmile_order set state = 'ready', step = 0").await;
        outbox.cancel("1", by, "the customer is gone").await.unwrap();
    }
}
