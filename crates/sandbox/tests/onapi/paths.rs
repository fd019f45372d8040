//! The accepted spelling of paths and query parameters.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{LowerCase, PathStyle, RefuseWith, Sandbox, TrailingSlash};
use serde_json::json;

use crate::caller::{Caller, cause, header};
use crate::common::send;

async fn with(path_style: PathStyle) -> Caller {
    Caller::of(Sandbox::builder().onapi_path_style(path_style)).await
}

fn strict(collections: TrailingSlash, items: TrailingSlash, refuse_with: RefuseWith) -> PathStyle {
    PathStyle { collections, items, refuse_with, ..PathStyle::default() }
}

#[tokio::test]
async fn paths_outside_the_prefix_are_unknown() {
    let caller = Caller::new().await;
    assert!(caller.0.base_url().ends_with("/onapi/2.6"));
    assert_eq!(caller.get("/accesses/").await.status, 200);
    let received = caller.0.last().unwrap();
    assert_eq!(
        (received.path.as_str(), received.operation.as_deref()),
        ("/onapi/2.6/accesses/", Some("listAccesses"))
    );
    for path in [
        "/accesses/",
        "/onapi/2.5/accesses/",
        "/onapi/2.6accesses/",
        "/onapi/2.6/nothing",
        "/onapi/2.6//",
        "/onapi/2.6/accesses//",
    ] {
        let reply = send(&caller.root(), "GET", path, &[], "").await;
        assert_eq!(reply.status, 501, "{path}");
        assert!(!cause(&reply).is_empty());
        assert_eq!(caller.0.last().unwrap().operation, None);
    }
    let reply = caller.call("PUT", "/accesses", &[], "").await;
    assert_eq!((reply.status, header(&reply, "allow").as_deref()), (405, Some("GET")));
}

#[tokio::test]
async fn trailing_slashes_are_optional_by_default() {
    let caller = Caller::new().await;
    let id = caller.offered(Availability::Free).0.id;
    for path in ["/accesses", "/accesses/", "/tickets", "/tickets/", "/orders", "", "/"] {
        assert!([200, 404].contains(&caller.get(path).await.status), "{path}");
        assert!(caller.0.last().unwrap().operation.is_some(), "{path}");
    }
    for path in [format!("/accesses/{id}/"), format!("/tech/access/{id}/link/status/")] {
        assert_eq!(caller.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn collections_and_items_have_separate_styles() {
    let caller = with(strict(TrailingSlash::Refused, TrailingSlash::Required, RefuseWith::NotFound)).await;
    let id = caller.offered(Availability::Free).0.id;
    let tech = format!("/tech/cpe/{id}/status");
    for good in [
        "/accesses",
        "/dhcplookup?ipv4RemoteId=line-000001",
        &format!("/accesses/{id}/"),
        &format!("{tech}/"),
    ] {
        assert_eq!(caller.get(good).await.status, 200, "{good}");
    }
    let observed = caller.0.received().len();
    for bad in ["/accesses/", "/tickets/", &format!("/accesses/{id}"), &tech] {
        let reply = caller.get(bad).await;
        assert_eq!((reply.status, cause(&reply).as_str()), (404, "There is no such path"), "{bad}");
    }
    assert!(caller.0.received()[observed..].iter().all(|received| received.operation.is_none()));
    assert_eq!(caller.get("").await.status, 200, "the directory has both forms");

    // Paths in responses have the accepted spelling.
    let (access, service) = caller.offered(Availability::Free);
    let body = json!({ "operation": "ACTIVATE", "accessId": access.id, "service": service });
    let reply = caller.send("POST", "/orders", body).await;
    let path = header(&reply, "location").unwrap();
    assert!(path.ends_with('/'), "{path}");
    assert_eq!(reply.json()["path"], path);
    assert_eq!(caller.get("/orderevents").await.json()[0]["order"]["path"], path);
    assert_eq!(caller.get("/events").await.json()[0]["path"], path);
}

#[tokio::test]
async fn redirects_point_to_the_accepted_spelling() {
    for (refuse_with, status) in [(RefuseWith::MovedPermanently, 301), (RefuseWith::PermanentRedirect, 308)] {
        let caller = with(strict(TrailingSlash::Required, TrailingSlash::Refused, refuse_with)).await;
        let reply = caller.get("/orders?state=RECEIVED").await;
        assert_eq!(reply.status, status);
        assert_eq!(header(&reply, "location").as_deref(), Some("/onapi/2.6/orders/?state=RECEIVED"));
        let reply = caller.send("POST", "/orders", json!({ "operation": "ACTIVATE" })).await;
        assert_eq!((reply.status, caller.0.count("createOrder")), (status, 0));
        let reply = caller.get("/accesses/a%2F1/").await;
        assert_eq!(header(&reply, "location").as_deref(), Some("/onapi/2.6/accesses/a%2F1"));
        assert_eq!(caller.get("/nothing").await.status, 501);
    }
}

#[tokio::test]
async fn parameter_names_follow_the_configured_case() {
    let camel = "/dhcplookup/?ipv4RemoteId=line-000001";
    let lower = "/dhcplookup/?ipv4remoteid=line-000001";
    let cases =
        [(LowerCase::Refused, 200, 400), (LowerCase::Required, 400, 200), (LowerCase::Either, 200, 200)];
    for (lower_case_parameters, with_camel, with_lower) in cases {
        let caller = with(PathStyle { lower_case_parameters, ..PathStyle::default() }).await;
        assert_eq!(caller.get(camel).await.status, with_camel, "{lower_case_parameters:?}");
        assert_eq!(caller.get(lower).await.status, with_lower, "{lower_case_parameters:?}");
        assert_eq!(caller.get("/orders/?state=RECEIVED").await.status, 404);
        assert_eq!(caller.get("/orders/?accessid=a-1&page=1").await.status, 400);
    }
}

#[tokio::test]
async fn the_directory_uses_the_accepted_spelling() {
    let forms = [
        (TrailingSlash::Either, "/accesses/", "/tickets"),
        (TrailingSlash::Required, "/accesses/", "/tickets/"),
        (TrailingSlash::Refused, "/accesses", "/tickets"),
    ];
    for (collections, accesses, tickets) in forms {
        let caller = with(strict(collections, TrailingSlash::Either, RefuseWith::NotFound)).await;
        let directory = caller.rows("/").await;
        assert_eq!(directory.len(), 12);
        for (name, path) in [("accesses", accesses), ("tickets", tickets)] {
            let endpoint = directory.iter().find(|endpoint| endpoint["name"] == name).unwrap();
            assert_eq!(endpoint["endpoint"], format!("{}{path}", caller.0.base_url()));
            assert_eq!(endpoint["version"], "2.6");
            assert!(endpoint["documentation"].as_str().unwrap().starts_with("https://co.example/"));
        }
    }
}
