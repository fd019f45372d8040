//! Complete lists and lists of changes.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, Sandbox};
use serde_json::{Value, json};

use crate::caller::{Caller, finish, header};
use crate::common::Reply;

fn moment(reply: &Reply) -> String {
    header(reply, "last-modified").unwrap()
}

fn ids(reply: &Reply) -> Vec<Value> {
    reply.json().as_array().unwrap().iter().map(|row| row["accessId"].clone()).collect()
}

#[tokio::test]
async fn the_network_has_every_kind_of_access() {
    let caller = Caller::new().await;
    let accesses = caller.0.accesses();
    assert_eq!(accesses.len(), 30);
    for availability in [
        Availability::Free,
        Availability::Active,
        Availability::Conflicting,
        Availability::HeldByOther,
        Availability::NotYet,
    ] {
        assert!(
            accesses[..6].iter().any(|access| access.service(availability).is_some()),
            "{availability:?}"
        );
    }
    let list = caller.rows("/accesses/").await;
    assert_eq!(list.len(), 30);
    for (row, access) in list.iter().zip(&accesses) {
        assert_eq!((&row["accessId"], &row["city"]), (&json!(access.id), &json!("Ankeborg")));
        assert_eq!(caller.get(&format!("/accesses/{}", access.id)).await.json(), *row);
    }
    let kinds: std::collections::BTreeSet<_> =
        list.iter().map(|row| row["premisesType"].to_string()).collect();
    assert_eq!(kinds.len(), 7);
    for (kind, other) in
        [("mduApartmentNumber", "mduDistinguisher"), ("mduDistinguisher", "mduApartmentNumber")]
    {
        let apartment = list.iter().find(|row| row.get(kind).is_some()).unwrap();
        assert_eq!((&apartment["premisesType"], apartment.get(other)), (&json!("MDU_APARTMENT"), None));
    }
    assert_eq!(caller.rows("/services/").await.len(), 30);
    assert_eq!(caller.rows("/subscriptions/").await.len(), 10);
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
}

#[tokio::test]
async fn a_single_access_equals_its_list_entry() {
    let caller = Caller::new().await;
    let (access, _) = caller.offered(Availability::Active);
    for collection in ["accesses", "services", "subscriptions"] {
        let list = caller.rows(&format!("/{collection}/")).await;
        let row = list.iter().find(|row| row["accessId"] == access.id.as_str()).unwrap();
        assert_eq!(caller.get(&format!("/{collection}/{}", access.id)).await.json(), *row);
        assert_eq!(caller.get(&format!("/{collection}/a-1")).await.status, 404);
    }
    let free = caller.offered(Availability::Free).0.id;
    let none = caller.get(&format!("/subscriptions/{free}")).await.json();
    assert_eq!(none, json!({ "accessId": free, "subscriptions": [] }));
}

#[tokio::test]
async fn unchanged_lists_respond_with_304() {
    let caller = Caller::new().await;
    for list in ["/accesses/", "/services/", "/subscriptions/"] {
        let first = caller.get(list).await;
        assert_eq!(moment(&first), "Mon, 05 Jan 2026 08:00:00 GMT", "{list}");
        let again = caller.since(list, &moment(&first)).await;
        assert_eq!((again.status, again.body.as_str(), moment(&again)), (304, "", moment(&first)));
        let before = caller.since(list, "Mon, 05 Jan 2026 07:59:59 GMT").await;
        assert_eq!(before.json(), first.json());
        assert_eq!(caller.since(list, "yesterday").await.json(), first.json(), "no condition at all");
    }
    // Orders advance, but the network does not change.
    let (access, service) = caller.offered(Availability::Free);
    caller.activate(&access, &service).await;
    caller.0.advance();
    assert_eq!(caller.since("/accesses/", "Mon, 05 Jan 2026 08:00:00 GMT").await.status, 304);
}

#[tokio::test]
async fn conditional_lists_contain_only_changes() {
    let caller = Caller::new().await;
    let lists = ["/accesses/", "/services/", "/subscriptions/"];
    let start = moment(&caller.get("/accesses/").await);
    let (free, service) = caller.offered(Availability::Free);
    caller.activate(&free, &service).await;
    finish(&caller.0);
    for (list, changed) in [("/accesses/", true), ("/services/", false), ("/subscriptions/", true)] {
        let reply = caller.since(list, &start).await;
        assert_eq!(reply.status, if changed { 200 } else { 304 }, "{list}");
        assert!(!changed || ids(&reply) == [json!(free.id)]);
    }

    // An ended subscription is part of the changes, but not of the complete list.
    let (access, _) = caller.offered(Availability::Active);
    let id = access.subscriptions[0].subscription_id.clone();
    let start = moment(&caller.get("/subscriptions/").await);
    caller.place(json!({ "operation": "DEACTIVATE", "subscriptionId": id })).await;
    finish(&caller.0);
    let news = caller.since("/subscriptions/", &start).await;
    assert_eq!(ids(&news), [json!(access.id)]);
    if caller.reload(&access).subscriptions.is_empty() {
        assert_eq!(news.json()[0]["subscriptions"], json!([]));
        assert!(!ids(&caller.get("/subscriptions/").await).contains(&json!(access.id)));
    }

    let start = moment(&caller.get("/subscriptions/").await);
    caller.0.add_accesses(6);
    for list in lists {
        let news = caller.since(list, &start).await;
        assert_eq!(ids(&news).len(), if list == "/subscriptions/" { 2 } else { 6 }, "{list}");
        assert_eq!(caller.since(list, &moment(&news)).await.status, 304, "{list}");
    }
    assert_eq!(caller.0.accesses().len(), 36);
}

