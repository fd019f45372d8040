//! The versions of the standard: where services and subscriptions are, how their dates are written, and which names
//! other fields have.

use std::collections::BTreeSet;

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, PathStyle, RefuseWith, Sandbox, TrailingSlash};
use serde_json::{Value, json};

use crate::caller::{Caller, finish, header};

const LEGACY: [Dialect; 2] = [Dialect::Standard25, Dialect::Standard24];

async fn network(dialect: Dialect) -> Caller {
    Caller::of(Sandbox::builder().onapi_dialect(dialect)).await
}

fn texts(values: &[Value], field: &str) -> BTreeSet<String> {
    values.iter().map(|value| value[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_dialect_has_the_paths_of_its_version() {
    let without_services = ["getServices", "listServices", "getSubscriptions"];
    let absent = |dialect| match dialect {
        Dialect::Vendor26 | Dialect::Standard26 => Vec::new(),
        Dialect::Standard25 => [without_services.as_slice(), &["lookupDhcp"]].concat(),
        Dialect::Standard24 => without_services.to_vec(),
    };
    let whole = Dialect::Standard26.spec();
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let missing = absent(dialect);
        assert_eq!(dialect.spec().operations().count(), whole.operations().count() - missing.len());
        for id in missing {
            let path = whole.operation(id).unwrap().path.replace("{accessId}", "a-1");
            assert_eq!(caller.get(&path).await.status, 501, "{dialect:?} {id}");
        }
        let directory = caller.rows("/").await;
        assert_eq!(texts(&directory, "version"), BTreeSet::from([dialect.version().to_owned()]));
        let names = texts(&directory, "name");
        assert_eq!(names.contains("services"), !LEGACY.contains(&dialect));
        assert_eq!(names.contains("dhcplookup"), dialect != Dialect::Standard25);
        let path = format!("/onapi/{}/accesses/", dialect.version());
        assert!(directory[0]["endpoint"].as_str().unwrap().ends_with(&path));
        let version = dialect.spec().document()["info"]["version"].as_str().unwrap().to_owned();
        assert_eq!(version, format!("{}.0", dialect.version()));
    }
}

#[tokio::test]
async fn the_document_of_a_dialect_is_served() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let reply = crate::common::send(&caller.root(), "GET", "/openapi.json", &[], "").await;
        let mut served = reply.json();
        assert_eq!(served["servers"], json!([{ "url": format!("/onapi/{}", dialect.version()) }]));
        served["servers"] = dialect.spec().document()["servers"].clone();
        assert_eq!(&served, dialect.spec().document());
        assert!(!reply.body.contains("x-dialects") && !reply.body.contains("x-forms"));
        assert_eq!(caller.0.received().len(), 0);
    }
}

#[tokio::test]
async fn services_are_fields_of_an_access_before_2_6() {
    for dialect in LEGACY {
        let caller = network(dialect).await;
        let rows = caller.rows("/accesses/").await;
        assert_eq!(rows.len(), 30);
        for (row, access) in rows.iter().zip(caller.0.accesses()) {
            assert_eq!(row["accessId"], access.id);
            let listed = row["services"].as_array().unwrap();
            assert_eq!(listed.len(), access.services.len() + 1, "and the one that always fails");
            assert!(listed.iter().all(|service| service.as_object().unwrap().len() == 4));
            for gone in ["subscriptions", "priceGroup", "nationalAddressUUID"] {
                assert_eq!(row.get(gone), None, "{gone}");
            }
            for old in ["coNetworkAgreement", "coFiberConverter", "coCpeSwitch", "coCpeRouter"] {
                assert!(row[old].is_string(), "{old}");
            }
        }
        assert!(!texts(&rows, "accessState").contains("INMIGRATION"));

        let (access, _) = caller.offered(Availability::Active);
        let whole = caller.get(&format!("/accesses/{}", access.id)).await.json();
        let services = whole["services"].as_array().unwrap();
        assert!(services.iter().all(|service| service["forcedTakeoverPossible"].is_boolean()));
        let offered = &services[0]["characteristics"];
        assert!(offered["SLA"]["values"].is_array() && offered["ipAddress"]["required"].is_boolean());
        let subscription = &whole["subscriptions"][0];
        assert_eq!(subscription["subscriptionId"], access.subscriptions[0].subscription_id);
        assert_eq!(subscription["accessId"], access.id);
        let (free, _) = caller.offered(Availability::Free);
        assert_eq!(caller.get(&format!("/accesses/{}", free.id)).await.json()["subscriptions"], json!([]));
    }
}

