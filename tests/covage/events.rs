//! Events are delivered in order, none lost and none twice.

use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::covage::types::{OperatorInfoUpdate, OrderUpdate};
use lastmile::covage::{ConfirmTermination, Covage, EventCursor, Information, NewOrder, OrderId};
use lastmile::{HasProgress, OrderStage, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{covage, crashed, sandbox};
use serde_json::{Value, json};

/// Polls once as a newly started service, which therefore need not wait for the interval, and ends. Returns the ids of
/// the delivered events, and the cursor as the store holds it.
async fn look(sandbox: &Sandbox, cursor: EventCursor) -> (Vec<String>, EventCursor) {
    look_and_take(sandbox, cursor, usize::MAX).await
}

async fn look_and_take(sandbox: &Sandbox, cursor: EventCursor, most: usize) -> (Vec<String>, EventCursor) {
    let mut events = covage(sandbox).events(cursor);
    events.poll().await.unwrap();
    let mut told = Vec::new();
    while told.len() < most {
        let Some(event) = events.pop() else { break };
        told.push(event.get().unwrap().event_uuid.as_deref().unwrap().to_owned());
    }
    let stored = serde_json::to_string(events.cursor()).unwrap();
    (told, serde_json::from_str(&stored).unwrap())
}

/// Returns a list of events in the supplier's form.
fn list(ids: impl IntoIterator<Item = u32>) -> Value {
    ids.into_iter().map(|id| json!({ "event_uuid": format!("e{id}"), "type": "order-running" })).collect()
}

fn ids(ids: impl IntoIterator<Item = u32>) -> Vec<String> {
    ids.into_iter().map(|id| format!("e{id}")).collect()
}

/// Polls this list, of which the supplier returns at most this many events.
async fn look_at(
    sandbox: &Sandbox,
    all: &[u32],
    most: usize,
    cursor: EventCursor,
) -> (Vec<String>, EventCursor) {
    // A rejected poll shows the requested offset, and does not use up the interval.
    sandbox.covage().answer_next("listEvents", Answer::status(403));
    covage(sandbox).events(cursor.clone()).poll().await.unwrap_err();
    let query = sandbox.covage().last().unwrap().query.unwrap();
    let offset = query.split('&').find_map(|part| part.strip_prefix("offset=")).unwrap();
    let page = list(all.iter().skip(offset.parse().unwrap()).take(most).copied());
    sandbox.covage().answer_next("listEvents", Answer::json(200, &page));
    look(sandbox, cursor).await
}

/// Terminates every service that can be terminated, and returns the ids of all events.
async fn end_services(sandbox: &Sandbox) -> Vec<String> {
    let client = covage(sandbox);
    let services = sandbox.covage().services().iter().filter(|one| one.active && one.product != "EN01");
    for (number, service) in services.enumerate() {
        end(&client, &service.uuid, number).await;
        sandbox.covage().advance();
    }
    look(sandbox, EventCursor::default()).await.0
}

async fn end(covage: &Covage, service: &str, number: usize) {
    let order = NewOrder::terminate(service).reference(format!("SP-{number}"));
    let mut draft = Prepared::new(order).unwrap().place(covage).await.unwrap();
    let info = OperatorInfoUpdate { order_name: Some("The end".into()), ..Default::default() };
    let data = OrderUpdate { operator_info: Some(info), ..Default::default() };
    draft.complete(covage, &data).await.unwrap();
    let termination = draft.termination(ConfirmTermination::new(service)).unwrap();
    Prepared::new(termination).unwrap().place(covage).await.unwrap();
}

#[tokio::test]
async fn events_are_delivered_once_over_restarts() {
    let sandbox = sandbox().await;
    let client = covage(&sandbox);
    let (mut told, mut cursor) = (Vec::new(), EventCursor::default());
    let services = sandbox.covage().services().iter().filter(|one| one.active && one.product != "EN01");
    for (number, service) in services.enumerate() {
        end(&client, &service.uuid, number).await;
        sandbox.covage().advance();
        // The service stops after one event, and restarts with the stored cursor.
        for most in [1, usize::MAX, usize::MAX] {
            let (news, stored) = look_and_take(&sandbox, cursor, most).await;
            told.extend(news);
            cursor = stored;
        }
    }
    let (all, _) = look(&sandbox, EventCursor::default()).await;
    assert!(all.len() > 10, "{}", all.len());
    assert_eq!(told, all);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn short_pages_lose_no_events() {
    let sandbox = sandbox().await;
    let all: Vec<u32> = (0..100).collect();
    let (mut told, mut cursor) = (Vec::new(), EventCursor::default());
    // Fewer events per page than the cursor remembers.
    for _ in 0..40 {
        let (news, stored) = look_at(&sandbox, &all, 7, cursor).await;
        told.extend(news);
        cursor = stored;
    }
    assert_eq!(told, ids(0..100));
}

#[tokio::test]
async fn a_late_event_is_delivered_without_repeating_others() {
    let sandbox = sandbox().await;
    let (told, cursor) = look_at(&sandbox, &[1, 2, 3, 5, 6], 500, EventCursor::default()).await;
    assert_eq!(told, ids([1, 2, 3, 5, 6]));
    let (told, mut cursor) = look_at(&sandbox, &[1, 2, 3, 4, 5, 6, 7], 500, cursor).await;
    assert_eq!(told, ids([4, 7]));
    for _ in 0..4 {
        let (told, stored) = look_at(&sandbox, &[1, 2, 3, 4, 5, 6, 7], 500, cursor).await;
        assert_eq!(told, ids([]));
        cursor = stored;
    }
}

#[tokio::test]
async fn the_position_is_recovered_after_old_events_were_deleted() {
    let sandbox = sandbox().await;
    let all: Vec<u32> = (0..300).collect();
    let (told, mut cursor) = look_at(&sandbox, &all, 500, EventCursor::default()).await;
    assert_eq!(told.len(), 300);
    // 120 events are deleted and 5 are new; then all are deleted and 10 are new.
    for (now, new) in [(120..305, 300..305), (1000..1010, 1000..1010)] {
        let now: Vec<u32> = now.collect();
        let mut told = Vec::new();
        for _ in 0..8 {
            let (news, stored) = look_at(&sandbox, &now, 100, cursor).await;
            told.extend(news);
            cursor = stored;
        }
        assert_eq!(told, ids(new));
    }
}

#[tokio::test]
async fn the_position_is_recovered_after_a_404_for_the_offset() {
    let sandbox = sandbox().await;
    let all: Vec<u32> = (0..300).collect();
    let (_, mut cursor) = look_at(&sandbox, &all, 500, EventCursor::default()).await;
    // All but the last events are deleted, and the supplier rejects an offset beyond the end.
    let mut told = Vec::new();
    let now: Vec<u32> = (290..303).collect();
    for _ in 0..8 {
        sandbox.covage().answer_next("listEvents", Answer::status(403));
        covage(&sandbox).events(cursor.clone()).poll().await.unwrap_err();
        let query = sandbox.covage().last().unwrap().query.unwrap();
        let offset = query.split('&').find_map(|part| part.strip_prefix("offset=")).unwrap();
        let rest = now.get(offset.parse::<usize>().unwrap()..).filter(|rest| !rest.is_empty());
        let answer = match rest {
            Some(rest) => Answer::json(200, &list(rest.iter().copied())),
            None => Answer::json(404, &json!({ "detail": "Invalid page." })),
        };
        sandbox.covage().answer_next("listEvents", answer);
        let (news, stored) = look(&sandbox, cursor).await;
        told.extend(news);
        cursor = stored;
    }
    assert_eq!(told, ids(300..303));
    // A 404 for offset 0 is an error.
    sandbox.covage().answer_next("listEvents", Answer::json(404, &json!({ "detail": "Not found." })));
    let error = covage(&sandbox).events(EventCursor::default()).poll().await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Rejected);
}

#[tokio::test]
async fn the_sandbox_list_may_shrink_and_have_short_pages() {
    let sandbox = sandbox().await;
    let (mut told, mut cursor) = (Vec::new(), EventCursor::default());
    let expected = end_services(&sandbox).await;
    sandbox.covage().limit_event_page(3);
    for round in 0..12 {
        let (news, stored) = look(&sandbox, cursor).await;
        told.extend(news);
        cursor = stored;
        if round == 2 {
            sandbox.covage().delete_oldest_events(2);
        }
    }
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_poll_before_the_interval_is_throttled_and_keeps_the_cursor() {
    let sandbox = sandbox().await;
    sandbox.covage().answer_next("listEvents", Answer::json(200, &list([1, 2])));
    let mut events = covage(&sandbox).events(EventCursor::default());
    assert_eq!(events.poll().await.unwrap(), 2);
    assert_eq!(events.poll().await.unwrap(), 2, "what is there is not asked for again");
    assert!(events.next().await.unwrap().is_ok() && events.pop().is_some() && events.pop().is_none());
    let cursor = events.cursor().clone();
    let error = events.poll().await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Throttled, 0));
    assert_eq!((events.cursor(), sandbox.covage().count("listEvents")), (&cursor, 1));
}

