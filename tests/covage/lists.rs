//! Lists as streams, and the parameters that they send.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use lastmile::covage::types::ListOrdersType;
use lastmile::covage::{Covage, EventCursor, NewOrder, OrderFilter, OrderSort};
use lastmile::{Outcome, Poll, Prepared, Reconciled};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{covage, sandbox, settled};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Creates drafts that terminate services, and returns their references.
async fn drafts(sandbox: &Sandbox, covage: &Covage, count: usize) -> Vec<String> {
    let services = sandbox.covage().services();
    let services = services.iter().filter(|one| one.active && one.product != "EN01").cycle();
    let mut references = Vec::new();
    for (number, service) in services.take(count).enumerate() {
        references.push(format!("SP-{number}"));
        let order = NewOrder::terminate(&service.uuid).reference(&references[number]);
        Prepared::new(order).unwrap().place(covage).await.unwrap();
    }
    references
}

#[tokio::test]
async fn orders_are_streamed_with_their_total() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let references = drafts(&sandbox, &covage, 60).await;
    let filter = OrderFilter::default().with_sort(OrderSort::CreationDate);
    let mut orders = covage.orders(filter);
    assert_eq!(orders.total().await.unwrap(), Some(60));
    assert_eq!(orders.total().await.unwrap(), Some(60));
    assert_eq!(sandbox.covage().count("listOrders"), 1, "the page that it was told with");
    let reference = |order: lastmile::wire::Lenient<lastmile::covage::types::Order>| {
        order.into_option()?.operator_info.into_option()?.order_ref.into_string()
    };
    let streamed: Vec<_> = orders.map_ok(reference).try_collect().await.unwrap();
    assert_eq!(streamed, references.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(sandbox.covage().count("listOrders"), 2);
}

#[tokio::test]
async fn a_failed_page_is_reported_and_requested_again() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    drafts(&sandbox, &covage, 3).await;
    sandbox.covage().answer_next("listOrders", Answer::status(403));
    let orders: Vec<_> = covage.orders(OrderFilter::default()).take(4).collect().await;
    assert!(orders[0].is_err() && orders[1..].iter().all(Result::is_ok));
    sandbox.covage().answer_next("listOrders", Answer::status(403));
    assert!(covage.orders(OrderFilter::default()).total().await.is_err());
}

#[tokio::test]
async fn every_field_of_the_filter_is_sent() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let filter = OrderFilter::default()
        .with_reference("O191016_32563")
        .with_type(ListOrdersType::Terminate)
        .with_status("submitted")
        .with_endpoint_ref("0417101993")
        .with_end_customer("Anka")
        .with_product_family("F")
        .with_product_line("FP")
        .with_sort(OrderSort::SubmissionDateDown);
    assert!(covage.orders(filter).next().await.is_none());
    let query = sandbox.covage().last().unwrap().query.unwrap();
    let asked: BTreeSet<&str> = query.split('&').collect();
    let expected = [
        "reference=O191016_32563",
        "type=terminate",
        "status=submitted",
        "endpoint_ref=0417101993",
        "end_customer=Anka",
        "product_family=F",
        "product_line=FP",
        "sort=-submission_date",
        "limit=50",
        "offset=0",
    ];
    assert_eq!(asked, BTreeSet::from(expected));
    let sorts = [
        (OrderSort::Reference, "reference"),
        (OrderSort::ReferenceDown, "-reference"),
        (OrderSort::CreationDate, "creation_date"),
        (OrderSort::CreationDateDown, "-creation_date"),
        (OrderSort::SubmissionDate, "submission_date"),
    ];
    for (sort, sent) in sorts {
        let filter = OrderFilter::default().with_sort(sort);
        assert!(covage.orders(filter).next().await.is_none());
        assert!(sandbox.covage().last().unwrap().query.unwrap().contains(&format!("sort={sent}")));
    }
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn services_are_streamed() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let id = |one: lastmile::wire::Lenient<lastmile::covage::types::Service>| {
        one.into_option()?.uuid.into_string()
    };
    let streamed: Vec<_> = covage.services().map_ok(id).try_collect().await.unwrap();
    let there: Vec<_> = sandbox.covage().services().iter().map(|one| Some(one.uuid.clone())).collect();
    assert_eq!(streamed, there);
}

#[tokio::test]
async fn events_are_streamed_each_with_the_cursor_after_it() {
    let sandbox = sandbox().await;
    let page = json!([{ "event_uuid": "e1" }, { "event_uuid": "e2" }, { "event_uuid": "e3" }]);
    sandbox.covage().answer_next("listEvents", Answer::json(200, &page));
    let mut events = covage(&sandbox).events(EventCursor::default());
    let first = events.next().await.unwrap().unwrap();
    let second = events.next().await.unwrap().unwrap();
    assert_eq!(events.cursor(), &second.cursor);
    let cursor = second.cursor;
    let ids = [first.event, second.event]
        .map(|event| event.into_option().unwrap().event_uuid.into_string().unwrap());
    assert_eq!(ids, ["e1", "e2"]);

    // The process ends here, and another one continues.
    sandbox.covage().answer_next("listEvents", Answer::json(200, &page));
    let mut events = covage(&sandbox).events(cursor);
    let third = events.next().await.unwrap().unwrap();
    assert_eq!(third.event.into_option().unwrap().event_uuid.as_deref(), Some("e3"));
}

