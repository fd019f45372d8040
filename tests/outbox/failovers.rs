//! Databases that have lost their latest commits.

use std::time::Duration;

use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{By, Error, EventKind, Outbox, State};
use lastmile_tests::outbox::{TestStore, execute, postgres, quick, until};
use lastmile_tests::postgres_cluster::Cluster;

use crate::fake::{DEADLINE, Fake, FakeOrder, World};

/// How long nothing is sent after a failover: a lease of [`quick`] workers, and no settle time.
const QUIET: Duration = DEADLINE.saturating_mul(2);

/// Waits until an order has ended or needs a person.
async fn end_of(outbox: &Outbox, key: &str) -> State {
    until(|| async { matches!(outbox.order(key).await, Ok(Some(order)) if !order.state().is_active()) })
        .await;
    outbox.order(key).await.unwrap().unwrap().state()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_that_lost_marks_no_order_is_sent_twice() {
    if postgres().is_none() {
        return;
    }
    for has_look_up in [true, false] {
        let mut cluster = Cluster::start().await.unwrap();
        let outbox = lastmile_tests::outbox::open(&format!("postgres:{}", cluster.config()));
        outbox.migrate().await.unwrap();
        let world = World::new(has_look_up);
        outbox.enqueue("sent", &FakeOrder::new("sent")).await.unwrap();
        // What happens from here on is lost: the standby does not receive it.
        cluster.back_up().unwrap();
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        assert_eq!(end_of(&outbox, "sent").await, State::Placed);
        cluster.fail_over().await;
        until_noticed(&cluster.config()).await;
        outbox.enqueue("new", &FakeOrder::new("new")).await.unwrap();
        assert_eq!(end_of(&outbox, "new").await, State::Placed);
        let state = end_of(&outbox, "sent").await;
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(state, if has_look_up { State::Placed } else { State::NeedsPerson });
        assert_eq!([world.effects("sent"), world.effects("new")], [1, 1]);
    }
}

/// Waits until a worker has noticed that the timeline has changed.
async fn until_noticed(config: &str) {
    let is_noticed = || async {
        let Ok((client, connection)) = config.parse::<Config>().unwrap().connect(NoTls).await else {
            return false;
        };
        tokio::spawn(connection);
        let sql = "select from lastmile_timeline where changed_at > '-infinity' and timeline = lastmile_current_timeline()";
        client.query(sql, &[]).await.is_ok_and(|rows| rows.len() == 1)
    };
    until(is_noticed).await;
}

/// A timeline that can no longer be read, and a row that is missing, count as a change of the timeline.
#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_that_is_lost_counts_as_changed_and_blocks_nothing_for_ever() {
    if postgres().is_none() {
        return;
    }
    let unreadable = "create or replace function lastmile_current_timeline() returns text language sql as 'select null::text'";
    for change in ["delete from lastmile_timeline", unreadable] {
        let (store, world) = (TestStore::postgres().await, World::new(false));
        let (config, outbox) = (store.address.split_once(':').unwrap().1, &store.outbox);
        let keys = ["due", "soon", "followed", "later"];
        for key in keys {
            outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
        }
        let soon = "update lastmile_order set due = now() + interval '1 second' where key = 'soon'";
        execute(config, soon).await;
        execute(config, "update lastmile_order set state = 'following' where key = 'followed'").await;
        execute(config, "update lastmile_order set due = now() + interval '1 hour' where key = 'later'")
            .await;
        execute(config, change).await;
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let is_noticed = "select from lastmile_timeline where changed_at > '-infinity'";
        until(|| async { count(config, is_noticed).await == 1 }).await;
        for (key, is_flagged) in keys.into_iter().zip([true, true, true, false]) {
            let sql = format!("select from lastmile_order where key = '{key}' and mark_may_be_lost");
            assert_eq!(count(config, &sql).await == 1, is_flagged, "{key}, {change}");
        }
        for key in ["due", "soon"] {
            assert_eq!(end_of(outbox, key).await, State::NeedsPerson, "{key}, {change}");
        }
        // It is noticed once, and not with every claim.
        outbox.enqueue("new", &FakeOrder::new("new")).await.unwrap();
        assert_eq!(end_of(outbox, "new").await, State::Placed, "{change}");
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(world.sent().len(), 1);
    }
}