async fn deferred(sandbox: &Sandbox, covage: &Covage) -> OrderId {
    let premises = sandbox.covage().premises();
    let building =
        premises.iter().flat_map(|one| &one.buildings).find(|one| !one.sockets.is_empty()).unwrap();
    let otp = building.sockets[0].reference.parse().unwrap();
    let offers = covage.offers_for_socket(&otp).await.unwrap();
    let eligibility = offers.eligibility_ref.as_deref().unwrap();
    let order = NewOrder::fibre(eligibility, "FP01", lastmile::covage::Fibre::ActivateDefined).with(|body| {
        body.end_customer = serde_json::from_value(json!({
            "type": "unregistered", "name": "Ankeborg Epicerie",
            "contact": { "first_name": "K", "last_name": "A", "email": "k@sp.example", "phone_number": "0123456789" },
        }))
        .ok();
        body.operator_info = serde_json::from_value(json!({
            "order_ref": "SP-1", "order_name": "defer it", "contact_uuid": sandbox.covage().contact_uuid(),
        }))
        .ok();
    });
    let draft = Prepared::new(order).unwrap().place(covage).await.unwrap();
    let uuid = draft.id().clone();
    Prepared::new(draft.submission().unwrap()).unwrap().place(covage).await.unwrap();
    uuid
}