/// A rejected poll does not use up the interval, so only the stream's own backoff prevents an immediate poll.
#[tokio::test]
async fn an_event_stream_backs_off_after_an_error() {
    let sandbox = sandbox().await;
    sandbox.covage().answer_next("listEvents", Answer::status(403));
    let mut events = covage(&sandbox).events(EventCursor::default()).follow(Poll::default());
    assert!(events.next().await.unwrap().is_err());
    assert!(timeout(Duration::from_millis(300), events.next()).await.is_err(), "10 seconds");
    assert_eq!(sandbox.covage().count("listEvents"), 1);
}

fn order(uuid: &str) -> Value {
    json!({ "uuid": uuid, "status": "draft", "operator_info": { "order_ref": format!("SP-{uuid}") } })
}

/// Returns the ids of all orders (`?` for an unreadable one), and the outcome of the error that ended the list, if any.
async fn read(covage: &Covage) -> (Vec<String>, Option<Outcome>) {
    let mut orders = covage.orders(OrderFilter::default());
    let mut ids = Vec::new();
    while let Some(order) = orders.next().await {
        match order {
            Ok(order) => {
                ids.push(order.get().and_then(|order| order.uuid.as_deref()).unwrap_or("?").to_owned());
            }
            Err(error) => return (ids, Some(error.outcome())),
        }
        assert!(ids.len() < 100, "there is no end to the orders");
    }
    (ids, None)
}

#[tokio::test]
async fn a_list_in_an_envelope_is_read() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let next = |body: Value| sandbox.covage().answer_next("listOrders", Answer::json(200, &body));
    next(json!({ "count": 1, "next": null, "previous": null, "results": [order("1")] }));
    assert_eq!(read(&covage).await, (vec!["1".to_owned()], None));
    assert_eq!(sandbox.covage().count("listOrders"), 1, "the count tells that it is all");

    next(json!({ "count": 3, "next": "https://sp.example/?offset=2", "results": [order("1"), order("2")] }));
    next(json!({ "count": 3, "next": null, "results": [order("3")] }));
    let mut orders = covage.orders(OrderFilter::default());
    assert_eq!(orders.total().await.unwrap(), Some(3));
    let mut ids = Vec::new();
    while let Some(order) = orders.next().await {
        ids.push(order.unwrap().into_option().unwrap().uuid.into_string().unwrap());
    }
    assert_eq!(ids, ["1", "2", "3"]);
    assert!(sandbox.covage().last().unwrap().query.unwrap().contains("offset=2"));

    next(json!({ "next": null, "results": [order("1")] }));
    assert_eq!(read(&covage).await, (vec!["1".to_owned()], None), "no page follows");

    // A list without pages is complete, or it is an error.
    let contacts = |body: Value| sandbox.covage().answer_next("listContacts", Answer::json(200, &body));
    contacts(json!({ "count": 1, "next": null, "results": [{ "contact_uuid": "c" }] }));
    assert_eq!(covage.contacts().await.unwrap().len(), 1);
    for part in [
        json!({ "count": 2, "next": null, "results": [{ "contact_uuid": "c" }] }),
        json!({ "next": "https://sp.example/?page=2", "results": [{ "contact_uuid": "c" }] }),
    ] {
        contacts(part);
        let error = covage.contacts().await.unwrap_err();
        assert!(
            error.outcome() == Outcome::Decode && error.to_string().contains("a part of a list"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_list_is_an_error() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    for body in [
        json!({ "detail": "later" }),
        json!({}),
        json!({ "orders": [order("1")] }),
        json!({ "uuid": null, "detail": "later" }),
        json!("later"),
        json!(0),
    ] {
        for list in ["listOrders", "listServices", "listEvents", "listContacts"] {
            sandbox.covage().answer_next(list, Answer::json(200, &body));
        }
        assert_eq!(read(&covage).await, (vec![], Some(Outcome::Decode)), "{body}");
        let service = covage.services().next().await.unwrap();
        assert_eq!(service.unwrap_err().outcome(), Outcome::Decode, "{body}");
        assert_eq!(covage.contacts().await.unwrap_err().outcome(), Outcome::Decode, "{body}");
        // The client is new, so its poll is not too early.
        let mut events = lastmile_tests::covage(&sandbox).events(EventCursor::default());
        assert_eq!(events.poll().await.unwrap_err().outcome(), Outcome::Decode, "{body}");
        assert_eq!(events.cursor(), &EventCursor::default(), "it does not pass what it has not read");
    }
    // One order without brackets is a list of one.
    sandbox.covage().answer_next("listOrders", Answer::json(200, &order("1")));
    sandbox.covage().answer_next("listOrders", Answer::status(204));
    assert_eq!(read(&covage).await, (vec!["1".to_owned()], None));
}

#[tokio::test]
async fn a_look_up_does_not_read_an_error_as_an_empty_list() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox).with_policy(settled());
    let services = sandbox.covage().services();
    let service = services.iter().find(|one| one.active && one.product != "EN01").unwrap();
    let mut draft = Prepared::new(NewOrder::terminate(&service.uuid).reference("SP-77")).unwrap();
    sandbox.covage().answer_next("createOrder", Answer::status(504));
    draft.place(&covage).await.unwrap_err();
    for body in [json!({ "detail": "later" }), json!({ "orders": [] })] {
        sandbox.covage().answer_next("listOrders", Answer::json(200, &body));
        assert_eq!(draft.reconcile(&covage).await.unwrap_err().outcome(), Outcome::Decode, "{body}");
    }
    let mine = json!({ "uuid": "u-1", "status": "draft", "operator_info": { "order_ref": "SP-77" } });
    let envelope = json!({ "count": 1, "next": null, "previous": null, "results": [mine] });
    sandbox.covage().answer_next("listOrders", Answer::json(200, &envelope));
    assert!(matches!(draft.reconcile(&covage).await.unwrap(), Reconciled::Placed(_)));
}

