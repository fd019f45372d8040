//! Orders and tickets are placed once, found again, and not duplicated by a second worker.

use std::time::Duration;

use lastmile::onapi::types::TicketCreateProblemType;
use lastmile::onapi::{Dialect, NewOrder, NewTicket, OnApi, Placed, TicketReference};
use lastmile::rules::OnApiId;
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{brisk, copy, crashed, onapi, sandbox, settled, store_and_place};
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

fn activation(sandbox: &Sandbox) -> Prepared<NewOrder> {
    let accesses = sandbox.onapi().accesses();
    let free = accesses
        .iter()
        .find_map(|access| Some((access.id.clone(), access.service(Availability::Free)?.service.clone())));
    let (access, service) = free.unwrap();
    Prepared::new(NewOrder::activate(id(&access), service, id("SP-1"))).unwrap()
}

fn ticket() -> Prepared<NewTicket> {
    let ticket =
        NewTicket::new("0431", "No link", "The socket is dark").problem(TicketCreateProblemType::NoLink);
    Prepared::new(ticket).unwrap()
}

/// Starts a network without de-duplication.
async fn naive() -> Sandbox {
    Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap()
}

#[tokio::test]
async fn a_second_worker_finds_the_order_of_the_first() {
    let sandbox = naive().await;
    let network = onapi(&sandbox);
    let mut first = activation(&sandbox);
    let (mut second, mut third) = (copy(&first), copy(&first));
    let placed = store_and_place(&mut first, &network).await.unwrap();
    let found = store_and_place(&mut second, &network).await.unwrap();
    assert!(
        matches!(&found, Placed::Existing(order) if order.order_id.as_deref() == placed.order_id().as_ref().map(OnApiId::as_str))
    );
    assert_eq!(second.state(), PreparedState::Placed);
    assert_eq!((sandbox.onapi().count("createOrder"), sandbox.onapi().took_effect("createOrder")), (1, 1));

    sandbox.onapi().advance();
    sandbox.onapi().advance();
    let found = store_and_place(&mut third, &network).await.unwrap();
    assert!(matches!(found, Placed::Existing(_) | Placed::Subscription(_)), "{found:?}");
    assert_eq!(sandbox.onapi().count("createOrder"), 1);
}

#[tokio::test]
async fn an_order_is_placed_where_orders_cannot_be_listed() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut prepared = copy(&activation(&sandbox));
    sandbox.onapi().answer_next("listOrders", Answer::status(501));
    store_and_place(&mut prepared, &network).await.unwrap();
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 1);
}

#[tokio::test]
async fn nothing_is_sent_when_the_look_up_is_not_answered() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut prepared = copy(&activation(&sandbox));
    for _ in 0..network.raw().policy().max_attempts {
        sandbox.onapi().answer_next("listOrders", Answer::status(503));
    }
    let error = prepared.look_up(&network).await.unwrap_err();
    assert_eq!((error.outcome(), error.operation().unwrap().id), (Outcome::Indeterminate, "list_orders"));
    assert!(!error.may_have_taken_effect() && error.is_safe_to_repeat());
    assert_eq!(prepared.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid, "it is not looked up");
    assert_eq!((prepared.state(), sandbox.onapi().count("createOrder")), (PreparedState::Ready, 0));
    store_and_place(&mut prepared, &network).await.unwrap();
}

#[tokio::test]
async fn a_ticket_is_opened_once() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut first = ticket();
    let mut second = copy(&first);
    let reference = store_and_place(&mut first, &network).await.unwrap();
    let held = network.ticket(&reference).await.unwrap();
    assert_eq!(held.sp_ticket_reference.as_deref(), Some("0431"));
    assert_eq!(store_and_place(&mut second, &network).await.unwrap(), reference);
    assert_eq!(sandbox.onapi().took_effect("createTicket"), 1);
    let Reconciled::Placed(found) = second.reconcile(&network).await.unwrap() else { panic!("it is there") };
    assert_eq!(found, reference);
}

