//! The operations that a network's directory offers, their paths, and the registry of many networks.

use lastmile::onapi::{Dialect, EndpointName, Networks, NewOrder, OnApi};
use lastmile::rules::OnApiId;
use lastmile::{Outcome, Prepared, PreparedState};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Answer, PathStyle, Sandbox, TrailingSlash};
use lastmile_tests::{brisk, onapi, sandbox};
use serde_json::{Value, json};

fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

async fn with_entries(sandbox: &Sandbox, entries: Value, allowed: &[&str]) -> OnApi {
    let network = onapi(sandbox);
    sandbox.onapi().answer_next("listEndpoints", Answer::json(200, &entries));
    let directory = network.directory().await.unwrap().unwrap();
    network.with_directory(&directory, allowed)
}

#[tokio::test]
async fn an_operation_that_is_not_offered_fails_before_it_is_sent() {
    let sandbox = Sandbox::builder()
        .seed(1)
        .onapi_without_endpoint("tickets")
        .onapi_without_endpoint("tech/cpe")
        .start()
        .await
        .unwrap();
    let network = onapi(&sandbox);
    assert_eq!(network.offers_endpoint(EndpointName::Tickets), None, "not known without a directory");
    let directory = network.directory().await.unwrap().unwrap();
    assert!(
        directory.entry(EndpointName::Tickets).is_none() && directory.entry(EndpointName::Orders).is_some()
    );
    let network = network.with_directory(&directory, &[]);
    assert_eq!(network.offers_endpoint(EndpointName::Tickets), Some(false));
    assert_eq!(network.offers_endpoint(EndpointName::Orders), Some(true));

    let access = id(&sandbox.onapi().accesses()[1].id);
    let before = sandbox.onapi().received().len();
    let error = network.cpe_status(&access).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains("tech/cpe: this network does not offer it"), "{error}");
    let mut ticket = Prepared::new(lastmile::onapi::NewTicket::new("1", "a", "b")).unwrap();
    assert_eq!(ticket.place(&network).await.unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(ticket.state(), PreparedState::Ready);
    assert_eq!(sandbox.onapi().received().len(), before, "nothing was sent");
    network.link_status(&access).await.unwrap();
    network.offers(&access).await.unwrap();
    assert_eq!(network.with_policy(brisk()).offers_endpoint(EndpointName::Tickets), Some(false), "kept");
}

#[tokio::test]
async fn an_endpoint_of_another_version_is_refused_with_both_versions() {
    let sandbox = sandbox().await;
    let entries = json!([
        { "name": "accesses", "endpoint": "/onapi/2.3/accesses/", "version": "2.3" },
        { "name": "accesses", "endpoint": "/onapi/2.2/accesses/", "version": "2.2" },
        { "name": "accesses", "endpoint": "/onapi/2.2/accesses/", "version": "2.2" },
        { "name": "orders", "endpoint": "/onapi/2.3/orders/", "version": 2.3 },
        { "name": "tickets", "endpoint": "/onapi/x/tickets", "version": "Personal data" },
        { "name": "services", "endpoint": "/onapi/2.4/services/", "version": "2.4" },
        { "name": "services", "endpoint": "/onapi/2.6/services/", "version": "2.6" },
    ]);
    let network = with_entries(&sandbox, entries, &[]).await;
    let access = id(&sandbox.onapi().accesses()[0].id);
    let before = sandbox.onapi().received().len();
    let accesses = network.access(&access).await.unwrap_err();
    let orders = network.open_orders().await.unwrap_err();
    let tickets = network.tickets(&Default::default()).await.unwrap_err();
    for (error, listed) in [
        (accesses, "version 2.3, 2.2 only"),
        (orders, "version 2.3 only"),
        (tickets, "version (unreadable) only"),
    ] {
        assert_eq!(error.outcome(), Outcome::Invalid);
        let text = error.to_string();
        assert!(text.contains(listed) && text.contains("speaks 2.4, 2.5, 2.6"), "{text}");
    }
    assert_eq!(network.offers_endpoint(EndpointName::Accesses), Some(false));
    // A field that no version has is still reported as unknown.
    let error = network.subscriptions(&access).await.unwrap_err();
    assert!(error.to_string().contains("does not offer it"), "{error}");
    assert_eq!(sandbox.onapi().received().len(), before, "nothing was sent");
    network.services(&access).await.unwrap();
}

