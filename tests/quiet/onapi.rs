//! What the facade of ON-API shows of marked data.

use futures_util::StreamExt as _;
use lastmile::onapi::types::*;
use lastmile::onapi::{
    Changes, Deleted, Dialect, EndpointName, Networks, NewOrder, NewTicket, OnApi, PeriodId, Placed,
    ReceivedOrder, References, SubscriptionAt, SyncItem, SyncPlan, TicketChange, TicketList, TicketQuery,
};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress, Prepared, Reconciled, RowError};
use lastmile_sandbox::{Answer, Sandbox, Spec};
use lastmile_tests::{brisk, store_and_place};
use serde_json::{Value, json};

use crate::facade::{GLANCE, answer, prepared};
use crate::marks::{ADDRESS, MAC, PASSWORD, PERSONAL, USER, Walked, echo, personal};

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

/// Returns an order with marks, in a network's form.
fn order() -> Value {
    json!({
        "orderId": "7", "state": "RECEIVED", "operation": "ACTIVATE", "accessId": "1", "service": "BB", "spReference": "2",
        "externalNote": PERSONAL, "message": PERSONAL, "equipment": { "macAddress": MAC }, "unlisted": PERSONAL,
    })
}

fn new_order(walked: &Walked) -> Prepared<NewOrder> {
    let equipment = EquipmentRequest { mac_address: Some(MAC.into()), ..Default::default() };
    let addresses = CharacteristicsRequest { ip_addresses: Some(vec![ADDRESS.into()]), ..Default::default() };
    let order = NewOrder::activate(id("1"), "BB", id("2")).note(PERSONAL);
    prepared(walked, order.equipment(equipment).characteristics(addresses))
}

pub async fn walk(sandbox: &Sandbox, walked: &Walked) {
    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(USER, PASSWORD)
        .policy(brisk())
        .observer(walked.observer())
        .build()
        .unwrap();
    walked.debug(&network);
    walked.debug(&Networks::from_iter([("ankeborg", network.clone())]));
    walked.debug(&network.dialect());
    walked.debug(&PERSONAL.parse::<Dialect>().unwrap_err());
    orders(sandbox, &network, walked).await;
    tickets(sandbox, &network, walked).await;
    lists(sandbox, &network, walked).await;
    directory(sandbox, &network, walked).await;
}

async fn orders(sandbox: &Sandbox, network: &OnApi, walked: &Walked) {
    let supplier = sandbox.onapi();
    walked.error(&store_and_place(&mut new_order(walked), network).await.unwrap_err()); // a wrong password

    let subscription =
        json!({ "service": "BB", "spReference": "2", "option82": PERSONAL, "unlisted": PERSONAL });
    let nothing_to_list = |operation: &str| {
        supplier.answer_next(operation, Answer::json(404, &json!({ "cause": PERSONAL })));
    };
    // The network already holds it, as an order and as a subscription.
    supplier.answer_next("listOrders", Answer::json(200, &json!([order(), PERSONAL])));
    walked.debug(&store_and_place(&mut new_order(walked), network).await.unwrap());
    nothing_to_list("listOrders");
    let held = json!({ "accessId": "1", "subscriptions": [subscription] });
    supplier.answer_next("getSubscriptions", Answer::json(200, &held));
    let placed = store_and_place(&mut new_order(walked), network).await.unwrap();
    assert!(matches!(placed, Placed::Subscription(_)), "{placed:?}");
    walked.debug(&placed);
    // Ordered, and rejected.
    for (status, body) in [(201, &order()), (409, &echo())] {
        nothing_to_list("listOrders");
        nothing_to_list("getSubscriptions");
        supplier.answer_next("createOrder", Answer::json(status, body));
        match store_and_place(&mut new_order(walked), network).await {
            Ok(placed) => walked.debug(&placed),
            Err(error) => walked.error(&error),
        }
    }
    supplier.answer_next("getOrder", Answer::json(200, &order()));
    walked.error(&network.wait_for_order(&id("7"), &GLANCE).await.unwrap_err());

    supplier.answer_next("getOrder", Answer::json(200, &order()));
    let received = ReceivedOrder::try_from(network.order(&id("7")).await.unwrap()).unwrap();
    walked.debug(&received);
    walked.debug(&received.order().progress());
    let change = OrderChange { external_note: personal(), message: personal(), ..Default::default() };
    walked.debug(&change);
    walked.error(&received.change(network, &change).await.unwrap_err());
    supplier.answer_next("cancelOrder", Answer::json(409, &echo()));
    walked.error(&received.cancel(network).await.unwrap_err());

    let line = SubscriptionAt { access: id("1"), subscription: id("3") };
    walked.debug(&line);
    let new = References { reference: Some(id("4")), subscription: None };
    walked.debug(&new);
    prepared(walked, NewOrder::modify(line, new).note(PERSONAL));
    supplier.answer_next("getServices", Answer::json(200, &answer(Spec::onapi(), "getServices")));
    let offers = network.offers(&id("text")).await.unwrap();
    walked.debug(&offers);
    let offer = offers.iter().next().unwrap();
    walked.debug(&offer);
    let availability = offer.availability(std::time::SystemTime::now());
    walked.debug(&offer.available());
    walked.debug(&availability);
    walked.debug(&availability.state);
    let permit = offer.takeover_permit().unwrap();
    walked.debug(&permit);
    prepared(walked, NewOrder::take_over(permit, id("5")));
}

