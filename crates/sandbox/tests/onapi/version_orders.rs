//! Orders in each dialect: the fields that they need, the names in requests and responses, and their effects.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, Sandbox, SandboxBuilder};
use serde_json::{Value, json};

use crate::caller::{Caller, cause, finish, header};

async fn network(dialect: Dialect) -> Caller {
    Caller::of(Sandbox::builder().onapi_dialect(dialect)).await
}

/// Returns an order with the fields that every version needs.
fn order(operation: &str, access: &str, service: &str, subscription: &str) -> Value {
    json!({
        "operation": operation, "accessId": access, "service": service, "subscriptionId": subscription,
        "spReference": "sp-ref-1",
    })
}

/// Returns the subscriptions on an access.
async fn subscriptions(caller: &Caller, dialect: Dialect, access: &str) -> Vec<Value> {
    let path = match dialect {
        Dialect::Vendor26 | Dialect::Standard26 => format!("/subscriptions/{access}"),
        Dialect::Standard25 | Dialect::Standard24 => format!("/accesses/{access}"),
    };
    caller.get(&path).await.json()["subscriptions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn all_six_operations_are_carried_out_in_each_dialect() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let (access, service) = caller.offered(Availability::Free);
        let access = access.id;
        let mut activation = order("ACTIVATE", &access, &service, "s-0");
        activation.as_object_mut().unwrap().remove("subscriptionId");
        let placed = caller.place(activation).await;
        finish(&caller.0);
        let placed = caller.get(&format!("/orders/{placed}")).await.json();
        assert_eq!(placed["state"], "DONE_SUCCESS", "{placed}");
        let id = placed["subscriptionId"].as_str().unwrap();
        for (operation, ordered, state, reference) in [
            ("SUSPEND", service.as_str(), "SUSPENDED", "sp-ref-1"),
            ("RESUME", &service, "ACTIVATED", "sp-ref-1"),
            ("MODIFY", &service, "ACTIVATED", "sp-ref-2"),
            ("CHANGE", "BB-250-100", "ACTIVATED", "sp-ref-2"),
        ] {
            let mut body = order(operation, &access, ordered, id);
            body["spReference"] = json!(reference);
            let order = caller.place(body).await;
            finish(&caller.0);
            assert_eq!(caller.state(&order).await, "DONE_SUCCESS", "{operation}");
            let [one] = subscriptions(&caller, dialect, &access).await.try_into().unwrap();
            assert_eq!((&one["service"], &one["operationalState"]), (&json!(ordered), &json!(state)));
            assert_eq!(one["spReference"], reference, "{operation}");
        }
        caller.place(order("DEACTIVATE", &access, "BB-250-100", id)).await;
        finish(&caller.0);
        assert_eq!(subscriptions(&caller, dialect, &access).await, [json!(null); 0]);
        let states = caller.rows("/orderevents/").await;
        assert_eq!(states.len(), 18, "three states of six orders");
        assert_eq!(states[17]["order"]["operation"], "DEACTIVATE");
        assert!(caller.0.violations().is_empty(), "{dialect:?}: {:?}", caller.0.violations());
    }
}

#[tokio::test]
async fn an_order_needs_the_fields_of_its_version() {
    for dialect in Dialect::ALL {
        let is_2_4 = dialect == Dialect::Standard24;
        for operation in ["ACTIVATE", "DEACTIVATE", "SUSPEND", "RESUME", "MODIFY", "CHANGE"] {
            let caller = network(dialect).await;
            let (access, service) = caller.offered(Availability::Free);
            let accesses = caller.0.accesses();
            let suspended = operation == "RESUME";
            let (access, service, subscription) = match operation {
                "ACTIVATE" => (access.id, service, "s-0".to_owned()),
                _ => {
                    let with = accesses.iter().find_map(|access| {
                        let one = access.subscriptions.iter().find(|one| one.suspended == suspended)?;
                        let service = if operation == "CHANGE" { "BB-100-100" } else { &one.service };
                        Some((access.id.clone(), service.to_owned(), one.subscription_id.clone()))
                    });
                    with.unwrap()
                }
            };
            let needed: &[&str] = match operation {
                "ACTIVATE" if is_2_4 => &["accessId", "service", "spReference"],
                "DEACTIVATE" if is_2_4 => &["accessId", "service"],
                "SUSPEND" | "RESUME" | "CHANGE" if is_2_4 => &["accessId", "service", "subscriptionId"],
                "ACTIVATE" => &["accessId", "service"],
                "CHANGE" => &["service", "subscriptionId"],
                _ => &["subscriptionId"],
            };
            let whole = order(operation, &access, &service, &subscription);
            for field in needed {
                let mut without = whole.clone();
                without.as_object_mut().unwrap().remove(*field);
                let reply = caller.order(without).await;
                assert_eq!(reply.status, 400, "{dialect:?} {operation} without {field}");
                assert!(cause(&reply).contains(field), "{}", cause(&reply));
            }
            let mut least = whole;
            least
                .as_object_mut()
                .unwrap()
                .retain(|name, _| name == "operation" || needed.contains(&name.as_str()));
            let order = caller.place(least).await;
            finish(&caller.0);
            assert_eq!(caller.state(&order).await, "DONE_SUCCESS", "{dialect:?} {operation}");
        }
    }
}