#[tokio::test]
async fn trailing_slashes_are_read_from_the_directory() {
    for slash in [TrailingSlash::Required, TrailingSlash::Refused] {
        let wants = PathStyle { collections: slash, ..Default::default() };
        let sandbox = Sandbox::builder().seed(1).onapi_path_style(wants).start().await.unwrap();
        let network = onapi(&sandbox);
        let directory = network.directory().await.unwrap().unwrap();
        let network = network.with_directory(&directory, &[]);
        let accesses = sandbox.onapi().accesses();
        let free = accesses.iter().find(|access| access.service(Availability::Free).is_some()).unwrap();
        let service = &free.service(Availability::Free).unwrap().service;
        let order = NewOrder::activate(id(&free.id), service, id("SP-1"));
        let placed = Prepared::new(order).unwrap().place(&network).await.unwrap();
        network.order(&placed.order_id().unwrap()).await.unwrap();
        assert_eq!(network.open_orders().await.unwrap().len(), 1);
        assert_eq!(
            network.access_of_option82(&free.option82.parse().unwrap()).await.unwrap().as_str(),
            free.id
        );
        network.link_status(&id(&free.id)).await.unwrap();
        network.cpe_status(&id(&free.id)).await.unwrap();
        assert_eq!(network.invoice_periods().await.unwrap().len(), 3);
        assert!(sandbox.onapi().received().iter().all(|received| received.operation.is_some()), "{slash:?}");
    }
}

#[tokio::test]
async fn a_custom_path_of_the_network_is_used() {
    let sandbox = sandbox().await;
    let network = with_entries(
        &sandbox,
        json!([
            { "name": "orders", "endpoint": "/onapi/2.5/orders/", "version": "2.5" },
            { "name": "order", "endpoint": "/other/2.6/order/", "version": "2.6" },
            { "name": "accesses", "endpoint": "plots", "version": "2.6" },
            { "name": "tech", "endpoint": "/x/tech/", "version": "2.6" },
        ]),
        &[],
    )
    .await;
    let path = || sandbox.onapi().last().unwrap().path;
    network.order(&id("o-1")).await.unwrap_err();
    assert_eq!(path(), "/other/2.6/order/o-1");
    network.open_orders().await.unwrap_err();
    assert_eq!(path(), "/other/2.6/order/");
    network.access(&id("a-1")).await.unwrap_err();
    assert_eq!(path(), "/onapi/2.6/plots/a-1");
    network.accesses(None).await.unwrap_err();
    assert_eq!(path(), "/onapi/2.6/plots");
    network.link_status(&id("a-1")).await.unwrap_err();
    assert_eq!(path(), "/x/tech/access/a-1/link/status");
    network.cpe_status(&id("a-1")).await.unwrap_err();
    assert_eq!(path(), "/x/tech/cpe/a-1/status");
}

#[tokio::test]
async fn credentials_are_sent_to_allowed_origins_only() {
    let (first, second) = (sandbox().await, sandbox().await);
    let base = second.onapi().base_url();
    let origin = base.strip_suffix("/onapi/2.6").unwrap().to_owned();
    let access = id(&second.onapi().accesses()[0].id);
    let host = origin.strip_prefix("http://").unwrap();
    for address in [
        format!("{base}/accesses/"),
        format!("//{host}/onapi/2.6/accesses"),
        format!("http:\\\\{host}/accesses"),
    ] {
        let entries = json!([{ "name": "accesses", "endpoint": address, "version": "2.6" }]);
        let network =
            with_entries(&first, entries, &[&first.onapi().base_url(), "https://co.example", "nonsense"])
                .await;
        let error = network.access(&access).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Invalid, "{address}");
        assert!(error.to_string().contains("allow that origin"), "{error}");
        assert_eq!(network.offers_endpoint(EndpointName::Accesses), Some(true));
    }
    assert_eq!(second.onapi().received().len(), 0);

    let entries = json!([{ "name": "accesses", "endpoint": format!("{base}/accesses/"), "version": "2.6" }]);
    let network = with_entries(&first, entries, &[&origin]).await;
    assert_eq!(network.access(&access).await.unwrap().access_id.as_deref(), Some(access.as_str()));
    assert_eq!((first.onapi().count("getAccess"), second.onapi().count("getAccess")), (0, 1));
    assert_eq!(
        network.order(&id("1")).await.unwrap_err().outcome(),
        Outcome::Invalid,
        "not in the directory"
    );

    for nonsense in [
        "ftp://h.example/accesses",
        "http://co.example/accesses",
        "http://u:p@127.0.0.1/accesses",
        "/accesses?x=1",
    ] {
        let entries = json!([{ "name": "accesses", "endpoint": nonsense }]);
        let network =
            with_entries(&first, entries, &["http://co.example", "ftp://h.example", "http://127.0.0.1"])
                .await;
        assert_eq!(network.access(&access).await.unwrap_err().outcome(), Outcome::Invalid, "{nonsense}");
    }
}

