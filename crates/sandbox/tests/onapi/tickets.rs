//! Tickets: open, list, update, close.

use lastmile_sandbox::onapi::Availability;
use serde_json::{Value, json};

use crate::caller::{Caller, cause, header};

async fn opened(caller: &Caller) -> String {
    let (access, _) = caller.offered(Availability::Active);
    let body = json!({
        "accessId": access.id, "subscriptionId": access.subscriptions[0].subscription_id,
        "spTicketReference": "CASE#1", "heading": "Ingen länk", "problemType": "NO_LINK",
        "status": "CLOSED", "additionalInfo": { "link": false },
    });
    let reply = caller.send("POST", "/tickets", body).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["coTicketReference"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_ticket_is_opened_and_read() {
    let caller = Caller::new().await;
    let reference = opened(&caller).await;
    let ticket = caller.get(&format!("/tickets/{reference}")).await.json();
    assert_eq!((&ticket["coTicketReference"], &ticket["status"]), (&json!(reference), &json!("CREATED")));
    assert_eq!((&ticket["spTicketReference"], &ticket["responsible"]), (&json!("CASE#1"), &json!("CO")));
    assert_eq!(
        (&ticket["createdAt"], &ticket["updatedAt"]),
        (&json!("2026-01-05T08:00:01Z"), &ticket["createdAt"])
    );
    assert_eq!(ticket["additionalInfo"], json!({ "link": false }));
    assert_eq!(caller.get("/tickets/TT-1").await.status, 404);
    for wrong in
        [json!({ "accessId": "a-1" }), json!({ "subscriptionId": "s-1" }), json!({ "problemType": "X" })]
    {
        assert_eq!(caller.send("POST", "/tickets", wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_ne!(opened(&caller).await, reference, "a repetition opens a second one");
    assert_eq!(caller.0.took_effect("createTicket"), 2);
}

#[tokio::test]
async fn a_ticket_is_updated_and_closed() {
    let caller = Caller::new().await;
    let path = format!("/tickets/{}", opened(&caller).await);
    let comment = json!({ "createdBy": "Kajsa Anka", "message": "Ingen ändring." });
    let update = json!({ "status": "IN_PROGRESS_SP", "comment": comment });
    assert_eq!(caller.send("PATCH", &path, update.clone()).await.status, 204);
    assert_eq!(caller.send("PATCH", &path, update).await.status, 204);
    let ticket = caller.get(&path).await.json();
    assert_eq!((&ticket["status"], &ticket["responsible"]), (&json!("IN_PROGRESS_SP"), &json!("CO")));
    assert_eq!(ticket["comments"].as_array().map(Vec::len), Some(2), "a repetition comments once more");
    assert_eq!(ticket["comments"][0]["message"], "Ingen ändring.");
    assert_eq!(ticket["updatedAt"], ticket["comments"][1]["createdAt"]);

    let refused = caller.send("PATCH", &path, json!({ "status": "CLOSED" })).await;
    assert_eq!((refused.status, cause(&refused).starts_with("responsible")), (400, true));
    assert_eq!(caller.get(&path).await.json(), ticket);
    let close = json!({ "status": "CLOSED", "responsible": "SP" });
    assert_eq!(caller.send("PATCH", &path, close.clone()).await.status, 204);
    assert_eq!(caller.send("PATCH", &path, close).await.status, 204);
    assert_eq!(caller.get(&path).await.json()["status"], "CLOSED");
    assert_eq!(caller.0.took_effect("updateTicket"), 3, "the last one changed nothing");
    assert_eq!(caller.send("PATCH", "/tickets/TT-1", json!({})).await.status, 404);
}

#[tokio::test]
async fn tickets_are_filtered_by_status_creation_and_change() {
    let caller = Caller::new().await;
    assert_eq!(caller.get("/tickets").await.status, 404);
    let (first, second) = (opened(&caller).await, opened(&caller).await);
    let references = |rows: Vec<Value>| -> Vec<Value> {
        rows.iter().map(|row| row["coTicketReference"].clone()).collect()
    };
    let both = caller.get("/tickets").await;
    assert_eq!(both.json()[0].as_object().map(|fields| fields.len()), Some(4));
    assert_eq!(references(caller.rows("/tickets").await), [json!(first), json!(second)]);
    let news = header(&both, "last-modified").unwrap();
    assert_eq!(caller.since("/tickets", &news).await.status, 304);

    caller.send("PATCH", &format!("/tickets/{first}"), json!({ "status": "IN_PROGRESS_CO" })).await;
    assert_eq!(references(caller.rows("/tickets?status=CREATED").await), [json!(second)]);
    assert_eq!(caller.since("/tickets", &news).await.json()[0]["coTicketReference"], first);
    assert_eq!(caller.since("/tickets?status=CREATED", &news).await.status, 304);
    assert_eq!(references(caller.rows("/tickets?created=2026-01-05T08:00:01Z").await), [json!(second)]);
    assert_eq!(caller.rows("/tickets?created=2026-01-05").await.len(), 2);
    assert_eq!(caller.get("/tickets?created=2026-01-06").await.status, 404);
    assert_eq!(caller.get("/tickets?created=soon").await.status, 400);
    assert_eq!(caller.get("/tickets?status=LOST").await.status, 400);
}