#[tokio::test]
async fn dates_of_services_have_the_form_of_their_version() {
    let dates = async |dialect: Dialect, path: &str, field: &str| {
        let rows = network(dialect).await.rows(path).await;
        let services: Vec<Value> =
            rows.iter().flat_map(|row| row["services"].as_array().unwrap().clone()).collect();
        texts(&services, field)
    };
    let of = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>();
    let old = ["2013-10-13", "2013-10-14"];
    let connection = dates(Dialect::Standard24, "/accesses/", "connection").await;
    assert_eq!(connection, of(&[old.as_slice(), &["NO", "YES"]].concat()));
    let available = dates(Dialect::Standard24, "/accesses/", "available").await;
    assert_eq!(available, of(&[old.as_slice(), &["2031-01-01", "NO", "YES"]].concat()));
    let disconnection = dates(Dialect::Standard24, "/accesses/", "disconnection").await;
    assert_eq!(disconnection, of(&["", "2031-01-01"]));

    let old = ["2013-10-13T14:09:23Z", "2013-10-14T14:09:23Z", "2031-01-01T00:00:00Z", ""];
    let (listed, read) = ("1970-01-01T00:00:00Z", "1990-01-01T00:00:01Z");
    let some_day = "3030-12-12T00:00:01Z";
    let available = dates(Dialect::Standard25, "/accesses/", "availableDateTime").await;
    assert_eq!(available, of(&[old.as_slice(), &[listed, some_day]].concat()));
    let available = dates(Dialect::Standard26, "/services/", "availableDateTime").await;
    assert_eq!(available, of(&[old.as_slice(), &[read, some_day]].concat()));
    let available = dates(Dialect::Vendor26, "/services/", "availableDateTime").await;
    assert_eq!(available, of(&[read, some_day]));
}

#[tokio::test]
async fn subscriptions_are_rows_of_their_own_before_2_6() {
    for dialect in LEGACY {
        let caller = network(dialect).await;
        let all = caller.get("/subscriptions/").await;
        assert_eq!(all.json().as_array().unwrap().len(), 15);
        let first = &all.json()[0];
        assert!(first["accessId"].is_string() && first["subscriptionId"].is_string());
        assert!(first.get("subscriptions").is_none() && first.get("connectionDate").is_none());

        let since = header(&all, "last-modified").unwrap();
        assert_eq!(caller.since("/subscriptions/", &since).await.status, 304);
        let (access, service) = caller.offered(Availability::Free);
        let order = json!({
            "operation": "ACTIVATE", "accessId": access.id, "service": service, "spReference": "sp-1",
        });
        caller.place(order).await;
        finish(&caller.0);
        let news = caller.since("/subscriptions/", &since).await;
        let id = news.json()[0]["subscriptionId"].clone();
        assert_eq!(
            (news.json().as_array().unwrap().len(), &news.json()[0]["accessId"]),
            (1, &json!(access.id))
        );

        // Nothing but an event tells that a subscription has ended.
        let since = header(&news, "last-modified").unwrap();
        let end = json!({
            "operation": "DEACTIVATE", "subscriptionId": id, "accessId": access.id, "service": service,
        });
        caller.place(end).await;
        finish(&caller.0);
        assert_eq!(caller.since("/subscriptions/", &since).await.status, 304);
        assert_eq!(caller.rows("/subscriptions/").await.len(), 15);
        let events = caller.rows("/events/").await;
        let of_it: Vec<_> = events.iter().filter(|event| event["objectId"] == id).collect();
        assert_eq!(
            of_it.iter().map(|event| event["type"].as_str()).collect::<Vec<_>>(),
            [Some("CREATE"), Some("DELETE")]
        );
        let path = format!("/onapi/{}/accesses/{}", dialect.version(), access.id);
        assert_eq!((&of_it[0]["path"], of_it[1].get("path")), (&json!(path), None));
        assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    }
}