#[tokio::test]
async fn changes_are_recorded_as_events() {
    let caller = Caller::new().await;
    assert_eq!(caller.get("/events/").await.status, 404);
    let (access, service) = caller.offered(Availability::Free);
    let order = caller.activate(&access, &service).await.json();
    finish(&caller.0);
    let reply = caller.get("/events/").await;
    let reported: Vec<_> = reply
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|event| format!("{} {}", event["type"].as_str().unwrap(), event["objectType"].as_str().unwrap()))
        .collect();
    let expected =
        ["CREATE orders", "UPDATE orders", "CREATE subscriptions", "UPDATE accesses", "UPDATE orders"];
    assert_eq!(reported, expected);
    let events = reply.json();
    assert_eq!((&events[0]["objectId"], &events[0]["path"]), (&order["orderId"], &order["path"]));
    assert_eq!(events[2]["objectId"], order["subscriptionId"]);
    assert_eq!(events[2]["path"], format!("/onapi/2.6/subscriptions/{}", access.id));
    assert_eq!(caller.since("/events/", &moment(&reply)).await.status, 304);

    let end = json!({ "operation": "DEACTIVATE", "subscriptionId": order["subscriptionId"] });
    caller.place(end).await;
    finish(&caller.0);
    let news = caller.since("/events/", &moment(&reply)).await.json();
    let gone = news.as_array().unwrap().iter().find(|event| event["type"] == "DELETE").unwrap();
    assert_eq!((&gone["objectType"], gone.get("path")), (&json!("subscriptions"), None));

    let before = moment(&caller.get("/events/").await);
    caller.0.add_accesses(1);
    let grown = caller.since("/events/", &before).await.json();
    assert_eq!((&grown[0]["type"], &grown[0]["objectType"]), (&json!("CREATE"), &json!("accesses")));
}

#[tokio::test]
async fn initial_subscriptions_are_invoiced() {
    let caller = Caller::new().await;
    let periods = caller.rows("/invoicespecification/").await;
    let ids: Vec<_> = periods.iter().map(|period| period["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["202510", "202511", "202512"]);
    let lines = caller.rows("/invoicespecification/202510").await;
    assert_eq!(lines.len(), 15, "one for each subscription");
    let (access, service) = caller.offered(Availability::Active);
    let line = lines.iter().find(|line| line["access"]["accessId"] == access.id.as_str()).unwrap();
    assert_eq!(line["subscription"]["coSubscriptionId"], access.subscriptions[0].subscription_id);
    assert_eq!(
        (&line["invoice"]["billingItem"], &line["invoice"]["fromDate"]),
        (&json!(service), &json!("2025-10-01"))
    );
    let credits = caller.rows("/invoicespecification/202512").await;
    let credit = credits.iter().find(|line| line["invoice"]["invoiceType"] == "CREDIT").unwrap();
    assert!(credit["invoice"]["invoicedAmount"].as_f64().unwrap() < 0.0);
    assert_eq!(caller.get("/invoicespecification/202601").await.status, 404);
}

/// A list of a large network is generated while it is sent, and equals the one that a small network would send.
#[tokio::test]
async fn a_large_network_is_streamed() {
    for dialect in Dialect::ALL {
        large_network_is_streamed(dialect).await;
    }
}

async fn large_network_is_streamed(dialect: Dialect) {
    let of_size = |accesses| Caller::of(Sandbox::builder().onapi_dialect(dialect).onapi_accesses(accesses));
    let (large, small) = (of_size(10_001).await, of_size(10_000).await);
    for path in ["/accesses/", "/services/", "/subscriptions/", "/invoicespecification/202512"] {
        if path == "/services/" && dialect.spec().operation("listServices").is_none() {
            continue;
        }
        let (streamed, whole) = (large.get(path).await, small.get(path).await);
        assert!(streamed.head.contains("transfer-encoding: chunked"), "{path}: {}", streamed.head);
        assert_eq!(header(&streamed, "last-modified"), header(&whole, "last-modified"));
        let (streamed, whole) = (unchunked(&streamed.body), whole.json());
        let (streamed, whole) = (streamed.as_array().unwrap(), whole.as_array().unwrap());
        assert_eq!(&streamed[..whole.len()], &whole[..], "{path}");
        // The last access has two subscriptions, and in the last period two credits.
        assert!(streamed.len() - whole.len() <= 4, "{path}");
    }
    // A changed access is listed as it is.
    let access = large.0.first_accesses(1)[0].clone();
    let order = json!({
        "operation": "ACTIVATE",
        "accessId": access.id,
        "service": access.services[0].service,
        "spReference": "SP-0431",
    });
    assert_eq!(large.order(order).await.status, 201);
    large.0.advance();
    large.0.advance();
    let subscriptions = unchunked(&large.get("/subscriptions/").await.body);
    assert_eq!(subscriptions[0]["accessId"], access.id);
    // What has changed since the start is that access alone.
    let since = header(&small.get("/subscriptions/").await, "last-modified").unwrap();
    let changed = large.since("/subscriptions/", &since).await.json();
    assert_eq!(changed, json!([subscriptions[0]]));
    assert!(large.0.violations().is_empty());
}

/// Returns the JSON of a body in chunks.
fn unchunked(body: &str) -> Value {
    let (mut rest, mut whole) = (body, Vec::new());
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.extend_from_slice(&after.as_bytes()[..length]);
        rest = std::str::from_utf8(&after.as_bytes()[length..]).unwrap().trim_start_matches("\r\n");
    }
    serde_json::from_slice(&whole).unwrap()
}
