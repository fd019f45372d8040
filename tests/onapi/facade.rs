//! A method of the facade reaches every operation of the document, and no output identifies a person.

use futures_util::StreamExt as _;
use lastmile::onapi::types::{Access, AccessServices, AccessSubscriptions, OrderChange};
use lastmile::onapi::{
    NewOrder, NewTicket, OnApi, PeriodId, ReceivedOrder, SubscriptionAt, SyncPlan, Synced, TicketChange,
    TicketQuery, types,
};
use lastmile::rules::{DhcpIdentifier, OnApiId};
use lastmile::{HasProgress, Prepared};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Dialect, Sandbox, Spec};
use lastmile_tests::{onapi, sandbox};
use serde_json::json;

async fn sync<T: Synced>(network: &OnApi) {
    let mut run = network.sync::<T>(None, &SyncPlan::default()).await.unwrap();
    while let Some(item) = run.next().await {
        item.unwrap();
    }
}

async fn a_whole_day(dialect: Dialect, unexpected_values: bool) {
    let builder = Sandbox::builder().seed(3).onapi_dialect(dialect);
    let sandbox = builder.onapi_unexpected_values(unexpected_values).start().await.unwrap();
    let network = onapi(&sandbox);
    let id = |text: &str| -> OnApiId { text.parse().unwrap() };
    let known = sandbox.onapi().accesses()[0].clone();
    let access = id(&known.id);
    let directory = network.directory().await.unwrap().unwrap();
    let network = network.with_directory(&directory, &[]);

    network.access_of_option82(&known.option82.parse().unwrap()).await.unwrap();
    let log = DhcpIdentifier { ipv4_remote_id: Some(known.ipv4_remote_id.clone()), ..Default::default() };
    network.access_of_dhcp(&log).await.unwrap();
    network.access(&access).await.unwrap();
    network.offers(&access).await.unwrap();
    network.subscriptions(&access).await.unwrap();
    sync::<Access>(&network).await;
    sync::<AccessServices>(&network).await;
    sync::<AccessSubscriptions>(&network).await;

    network.cpe_status(&access).await.unwrap();
    network.hardware(&access).await.unwrap();
    network.link_status(&access).await.unwrap();
    network.mac_table(&access).await.unwrap();
    network.leases(&access).await.unwrap();
    network.igmp_groups(&access).await.unwrap();

    let order =
        NewOrder::activate(access.clone(), &known.service(Availability::Free).unwrap().service, id("SP-1"));
    let placed = Prepared::new(order).unwrap().place(&network).await.unwrap();
    let placed = placed.order_id().unwrap();
    network.orders_of(&access).await.unwrap();
    // The state may be an unexpected value; the order is received nevertheless.
    network.order(&placed).await.unwrap();
    let received = json!({ "orderId": placed, "state": "RECEIVED" });
    let received: types::Order = serde_json::from_value(received).unwrap();
    let received = || ReceivedOrder::try_from(received.clone()).unwrap();
    let change: OrderChange = serde_json::from_value(json!({ "externalNote": "Later" })).unwrap();
    received().change(&network, &change).await.unwrap();
    let other = NewOrder::activate(access.clone(), "VOIP", id("SP-2"));
    received().replace(&network, &other).await.unwrap();
    received().cancel(&network).await.unwrap();
    let mut events = network.order_events(None);
    events.next().await.unwrap().unwrap();

    let ticket = NewTicket::new("CASE-1", "No link", "The socket is dark");
    let ticket = Prepared::new(ticket).unwrap().place(&network).await.unwrap();
    network.ticket(&ticket).await.unwrap();
    network.tickets(&TicketQuery::default()).await.unwrap();
    Prepared::new(TicketChange::take(ticket)).unwrap().place(&network).await.unwrap();

    let periods = network.invoice_periods().await.unwrap();
    let period = periods.iter().find_map(|period| PeriodId::try_from(&period.get()?.id).ok()).unwrap();
    network.invoice_lines(&period).await.unwrap().next().await.unwrap().unwrap();

    let operations = Spec::onapi().operations();
    let mut reached = 0;
    for operation in operations {
        assert!(sandbox.onapi().count(&operation.id) > 0, "{} is reached by no method", operation.id);
        reached += 1;
    }
    assert_eq!(reached, 29);
    for received in sandbox.onapi().received() {
        assert_eq!(received.problems, Vec::<String>::new(), "{}", received.path);
    }
}

#[tokio::test]
async fn every_operation_is_reached_in_the_standard_s_dialect() {
    a_whole_day(Dialect::Standard26, false).await;
}

#[tokio::test]
async fn every_operation_is_reached_in_the_vendor_s_dialect() {
    a_whole_day(Dialect::Vendor26, false).await;
}

#[tokio::test]
async fn every_operation_is_reached_with_unexpected_values() {
    a_whole_day(Dialect::Vendor26, true).await;
}

/// Texts that no output may contain.
const MARK: &str = "Personal";

#[tokio::test]
async fn debug_and_errors_show_no_personal_data() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let quiet = |text: String| assert!(!text.contains(MARK), "{text}");
    let id = |text: &str| -> OnApiId { text.parse().unwrap() };

    let line = SubscriptionAt { access: id("1"), subscription: id("2") };
    let order = NewOrder::suspend(line, id("3")).note(MARK);
    quiet(format!("{order:?}"));
    quiet(format!("{:?}", Prepared::new(order).unwrap()));
    let held = json!({ "orderId": "1", "state": "RECEIVED", "message": MARK, "externalNote": MARK });
    let held: lastmile::onapi::types::Order = serde_json::from_value(held).unwrap();
    quiet(format!("{:?}", held.progress()));
    quiet(format!("{:?}", ReceivedOrder::try_from(held).unwrap()));

    let event = json!([{ "event": "1", "order": { "path": "/1", "message": MARK } }]);
    sandbox.onapi().answer_next("listOrderEvents", Answer::json(200, &event));
    let mut events = network.order_events(None);
    quiet(format!("{:?} {events:?}", events.next().await));

    let written = "2026-03-03T10:00:00Z".parse().unwrap();
    quiet(format!("{:?}", TicketChange::comment_on("TT-1".parse().unwrap(), MARK, MARK, written)));
    let change: OrderChange = serde_json::from_value(json!({ "externalNote": MARK.repeat(50) })).unwrap();
    let received: types::Order =
        serde_json::from_value(json!({ "orderId": "1", "state": "RECEIVED" })).unwrap();
    let error = ReceivedOrder::try_from(received).unwrap().change(&network, &change).await.unwrap_err();
    quiet(format!("{error} {error:?}"));

    let row = json!([{ "accessId": "1", "streetName": MARK }, MARK]);
    sandbox.onapi().answer_next("listAccesses", Answer::json(200, &row));
    let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
    while let Some(item) = run.next().await {
        quiet(format!("{item:?} {run:?}"));
    }
}
