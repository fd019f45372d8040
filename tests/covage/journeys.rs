//! The complete workflows of a service, against the sandbox's own behaviour.

use futures_util::StreamExt as _;
use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, ListOrdersParams, OfferRequest,
    OfferRequestActivationType, OfferRequestReferenceType, OfferRequestStatus, OperatorInfoUpdate,
    OrderCreateRequestType, OrderStatus, OrderUpdate,
};
use lastmile::covage::{Covage, Draft, NewOrder, OrderId, Socket, types};
use lastmile::rules::{CovageZipCode, Otp};
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{copy, covage, sandbox, settled, store_and_place};
use serde_json::json;

/// Returns everything that a draft needs before it is submitted.
pub(crate) fn data(sandbox: &Sandbox, order_ref: &str) -> OrderUpdate {
    OrderUpdate {
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: Some("Ankeborg Épicerie".replace('É', "E")),
            contact: Some(EndCustomerContactUpdate {
                first_name: Some("Kajsa".into()),
                last_name: Some("Anka".into()),
                email: Some("kajsa.anka@sp.example".into()),
                phone_number: Some("0123456789".into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: Some(order_ref.into()),
            order_name: Some("Ankeborg 1".into()),
            contact_uuid: Some(sandbox.covage().contact_uuid().into()),
        }),
        ..Default::default()
    }
}

/// Returns a fibre draft that starts from a building.
pub(crate) async fn fibre(
    sandbox: &Sandbox,
    covage: &Covage,
    order_ref: &str,
) -> (Draft, lastmile_sandbox::covage::Socket) {
    let premises = sandbox.covage().premises();
    let building =
        premises.iter().flat_map(|one| &one.buildings).find(|building| !building.sockets.is_empty()).unwrap();
    let request = OfferRequest {
        activation_type: None,
        product_lines: None,
        reference: building.reference.clone(),
        reference_type: OfferRequestReferenceType::Building,
        status: None,
    };
    let offers = covage.offers(&request).await.unwrap();
    let product = offers
        .offers
        .iter()
        .filter_map(|offer| offer.get()?.product.get()?.code.get().cloned())
        .next()
        .unwrap();
    let order = NewOrder::activate(
        offers.eligibility_ref.as_deref().unwrap(),
        product,
        OrderCreateRequestType::ActivateDefined,
    );
    let draft = Prepared::new(order.reference(order_ref)).unwrap().place(covage).await.unwrap();
    (draft, building.sockets[0].clone())
}

#[tokio::test]
async fn a_fibre_order_is_placed_from_an_address() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let place = sandbox.covage().premises()[0].clone();
    let cities = covage.cities(&place.zipcode.parse().unwrap()).await.unwrap();
    assert_eq!(cities[0].get().unwrap().kosc_insee_code.as_deref(), Some(place.kosc_insee_code.as_str()));
    assert!(!covage.streets(&place.kosc_insee_code).await.unwrap().is_empty());
    assert!(!covage.street_numbers(&place.kosc_street_code).await.unwrap().is_empty());

    let (mut draft, socket) = fibre(&sandbox, &covage, "SP-1").await;
    draft.complete(&covage, &data(&sandbox, "SP-1")).await.unwrap();
    let found = draft.set_otp(&covage, &socket.reference.parse().unwrap()).await.unwrap();
    assert_eq!(found.is_at(&socket.stairs, &socket.floor), Some(true), "{found:?}");
    assert_eq!(found.is_at(&socket.stairs, "99"), Some(false));
    assert_eq!(Socket::default().is_at("C", "1"), None, "not said is not the same");

    let uuid = draft.id().clone();
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    let order = submission.place(&covage).await.unwrap();
    assert_eq!(order.status.get(), Some(&OrderStatus::Submitted));
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 1);

    let read = covage.order(&uuid).await.unwrap();
    assert_eq!(read.operator_info.get().unwrap().order_ref.as_deref(), Some("SP-1"));
    assert_eq!(Draft::try_from(read).unwrap_err().outcome(), Outcome::Invalid, "it is no draft any more");
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_building_lists_its_staircases_and_sockets() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let building = sandbox.covage().premises().iter().flat_map(|one| &one.buildings).next().unwrap().clone();
    assert!(building.reference.contains('/'));
    let with_stairs = covage.building_with_stairs(&building.reference.parse().unwrap()).await.unwrap();
    assert!(with_stairs.stairs.get().is_some_and(|stairs| !stairs.is_empty()));
    let with_sockets = covage.building_with_sockets(&building.reference.parse().unwrap()).await.unwrap();
    assert!(with_sockets.stairs_with_otp_ref.get().is_some_and(|stairs| !stairs.is_empty()));
}

