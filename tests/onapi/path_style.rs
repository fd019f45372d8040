//! Networks that expect another path style than the standard's.

use lastmile::onapi::Changes;
use lastmile::onapi::{Dialect, OnApi};
use lastmile::{Outcome, PathStyle, TrailingSlash};
use lastmile_sandbox::{LowerCase, RefuseWith, Sandbox};
use lastmile_tests::brisk;

use lastmile_sandbox::TrailingSlash as Wants;

async fn network(
    collections: Wants,
    items: Wants,
    refuse_with: RefuseWith,
    path_style: PathStyle,
) -> (Sandbox, OnApi) {
    let mut wants = lastmile_sandbox::PathStyle::default();
    (wants.collections, wants.items, wants.refuse_with) = (collections, items, refuse_with);
    if path_style.lower_case_parameters {
        wants.lower_case_parameters = LowerCase::Required;
    }
    let sandbox = Sandbox::builder().seed(1).onapi_path_style(wants).start().await.unwrap();
    let supplier = sandbox.onapi();
    let builder = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password())
        .policy(brisk());
    let network = builder.path_style(path_style).build().unwrap();
    (sandbox, network)
}

#[tokio::test]
async fn collections_and_items_are_requested_in_every_path_style() {
    for (wants, slash) in [
        (Wants::Required, TrailingSlash::Always),
        (Wants::Refused, TrailingSlash::Never),
        (Wants::Either, TrailingSlash::AsDocumented),
    ] {
        let path_style = PathStyle { collections: slash, items: slash, ..Default::default() };
        let (sandbox, network) = network(wants, wants, RefuseWith::NotFound, path_style).await;
        let access = sandbox.onapi().accesses()[0].id.parse().unwrap();
        network.access(&access).await.unwrap();
        assert!(matches!(network.accesses(None).await.unwrap(), Changes::Rows(_)), "{wants:?}");
    }
}

#[tokio::test]
async fn a_wrong_path_style_gives_no_rows() {
    let path_style = PathStyle::default();
    let (sandbox, network) = network(Wants::Refused, Wants::Required, RefuseWith::NotFound, path_style).await;
    let access = sandbox.onapi().accesses()[0].id.parse().unwrap();
    assert_eq!(network.access(&access).await.unwrap_err().status().unwrap(), 404);
    assert!(
        matches!(network.accesses(None).await.unwrap(), Changes::Nothing { .. }),
        "which is what this network says"
    );
}

#[tokio::test]
async fn a_redirect_to_another_path_style_is_followed_for_reads() {
    for refuse_with in [RefuseWith::MovedPermanently, RefuseWith::PermanentRedirect] {
        let (sandbox, network) =
            network(Wants::Refused, Wants::Required, refuse_with, PathStyle::default()).await;
        let access = sandbox.onapi().accesses()[0].id.parse().unwrap();
        network.access(&access).await.unwrap();
        assert!(matches!(network.accesses(None).await.unwrap(), Changes::Rows(_)));
    }
}

#[tokio::test]
async fn a_301_for_an_order_is_reported_and_not_followed() {
    use lastmile::{Prepared, onapi::NewOrder};
    for (refuse_with, follows) in
        [(RefuseWith::MovedPermanently, false), (RefuseWith::PermanentRedirect, true)]
    {
        let (sandbox, network) =
            network(Wants::Refused, Wants::Either, refuse_with, PathStyle::default()).await;
        let access = sandbox.onapi().accesses()[0].id.parse().unwrap();
        let mut order = Prepared::new(NewOrder::activate(access, "NONE", "SP-1".parse().unwrap())).unwrap();
        let error = order.place(&network).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Rejected);
        assert_eq!(error.status().unwrap(), if follows { 400 } else { 301 }, "{error}");
    }
}

#[tokio::test]
async fn query_parameters_are_sent_in_lower_case() {
    use lastmile::onapi::types::LookupDhcpParams;
    let path_style = PathStyle { lower_case_parameters: true, ..Default::default() };
    let (sandbox, network) = network(Wants::Either, Wants::Either, RefuseWith::NotFound, path_style).await;
    let access = sandbox.onapi().accesses()[0].clone();
    let params =
        LookupDhcpParams { ipv4_circuit_id: Some(access.ipv4_circuit_id.clone()), ..Default::default() };
    let found = network.raw().lookup_dhcp(&params).await.unwrap();
    assert_eq!(found.value.access_id.as_deref(), Some(access.id.as_str()));
    assert!(sandbox.onapi().last().unwrap().query.unwrap().starts_with("ipv4circuitid="));
}