#[tokio::test]
async fn a_lost_ticket_is_placed_absent_or_indeterminate() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut lost = ticket();
    sandbox.onapi().answer_next("createTicket", Answer::status(504));
    assert_eq!(lost.place(&network).await.unwrap_err().outcome(), Outcome::Indeterminate);
    let Reconciled::Indeterminate(wait) = lost.reconcile(&network).await.unwrap() else {
        panic!("it may be at work still");
    };
    assert!(!wait.retry_after.is_zero(), "{wait}");
    assert!(wait.to_string().ends_with("Reconcile it again in 300 s"), "{wait}");
    assert!(wait.manual_check.contains("look for the ticket in the network's portal"));

    let network = network.with_policy(settled());
    // A numeric reference may have lost its leading zero; a missing one may be any.
    for doubtful in [json!([{ "spTicketReference": 431 }]), json!([{ "status": "CREATED" }])] {
        sandbox.onapi().answer_next("listTickets", Answer::json(200, &doubtful));
        let found = lost.reconcile(&network).await.unwrap();
        assert!(matches!(&found, Reconciled::Indeterminate(_)), "{doubtful}: {found:?}");
    }
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &json!({ "cause": "later" })));
    assert_eq!(lost.reconcile(&network).await.unwrap_err().outcome(), Outcome::Decode, "no list, so no look");
    let without = json!([{ "spTicketReference": "0431" }]);
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &without));
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Undecidable(_)));
    // The reference became a number and lost its leading zero.
    let another = json!([{ "spTicketReference": "431", "coTicketReference": "TT-1" }]);
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &another));
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Indeterminate(_)));
    let other = json!([{ "spTicketReference": "432", "coTicketReference": "TT-1" }]);
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &other));
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent));
    store_and_place(&mut lost, &network).await.unwrap();
    assert_eq!(sandbox.onapi().took_effect("createTicket"), 1);
}

#[tokio::test]
async fn a_ticket_response_without_a_reference_is_indeterminate_until_found() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().answer_next("createTicket", Answer::json(201, &json!({ "coTicketReference": null })));
    let mut lost = ticket();
    assert_eq!(lost.place(&network).await.unwrap_err().outcome(), Outcome::Decode);
    assert_eq!(lost.state(), PreparedState::Indeterminate);
    let there = json!([{ "spTicketReference": "0431", "coTicketReference": "TT-7" }]);
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &there));
    let Reconciled::Placed(found) = lost.reconcile(&network).await.unwrap() else { panic!("it is there") };
    assert_eq!(found, "TT-7".parse::<TicketReference>().unwrap());
}

/// Some networks report a failure with status 200.
#[tokio::test]
async fn a_response_with_another_ticket_fails_to_decode() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for (answer, is_it) in [
        (json!({ "cause": "maintenance" }), false),
        (json!({ "coTicketReference": "TT-7", "cause": "maintenance" }), false),
        (json!({ "coTicketReference": "TT-7", "spTicketReference": "0432" }), false),
        (json!({ "coTicketReference": "TT-7", "heading": "Slow" }), false),
        (json!({ "coTicketReference": "TT-7", "accessId": "a-2" }), false),
        (json!({ "coTicketReference": "TT-7", "cause": null, "spTicketReference": "" }), true),
        (
            json!({ "coTicketReference": "TT-7", "spTicketReference": 431, "heading": "NO LINK", "accessId": "a-1" }),
            true,
        ),
        (json!({ "coTicketReference": "TT-7" }), true),
    ] {
        let ticket = NewTicket::new("0431", "No link", "The socket is dark").access(id("a-1"));
        let mut ticket = Prepared::new(ticket).unwrap();
        sandbox.onapi().answer_next("createTicket", Answer::json(200, &answer));
        let placed = ticket.place(&network).await;
        assert_eq!(placed.is_ok(), is_it, "{answer}");
        assert!(placed.err().is_none_or(|error| error.outcome() == Outcome::Decode), "{answer}");
    }
}

#[tokio::test]
async fn an_unreadable_ticket_list_leaves_a_ticket_indeterminate() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    for (list, after) in [
        (Answer::json(200, &json!(null)), false),
        (Answer::json(200, &json!("")), false),
        (Answer::status(204), false),
        (Answer::json(200, &json!({ "coTicketReference": "TT-9", "spTicketReference": "9" })), false),
        (Answer::json(200, &json!([])), true),
    ] {
        sandbox.onapi().answer_next("listTickets", list.clone());
        assert!(copy(&ticket()).look_up(&network).await.unwrap().is_none(), "nothing was sent yet");
        let mut lost = ticket();
        sandbox.onapi().answer_next("createTicket", Answer::status(502));
        assert_eq!(lost.place(&network).await.unwrap_err().outcome(), Outcome::Indeterminate);
        sandbox.onapi().answer_next("listTickets", list);
        let found = lost.reconcile(&network).await.unwrap();
        assert_eq!(matches!(found, Reconciled::Absent), after, "{found:?}");
        assert_eq!(matches!(found, Reconciled::Indeterminate(_)), !after, "{found:?}");
    }
}