#[tokio::test]
async fn a_copper_order_is_placed_and_listed() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let premises = sandbox.covage().premises();
    let place = premises.iter().find(|place| place.line.as_ref().is_some_and(|line| line.active)).unwrap();
    let line = place.line.clone().unwrap();
    assert!(!covage.lines(&place.kosc_street_code, &place.street_number).await.unwrap().is_empty());
    let request = OfferRequest {
        activation_type: Some(OfferRequestActivationType::Activate),
        product_lines: None,
        reference: line.number.clone(),
        reference_type: OfferRequestReferenceType::LineNumber,
        status: Some(OfferRequestStatus::Active),
    };
    let offers = covage.offers(&request).await.unwrap();
    let product = offers
        .offers
        .iter()
        .filter_map(|offer| offer.get()?.product.get()?.code.get().cloned())
        .next()
        .unwrap();
    for n in 0..7 {
        let eligibility = offers.eligibility_ref.as_deref().unwrap();
        let order = NewOrder::activate(eligibility, &product, OrderCreateRequestType::Activate);
        Prepared::new(order.reference(format!("SP-{n}"))).unwrap().place(&covage).await.unwrap();
    }
    for size in [1, 3, 7, 50] {
        let mut orders = covage.orders(ListOrdersParams { limit: Some(size), ..Default::default() });
        let mut references = Vec::new();
        while let Some(order) = orders.next().await {
            let order = order.unwrap().into_option().unwrap();
            references.push(order.operator_info.get().unwrap().order_ref.as_deref().unwrap().to_owned());
        }
        assert_eq!(references, (0..7).map(|n| format!("SP-{n}")).collect::<Vec<_>>(), "pages of {size}");
        assert_eq!(orders.total().await.unwrap(), Some(7));
    }
}

#[tokio::test]
async fn invalid_input_is_refused_before_anything_is_sent() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, _) = fibre(&sandbox, &covage, "SP-1").await;
    let before = sandbox.covage().received().len();

    let mut church = data(&sandbox, "SP-1");
    church.end_customer.as_mut().unwrap().name = Some("L'Église".into());
    let error = draft.complete(&covage, &church).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid);
    assert!(error.to_string().contains(r"end_customer.name: the character '\'' at index 1"), "{error}");
    let error = draft.set_floor(&covage, "C/D", "1").await.unwrap_err();
    assert!(error.to_string().contains("stairs: the character '/' at index 1"), "{error}");
    let submitted = serde_json::from_value(json!({ "status": "submitted" })).unwrap();
    assert_eq!(draft.complete(&covage, &submitted).await.unwrap_err().outcome(), Outcome::Invalid);
    assert!("fi-3790-3415".parse::<Otp>().is_err());
    assert!("7600".parse::<CovageZipCode>().is_err());
    let offer = |reference: &str, reference_type| OfferRequest {
        activation_type: None,
        product_lines: None,
        reference: reference.into(),
        reference_type,
        status: None,
    };
    for (request, says) in [
        (offer("fi-3790-3415", OfferRequestReferenceType::Otp), "reference: the character 'f' at index 0"),
        (offer("041710199", OfferRequestReferenceType::LineNumber), "reference: it is too short"),
        (offer("0417101993", OfferRequestReferenceType::LineNumber), "asked for with both"),
        (offer("", OfferRequestReferenceType::Building), "it is empty"),
    ] {
        let error = covage.offers(&request).await.unwrap_err();
        assert!(error.outcome() == Outcome::Invalid && error.to_string().contains(says), "{error}");
    }
    assert_eq!(covage.streets("").await.unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(covage.buildings("1", "12345678").await.unwrap_err().outcome(), Outcome::Invalid);
    assert!("..".parse::<OrderId>().is_err());
    assert_eq!(sandbox.covage().received().len(), before, "nothing was sent");

    let stored = Prepared::new(NewOrder::activate("e", "p", OrderCreateRequestType::Create).with(|body| {
        body.end_customer = church.end_customer.clone();
    }));
    assert_eq!(stored.unwrap_err().outcome(), Outcome::Invalid);
}