/// An access is in the list of changes if its services change, because they are fields of the row.
#[tokio::test]
async fn a_takeover_changes_the_row_of_an_access_before_2_6() {
    for dialect in LEGACY {
        let caller = network(dialect).await;
        let since = header(&caller.get("/accesses/").await, "last-modified").unwrap();
        let accesses = caller.0.accesses();
        let held = accesses.iter().find_map(|access| {
            let offer = access.services.iter().find(|offer| {
                offer.availability == Availability::HeldByOther && offer.forced_takeover_possible
            })?;
            Some((access.id.clone(), offer.service.clone()))
        });
        let (access, service) = held.unwrap();
        let order = json!({
            "operation": "ACTIVATE", "accessId": access, "service": service, "spReference": "sp-1",
            "forcedTakeover": true,
        });
        caller.place(order).await;
        finish(&caller.0);
        let news = caller.since("/accesses/", &since).await.json();
        assert_eq!((news.as_array().unwrap().len(), &news[0]["accessId"]), (1, &json!(access)));
    }
}

#[tokio::test]
async fn invoices_have_the_names_of_their_version() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let lines = caller.rows("/invoicespecification/202512").await;
        let line = &lines[0];
        if LEGACY.contains(&dialect) {
            assert!(line["coID"].is_string() && line["serviceProvider"]["name"].is_string());
            assert!(line["address"]["accessID"].is_string() && line["population"].is_string());
            assert!(line["subscription"]["serviceName"].is_string());
            assert_eq!(line["invoice"].get("invoiceType"), None);
            let credits = lines.iter().filter(|line| line["invoice"]["creditAmount"] == "25").count();
            assert!(credits > 0 && credits < lines.len());
        } else {
            assert!(line["coId"].is_string() && line["spName"].is_string());
            assert!(line["access"]["accessId"].is_string() && line["invoice"]["invoiceType"].is_string());
        }
    }
}

#[tokio::test]
async fn technical_information_has_the_names_of_its_version() {
    for dialect in Dialect::ALL {
        let caller = network(dialect).await;
        let (access, _) = caller.offered(Availability::Active);
        let optics = if LEGACY.contains(&dialect) { "fiber" } else { "transceiver" };
        let tech = format!("/tech/access/{}/link", access.id);
        let link = caller.get(&format!("{tech}/status")).await.json();
        assert!(link[optics]["dbmRx"].is_string(), "{link}");
        assert_eq!(link.get("linkSpeed").is_some(), dialect != Dialect::Vendor26);
        let cpe = caller.get(&format!("/tech/cpe/{}/status", access.id)).await.json();
        assert!(cpe["ports"][0][optics]["temp"].is_string(), "{cpe}");
        let counters = &cpe["ports"][0]["statistics"]["input"];
        assert_eq!(counters.get("multicastPackets").is_some(), dialect != Dialect::Vendor26);
        let lease = caller.rows(&format!("{tech}/leaseinfo")).await.swap_remove(0);
        assert_eq!(lease.get("lastRenew").is_some(), dialect == Dialect::Standard26, "{lease}");
        let mac = caller.rows(&format!("{tech}/macaddresstable")).await.swap_remove(0);
        assert_eq!(mac.get("vlan").is_none(), LEGACY.contains(&dialect));
    }
}

#[tokio::test]
async fn each_dialect_has_every_path_style() {
    for dialect in Dialect::ALL {
        let style = PathStyle {
            collections: TrailingSlash::Refused,
            items: TrailingSlash::Required,
            refuse_with: RefuseWith::PermanentRedirect,
            ..PathStyle::default()
        };
        let builder = Sandbox::builder().onapi_dialect(dialect).onapi_path_style(style);
        let caller = Caller::of(builder).await;
        let prefix = format!("/onapi/{}", dialect.version());
        let moved = caller.get("/accesses/").await;
        assert_eq!((moved.status, header(&moved, "location")), (308, Some(format!("{prefix}/accesses"))));
        assert_eq!(caller.get("/accesses").await.status, 200);
        let (access, _) = caller.offered(Availability::Free);
        assert_eq!(caller.get(&format!("/accesses/{}/", access.id)).await.status, 200);
        let listed = caller.rows("").await[0]["endpoint"].as_str().unwrap().to_owned();
        assert!(listed.ends_with(&format!("{prefix}/accesses")), "{listed}");
    }
}

#[tokio::test]
async fn a_directory_can_list_earlier_versions() {
    let builder = Sandbox::builder().onapi_dialect(Dialect::Standard24).onapi_legacy_endpoints(true);
    let directory = Caller::of(builder).await.rows("/").await;
    let versions: Vec<_> = directory
        .iter()
        .filter(|entry| entry["name"] == "accesses")
        .map(|entry| entry["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["2.3.1", "2.4"]);
}