#[tokio::test]
async fn characteristics_and_equipment_have_the_names_of_the_dialect() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let (access, service) = caller.offered(Availability::Free);
        let device = json!({ "vendorId": "X", "macAddress": "02:00:00:00:00:01" });
        let (characteristics, equipment) = match dialect {
            Dialect::Vendor26 => (json!({ "ipAddresses": ["192.0.2.9"], "sla": "SLA-1" }), device),
            _ => (json!({ "ipAddress": ["192.0.2.9"], "SLA": "SLA-1" }), json!([device])),
        };
        let mut body = order("ACTIVATE", &access.id, &service, "s-0");
        body["characteristics"] = characteristics.clone();
        body["equipment"] = equipment.clone();
        let placed = caller.order(body).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        let check = |one: &Value| {
            assert_eq!((&one["characteristics"], &one["equipment"]), (&characteristics, &equipment));
        };
        check(&placed.json());
        finish(&caller.0);
        check(&subscriptions(&caller, dialect, &access.id).await[0]);
        assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());

        // The form of the other kind of network is no list, or none that this one accepts.
        let mut other = order("ACTIVATE", &access.id, "IPTV", "s-0");
        other["equipment"] = match &equipment {
            Value::Array(list) => list[0].clone(),
            one => json!([one]),
        };
        let refused = caller.order(other).await;
        assert_eq!(refused.status, 400, "{dialect:?}: {}", refused.body);
    }
}

#[tokio::test]
async fn an_offer_says_which_characteristics_an_order_needs() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let (access, _) = caller.offered(Availability::Free);
        let ordered = async |service: &str, characteristics: Value| {
            let mut body = order("ACTIVATE", &access.id, service, "s-0");
            body["characteristics"] = characteristics;
            caller.order(body).await.status
        };
        let (is_vendor, refused) = (dialect == Dialect::Vendor26, 400);
        if is_vendor {
            assert_eq!(ordered("BB-1000-1000", json!({ "sla": "other" })).await, 201);
            continue;
        }
        assert_eq!(ordered("BB-1000-1000", json!({})).await, refused);
        assert_eq!(ordered("BB-1000-1000", json!({ "sla": "SLA-1" })).await, refused, "another name");
        assert_eq!(ordered("BB-1000-1000", json!({ "SLA": "SLA-9" })).await, refused);
        assert_eq!(ordered("BB-100-100", json!({ "SLA": "SLA-9" })).await, refused);
        assert_eq!(ordered("BB-1000-1000", json!({ "SLA": "SLA-3" })).await, 201);
    }
}

/// The complete object that `GET` returns can be sent back.
#[tokio::test]
async fn an_order_is_replaced_with_the_complete_object() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let (access, service) = caller.offered(Availability::Free);
        let id = caller.place(order("ACTIVATE", &access.id, &service, "s-0")).await;
        let path = format!("/orders/{id}");
        let mut whole = caller.get(&path).await.json();
        whole["requestedDateTime"] = json!("2026-03-09T06:00:00Z");
        assert_eq!(caller.send("PUT", &path, whole.clone()).await.status, 204);
        let replaced = caller.get(&path).await.json();
        assert_eq!(replaced["expectedCompletionDate"], "2026-03-09T06:00:01Z");
        whole["expectedCompletionDate"] = replaced["expectedCompletionDate"].clone();
        assert_eq!(replaced, whole);
        let filtered = caller.rows("/orders/?state=%22RECEIVED%22").await;
        assert_eq!(filtered, [replaced], "a state may be in double quotes");
    }
}

async fn placed(
    builder: SandboxBuilder,
    dialect: Dialect,
    body: &Value,
) -> (Caller, crate::common::Reply, Value) {
    let caller = Caller::of(builder.onapi_dialect(dialect)).await;
    let (access, service) = caller.offered(Availability::Free);
    let mut whole = order("ACTIVATE", &access.id, &service, "s-0");
    for (name, value) in body.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let reply = caller.order(whole.clone()).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    (caller, reply, whole)
}

#[tokio::test]
async fn the_response_to_a_new_order_can_lack_the_id() {
    for dialect in Dialect::ALL {
        let builder = Sandbox::builder().onapi_order_ids(false);
        let (caller, reply, whole) = placed(builder, dialect, &json!({})).await;
        let created = reply.json();
        assert_eq!(header(&reply, "location").as_deref(), created["path"].as_str());
        let names: Vec<_> = created.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["accessId", "message", "operation", "path", "service", "state"]);
        let again = caller.order(whole).await;
        assert_eq!((again.status, again.json()), (200, created.clone()));
        let path = created["path"].as_str().unwrap();
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(caller.get(&format!("/orders/{id}")).await.json()["orderId"], id);
    }
}

#[tokio::test]
async fn an_order_for_later_can_lack_the_subscription() {
    let later = json!({ "requestedDateTime": "2026-03-09T06:00:00Z" });
    for dialect in Dialect::ALL {
        let builder = Sandbox::builder().onapi_early_subscription_ids(false);
        let (caller, reply, _) = placed(builder.clone(), dialect, &later).await;
        let created = reply.json();
        assert_eq!(created.get("subscriptionId"), None);
        finish(&caller.0);
        let done = caller.get(&format!("/orders/{}", created["orderId"].as_str().unwrap())).await.json();
        assert!(done["subscriptionId"].is_string());
        let (_, at_once, _) = placed(builder, dialect, &json!({})).await;
        assert!(at_once.json()["subscriptionId"].is_string());
    }
}

#[tokio::test]
async fn subscriptions_can_lack_references() {
    for dialect in Dialect::ALL {
        let builder = Sandbox::builder().onapi_keeps_references(false);
        let (caller, reply, whole) = placed(builder, dialect, &json!({})).await;
        assert_eq!(reply.json()["spReference"], "sp-ref-1", "the order has it");
        finish(&caller.0);
        let access = whole["accessId"].as_str().unwrap();
        let one = subscriptions(&caller, dialect, access).await.swap_remove(0);
        assert_eq!((one.get("spReference"), one.get("spSubscriptionId")), (None, None));
        assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    }
}
