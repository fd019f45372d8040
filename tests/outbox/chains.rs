//! Chains: several steps, each stored before it is taken.

use std::time::Duration;

use lastmile::cocon::{Batch, Connection, RouteScenario};
use lastmile::onapi::{Dialect, NewOrder, OnApi, Placed};
use lastmile::outbox::{BatchAndReport, PlaceAndFollow};
use lastmile::{HasProgress as _, OrderStage};
use lastmile_outbox::{EventKind, State};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Fault, Sandbox};
use lastmile_tests::outbox::{quick, until};
use lastmile_tests::paused::policy;

use crate::stores::stores;

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_and_followed_to_its_end() {
    for store in stores().await {
        let (sandbox, outbox) = (Sandbox::builder().seed(1).start().await.unwrap(), &store.outbox);
        let supplier = sandbox.onapi();
        let builder = OnApi::builder(supplier.base_url())
            .dialect(Dialect::Vendor26)
            .login(supplier.user(), supplier.password());
        let network = builder.policy(policy()).build().unwrap();
        let accesses = supplier.accesses();
        let (access, offer) =
            accesses.iter().find_map(|access| Some((access, access.service(Availability::Free)?))).unwrap();
        let order = NewOrder::activate(access.id.parse().unwrap(), &offer.service, "SP-1".parse().unwrap());
        let chain = PlaceAndFollow::new(order).asking_every(Duration::from_millis(20));
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("A-1", &chain).await.unwrap();
        // The order is placed although its answer is lost, and reading it fails at first.
        supplier.fail_next("createOrder", Fault::ResetAfter);
        supplier.fail_next("getOrder", Fault::FailedAfter(502));
        let worker = quick(outbox.worker()).serve(network).start();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        let event = events.next().await.unwrap().unwrap();
        assert_eq!((event.kind(), event.step()), (EventKind::Advanced, 1));
        event.ack().await.unwrap();
        until(|| async { supplier.count("getOrder") > 2 }).await;
        assert_eq!(outbox.order("A-1").await.unwrap().unwrap().state(), State::Following);
        supplier.advance();
        supplier.advance();
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed);
        let Some(Placed::Order(order)) = event.created::<PlaceAndFollow>() else {
            panic!("{:?}", event.data())
        };
        assert_eq!(order.progress().stage(), OrderStage::Done);
        event.ack().await.unwrap();
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(supplier.took_effect("createOrder"), 1, "{}", store.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_placed_and_reported() {
    for store in stores().await {
        let (sandbox, outbox) = (Sandbox::builder().seed(1).start().await.unwrap(), &store.outbox);
        let supplier = sandbox.cocon();
        let buildings = supplier.buildings();
        let names: Vec<_> = buildings
            .iter()
            .filter(|building| building.kind == BuildingKind::Prepared)
            .map(|building| building.name.clone())
            .take(3)
            .collect();
        let batch = Batch::new(names.iter().map(|name| Connection::new(name, RouteScenario::KeepRoute)));
        let chain = BatchAndReport::new(batch).asking_every(Duration::from_millis(20));
        outbox.register_consumer("test").await.unwrap();
        outbox.enqueue("A-1", &chain).await.unwrap();
        let worker = quick(outbox.worker()).serve(lastmile_tests::cocon(&sandbox)).start();
        let mut events = outbox.events("test").poll_interval(Duration::from_millis(20));
        for (kind, step) in [(EventKind::Advanced, 1), (EventKind::Placed, 1)] {
            let event = events.next().await.unwrap().unwrap();
            assert_eq!((event.kind(), event.step()), (kind, step), "{}", store.name);
            if let Some(status) = event.created::<BatchAndReport>() {
                assert_eq!(status.success.len(), 3);
            }
            event.ack().await.unwrap();
        }
        worker.drain(Duration::from_secs(5)).await;
        assert_eq!(supplier.took_effect("createDelayedConnectionBatch"), 1);
    }
}