#[tokio::test]
async fn an_incomplete_draft_is_refused_naming_every_missing_field() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (draft, _) = fibre(&sandbox, &covage, "SP-1").await;
    let not_ready = draft.submission().unwrap_err();
    let paths: Vec<String> =
        not_ready.readiness().unwrap().issues().iter().map(|gap| gap.path.clone()).collect();
    let mut draft = not_ready.into_draft();
    assert_eq!(sandbox.covage().count("updateOrder"), 0, "refused here");

    // The caller skips the validation.
    draft.skip_validation(paths.clone());
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    let error = submission.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 400));
    assert!(error.supplier_id().unwrap().starts_with("KOSC_"));
    let fields: Vec<&str> = error.details().iter().filter_map(|detail| detail.field.as_deref()).collect();
    assert!(fields.contains(&"end_customer.type") && fields.len() > 3, "{fields:?}");
    let written = |path: &String| path.replace(['[', ']'], ".").replace("..", ".");
    assert_eq!(fields, paths.iter().map(written).collect::<Vec<_>>(), "the same fields, the same order");
    assert!(error.details().iter().all(|detail| detail.message.is_some()));
    assert_eq!(submission.state(), PreparedState::Ready);
}

#[tokio::test]
async fn a_lost_submission_is_found_in_the_order() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, socket) = fibre(&sandbox, &covage, "SP-1").await;
    draft.complete(&covage, &data(&sandbox, "SP-1")).await.unwrap();
    draft.set_otp(&covage, &socket.reference.parse().unwrap()).await.unwrap();
    let uuid = draft.id().clone();
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();

    sandbox.covage().answer_next("updateOrder", Answer::status(502));
    assert_eq!(submission.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(sandbox.covage().count("updateOrder"), 2, "one to complete it, one to submit it, none again");
    let Reconciled::Indeterminate(later) = submission.reconcile(&covage).await.unwrap() else {
        panic!("a draft still, but the request may be running");
    };
    assert!(!later.retry_after.is_zero());

    let stored = serde_json::to_string(&submission).unwrap();
    let mut found: Prepared<lastmile::covage::Submission> = serde_json::from_str(&stored).unwrap();
    let settled = covage.with_policy(settled());
    assert!(matches!(found.reconcile(&settled).await.unwrap(), Reconciled::Absent));
    store_and_place(&mut found, &covage).await.unwrap();
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 1);

    let Reconciled::Placed(order) = submission.reconcile(&covage).await.unwrap() else {
        panic!("it is submitted")
    };
    assert_eq!(order.uuid.as_deref(), Some(uuid.as_str()));
    assert_eq!(submission.state(), PreparedState::Placed);
}