#[tokio::test]
async fn a_field_unknown_to_the_network_is_not_sent() {
    let sandbox = sandbox().await;
    let entries = json!([
        { "name": "orders", "endpoint": "/onapi/2.6/orders/", "unsupportedFields": ["requestedDateTime", "spReference"] },
        { "name": "subscriptions", "endpoint": "/onapi/2.6/subscriptions/" },
    ]);
    let network = with_entries(&sandbox, entries, &[]).await;
    let access = id(&sandbox.onapi().accesses()[0].id);
    let order = || NewOrder::activate(access.clone(), "BB-100-100", id("SP-1"));
    let late = order().not_before("2027-01-01T00:00:00Z".parse().unwrap());
    let mut late = Prepared::new(late).unwrap();
    let error = late.place(&network).await.unwrap_err();
    assert_eq!((error.outcome(), late.state()), (Outcome::Invalid, PreparedState::Ready));
    assert!(error.to_string().contains("requestedDateTime"), "{error}");
    assert_eq!(sandbox.onapi().count("createOrder"), 0);
    Prepared::new(order()).unwrap().place(&network).await.unwrap();
}

#[tokio::test]
async fn a_missing_directory_is_reported() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for none in [Answer::status(404), Answer::json(404, &json!({ "cause": "none" })), Answer::status(501)] {
        sandbox.onapi().answer_next("listEndpoints", none);
        assert!(network.directory().await.unwrap().is_none());
    }
    sandbox.onapi().answer_next("listEndpoints", Answer::status(403));
    assert_eq!(network.directory().await.unwrap_err().outcome(), Outcome::Rejected);
}

#[tokio::test]
async fn each_registry_key_has_its_own_network() {
    let mut wants = PathStyle::default();
    (wants.collections, wants.items) = (TrailingSlash::Refused, TrailingSlash::Required);
    let first = Sandbox::builder().seed(1).start().await.unwrap();
    let second = Sandbox::builder().seed(2).onapi_path_style(wants).start().await.unwrap();
    let path_style = lastmile::PathStyle {
        collections: lastmile::TrailingSlash::Never,
        items: lastmile::TrailingSlash::Always,
        ..Default::default()
    };
    let other = OnApi::builder(second.onapi().base_url())
        .dialect(Dialect::Vendor26)
        .login(second.onapi().user(), second.onapi().password())
        .path_style(path_style)
        .policy(brisk())
        .build()
        .unwrap();
    let mut networks = Networks::from_iter([(1, onapi(&first)), (2, other)]);
    assert_eq!((networks.len(), networks.is_empty()), (2, false));
    for (key, sandbox) in [(1, &first), (2, &second)] {
        let access = id(&sandbox.onapi().accesses()[0].id);
        networks.at(&key).unwrap().access(&access).await.unwrap();
        assert_eq!(sandbox.onapi().count("getAccess"), 1);
    }
    let error = networks.at(&3).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(networks.insert(1, onapi(&second)).is_some(), "the one before comes back");
    assert!(networks.remove(&1).is_some() && networks.get(&1).is_none());
    let debug = format!("{networks:?} {:?}", networks.at(&2));
    assert!(!debug.contains(second.onapi().password()) && debug.contains('2'), "{debug}");
}
