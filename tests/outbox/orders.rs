//! What becomes of orders.

use std::sync::Arc;
use std::time::Duration;

use lastmile_outbox::{By, EventKind, Events, Outbox, State, Worker};
use lastmile_tests::outbox::{quick, until, until_done};

use crate::fake::{Fake, FakeOrder, Fate, World};
use crate::stores::stores;

#[tokio::test]
async fn every_order_ends_as_it_should_and_takes_effect_at_most_once() {
    use Fate::{AnswerLost, NotSent, Refused, RequestLost};
    let fates: [(&str, &[Fate], State, usize); 6] = [
        ("plain", &[], State::Placed, 1),
        ("refused", &[Refused], State::Refused, 0),
        ("answer lost", &[AnswerLost], State::Placed, 1),
        ("request lost", &[RequestLost], State::Placed, 1),
        ("not sent", &[NotSent, NotSent], State::Placed, 1),
        ("unlucky", &[NotSent, RequestLost, RequestLost, AnswerLost], State::Placed, 1),
    ];
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        assert!(events.try_next().await.unwrap().is_none());
        for (key, fates, ..) in &fates {
            world.fates(key, fates.iter().cloned());
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        for _ in 0..fates.len() {
            let event = events.next().await.unwrap().unwrap();
            let (_, _, state, _) = fates.iter().find(|(key, ..)| *key == event.key()).unwrap();
            match event.kind() {
                EventKind::Placed => assert_eq!(*state, State::Placed),
                EventKind::Refused(why) => {
                    assert_eq!((*state, why.reason.as_str()), (State::Refused, "it is wrong"));
                }
                other => panic!("{other:?}"),
            }
            event.ack().await.unwrap();
        }
        assert_eq!(worker.drain(Duration::from_secs(5)).await, 0);
        assert!(events.try_next().await.unwrap().is_none(), "{}", store.name);
        for (key, _, state, effects) in &fates {
            let order = outbox.order(key).await.unwrap().unwrap();
            assert_eq!((order.state(), world.effects(key)), (*state, *effects), "{} {key}", store.name);
            assert_eq!(order.finished_at().is_some(), state.is_final());
        }
    }
}

#[tokio::test]
async fn where_the_supplier_cannot_be_asked_a_lost_answer_needs_a_person() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        outbox.register_consumer("test").await.unwrap();
        world.fates("1", [Fate::AnswerLost]);
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let event = events.next().await.unwrap().unwrap();
        assert!(matches!(event.kind(), EventKind::NeedsPerson { .. }), "{:?}", event.kind());
        worker.drain(Duration::from_secs(5)).await;
        let stuck = outbox.needs_person().await.unwrap();
        assert_eq!(stuck.len(), 1);
        assert_eq!(
            (stuck[0].key(), stuck[0].reason(), stuck[0].manual_check()),
            ("A-1", Some("the supplier cannot be asked"), Some("look at the fake supplier"))
        );
        assert_eq!(world.effects("1"), 1, "{}", store.name);
    }
}

/// Returns the world in which order `A-1` was sent and needs a person, since its lease ended while the response was awaited; the events;
/// and the worker that still awaits it. Nobody can ask this supplier, so that only the late response tells.
async fn taken_over(outbox: &Outbox) -> (Arc<World>, Events, Worker) {
    let world = World::new(false);
    world.fates("1", [Fate::Waits]);
    outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
    let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
    outbox.register_consumer("test").await.unwrap();
    let slow = quick(outbox.worker()).serve(Fake(world.clone())).start();
    let event = events.next().await.unwrap().unwrap();
    assert!(matches!(event.kind(), EventKind::NeedsPerson { .. }), "{:?}", event.kind());
    event.ack().await.unwrap();
    (world, events, slow)
}

#[tokio::test]
async fn a_response_that_arrives_after_the_order_was_taken_over_settles_it() {
    for store in stores().await {
        let outbox = &store.outbox;
        let (world, mut events, slow) = taken_over(outbox).await;
        world.answers.add_permits(1);
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed);
        assert_eq!(event.data(), Some("{\"late\":true}"));
        event.ack().await.unwrap();
        slow.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!((order.state(), order.marks()), (State::Placed, 1), "{}", store.name);
    }
}

