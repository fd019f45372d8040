//! Normalization of stored texts.

use lastmile_sandbox::{Sandbox, TextNormalization};
use serde_json::json;

use crate::caller::{Caller, complete, path};

const CASES: [(TextNormalization, &str, &str); 4] = [
    (TextNormalization::Unchanged, " sp-0431-reference-ankeborg ", " sp-0431-reference-ankeborg "),
    (TextNormalization::UpperCase, "sp-0431-reference-ankeborg", "SP-0431-REFERENCE-ANKEBORG"),
    (TextNormalization::Trimmed, " sp-0431-reference-ankeborg ", "sp-0431-reference-ankeborg"),
    (TextNormalization::Truncated(20), "sp-0431-reference-ankeborg", "sp-0431-reference-an"),
];

#[tokio::test]
async fn order_references_are_normalized_before_the_uniqueness_check() {
    for (texts, given, stored) in CASES {
        let sandbox = Sandbox::builder().seed(7).covage_text_normalization(texts).start().await.unwrap();
        let caller = Caller::of(sandbox.covage().clone()).await;
        let draft = caller.copper_draft().await;
        let held = caller.patch(&path(&draft), complete(given, "Ankeborg 1")).await;
        assert_eq!(held["operator_info"]["order_ref"], stored, "{texts:?}");
        assert_eq!(held["operator_info"]["order_name"], "Ankeborg 1", "other texts are left as they are");
        caller.submit(&draft).await;
        let other = caller.copper_draft().await;
        let refused = caller.refused("PATCH", &path(&other), complete(stored, "Ankeborg 2")).await;
        assert_eq!(
            refused.keys().collect::<Vec<_>>(),
            ["operator_info.order_ref"],
            "the stored form is taken"
        );
        caller.assert_sound();
    }
}

#[tokio::test]
async fn contacts_are_normalized() {
    for (texts, given, stored) in CASES {
        let sandbox = Sandbox::builder().seed(7).text_normalization(texts).start().await.unwrap();
        let caller = Caller::of(sandbox.covage().clone()).await;
        let contact = json!({ "first_name": given, "last_name": given, "email": given, "phone_number": given, "cell_phone_number": given });
        let held = caller.post("/api/contacts/", contact.clone()).await;
        let id = held["contact_uuid"].as_str().unwrap().to_owned();
        for field in contact.as_object().unwrap().keys() {
            assert_eq!(held[field], stored, "{texts:?}: {field}");
        }
        assert_eq!(caller.covage.last().unwrap().json(), Some(contact.clone()), "as it was sent");
        let held = caller.ok("PUT", &format!("/api/contacts/{id}/"), contact).await;
        assert_eq!(held["last_name"], stored);
        caller.assert_sound();
    }
}
