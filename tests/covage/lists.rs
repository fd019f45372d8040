//! Lists as streams, and what they are asked for.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use lastmile::Prepared;
use lastmile::covage::types::ListOrdersType;
use lastmile::covage::{Covage, EventCursor, NewOrder, OrderFilter, OrderSort};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{covage, sandbox};
use serde_json::json;
use tokio::time::timeout;

/// Drafts that end services, by their references.
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
async fn orders_as_a_stream_with_their_total() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let references = drafts(&sandbox, &covage, 60).await;
    let filter = OrderFilter { sort: Some(OrderSort::CreationDate), ..Default::default() };
    let mut orders = covage.orders(filter);
    assert_eq!(orders.total().await.unwrap(), Some(60));
    assert_eq!(orders.total().await.unwrap(), Some(60));
    assert_eq!(sandbox.covage().count("listOrders"), 1, "the page that it was told with");
    let reference = |order: lastmile::wire::Loose<lastmile::covage::types::Order>| {
        order.into_option()?.operator_info.into_option()?.order_ref.into_option()
    };
    let streamed: Vec<_> = orders.into_stream().map_ok(reference).try_collect().await.unwrap();
    assert_eq!(streamed, references.into_iter().map(Some).collect::<Vec<_>>());
    assert_eq!(sandbox.covage().count("listOrders"), 2);
}

#[tokio::test]
async fn a_page_that_fails_is_told_in_the_stream_and_asked_for_again() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    drafts(&sandbox, &covage, 3).await;
    sandbox.covage().answer_next("listOrders", Answer::status(403));
    let orders: Vec<_> = covage.orders(OrderFilter::default()).into_stream().take(4).collect().await;
    assert!(orders[0].is_err() && orders[1..].iter().all(Result::is_ok));
    sandbox.covage().answer_next("listOrders", Answer::status(403));
    assert!(covage.orders(OrderFilter::default()).total().await.is_err());
}

#[tokio::test]
async fn every_field_of_the_filter_is_asked_for() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let filter = OrderFilter {
        reference: Some("O191016_32563".into()),
        type_: Some(ListOrdersType::Terminate),
        status: Some("submitted".into()),
        endpoint_ref: Some("0417101993".into()),
        end_customer: Some("Anka".into()),
        product_family: Some("F".into()),
        product_line: Some("FP".into()),
        sort: Some(OrderSort::SubmissionDateDown),
    };
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
        let filter = OrderFilter { sort: Some(sort), ..Default::default() };
        assert!(covage.orders(filter).next().await.is_none());
        assert!(sandbox.covage().last().unwrap().query.unwrap().contains(&format!("sort={sent}")));
    }
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn services_as_a_stream() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let id =
        |one: lastmile::wire::Loose<lastmile::covage::types::Service>| one.into_option()?.uuid.into_option();
    let streamed: Vec<_> = covage.services().into_stream().map_ok(id).try_collect().await.unwrap();
    let there: Vec<_> = sandbox.covage().services().iter().map(|one| Some(one.uuid.clone())).collect();
    assert_eq!(streamed, there);
}

#[tokio::test]
async fn events_as_a_stream_each_with_the_cursor_behind_it() {
    let sandbox = sandbox().await;
    let page = json!([{ "event_uuid": "e1" }, { "event_uuid": "e2" }, { "event_uuid": "e3" }]);
    sandbox.covage().answer_next("listEvents", Answer::json(200, &page));
    let mut events = pin!(covage(&sandbox).events(EventCursor::default()).into_stream());
    let (first, _) = events.next().await.unwrap().unwrap();
    let (second, cursor) = events.next().await.unwrap().unwrap();
    let ids = [first, second].map(|event| event.into_option().unwrap().event_uuid.into_option().unwrap());
    assert_eq!(ids, ["e1", "e2"]);

    // The process ends here, and another goes on.
    sandbox.covage().answer_next("listEvents", Answer::json(200, &page));
    let mut events = pin!(covage(&sandbox).events(cursor).into_stream());
    let (third, _) = events.next().await.unwrap().unwrap();
    assert_eq!(third.into_option().unwrap().event_uuid.as_deref(), Some("e3"));
}

/// A look that is refused costs no turn, so nothing but the stream itself keeps it from looking again at once.
#[tokio::test]
async fn a_stream_of_events_pauses_after_an_error() {
    let sandbox = sandbox().await;
    sandbox.covage().answer_next("listEvents", Answer::status(403));
    let mut events = pin!(covage(&sandbox).events(EventCursor::default()).into_stream());
    assert!(events.next().await.unwrap().is_err());
    assert!(timeout(Duration::from_millis(300), events.next()).await.is_err(), "30 seconds");
    assert_eq!(sandbox.covage().count("listEvents"), 1);
}

#[tokio::test]
async fn a_number_that_can_be_ported_and_one_that_cannot() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let premises = sandbox.covage().premises();
    let line = |active| {
        premises.iter().filter_map(|one| one.line.as_ref()).find(|line| line.active == active).unwrap()
    };
    for active in [true, false] {
        let answer = covage.portability(&line(active).number).await.unwrap();
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
    let unknown = covage.portability("0100000000").await.unwrap_err();
    assert_eq!(unknown.status().unwrap(), 404);
}