#[tokio::test]
async fn a_response_that_arrives_after_an_erasure_leaves_nothing_about_the_person() {
    for store in stores().await {
        let outbox = &store.outbox;
        let (world, mut events, slow) = taken_over(outbox).await;
        outbox.erase("A-1", By("operator-7")).await.unwrap();
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Cancelled);
        event.ack().await.unwrap();
        world.answers.add_permits(1);
        let event = events.next().await.unwrap().unwrap();
        assert_eq!((event.kind(), event.data()), (EventKind::Contradicted, None), "{}", store.name);
        event.ack().await.unwrap();
        slow.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!((order.body(), order.result()), (None, None), "{}", store.name);
    }
}

#[tokio::test]
async fn a_late_response_that_contradicts_a_person_raises_an_alarm() {
    for store in stores().await {
        let outbox = &store.outbox;
        let (world, mut events, slow) = taken_over(outbox).await;
        // The supplier is slower than its settle time, so that the person finds nothing and has it placed again.
        outbox.declare_absent("A-1", By("operator-7"), "not in the portal").await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Placed);
        world.answers.add_permits(1);
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Contradicted);
        slow.drain(Duration::from_secs(5)).await;
        assert_eq!(world.effects("1"), 2, "{}", store.name);
    }
}

#[tokio::test]
async fn a_person_who_looks_before_the_settle_time_is_over_has_to_look_again() {
    use lastmile_outbox::{By, Error};
    const SETTLE: Duration = Duration::from_secs(3600);
    for store in stores().await {
        let (world, outbox) = (World::settling(false, SETTLE), &store.outbox);
        // The supplier carries it out after the person has looked.
        world.fates("1", [Fate::RequestLost]);
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        until_done(outbox).await;
        let result = outbox.declare_absent("A-1", By("operator-7"), "not in the portal").await;
        assert!(
            matches!(result, Err(Error::TooEarly(left)) if left <= SETTLE && left > SETTLE / 2),
            "{result:?}"
        );
        world.add_effect("1");
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!((order.state(), order.decision(), order.marks()), (State::NeedsPerson, None, 1));
        assert!(outbox.audit("A-1").await.unwrap().is_empty());
        assert_eq!(world.effects("1"), 1, "{}", store.name);
        outbox.declare_placed("A-1", None, By("operator-7"), "it is in the portal").await.unwrap();
    }
}

#[tokio::test]
async fn a_settle_time_without_an_end_stops_no_worker() {
    for store in stores().await {
        let (world, outbox) = (World::settling(false, Duration::MAX), &store.outbox);
        world.fates("lost", [Fate::AnswerLost]);
        for key in ["plain", "lost"] {
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        for (key, state) in [("plain", State::Placed), ("lost", State::NeedsPerson)] {
            assert_eq!(outbox.order(key).await.unwrap().unwrap().state(), state, "{} {key}", store.name);
        }
    }
}

#[tokio::test]
async fn what_a_look_up_misses_while_the_settle_time_ends_does_not_make_an_order_absent() {
    const SETTLE: Duration = Duration::from_millis(500);
    for store in stores().await {
        let (world, outbox) = (World::settling(true, SETTLE), &store.outbox);
        world.fates("1", [Fate::RequestLost]);
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        world.hold_reconciliations(true);
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        // The look-up starts before the settle time is over, and its answer arrives afterwards.
        until(|| async { world.reconciliations() == 1 }).await;
        let sent = world.sent()[0];
        until(|| async { sent.elapsed() > SETTLE * 2 }).await;
        world.hold_reconciliations(false);
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        assert!(world.reconciliations() >= 2, "{}: it is looked up again", store.name);
        assert_eq!(outbox.order("A-1").await.unwrap().unwrap().state(), State::Placed);
    }
}

#[tokio::test]
async fn an_order_that_the_library_rejects_when_it_is_marked_is_refused_and_an_old_look_up_is_repeated() {
    let rejected = || lastmile_core::Error::invalid("fake", "a later version has another rule");
    let too_old =
        || lastmile_core::Error::invalid("fake", "look it up again").with_retry_after(Duration::ZERO);
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        world.fail_marks("rejected", [rejected()]);
        // More often than inconclusive look-ups are repeated.
        world.fail_marks("paused", [too_old(), too_old(), too_old()]);
        for key in ["rejected", "paused"] {
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).doubts(2).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        for (key, state) in [("rejected", State::Refused), ("paused", State::Placed)] {
            let order = outbox.order(key).await.unwrap().unwrap();
            assert_eq!(order.state(), state, "{} {key}: {:?}", store.name, order.reason());
            assert_eq!(world.effects(key), usize::from(state == State::Placed));
        }
    }
}