#[test]
fn an_invalid_ticket_is_refused() {
    let refused = |ticket: NewTicket| Prepared::new(ticket).unwrap_err().to_string();
    assert!(refused(NewTicket::new("", "a", "b")).contains("spTicketReference: it is empty"));
    assert!(refused(NewTicket::new("1", "", "b")).contains("heading: it is empty"));
    assert!(
        refused(NewTicket::new("1", "a", "b".repeat(256))).contains("description: it is longer than 255")
    );
    let stored = json!({
        "version": 1, "kind": "onapi.ticket", "progress": "ready",
        "request": { "spTicketReference": "1", "heading": "a", "description": "b", "accessId": ".." },
    });
    let error = serde_json::from_value::<Prepared<NewTicket>>(stored).unwrap_err();
    assert!(error.to_string().contains("accessId"), "{error}");
}

/// Neither a gateway's page nor a temporary rejection proves that the order does not exist.
#[tokio::test]
async fn a_failed_look_up_sends_nothing() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut prepared = copy(&activation(&sandbox));
    for answer in [
        Answer::status(200).header("content-type", "text/html").body("<html>Soon back</html>"),
        Answer::status(404).body("<html>Not here</html>"),
        Answer::status(403),
    ] {
        sandbox.onapi().answer_next("listOrders", answer);
        store_and_place(&mut prepared, &network).await.unwrap_err();
        assert_eq!((prepared.state(), sandbox.onapi().count("createOrder")), (PreparedState::Ready, 0));
    }
}

#[tokio::test]
async fn an_open_order_of_another_operation_is_not_matched() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut prepared = activation(&sandbox);
    let other = json!({ "orderId": "o-1", "operation": "DEACTIVATE", "state": "RECEIVED" });
    sandbox.onapi().answer_next("createOrder", Answer::json(200, &other));
    let error = prepared.place(&network).await.unwrap_err();
    assert_eq!((error.outcome(), prepared.state()), (Outcome::Rejected, PreparedState::Ready));
    assert!(error.to_string().contains("open order of another kind"), "{error}");
}

#[tokio::test]
async fn an_order_found_by_look_up_is_not_sent_again() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut marked = activation(&sandbox);
    marked.mark_in_flight().unwrap();
    // Another process of the same service places it.
    activation(&sandbox).place(&network).await.unwrap();
    assert!(matches!(marked.reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
    let error = marked.place(&network).await.unwrap_err();
    assert!(error.to_string().contains("this value is placed already"), "{error}");
    assert_eq!((sandbox.onapi().count("createOrder"), marked.state()), (1, PreparedState::Placed));
}

#[tokio::test]
async fn only_values_with_possible_copies_require_a_look_up() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let asked = || -> Vec<_> {
        sandbox.onapi().received().into_iter().filter_map(|received| received.operation).collect()
    };
    let mut prepared = activation(&sandbox);
    prepared.mark_in_flight().unwrap();
    copy(&prepared);
    sandbox.onapi().answer_next("createOrder", Answer::status(429));
    prepared.place(&network).await.unwrap_err();
    assert_eq!(asked(), ["createOrder"], "its copy is marked and cannot be placed by now");
    let error = prepared.place(&network).await.unwrap_err();
    assert!(error.to_string().contains("Look it up, mark it, store it, then place it"), "{error}");
    assert_eq!(asked().len(), 1, "its copy may have been placed meanwhile");
    store_and_place(&mut prepared, &network).await.unwrap();
    assert_eq!(asked()[1..], ["listOrders", "getSubscriptions", "createOrder"]);

    let mut stored = activation(&naive().await);
    copy(&stored);
    for error in [stored.mark_in_flight().unwrap_err(), stored.place(&network).await.unwrap_err()] {
        assert_eq!(error.outcome(), Outcome::Invalid, "its copy could be placed at any time: {error}");
    }
    assert_eq!(asked().len(), 4);
}