/// Returns how many rows a query has.
async fn count(config: &str, sql: &str) -> usize {
    let (client, connection) = config.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query(sql, &[]).await.unwrap().len()
}

/// As after a failover, with a change of the stored timeline in place of a second server.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_timeline_delays_sending_and_asks_a_person_where_nobody_else_can_be_asked() {
    if postgres().is_none() {
        return;
    }
    for has_look_up in [true, false] {
        let (store, world) = (TestStore::postgres().await, World::new(has_look_up));
        let (config, outbox) = (store.address.split_once(':').unwrap().1, &store.outbox);
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("sent", &FakeOrder::new("sent")).await.unwrap();
        execute(config, "update lastmile_timeline set timeline = '4711/00000001'").await;
        let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
        let started = std::time::Instant::now();
        until_noticed(config).await;
        // Enqueued afterwards: it cannot have been sent before.
        outbox.enqueue("new", &FakeOrder::new("new")).await.unwrap();
        // The request of the former timeline arrives late, and before the quiet time is over.
        world.add_effect("sent");
        assert_eq!(end_of(outbox, "new").await, State::Placed);
        let state = end_of(outbox, "sent").await;
        assert_eq!([world.effects("sent"), world.effects("new")], [1, 1]);
        let sent = world.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0] - started >= QUIET, "after {:?}", sent[0] - started);
        if has_look_up {
            assert_eq!(state, State::Placed);
        } else {
            let order = outbox.order("sent").await.unwrap().unwrap();
            assert_eq!(
                (state, order.manual_check()),
                (State::NeedsPerson, Some("look at the fake supplier"))
            );
            // A person decides, and the order goes on as any other.
            outbox.declare_absent("sent", By("operator-7"), "not in the portal").await.unwrap();
            let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
            loop {
                let event = events.next().await.unwrap().unwrap();
                if (event.key(), event.kind()) == ("sent", EventKind::Placed) {
                    break;
                }
                event.ack().await.unwrap();
            }
        }
        worker.drain(Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_may_have_been_sent_before_a_failover_is_not_cancelled_unseen() {
    if postgres().is_none() {
        return;
    }
    let (store, world) = (TestStore::postgres().await, World::new(false));
    let (config, outbox, by) = (store.address.split_once(':').unwrap().1, &store.outbox, By("operator-7"));
    for key in ["1", "2"] {
        outbox.enqueue(key, &FakeOrder::new(key)).await.unwrap();
    }
    let assert_refused = async |what: &str| {
        let cancelled = outbox.cancel("1", by, "the customer is gone").await;
        assert!(matches!(cancelled, Err(Error::NotAllowed(State::Ready))), "{what}: {cancelled:?}");
        let erased = outbox.erase("2", by).await;
        assert!(matches!(erased, Err(Error::NotAllowed(State::Ready))), "{what}: {erased:?}");
    };
    execute(config, "update lastmile_timeline set timeline = '4711/00000001'").await;
    assert_refused("no worker has noticed it").await;
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    until_noticed(config).await;
    assert_refused("nothing is sent for a while").await;
    // Nobody but a person can ask this supplier.
    for key in ["1", "2"] {
        assert_eq!(end_of(outbox, key).await, State::NeedsPerson);
    }
    worker.drain(Duration::from_secs(5)).await;
    outbox.cancel("1", by, "not in the portal, and the customer is gone").await.unwrap();
    outbox.erase("2", by).await.unwrap();
    assert!(world.sent().is_empty());
}