#[tokio::test]
async fn an_order_that_was_not_sent_is_sent_later_without_a_person() {
    for store in stores().await {
        // Nobody can ask this supplier: an order that still looked as if it had been sent would need a person.
        let (world, outbox) = (World::new(false), &store.outbox);
        world.fates("1", [Fate::NotSent, Fate::Throttled(Duration::from_millis(5)), Fate::NotSent]);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let event =
            outbox.events("test").poll_interval(Duration::from_millis(20)).next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed, "{}", store.name);
        worker.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!((order.marks(), world.effects("1")), (4, 1));
    }
}

#[tokio::test]
async fn the_backoff_grows_each_time_an_order_is_not_sent() {
    for store in stores().await {
        let (world, outbox) = (World::new(true), &store.outbox);
        world.fates("1", [Fate::NotSent, Fate::NotSent, Fate::NotSent, Fate::Waits]);
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        until(|| async { world.sent().len() == 4 }).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!(
            (order.state(), order.attempts_without_progress()),
            (State::InFlight, 3),
            "{}",
            store.name
        );
        world.answers.add_permits(1);
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!((order.state(), order.attempts_without_progress()), (State::Placed, 0));
    }
}

#[tokio::test]
async fn a_response_of_an_earlier_step_that_was_booked_already_contradicts_nothing() {
    for steps in [1, 2] {
        for store in stores().await {
            let (world, outbox) = (World::new(true), &store.outbox);
            world.fates("1", [Fate::Waits]);
            outbox.register_consumer("test").await.unwrap();
            outbox.enqueue("A-1", &FakeOrder::chain("1", steps)).await.unwrap();
            let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
            let slow = quick(outbox.worker()).serve(Fake(world.clone())).start();
            // The lease ends while the answer to the first step is awaited. Another worker finds what was created, and takes the other
            // steps, each of which has a mark of its own.
            for step in 1..=steps {
                let event = events.next().await.unwrap().unwrap();
                assert_eq!((event.kind(), event.step()), (EventKind::Advanced, i64::try_from(step).unwrap()));
                event.ack().await.unwrap();
            }
            let event = events.next().await.unwrap().unwrap();
            assert_eq!(event.kind(), EventKind::Placed);
            event.ack().await.unwrap();
            world.answers.add_permits(1);
            slow.drain(Duration::from_secs(5)).await;
            let event = events.try_next().await.unwrap().map(|event| event.kind());
            assert_eq!(event, None, "{}, {steps} steps", store.name);
            let order = outbox.order("A-1").await.unwrap().unwrap();
            let marks = i64::try_from(steps).unwrap() + 1;
            assert_eq!((order.state(), order.marks()), (State::Placed, marks));
            assert_eq!([world.effects("1"), world.effects("1+")], [1, 1]);
        }
    }
}

#[tokio::test]
async fn a_response_of_a_step_that_was_declared_absent_and_sent_again_raises_an_alarm_in_a_later_step() {
    for store in stores().await {
        let (world, outbox) = (World::new(false), &store.outbox);
        world.fates("1", [Fate::Waits]);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("A-1", &FakeOrder::chain("1", 1)).await.unwrap();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        let slow = quick(outbox.worker()).serve(Fake(world.clone())).start();
        assert!(matches!(events.next().await.unwrap().unwrap().kind(), EventKind::NeedsPerson { .. }));
        outbox.declare_absent("A-1", lastmile_outbox::By("operator-7"), "not in the portal").await.unwrap();
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Advanced);
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Placed);
        world.answers.add_permits(1);
        assert_eq!(events.next().await.unwrap().unwrap().kind(), EventKind::Contradicted);
        slow.drain(Duration::from_secs(5)).await;
        assert_eq!([world.effects("1"), world.effects("1+")], [2, 1], "{}", store.name);
    }
}
