//! Troubleshooting, tickets and invoices.

use lastmile::onapi::types::{ListTicketsStatus, TicketSummary, TicketUpdateResponsible};
use lastmile::onapi::{NewTicket, OnApi, PeriodId, TicketChange, TicketList, TicketQuery, TicketReference};
use lastmile::rules::{DhcpIdentifier, OnApiId};
use lastmile::wire::{Lenient, Timestamp};
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Dialect, Fault, Sandbox};
use lastmile_tests::{onapi, sandbox, settled, store_and_place};
use serde_json::{Value, json};

async fn look_at_a_line(dialect: Dialect) {
    let sandbox = Sandbox::builder().seed(1).onapi_dialect(dialect).start().await.unwrap();
    let network = onapi(&sandbox);
    let accesses = sandbox.onapi().accesses();
    let delivered =
        |access: &&lastmile_sandbox::onapi::Access| access.subscriptions.iter().any(|one| !one.suspended);
    let known = accesses.iter().find(delivered).unwrap();
    let log = DhcpIdentifier {
        ipv4_circuit_id: Some(known.ipv4_circuit_id.clone()),
        ipv4_remote_id: Some(known.ipv4_remote_id.clone()),
        ..Default::default()
    };
    let access = network.access_of_dhcp(&log).await.unwrap();
    assert_eq!(access.as_str(), known.id);
    assert!(!format!("{log:?}").contains(&known.ipv4_circuit_id));

    assert_eq!(network.cpe_status(&access).await.unwrap().up.get(), Some(&true));
    assert!(network.hardware(&access).await.unwrap().model.get().is_some());
    assert_eq!(network.link_status(&access).await.unwrap().link.get(), Some(&true));
    let macs = network.mac_table(&access).await.unwrap();
    assert!(macs.iter().all(|one| one.get().unwrap().mac.get().is_some()) && !macs.is_empty());
    let leases = network.leases(&access).await.unwrap();
    assert!(leases.iter().all(|one| one.get().unwrap().mac.get().is_some()) && !leases.is_empty());
    network.igmp_groups(&access).await.unwrap();
    let nobody: OnApiId = "a-none".parse().unwrap();
    assert_eq!(network.link_status(&nobody).await.unwrap_err().status().unwrap(), 404);
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_line_is_diagnosed_in_the_standard_s_dialect() {
    look_at_a_line(Dialect::Standard26).await;
}

#[tokio::test]
async fn a_line_is_diagnosed_in_the_vendor_s_dialect() {
    look_at_a_line(Dialect::Vendor26).await;
}

#[tokio::test]
async fn an_empty_look_up_is_refused_before_it_is_sent() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let nothing = network.access_of_dhcp(&DhcpIdentifier::default()).await.unwrap_err();
    assert_eq!(nothing.outcome(), Outcome::Invalid);
    let empty = DhcpIdentifier { ipv6_remote_id: Some(String::new()), ..Default::default() };
    let empty = network.access_of_dhcp(&empty).await.unwrap_err();
    assert!(empty.to_string().contains("ipv6RemoteId: it is empty"), "{empty}");
    assert_eq!(sandbox.onapi().received().len(), 0);
    let unknown = DhcpIdentifier { ipv4_remote_id: Some("x".into()), ..Default::default() };
    assert_eq!(network.access_of_dhcp(&unknown).await.unwrap_err().status().unwrap(), 404);
}

