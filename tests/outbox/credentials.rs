//! Credentials that a supplier does not accept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::State;
use lastmile_outbox::probe::Point;
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::outbox::{quick, until, until_done};

use crate::stores::{alter, stores};

fn customer(name: &str) -> Prepared<CustomerCreate> {
    Prepared::new(CustomerCreate { name: Some(name.to_owned()), ..Default::default() }).unwrap()
}

/// Nobody can ask Cocon, so that no look-up fails first.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_not_accepted_refuse_no_order() {
    let keys = ["A-1", "A-2", "A-3"];
    for store in stores().await {
        let (sandbox, outbox) = (Sandbox::builder().seed(1).start().await.unwrap(), &store.outbox);
        let supplier = sandbox.cocon();
        for key in keys {
            outbox.enqueue(key, &customer(key)).await.unwrap();
        }
        let revoked = lastmile_tests::cocon_at(&supplier.base_url(), "revoked", supplier.client_id());
        let claims = Arc::new(AtomicUsize::new(0));
        let counter = claims.clone();
        let probe = Arc::new(move |point: Point| {
            counter.fetch_add(usize::from(point == Point::BeforeClaim), Ordering::SeqCst);
        });
        let worker = quick(outbox.worker()).serve(revoked).max_in_flight(1).probe(probe).start();
        until(|| async { supplier.count("createCustomer") > 0 }).await;
        // The others are not sent, because what is wrong for one of them is wrong for all.
        let before = claims.load(Ordering::SeqCst);
        until(|| async { claims.load(Ordering::SeqCst) >= before + 5 }).await;
        worker.drain(Duration::from_secs(5)).await;
        for key in keys {
            let order = outbox.order(key).await.unwrap().unwrap();
            assert_eq!(order.state(), State::Ready, "{} {key}: {:?}", store.name, order.reason());
        }
        assert_eq!(supplier.count("createCustomer"), 1);

        // The key is corrected, and the pause is over.
        alter(&store, "delete from lastmile_pace").await;
        alter(&store, "update lastmile_order set due = (select min(due) from lastmile_order)").await;
        let worker = quick(outbox.worker()).serve(lastmile_tests::cocon(&sandbox)).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        for key in keys {
            assert_eq!(
                outbox.order(key).await.unwrap().unwrap().state(),
                State::Placed,
                "{} {key}",
                store.name
            );
        }
        assert_eq!(supplier.took_effect("createCustomer"), keys.len());
    }
}

/// A 403 may be about the credentials or about one order, so that it neither refuses the order nor keeps the others waiting.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_credentials_may_not_place_is_tried_again_and_delays_no_other() {
    for store in stores().await {
        let (sandbox, outbox) = (Sandbox::builder().seed(1).start().await.unwrap(), &store.outbox);
        let supplier = sandbox.cocon();
        supplier.answer_next("createCustomer", Answer::status(403));
        for key in ["A-1", "A-2"] {
            outbox.enqueue(key, &customer(key)).await.unwrap();
        }
        let worker = quick(outbox.worker()).serve(lastmile_tests::cocon(&sandbox)).max_in_flight(1).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        for key in ["A-1", "A-2"] {
            assert_eq!(
                outbox.order(key).await.unwrap().unwrap().state(),
                State::Placed,
                "{} {key}",
                store.name
            );
        }
        assert_eq!((supplier.count("createCustomer"), supplier.took_effect("createCustomer")), (3, 2));
    }
}

#[tokio::test]
async fn an_order_that_is_forbidden_again_and_again_needs_a_person() {
    for store in stores().await {
        let (sandbox, outbox) = (Sandbox::builder().seed(1).start().await.unwrap(), &store.outbox);
        let supplier = sandbox.cocon();
        for _ in 0..3 {
            supplier.answer_next("createCustomer", Answer::status(403));
        }
        outbox.enqueue("A-1", &customer("A-1")).await.unwrap();
        let worker = quick(outbox.worker()).serve(lastmile_tests::cocon(&sandbox)).doubts(3).start();
        until_done(outbox).await;
        worker.drain(Duration::from_secs(5)).await;
        let order = outbox.order("A-1").await.unwrap().unwrap();
        assert_eq!(order.state(), State::NeedsPerson, "{}", store.name);
        assert_eq!((supplier.count("createCustomer"), supplier.took_effect("createCustomer")), (3, 0));
    }
}
