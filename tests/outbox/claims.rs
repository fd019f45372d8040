//! Workers that compete for orders, and the pace that they share.

use std::time::{Duration, Instant};

use lastmile_outbox::{Pace, State};
use lastmile_tests::outbox::{quick, until};

use crate::fake::{Fake, FakeOrder, Fate, World};
use crate::stores::stores;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_one_places_an_order() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        // Handles of their own, as in processes of their own.
        let handles: Vec<_> = (0..8).map(|_| lastmile_tests::outbox::open(&store.address)).collect();
        let workers: Vec<_> = handles
            .iter()
            .flat_map(|outbox| [outbox; 4])
            .map(|outbox| quick(outbox.worker()).serve(Fake(world.clone())).start())
            .collect();
        const ORDERS: usize = 20;
        for number in 0..ORDERS {
            let key = number.to_string();
            outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
        }
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        for _ in 0..ORDERS {
            events.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        for worker in workers {
            worker.drain(Duration::from_secs(5)).await;
        }
        for number in 0..ORDERS {
            let order = outbox.order(&number.to_string()).await.unwrap().unwrap();
            assert_eq!((order.state(), order.marks()), (State::Placed, 1), "{}", store.name);
            assert_eq!(world.effects(&number.to_string()), 1, "{}", store.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_together_keep_the_pace() {
    const ORDERS: u32 = 12;
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        for number in 0..ORDERS {
            let key = number.to_string();
            outbox.enqueue(&key, &FakeOrder::new(&key)).await.unwrap();
        }
        let handles: Vec<_> = (0..4).map(|_| lastmile_tests::outbox::open(&store.address)).collect();
        let started = Instant::now();
        let start = |outbox: &lastmile_outbox::Outbox| {
            quick(outbox.worker()).serve(Fake(world.clone())).pace(Pace::per_second(20).burst(2)).start()
        };
        let workers: Vec<_> = handles.iter().map(start).collect();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        for _ in 0..ORDERS {
            events.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        for worker in workers {
            worker.drain(Duration::from_secs(5)).await;
        }
        let mut sent = world.sent();
        sent.sort();
        assert_eq!(sent.len(), ORDERS as usize);
        // Two at once, then one every 50 ms, counted from a moment before the first claim.
        for (number, at) in (0..).zip(&sent) {
            let earliest = Duration::from_millis(50) * u32::saturating_sub(number, 1);
            assert!(*at >= started + earliest, "{}: order {number} after {:?}", store.name, *at - started);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_obey_retry_after() {
    const PAUSE: Duration = Duration::from_millis(600);
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        world.fates("1", [Fate::Throttled(PAUSE)]);
        outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
        let first = quick(outbox.worker()).serve(Fake(world.clone())).start();
        // The pause is written before the order is given back.
        until(|| async { outbox.order("1").await.unwrap().unwrap().attempts_without_progress() > 0 }).await;
        let other = lastmile_tests::outbox::open(&store.address);
        let second = quick(other.worker()).serve(Fake(world.clone())).start();
        outbox.enqueue("2", &FakeOrder::new("2")).await.unwrap();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        for _ in 0..2 {
            events.next().await.unwrap().unwrap().ack().await.unwrap();
        }
        first.drain(Duration::from_secs(5)).await;
        second.drain(Duration::from_secs(5)).await;
        let sent = world.sent();
        assert_eq!(sent.len(), 3);
        assert!(
            sent[1] - sent[0] >= PAUSE - Duration::from_millis(5),
            "{}: {:?}",
            store.name,
            sent[1] - sent[0]
        );
    }
}

#[tokio::test]
async fn a_worker_leaves_the_orders_of_other_suppliers_alone() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue_at("gaseborg", "1", &FakeOrder::new("1")).await.unwrap();
        outbox.enqueue_at("ankeborg", "2", &FakeOrder::new("2")).await.unwrap();
        outbox.enqueue("3", &FakeOrder::new("3")).await.unwrap();
        let worker = quick(outbox.worker()).serve_at("ankeborg", Fake(world.clone())).start();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        let event = events.next().await.unwrap().unwrap();
        assert_eq!((event.key(), event.supplier()), ("2", "fake/ankeborg"));
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!([world.effects("1"), world.effects("2"), world.effects("3")], [0, 1, 0], "{}", store.name);
        assert_eq!(outbox.statistics().await.unwrap().count(State::Ready), 2);
    }
}