#[tokio::test]
async fn an_invoice_total_is_compared_with_its_lines() {
    for (dialect, unexpected_values) in
        [(Dialect::Standard26, false), (Dialect::Vendor26, false), (Dialect::Vendor26, true)]
    {
        let builder = Sandbox::builder().seed(1).onapi_dialect(dialect);
        let sandbox = builder.onapi_unexpected_values(unexpected_values).start().await.unwrap();
        let network = onapi(&sandbox);
        let periods = network.invoice_periods().await.unwrap();
        assert_eq!(periods.len(), 3);
        let last =
            periods.iter().rev().find_map(|period| PeriodId::try_from(&period.get()?.id).ok()).unwrap();
        let mut lines = network.invoice_lines(&last).await.unwrap();
        let mut amounts = 0;
        while let Some(line) = lines.next().await {
            let line = line.unwrap();
            amounts +=
                usize::from(line.invoice.get().is_some_and(|item| item.invoiced_amount.get().is_some()));
        }
        assert!(amounts > 10, "{dialect:?}: {amounts}");
    }
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let none: PeriodId = "199001".parse().unwrap();
    assert_eq!(network.invoice_lines(&none).await.unwrap_err().status().unwrap(), 404);
    sandbox.onapi().answer_next("listInvoicePeriods", Answer::json(404, &json!({ "cause": "none" })));
    assert_eq!(network.invoice_periods().await.unwrap().len(), 0);
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn opened(network: &OnApi, reference: &str) -> TicketReference {
    let ticket = NewTicket::new(reference, "No link", "The socket is dark");
    Prepared::new(ticket).unwrap().place(network).await.unwrap()
}

async fn listed(network: &OnApi, query: &TicketQuery) -> Vec<Lenient<TicketSummary>> {
    match network.tickets(query).await.unwrap() {
        TicketList::Tickets { tickets, .. } => tickets.await.unwrap(),
        TicketList::Nothing | TicketList::NotModified => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_ticket_is_opened_changed_and_closed() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    assert!(matches!(network.tickets(&TicketQuery::default()).await.unwrap(), TicketList::Nothing));
    let ticket = opened(&network, "CASE-1").await;
    let TicketList::Tickets { tickets, cursor } = network.tickets(&TicketQuery::default()).await.unwrap()
    else {
        panic!("there is one")
    };
    let tickets = tickets.await.unwrap();
    assert_eq!(tickets[0].get().unwrap().sp_ticket_reference.as_deref(), Some("CASE-1"));
    let since = TicketQuery::default().with_since(cursor);
    assert!(matches!(network.tickets(&since).await.unwrap(), TicketList::NotModified));

    let written = moment("2026-03-03T10:00:00Z");
    let comment = TicketChange::comment_on(ticket.clone(), "Kajsa Anka", "The light is red.", written);
    Prepared::new(comment).unwrap().place(&network).await.unwrap();
    assert_eq!(listed(&network, &since).await.len(), 1, "it has changed");
    Prepared::new(TicketChange::take(ticket.clone())).unwrap().place(&network).await.unwrap();
    let taken = TicketQuery::default().with_status(ListTicketsStatus::InProgressSp);
    assert_eq!(listed(&network, &taken).await.len(), 1);
    Prepared::new(TicketChange::hand_to_network(ticket.clone())).unwrap().place(&network).await.unwrap();
    assert_eq!(listed(&network, &taken).await.len(), 0);

    let closing = TicketChange::close(ticket.clone(), TicketUpdateResponsible::Co).comment(
        "Kajsa Anka",
        "It works again.",
        moment("2026-03-03T11:00:00Z"),
    );
    Prepared::new(closing).unwrap().place(&network).await.unwrap();
    let held = network.ticket(&ticket).await.unwrap();
    assert_eq!(held.status.get().unwrap().as_str(), "CLOSED");
    assert_eq!(held.responsible.get().unwrap().as_str(), "CO");
    assert_eq!(held.comments.len(), 2);
    let late = TicketQuery::default().with_opened_after(moment("2030-01-01T00:00:00+01:00"));
    assert_eq!(listed(&network, &late).await.len(), 0);
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());
    assert!(sandbox.onapi().received().iter().all(|received| received.problems.is_empty()));
}

#[tokio::test]
async fn a_comment_is_added_once() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let ticket = opened(&network, "CASE-1").await;
    let written = moment("2026-03-03T10:00:00Z");
    let comment = TicketChange::comment_on(ticket.clone(), "Kajsa Anka", "The light is red.", written);
    let mut lost = Prepared::new(comment.clone()).unwrap();
    sandbox.onapi().fail_next("updateTicket", Fault::ResetBefore);
    assert_eq!(lost.place(&network).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Absent));
    sandbox.onapi().fail_next("updateTicket", Fault::ResetAfter);
    assert_eq!(store_and_place(&mut lost, &network).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(sandbox.onapi().count("updateTicket"), 2, "not repeated blindly");
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Placed(())));
    // A second worker loads it from the store, too.
    let stored = serde_json::to_string(&Prepared::new(comment).unwrap()).unwrap();
    let mut second: Prepared<TicketChange> = serde_json::from_str(&stored).unwrap();
    store_and_place(&mut second, &network).await.unwrap();
    assert_eq!((second.state(), sandbox.onapi().took_effect("updateTicket")), (PreparedState::Placed, 1));
    // The same text with another timestamp may be another comment, or this one with the network's own timestamp.
    let later = TicketChange::comment_on(
        ticket.clone(),
        "Kajsa Anka",
        "The light is red.",
        moment("2026-03-04T10:00:00Z"),
    );
    let mut later = Prepared::new(later).unwrap();
    sandbox.onapi().fail_next("updateTicket", Fault::ResetBefore);
    later.place(&network).await.unwrap_err();
    assert!(matches!(later.reconcile(&network).await.unwrap(), Reconciled::Undecidable(_)));
    let debug = format!("{:?} {:?}", later, later.request());
    assert!(!debug.contains("Kajsa") && !debug.contains("light"), "{debug}");
}

