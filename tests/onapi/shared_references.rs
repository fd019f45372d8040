//! Look-ups where several orders have the same reference, service and operation.

use std::time::Duration;

use lastmile::onapi::{NewOrder, OnApi};
use lastmile::{Prepared, PreparedState, Reconciled};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Dialect, Fault, Sandbox};
use lastmile_tests::{brisk, copy, crashed, dialect, settled};
use serde_json::{Value, json};

use crate::steps::{done, id, offered, place};

const CUSTOMER: &str = "CUSTOMER-1";

/// Returns a client of the sandbox.
fn client(sandbox: &Sandbox, shared: bool) -> OnApi {
    let supplier = sandbox.onapi();
    let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
    let builder = builder.dialect(dialect(sandbox)).policy(brisk()).shared_references(shared);
    builder.build().unwrap().with_policy(settled())
}

/// Starts a network that carries out every order, even one that it has already.
async fn start(dialect: Dialect) -> Sandbox {
    Sandbox::builder().seed(5).onapi_dialect(dialect).onapi_deduplicates(false).start().await.unwrap()
}

fn order_at(sandbox: &Sandbox, time: Option<&str>) -> NewOrder {
    let (access, service) = offered(sandbox, Availability::Free);
    let order = NewOrder::activate(access, service, id(CUSTOMER)).sla("SLA-1");
    match time {
        Some(time) => order.not_before(time.parse().unwrap()),
        None => order,
    }
}

/// An order of the customer as the network lists it.
fn listed(order: &NewOrder, number: usize, time: Option<&str>) -> Value {
    let sent = serde_json::to_value(order).unwrap();
    let body = &sent["body"];
    let mut listed = json!({
        "orderId": format!("o-{number}"), "accessId": body["accessId"], "service": body["service"],
        "operation": "ACTIVATE", "spReference": CUSTOMER, "state": "DONE_SUCCESS",
    });
    if let Some(time) = time {
        listed["requestedDateTime"] = json!(time);
    }
    listed
}

/// The requested time of an order, if it has one.
type Time = Option<&'static str>;

/// What a look-up finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It is the order with this number.
    Placed(usize),
    Absent,
    Unknown,
}

async fn look_up(sandbox: &Sandbox, network: &OnApi, order: &NewOrder, listed: &[Value]) -> Found {
    // A process ends here, and nobody knows whether the order was sent.
    let mut crashed = crashed(&mut Prepared::new(order.clone()).unwrap(), Duration::from_secs(3600));
    sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!(listed)));
    let found = crashed.reconcile(network).await.unwrap();
    match found {
        Reconciled::Placed(placed) => {
            let number = placed.order_id().unwrap().as_str().strip_prefix("o-").unwrap().parse().unwrap();
            Found::Placed(number)
        }
        Reconciled::Absent => Found::Absent,
        _ => Found::Unknown,
    }
}

#[tokio::test]
async fn only_the_time_distinguishes_the_orders_of_a_customer() {
    use Found::{Absent, Placed, Unknown};
    const MINE: &str = "2026-03-02T08:00:00Z";
    const LATER: &str = "2026-03-02T09:30:00Z";
    const DAYS_LATER: &str = "2026-03-09T08:00:00Z";
    const LONG_AGO: &str = "2020-01-01T00:00:00Z";
    // The time of the order, the times of the orders that the network lists, and what is found where each order has a reference of
    // its own, and where a reference stands for a customer.
    let cases: [(Time, &[Time], Found, Found); 15] = [
        (Some(MINE), &[Some(MINE)], Placed(0), Placed(0)),
        (Some(MINE), &[Some("2026-03-02T09:00:00+01:00")], Placed(0), Placed(0)),
        (Some(MINE), &[Some(LATER)], Placed(0), Unknown),
        (Some(MINE), &[Some(DAYS_LATER)], Unknown, Unknown),
        (Some(MINE), &[Some(LONG_AGO)], Unknown, Absent),
        (Some(MINE), &[None], Placed(0), Unknown),
        (None, &[Some(LONG_AGO)], Placed(0), Unknown),
        (None, &[None], Placed(0), Unknown),
        // Two orders of one settle window.
        (None, &[None, None], Unknown, Unknown),
        (None, &[Some(MINE), Some(LATER)], Unknown, Unknown),
        (Some(MINE), &[None, None], Unknown, Unknown),
        (Some(MINE), &[Some(LATER), Some(LATER)], Unknown, Unknown),
        (Some(MINE), &[Some(LATER), Some(MINE)], Placed(1), Placed(1)),
        (Some(MINE), &[Some(MINE), Some(MINE)], Unknown, Unknown),
        (Some(MINE), &[Some(LONG_AGO), Some(MINE)], Placed(1), Placed(1)),
    ];
    for spoken in Dialect::ALL {
        let sandbox = start(spoken).await;
        for (mine, held, of_its_own, of_a_customer) in cases {
            for (shared, expected) in [(false, of_its_own), (true, of_a_customer)] {
                let order = order_at(&sandbox, mine);
                let held: Vec<Value> =
                    held.iter().enumerate().map(|(number, time)| listed(&order, number, *time)).collect();
                let network = client(&sandbox, shared);
                let found = look_up(&sandbox, &network, &order, &held).await;
                assert_eq!(found, expected, "{}: {mine:?}, shared: {shared}: {held:?}", spoken.name());
            }
        }
    }
}