#[tokio::test]
async fn a_deferred_order_continues_after_stop_deferred() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let order = deferred(&sandbox, &covage).await;
    let mut stages = Vec::new();
    for _ in 0..3 {
        stages.push(covage.order(&order).await.unwrap().progress().stage());
        sandbox.covage().advance();
    }
    let waits = covage.order(&order).await.unwrap().progress();
    assert_eq!((waits.stage(), waits.supplier_status()), (OrderStage::WaitingForUs, Some("deferred")));
    assert_eq!(stages, [OrderStage::Received, OrderStage::Received, OrderStage::WaitingForUs]);

    let told = || Information::new(order.clone(), "The door code is 4711").stop_deferred();
    let mut first = Prepared::new(told()).unwrap();
    assert!(first.place(&covage).await.unwrap().info.get().is_some());
    let mut second = Prepared::new(told()).unwrap();
    let error = second.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), second.state()), (Outcome::Throttled, PreparedState::Ready));
    assert!(matches!(first.reconcile(&covage).await.unwrap(), Reconciled::Placed(_)), "it is known");
    let mut lost = crashed(&mut Prepared::new(told()).unwrap(), Duration::from_secs(3600));
    assert!(matches!(lost.reconcile(&covage).await.unwrap(), Reconciled::Undecidable(_)));
    let own = |stage| (stage, covage.order(&order));
    for expected in [OrderStage::InProgress, OrderStage::Done] {
        sandbox.covage().advance();
        let (expected, order) = own(expected);
        assert_eq!(order.await.unwrap().progress().stage(), expected);
    }
    let refused = Prepared::new(Information::new("1".parse().unwrap(), " ")).unwrap_err();
    assert_eq!(refused.outcome(), Outcome::Invalid);
    assert!(!format!("{first:?} {:?}", first.request()).contains("4711"));
}

#[test]
fn every_status_maps_to_a_stage() {
    let stage = |status: Value| {
        let order = json!({ "status": status });
        serde_json::from_value::<lastmile::covage::types::Order>(order).unwrap().progress()
    };
    for (word, expected) in [
        ("draft", OrderStage::WaitingForUs),
        ("submitted", OrderStage::Received),
        ("acknowledged", OrderStage::Received),
        ("running", OrderStage::InProgress),
        ("processing", OrderStage::InProgress),
        ("deferred", OrderStage::WaitingForUs),
        ("completed", OrderStage::Done),
        ("rejected", OrderStage::Failed),
        ("cancelled", OrderStage::Cancelled),
        ("a word of tomorrow", OrderStage::Other),
    ] {
        let progress = stage(json!(word));
        assert_eq!((progress.stage(), progress.supplier_status()), (expected, Some(word)));
    }
    assert_eq!((stage(json!(null)).stage(), stage(json!(null)).supplier_status()), (OrderStage::Other, None));
}