async fn tickets(sandbox: &Sandbox, network: &OnApi, walked: &Walked) {
    let supplier = sandbox.onapi();
    let info = TicketInfoRequest { ip: personal(), mac: personal(), ..Default::default() };
    let ticket = NewTicket::new("TT-1", PERSONAL, PERSONAL).created_by(PERSONAL).info(info);
    let mut ticket = prepared(walked, ticket);
    supplier.answer_next("listTickets", Answer::json(404, &json!({ "cause": PERSONAL })));
    let opened = json!({ "coTicketReference": "9", "unlisted": PERSONAL });
    supplier.answer_next("createTicket", Answer::json(201, &opened));
    let reference = store_and_place(&mut ticket, network).await.unwrap();
    walked.both(&reference);
    let mut lost = prepared(walked, NewTicket::new("TT-2", PERSONAL, PERSONAL));
    for answer in [Answer::json(404, &json!({ "cause": PERSONAL })), Answer::json(200, &json!([PERSONAL]))] {
        supplier.answer_next("listTickets", answer);
    }
    supplier.answer_next("createTicket", Answer::json(500, &echo()));
    walked.error(&store_and_place(&mut lost, network).await.unwrap_err());
    let found = lost.reconcile(network).await.unwrap();
    walked.debug(&found);
    let Reconciled::Indeterminate(later) = found else { panic!("it cannot be told from another") };
    walked.both(&later);
    let written = "2026-01-01T00:00:00Z".parse().unwrap();
    prepared(walked, TicketChange::comment_on(reference, PERSONAL, PERSONAL, written));

    let query = TicketQuery::default();
    walked.debug(&query);
    supplier.answer_next("listTickets", Answer::json(200, &answer(Spec::onapi(), "listTickets")));
    let list = network.tickets(&query).await.unwrap();
    walked.debug(&list);
    let TicketList::Tickets { tickets, .. } = list else { panic!("there is one") };
    assert_eq!(tickets.await.unwrap().len(), 1);
}

async fn lists(sandbox: &Sandbox, network: &OnApi, walked: &Walked) {
    let supplier = sandbox.onapi();
    let option = "520A0108506572736F6E616C".parse().unwrap();
    supplier.answer_next("lookupOption82", Answer::json(404, &echo()));
    walked.error(&network.access_of_option82(&option).await.unwrap_err());
    let rows = || {
        let answer =
            Answer::status(200).header("content-type", "application/json").header("last-modified", "then");
        let body = r#"[{"streetName":"Personal","city":"a","city":"Personal"}, "Personal", {"streetName":"Personal"}]"#;
        supplier.answer_next("listAccesses", answer.body(body));
    };
    rows();
    let changes = network.accesses(None).await.unwrap();
    walked.debug(&changes);
    supplier.answer_next("listAccesses", Answer::json(404, &echo()));
    walked.debug(&network.accesses(None).await.unwrap());
    let changes = {
        rows();
        network.accesses(None).await.unwrap()
    };
    let Changes::Rows(mut list) = changes else { panic!("rows") };
    let mut unreadable = 0;
    while let Some(row) = list.next().await {
        match row {
            Ok(access) => walked.debug(&access),
            Err(error) => {
                walked.error(&error);
                let RowError::Unreadable(row) = &error else { panic!("{error}") };
                walked.debug(row.as_ref());
                unreadable += 1;
            }
        }
    }
    assert_eq!(unreadable, 2);
    walked.debug(list.as_ref());
    walked.debug(list.cursor().unwrap());
    let unsendable = network.accesses(Some(&serde_json::from_value(json!("Personal\n")).unwrap())).await;
    walked.error(&unsendable.unwrap_err());

    walked.debug(&SyncPlan::default());
    supplier.answer_next("listEvents", Answer::json(200, &answer(Spec::onapi(), "listEvents")));
    rows();
    let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
    walked.debug(&run);
    while let Some(item) = run.next().await {
        match item {
            Ok(item) => walked.debug(&item),
            Err(error) => walked.error(&error),
        }
    }
    walked.debug(run.state().unwrap());
    walked.debug(&SyncItem::<Access>::Deleted(Deleted::Access("1".into())));
    walked.debug(&Deleted::Access("1".into()));

    let mut events = network.order_events(None);
    supplier.answer_next("listOrderEvents", Answer::json(200, &answer(Spec::onapi(), "listOrderEvents")));
    let event = events.next().await.unwrap().unwrap();
    walked.debug(&event);
    walked.debug(event.cursor.as_ref().unwrap());
    walked.debug(&events);
    let period: PeriodId = "202512".parse().unwrap();
    walked.both(&period);
    supplier.answer_next("getInvoiceLines", Answer::json(200, &answer(Spec::onapi(), "getInvoiceLines")));
    let mut lines = network.invoice_lines(&period).await.unwrap();
    walked.debug(&lines.next().await.unwrap().unwrap());
    walked.debug(&lines);
}

/// Returns the directory entry of a network.
async fn directory(sandbox: &Sandbox, network: &OnApi, walked: &Walked) {
    let supplier = sandbox.onapi();
    supplier.answer_next("listEndpoints", Answer::json(200, &answer(Spec::onapi(), "listEndpoints")));
    let directory = network.directory().await.unwrap().unwrap();
    walked.debug(&directory);
    let network = network.with_directory(&directory, &["https://orders.co.example"]);
    walked.debug(&network);
    walked.debug(&EndpointName::Orders);
    walked.error(&network.open_orders().await.unwrap_err());
}