/// Two workers order the same service for the same customer at the same time, and both responses are lost.
#[tokio::test]
async fn two_orders_in_one_settle_window_are_distinguished_or_undecidable() {
    for spoken in Dialect::ALL {
        for (times, are_apart) in [
            ([None, None], false),
            ([Some("2026-03-02T08:00:00Z"), Some("2026-03-02T08:00:00Z")], false),
            ([Some("2026-03-02T08:00:00Z"), Some("2026-03-02T09:00:00Z")], true),
        ] {
            for shared in [false, true] {
                let sandbox = start(spoken).await;
                let network = client(&sandbox, shared);
                let orders = times.map(|time| order_at(&sandbox, time));
                let mut lost = Vec::new();
                for order in orders {
                    let mut order = Prepared::new(order).unwrap();
                    sandbox.onapi().fail_next("createOrder", Fault::ResetAfter);
                    order.place(&network).await.unwrap_err();
                    lost.push(copy(&order));
                }
                assert_eq!(sandbox.onapi().took_effect("createOrder"), 2);
                let mut ids = Vec::new();
                for order in &mut lost {
                    match order.reconcile(&network).await.unwrap() {
                        Reconciled::Placed(placed) => ids.push(placed.order_id().unwrap()),
                        Reconciled::Absent => panic!("{}: both exist", spoken.name()),
                        _ => assert_eq!(order.state(), PreparedState::Indeterminate),
                    }
                }
                let expected = if are_apart { 2 } else { 0 };
                assert_eq!(ids.len(), expected, "{} {times:?} {shared}", spoken.name());
                ids.dedup();
                assert_eq!(ids.len(), expected, "each is another order");
            }
        }
    }
}

/// The second of two orders is lost, so the only order that the network has is that of the other worker.
#[tokio::test]
async fn the_order_of_another_worker_is_not_taken_for_a_lost_one() {
    for spoken in Dialect::ALL {
        for times in [[None, None], [Some("2026-03-02T08:00:00Z"), Some("2026-03-02T09:00:00Z")]] {
            let sandbox = start(spoken).await;
            let network = client(&sandbox, true);
            let orders = times.map(|time| order_at(&sandbox, time));
            let [first, mut second] = orders.map(|order| Prepared::new(order).unwrap());
            let mut first = first;
            first.place(&network).await.unwrap();
            sandbox.onapi().fail_next("createOrder", Fault::ResetBefore);
            second.place(&network).await.unwrap_err();
            let found = copy(&second).reconcile(&network).await.unwrap();
            assert!(
                !matches!(found, Reconciled::Placed(_) | Reconciled::Absent),
                "{} {times:?}: {found:?}",
                spoken.name()
            );
        }
    }
}

/// Before anything is sent, several orders of a customer do not count as this one either.
#[tokio::test]
async fn a_look_up_before_sending_finds_no_more() {
    let sandbox = start(Dialect::Standard24).await;
    for (shared, held) in [(false, vec![None, None]), (true, vec![None])] {
        let network = client(&sandbox, shared);
        let order = order_at(&sandbox, None);
        let held: Vec<Value> =
            held.iter().enumerate().map(|(number, time)| listed(&order, number, *time)).collect();
        let mut prepared = copy(&Prepared::new(order).unwrap());
        sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!(held)));
        let error = prepared.look_up(&network).await.unwrap_err();
        assert_eq!(error.outcome(), lastmile::Outcome::Indeterminate, "shared: {shared}");
        assert_eq!(sandbox.onapi().count("createOrder"), 0);
    }
}

/// The subscription of an earlier order has the customer's reference, and the network no longer lists that order.
#[tokio::test]
async fn the_subscription_of_an_earlier_order_of_the_customer_is_not_taken_for_a_lost_order() {
    for spoken in Dialect::ALL {
        let sandbox = start(spoken).await;
        let order = order_at(&sandbox, Some("2026-03-02T08:00:00Z"));
        place(&client(&sandbox, true), order.clone()).await;
        done(&sandbox);
        for shared in [false, true] {
            let network = client(&sandbox, shared);
            let mut lost = crashed(&mut Prepared::new(order.clone()).unwrap(), Duration::from_secs(3600));
            sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!([])));
            let found = lost.reconcile(&network).await.unwrap();
            match shared {
                false => assert!(matches!(found, Reconciled::Placed(_)), "{}: {found:?}", spoken.name()),
                true => assert!(matches!(found, Reconciled::Undecidable(_)), "{}: {found:?}", spoken.name()),
            }
        }
        let mut fresh = Prepared::new(order).unwrap();
        sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!([])));
        fresh = copy(&fresh);
        fresh.look_up(&client(&sandbox, true)).await.unwrap_err();
        assert_eq!(sandbox.onapi().count("createOrder"), 1, "{}", spoken.name());
    }
}