#[tokio::test]
async fn an_unstored_mark_is_not_placed() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut prepared = copy(&activation(&sandbox));
    assert!(prepared.look_up(&network).await.unwrap().is_none());
    prepared.mark_in_flight().unwrap();
    let error = prepared.place(&network).await.unwrap_err();
    assert!(error.to_string().contains("the mark of this value is not stored"), "{error}");
    assert_eq!((error.outcome(), sandbox.onapi().count("createOrder")), (Outcome::Invalid, 0));
    serde_json::to_string(&prepared).unwrap();
    prepared.place(&network).await.unwrap();
}

/// The first worker's mark expires while it is stored, which takes long. The first worker then follows the error's
/// advice, and finds the order of the second.
#[tokio::test]
async fn a_worker_with_an_expired_mark_sends_nothing() {
    let sandbox = naive().await;
    let network = onapi(&sandbox);
    let network = network.with_policy(settled());
    let mut first = copy(&activation(&sandbox));
    assert!(first.look_up(&network).await.unwrap().is_none());
    let mut second = crashed(&mut first, HOUR);
    assert!(matches!(second.reconcile(&network).await.unwrap(), Reconciled::Absent));
    store_and_place(&mut second, &network).await.unwrap();

    let error = first.place(&network).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains("Load it from the store again, and reconcile it"), "{error}");
    assert_eq!(first.state(), PreparedState::InFlight);
    for error in [first.mark_in_flight().unwrap_err(), first.look_up(&network).await.unwrap_err()] {
        assert_eq!(error.outcome(), Outcome::Indeterminate, "{error}");
    }
    // Both from its own memory and from the store.
    let mut loaded = copy(&second);
    for worker in [&mut first, &mut loaded] {
        assert!(matches!(worker.reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
        store_and_place(worker, &network).await.unwrap();
    }
    assert_eq!((sandbox.onapi().count("createOrder"), sandbox.onapi().took_effect("createOrder")), (1, 1));
}

#[tokio::test]
async fn a_look_up_before_the_mark_does_not_count_after_it() {
    let sandbox = naive().await;
    let network = onapi(&sandbox);
    let mut first = copy(&activation(&sandbox));
    first.look_up(&network).await.unwrap();
    crashed(&mut first, HOUR);
    first.place(&network).await.unwrap_err();
    let over = settled().with_deadline(Duration::ZERO);
    first.declare_absent(&network.with_policy(over)).unwrap();
    assert_eq!(first.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid, "the look-up is of before");
    // Between the two, another worker places it.
    activation(&sandbox).place(&network).await.unwrap();
    let found = store_and_place(&mut first, &network).await.unwrap();
    assert!(matches!(found, Placed::Existing(_)), "{found:?}");
    assert_eq!(sandbox.onapi().took_effect("createOrder"), 1);
}

/// The holder of the mark could start to send until the mark expired, and send until its deadline after that.
#[tokio::test]
async fn a_crashed_value_settles_after_its_mark_and_the_deadline() {
    let sandbox = sandbox().await;
    let deadline = Duration::from_secs(10);
    let network = onapi(&sandbox).with_policy(settled().with_deadline(deadline));
    let mut lost = crashed(&mut activation(&sandbox), Duration::ZERO);
    let Reconciled::Indeterminate(later) = lost.reconcile(&network).await.unwrap() else {
        panic!("it may be sent still")
    };
    assert!(later.retry_after > deadline / 2 && later.retry_after <= deadline, "{later}");
    assert_eq!(lost.state(), PreparedState::InFlight);
    let mut lost = crashed(&mut activation(&sandbox), deadline);
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent));
}

#[tokio::test]
async fn a_rejected_or_unsent_value_is_absent_without_a_request() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut refused = activation(&sandbox);
    sandbox.onapi().answer_next("createOrder", Answer::json(400, &json!({ "cause": "no" })));
    assert_eq!(refused.place(&network).await.unwrap_err().outcome(), Outcome::Rejected);
    let before = sandbox.onapi().received().len();
    for mut value in [copy(&refused), refused] {
        assert!(matches!(value.reconcile(&network).await.unwrap(), Reconciled::Absent));
        assert_eq!(value.state(), PreparedState::Ready);
    }
    assert_eq!(sandbox.onapi().received().len(), before);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = OnApi::builder(format!("http://{nobody}"))
        .dialect(Dialect::Vendor26)
        .login("sp", "x")
        .policy(brisk())
        .build()
        .unwrap();
    let mut never = activation(&sandbox);
    assert_eq!(never.place(&nobody).await.unwrap_err().outcome(), Outcome::NotSent);
    // Any request would fail here.
    assert!(matches!(never.reconcile(&nobody).await.unwrap(), Reconciled::Absent));
}

