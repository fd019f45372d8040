//! Normalization of stored texts.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Sandbox, TextNormalization};
use serde_json::{Value, json};

use crate::caller::{Caller, finish};

/// Texts that are valid references, and their normalized forms.
const CASES: [(TextNormalization, &str, &str); 4] = [
    (TextNormalization::Unchanged, "sp-0431.Kundreferens-ankeborg", "sp-0431.Kundreferens-ankeborg"),
    (TextNormalization::UpperCase, "sp-0431.Kundreferens-ankeborg", "SP-0431.KUNDREFERENS-ANKEBORG"),
    (TextNormalization::Trimmed, "sp-0431.Kundreferens-ankeborg", "sp-0431.Kundreferens-ankeborg"),
    (TextNormalization::Truncated(20), "sp-0431.Kundreferens-ankeborg", "sp-0431.Kundreferens"),
];

#[tokio::test]
async fn order_and_subscription_references_are_normalized() {
    for (texts, given, stored) in CASES {
        let caller = Caller::of(Sandbox::builder().onapi_text_normalization(texts)).await;
        let (access, service) = caller.offered(Availability::Free);
        let order = caller
            .order(json!({
                "operation": "ACTIVATE", "accessId": access.id, "service": service,
                "spReference": given, "spSubscriptionId": given, "externalNote": given,
            }))
            .await;
        assert_eq!(order.status, 201, "{}", order.body);
        let order = order.json();
        let fields = ["spReference", "spSubscriptionId", "externalNote"];
        assert_eq!(fields.map(|field| order[field].clone()), [json!(stored), json!(stored), json!(stored)]);
        assert_eq!(order["service"], json!(service), "what the CO knows is left as it is");
        assert_eq!(caller.0.last().unwrap().json().unwrap()["spReference"], given, "as it was sent");

        let id = order["orderId"].as_str().unwrap();
        let changed = caller
            .send("PATCH", &format!("/orders/{id}"), json!({ "spReference": format!("x{given}") }))
            .await;
        assert_eq!(changed.status, 204);
        let held = caller.get(&format!("/orders/{id}")).await.json();
        assert_ne!(held["spReference"], json!(stored));
        let again = caller.send("PATCH", &format!("/orders/{id}"), json!({ "spReference": given })).await;
        assert_eq!(again.status, 204);
        finish(&caller.0);
        let held = caller.get(&format!("/subscriptions/{}", access.id)).await.json();
        let mine: Vec<&Value> = held["subscriptions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["service"] == json!(service))
            .collect();
        assert_eq!(
            (mine[0]["spReference"].clone(), mine[0]["spSubscriptionId"].clone()),
            (json!(stored), json!(stored))
        );
        assert_eq!(caller.0.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn tickets_and_comments_are_normalized() {
    let trimmed = (
        TextNormalization::Trimmed,
        " Ingen länk i huset sedan stormen ",
        "Ingen länk i huset sedan stormen",
    );
    let upper = (TextNormalization::UpperCase, "Ingen länk", "INGEN LÄNK");
    for (texts, given, stored) in CASES.into_iter().chain([trimmed, upper]) {
        let caller = Caller::of(Sandbox::builder().text_normalization(texts)).await;
        let ticket = json!({
            "spTicketReference": given, "heading": given, "description": given, "spReference": given, "createdBy": given,
        });
        let reply = caller.send("POST", "/tickets", ticket.clone()).await;
        let reference = reply.json()["coTicketReference"].as_str().unwrap().to_owned();
        let comment = json!({ "comment": { "message": given, "createdBy": given, "createdAt": "2026-03-03T10:00:00Z" } });
        assert_eq!(caller.send("PATCH", &format!("/tickets/{reference}"), comment).await.status, 204);
        let held = caller.get(&format!("/tickets/{reference}")).await.json();
        for field in ticket.as_object().unwrap().keys() {
            assert_eq!(held[field], stored, "{texts:?}: {field}");
        }
        assert_eq!(
            (&held["comments"][0]["message"], &held["comments"][0]["createdBy"]),
            (&json!(stored), &json!(stored))
        );
        assert_eq!(caller.rows("/tickets").await[0]["spTicketReference"], stored);
        assert_eq!(caller.0.violations(), Vec::<String>::new());
    }
}