#[tokio::test]
async fn a_404_after_the_last_page_ends_the_list() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let page = || Answer::json(200, &json!([order("1"), order("2")]));
    for end in [
        Answer::json(404, &json!({ "detail": "Invalid page." })),
        Answer::status(404),
        Answer::status(204),
        Answer::json(200, &json!([])),
        Answer::json(200, &json!(null)),
    ] {
        sandbox.covage().answer_next("listOrders", page());
        sandbox.covage().answer_next("listOrders", end);
        assert_eq!(read(&covage).await, (vec!["1".to_owned(), "2".to_owned()], None));
    }
    // This does not hold on the first page, if more elements are announced, or for a gateway's response.
    sandbox.covage().answer_next("listOrders", Answer::json(404, &json!({ "detail": "Not found." })));
    assert_eq!(read(&covage).await, (vec![], Some(Outcome::Rejected)));
    for (first, end) in [
        (page().header("x-total-count", "3"), Answer::json(404, &json!({ "detail": "Invalid page." }))),
        (page(), Answer::status(404).header("content-type", "text/html").body("<html>")),
    ] {
        sandbox.covage().answer_next("listOrders", first);
        sandbox.covage().answer_next("listOrders", end);
        assert_eq!(read(&covage).await.1, Some(Outcome::Rejected));
    }
    sandbox.covage().answer_next("listServices", Answer::json(200, &json!([{ "uuid": "s" }])));
    sandbox.covage().answer_next("listServices", Answer::json(404, &json!({ "detail": "Invalid page." })));
    let services: Vec<_> = covage.services().collect().await;
    assert!(services.len() == 1 && services[0].is_ok());
}

#[tokio::test]
async fn a_repeated_page_does_not_loop() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    for page in [json!([order("1"), order("2")]), json!([{ "status": "draft" }, 7])] {
        for _ in 0..2 {
            sandbox.covage().answer_next("listOrders", Answer::json(200, &page));
        }
        let (ids, end) = read(&covage).await;
        assert_eq!((ids.len(), end), (2, Some(Outcome::Decode)), "{page}");
    }
    for _ in 0..2 {
        sandbox.covage().answer_next("listServices", Answer::json(200, &json!([7, 8])));
    }
    let services: Vec<_> = covage.services().collect().await;
    assert_eq!(services.len(), 2);
}

#[tokio::test]
async fn the_portability_of_a_number_is_read() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let premises = sandbox.covage().premises();
    let line = |active| {
        premises.iter().filter_map(|one| one.line.as_ref()).find(|line| line.active == active).unwrap()
    };
    for active in [true, false] {
        let answer = covage.portability(&line(active).number.parse().unwrap()).await.unwrap();
        let offer = answer[0].get().unwrap();
        assert_eq!(offer.type_.as_deref(), Some("port_in"));
        assert!(offer.provider.as_deref().is_some_and(|provider| !provider.is_empty()));
        let eligibility = offer.eligibility.get().unwrap();
        assert_eq!(eligibility.eligible.get(), Some(&active));
        let reasons: Vec<_> = eligibility.reasons.iter().filter_map(|one| one.get()).collect();
        let codes: Vec<_> = reasons.iter().filter_map(|one| one.code.as_deref()).collect();
        assert_eq!(codes, if active { &[][..] } else { &["2105"] });
        assert!(reasons.iter().all(|one| one.message.as_deref().is_some_and(|words| !words.is_empty())));
    }
    let unknown = covage.portability(&"0100000000".parse().unwrap()).await.unwrap_err();
    assert_eq!(unknown.status().unwrap(), 404);
}