#[tokio::test]
async fn an_indeterminate_look_up_does_not_block_a_value_declared_absent() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let mut lost = ticket();
    sandbox.onapi().answer_next("createTicket", Answer::status(504));
    lost.place(&network).await.unwrap_err();
    let later = lost.declare_absent(&network).unwrap_err();
    assert!(later.outcome() == Outcome::Indeterminate && later.retry_after() > Some(HOUR / 20), "{later}");
    assert_eq!(lost.state(), PreparedState::Indeterminate, "a request may be at work still");
    lost.declare_absent(&network.with_policy(settled())).unwrap();
    let mut lost = copy(&lost);
    let doubtful = json!([{ "status": "CREATED" }]);
    sandbox.onapi().answer_next("listTickets", Answer::json(200, &doubtful));
    store_and_place(&mut lost, &network).await.unwrap();
    assert_eq!(lost.declare_absent(&network).unwrap_err().outcome(), Outcome::Invalid, "it is placed");
    assert_eq!(sandbox.onapi().took_effect("createTicket"), 1);
}

/// An order that does not exist while a request is in flight may exist a moment later, even if a person has checked.
#[tokio::test]
async fn declare_absent_requires_that_no_request_is_in_flight() {
    let sandbox = naive().await;
    let network = onapi(&sandbox);
    let mut lost = activation(&sandbox);
    sandbox.onapi().answer_next("createOrder", Answer::status(504));
    lost.place(&network).await.unwrap_err();
    let marked = crashed(&mut activation(&sandbox), Duration::ZERO);
    for mut value in [copy(&lost), lost, marked] {
        let before = value.state();
        let error = value.declare_absent(&network).unwrap_err();
        assert_eq!((error.outcome(), value.state()), (Outcome::Indeterminate, before));
        assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(200)), "{error}");
        assert!(error.to_string().contains("Check again then"), "{error}");
    }
    let mut old = crashed(&mut activation(&sandbox), HOUR);
    old.declare_absent(&network).unwrap();
    assert_eq!(old.state(), PreparedState::Ready);
}

/// A second look-up that fails revokes the result of the first.
#[tokio::test]
async fn only_the_latest_look_up_counts() {
    let sandbox = naive().await;
    let network = onapi(&sandbox);
    let mut prepared = copy(&activation(&sandbox));
    assert!(prepared.look_up(&network).await.unwrap().is_none());
    sandbox.onapi().answer_next("listOrders", Answer::status(403));
    prepared.look_up(&network).await.unwrap_err();
    assert_eq!(prepared.mark_in_flight().unwrap_err().outcome(), Outcome::Invalid);
}

/// A network that normalizes the reference has the order, although no look-up recognises it.
#[tokio::test]
async fn a_value_with_an_unmatched_response_is_never_absent() {
    let sandbox = naive().await;
    let network = onapi(&sandbox).with_policy(settled());
    let mut rewritten = activation(&sandbox);
    let request = rewritten.request();
    let order = json!({
        "orderId": "o-1", "accessId": request.access(), "operation": "ACTIVATE", "state": "RECEIVED",
        "service": "BB-STANDARD", "spReference": "customer 17",
    });
    sandbox.onapi().answer_next("createOrder", Answer::json(201, &order));
    let error = rewritten.place(&network).await.unwrap_err();
    assert!(error.outcome() == Outcome::Decode && error.contradicts_request(), "{error}");
    let mut loaded = copy(&rewritten);
    for value in [&mut rewritten, &mut loaded] {
        let found = value.reconcile(&network).await.unwrap();
        let Reconciled::Undecidable(person) = found else { panic!("{found:?}") };
        assert!(person.reason.contains("something else than what was asked for"), "{person}");
    }
    loaded.declare_placed(None);
    assert_eq!(copy(&loaded).state(), PreparedState::Placed);
}