#[tokio::test]
async fn a_lost_closing_is_found_by_the_status() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox).with_policy(settled());
    let ticket = opened(&network, "CASE-1").await;
    let mut lost = Prepared::new(TicketChange::close(ticket.clone(), TicketUpdateResponsible::Sp)).unwrap();
    sandbox.onapi().fail_next("updateTicket", Fault::ResetAfter);
    lost.place(&network).await.unwrap_err();
    assert!(matches!(lost.reconcile(&network).await.unwrap(), Reconciled::Placed(())));
    let mut other = Prepared::new(TicketChange::close(ticket.clone(), TicketUpdateResponsible::Co)).unwrap();
    sandbox.onapi().fail_next("updateTicket", Fault::ResetBefore);
    other.place(&network).await.unwrap_err();
    assert!(matches!(other.reconcile(&network).await.unwrap(), Reconciled::Undecidable(_)));
    let another = json!({ "coTicketReference": "TT-9", "status": "CLOSED", "responsible": "CO" });
    sandbox.onapi().answer_next("getTicket", Answer::json(200, &another));
    assert!(matches!(other.reconcile(&network).await.unwrap(), Reconciled::Indeterminate(_)));
}

#[test]
fn an_invalid_ticket_change_is_refused() {
    let ticket = || -> TicketReference { "TT-1".parse().unwrap() };
    let written = moment("2026-03-03T10:00:00Z");
    let refused = |change: TicketChange| Prepared::new(change).unwrap_err().to_string();
    assert!(refused(TicketChange::comment_on(ticket(), "", "x", written)).contains("createdBy: it is empty"));
    assert!(refused(TicketChange::comment_on(ticket(), "x", "", written)).contains("message: it is empty"));
    let long = "x".repeat(256);
    assert!(
        refused(TicketChange::comment_on(ticket(), "x", long, written)).contains("message: it is longer")
    );
    let stored = |body: Value| {
        let request = json!({ "ticket": "TT-1", "body": body });
        let stored =
            json!({ "version": 1, "kind": "onapi.ticket-change", "progress": "ready", "request": request });
        serde_json::from_value::<Prepared<TicketChange>>(stored).unwrap_err().to_string()
    };
    assert!(stored(json!({ "status": "CLOSED" })).contains("responsible: it is missing"));
    assert!(stored(json!({})).contains("nothing is to be changed"));
    assert!(stored(json!({ "comment": { "createdBy": "x", "message": "y" } })).contains("createdAt"));
}
