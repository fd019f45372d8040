//! Unanswered changes of tickets, and concurrent changes by others.

use lastmile::onapi::types::TicketUpdateResponsible;
use lastmile::onapi::{NewTicket, OnApi, TicketChange, TicketReference};
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Fault, Sandbox};
use lastmile_tests::{copy, onapi, sandbox, settled};
use serde_json::{Value, json};

async fn opened() -> (Sandbox, OnApi, TicketReference) {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let ticket = NewTicket::new("CASE-1", "No link", "The socket is dark");
    let ticket = Prepared::new(ticket).unwrap().place(&network).await.unwrap();
    (sandbox, network, ticket)
}

/// Returns a change whose response was lost.
async fn lost(
    sandbox: &Sandbox,
    network: &OnApi,
    change: TicketChange,
    fault: Fault,
) -> Prepared<TicketChange> {
    let mut lost = Prepared::new(change).unwrap();
    sandbox.onapi().fail_next("updateTicket", fault);
    assert_eq!(lost.place(network).await.unwrap_err().outcome(), Outcome::Indeterminate);
    lost
}

#[tokio::test]
async fn a_later_ticket_status_leaves_a_change_indeterminate() {
    let (sandbox, network, ticket) = opened().await;
    for fault in [Fault::ResetAfter, Fault::ResetBefore] {
        let handed = TicketChange::hand_to_network(ticket.clone());
        let mut handed = lost(&sandbox, &network, handed, fault).await;
        // The network closes its own ticket.
        let closing = TicketChange::close(ticket.clone(), TicketUpdateResponsible::Co);
        Prepared::new(closing).unwrap().place(&network).await.unwrap();
        let found = handed.reconcile(&network).await.unwrap();
        assert!(matches!(found, Reconciled::Undecidable(_)), "{fault:?}: {found:?}");
        let mut again = copy(&Prepared::new(TicketChange::hand_to_network(ticket.clone())).unwrap());
        // Nothing was sent yet, so the change is due in spite of the other status.
        assert!(again.look_up(&network).await.unwrap().is_none(), "{fault:?}");
        assert_eq!(again.state(), PreparedState::Ready);
    }
}

/// No change leads back to the initial status of a ticket.
#[tokio::test]
async fn a_ticket_in_its_initial_status_was_not_changed() {
    let (sandbox, network, ticket) = opened().await;
    let change = TicketChange::take(ticket);
    let mut lost = lost(&sandbox, &network, change, Fault::ResetBefore).await;
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent));
}

#[tokio::test]
async fn a_comment_changed_by_the_network_is_not_absent() {
    let (sandbox, network, ticket) = opened().await;
    let written = || "2026-03-03T10:00:00Z".parse().unwrap();
    let comment = || TicketChange::comment_on(ticket.clone(), "Kajsa Anka", "The light is red.", written());
    let held = |author: &str, at: &str, text: Value| {
        let comment = json!({ "createdBy": author, "createdAt": at, "message": text });
        json!({ "coTicketReference": ticket, "status": "CREATED", "comments": [comment] })
    };
    let at = "2026-03-03T11:00:00+01:00";
    for (ticket, is_absent) in [
        (held("Kajsa Anka", at, json!("[removed]")), false),
        (held("Kajsa Anka", at, json!("the light  is red.")), false),
        (held("Kajsa Anka", at, json!(null)), false),
        (held("Ankeborg AB", at, json!("The light is red.")), false),
        (held("Kajsa Anka", "2026-03-03T10:00:01Z", json!("The light is red.")), false),
        (held("Kajsa Anka", "2026-03-03T10:00:01Z", json!("The light is green.")), true),
        (held("Joakim Anka", at, json!("The light is green.")), false),
        (held("Joakim Anka", "2026-03-03T10:00:01Z", json!("The light is green.")), true),
    ] {
        let mut lost = lost(&sandbox, &network, comment(), Fault::ResetBefore).await;
        sandbox.onapi().answer_next("getTicket", Answer::json(200, &ticket));
        let found = lost.reconcile(&network).await.unwrap();
        assert_eq!(matches!(found, Reconciled::Absent), is_absent, "{ticket}: {found:?}");
        assert_eq!(matches!(found, Reconciled::Undecidable(_)), !is_absent, "{ticket}: {found:?}");
    }
    let mut lost = lost(&sandbox, &network, comment(), Fault::ResetBefore).await;
    let without = json!({ "coTicketReference": ticket, "status": "CREATED" });
    sandbox.onapi().answer_next("getTicket", Answer::json(200, &without));
    let found = lost.reconcile(&network).await.unwrap();
    assert!(matches!(found, Reconciled::Indeterminate(_)), "it may show them later: {found:?}");
}

/// Some networks report a failure with status 200.
#[tokio::test]
async fn a_response_that_is_not_the_ticket_fails_to_decode() {
    let (sandbox, network, ticket) = opened().await;
    for (answer, is_it) in [
        (json!({ "cause": "maintenance" }), false),
        (json!({}), false),
        (json!("OK"), false),
        (json!({ "coTicketReference": "TT-9" }), false),
        (json!({ "coTicketReference": ticket, "status": "CREATED" }), false),
        (json!({ "coTicketReference": ticket, "status": "CLOSED" }), false),
        (json!({ "coTicketReference": ticket }), true),
        (json!({ "coTicketReference": ticket, "status": null }), true),
        (json!({ "coTicketReference": ticket, "status": "IN_PROGRESS_SP" }), true),
    ] {
        sandbox.onapi().answer_next("updateTicket", Answer::json(200, &answer));
        let mut change = Prepared::new(TicketChange::take(ticket.clone())).unwrap();
        let placed = change.place(&network).await;
        let expected = if is_it { PreparedState::Placed } else { PreparedState::Indeterminate };
        assert_eq!((placed.is_ok(), change.state()), (is_it, expected), "{answer}");
        assert!(placed.err().is_none_or(|error| error.outcome() == Outcome::Decode), "{answer}");
    }
}