#[tokio::test]
async fn a_second_worker_duplicates_neither_draft_nor_submission() {
    let sandbox = Sandbox::builder().covage_unique_references(false).start().await.unwrap();
    let covage = covage(&sandbox);
    let (mut draft, socket) = fibre(&sandbox, &covage, "SP-1").await;
    let body: serde_json::Value = sandbox
        .covage()
        .received()
        .iter()
        .rev()
        .find_map(|received| {
            (received.operation.as_deref() == Some("createOrder")).then(|| received.json())?
        })
        .unwrap();
    let stored = json!({ "version": 1, "kind": "covage.order", "progress": "ready", "request": body });
    let mut again: Prepared<NewOrder> = serde_json::from_value(stored).unwrap();
    assert_eq!(store_and_place(&mut again, &covage).await.unwrap().id(), draft.id());
    assert_eq!(sandbox.covage().took_effect("createOrder"), 1);

    draft.complete(&covage, &data(&sandbox, "SP-1")).await.unwrap();
    draft.set_otp(&covage, &socket.reference.parse().unwrap()).await.unwrap();
    let mut first = Prepared::new(draft.submission().unwrap()).unwrap();
    let stored = serde_json::to_string(&first).unwrap();
    let mut second: Prepared<lastmile::covage::Submission> = serde_json::from_str(&stored).unwrap();
    let order = store_and_place(&mut first, &covage).await.unwrap();
    let before = sandbox.covage().count("updateOrder");
    assert_eq!(store_and_place(&mut second, &covage).await.unwrap().uuid.as_deref(), order.uuid.as_deref());
    assert_eq!(sandbox.covage().count("updateOrder"), before);

    // A third worker starts long after: the draft no longer exists, and no other may be created.
    let stored = json!({ "version": 1, "kind": "covage.order", "progress": "ready", "request": body });
    let mut third: Prepared<NewOrder> = serde_json::from_value(stored).unwrap();
    assert_eq!(third.look_up(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(
        (third.state(), sandbox.covage().took_effect("createOrder")),
        (PreparedState::Indeterminate, 1)
    );
    assert!(matches!(third.reconcile(&covage).await.unwrap(), Reconciled::Undecidable(_)));
}

#[tokio::test]
async fn a_lost_draft_is_found_by_its_reference() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (draft, _) = fibre(&sandbox, &covage, "SP-7").await;
    let order = |reference: &str| {
        let order = NewOrder::activate("e", "p", OrderCreateRequestType::Create).reference(reference);
        Prepared::new(order).unwrap()
    };
    let found = copy(&order("SP-7")).look_up(&covage).await.unwrap().expect("it is there");
    assert_eq!(found.id(), draft.id());
    assert!(copy(&order("SP-8")).look_up(&covage).await.unwrap().is_none());
    assert!(matches!(order("SP-7").reconcile(&covage).await.unwrap(), Reconciled::Absent), "never marked");

    let mut lost = order("SP-8");
    sandbox.covage().answer_next("createOrder", Answer::status(502));
    assert_eq!(lost.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert!(matches!(lost.reconcile(&covage).await.unwrap(), Reconciled::Indeterminate(_)));
    let settled = covage.with_policy(settled());
    assert!(
        matches!(lost.reconcile(&settled).await.unwrap(), Reconciled::Absent),
        "a second one orders nothing"
    );
}

#[tokio::test]
async fn a_response_with_another_object_is_not_accepted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    for answer in [json!({}), json!({ "status": "draft" }), json!({ "uuid": "1", "status": "submitted" })] {
        sandbox.covage().answer_next("createOrder", Answer::json(200, &answer));
        let order = NewOrder::activate("e", "p", OrderCreateRequestType::Create).reference("SP-1");
        let error = Prepared::new(order).unwrap().place(&covage).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode, "{answer}");
    }
    let (mut draft, _) = fibre(&sandbox, &covage, "SP-1").await;
    let uuid = draft.id().clone();
    let gaps: Vec<_> = draft.readiness().issues().iter().map(|gap| gap.path.clone()).collect();
    draft.skip_validation(gaps);
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    for answer in [json!({ "uuid": uuid, "status": "draft" }), json!({}), json!({ "error": "busy" })] {
        sandbox.covage().answer_next("updateOrder", Answer::json(200, &answer));
        let error = store_and_place(&mut submission, &covage).await.unwrap_err();
        assert_eq!(
            (error.outcome(), submission.state()),
            (Outcome::Decode, PreparedState::Indeterminate),
            "{answer}"
        );
        submission.declare_absent(&covage.with_policy(settled())).unwrap();
    }

    let terminate = json!({ "uuid": "1", "status": "draft", "type": "terminate" });
    let terminate = Draft::try_from(serde_json::from_value::<types::Order>(terminate).unwrap()).unwrap();
    assert_eq!(terminate.submission().unwrap_err().outcome(), Outcome::Invalid);
}

#[tokio::test]
async fn a_list_without_a_total_ends_with_an_empty_page() {
    let sandbox = sandbox().await;
    for page in [json!([{ "uuid": "1" }]), json!([{ "uuid": "2" }]), json!([])] {
        sandbox.covage().answer_next("listOrders", Answer::json(200, &page));
    }
    let mut orders = covage(&sandbox).orders(ListOrdersParams::default());
    assert_eq!(orders.next().await.unwrap().unwrap().get().unwrap().uuid.as_deref(), Some("1"));
    assert_eq!(orders.next().await.unwrap().unwrap().get().unwrap().uuid.as_deref(), Some("2"));
    assert!(orders.next().await.is_none() && orders.next().await.is_none());
    let offsets: Vec<_> =
        sandbox.covage().received().into_iter().filter_map(|received| received.query).collect();
    assert_eq!(offsets, ["limit=50&offset=0", "limit=50&offset=1", "limit=50&offset=2"]);
}
