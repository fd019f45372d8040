//! Contacts, users, services, products, and appointment slots.

use futures_util::StreamExt as _;
use lastmile::covage::types::{
    ContactCreate, ListEligibilityEndpointsStatus, ListOrdersParams, OfferRequestStatus,
};
use lastmile::covage::{
    Copper, Draft, Migrated, Migration, NewOrder, OrderFilter, OrderSort, SlotRequest, replacement,
};
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::Answer;
use lastmile_tests::{copy, covage, sandbox, settled, store_and_place};
use serde_json::json;

fn kajsa() -> ContactCreate {
    ContactCreate {
        first_name: Some("Kajsa".into()),
        last_name: Some("Anka".into()),
        email: Some("kajsa@sp.example".into()),
        phone_number: Some("0123456789".into()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_contact_is_created_changed_and_deleted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let before = covage.contacts().await.unwrap().len();
    let contact = Prepared::new(kajsa()).unwrap().place(&covage).await.unwrap();
    let uuid = contact.contact_uuid.as_deref().unwrap();

    // A second worker with the same contact, and one whose response is lost.
    let stored = serde_json::to_string(&Prepared::new(kajsa()).unwrap()).unwrap();
    let mut again: Prepared<ContactCreate> = serde_json::from_str(&stored).unwrap();
    let again = store_and_place(&mut again, &covage).await.unwrap();
    assert_eq!(again.contact_uuid.as_deref(), Some(uuid));
    assert_eq!(sandbox.covage().took_effect("createContact"), 1);
    let mut lost = Prepared::new(ContactCreate {
        first_name: Some("Knatte".into()),
        email: Some("knatte@sp.example".into()),
        ..kajsa()
    })
    .unwrap();
    sandbox.covage().answer_next("createContact", Answer::status(502));
    assert_eq!(lost.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    let settled = covage.with_policy(settled());
    assert!(matches!(copy(&lost).reconcile(&settled).await.unwrap(), Reconciled::Absent));
    let mut list = json!([{ "contact_uuid": "1", "first_name": "Knatte" }]);
    list.as_array_mut().unwrap().push(json!("unreadable"));
    sandbox.covage().answer_next("listContacts", Answer::json(200, &list));
    assert!(
        matches!(lost.reconcile(&settled).await.unwrap(), Reconciled::Indeterminate(_)),
        "it may be that one"
    );

    let mut changed = replacement(&covage.contact(&uuid.parse().unwrap()).await.unwrap());
    changed.cell_phone_number = Some("0612345678".into());
    let contact = covage.replace_contact(&uuid.parse().unwrap(), &changed).await.unwrap().value;
    assert_eq!(contact.cell_phone_number.as_deref(), Some("0612345678"));
    assert_eq!(contact.email.as_deref(), Some("kajsa@sp.example"), "nothing was forgotten");

    let sent = sandbox.covage().received().len();
    changed.contact_uuid = Some("other".into());
    assert_eq!(
        covage.replace_contact(&uuid.parse().unwrap(), &changed).await.unwrap_err().outcome(),
        Outcome::Invalid
    );
    let nothing = covage.replace_contact(&uuid.parse().unwrap(), &Default::default()).await.unwrap_err();
    assert_eq!(nothing.outcome(), Outcome::Invalid);
    assert_eq!(Prepared::new(ContactCreate::default()).unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(sandbox.covage().received().len(), sent, "nothing was sent");

    covage.delete_contact(&uuid.parse().unwrap()).await.unwrap();
    assert_eq!(covage.contact(&uuid.parse().unwrap()).await.unwrap_err().status().unwrap(), 404);
    assert_eq!(covage.contacts().await.unwrap().len(), before);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

/// A contact with the same mailbox, or the same name and number, may be the created one; another person's contact is
/// not.
#[tokio::test]
async fn a_contact_with_matching_personal_details_is_not_absent() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox).with_policy(settled());
    let held = |first: &str, email: &str, phone: &str, cell: &str| {
        json!({
            "contact_uuid": "c-1", "first_name": first, "last_name": "Anka", "email": email, "phone_number": phone,
            "cell_phone_number": cell,
        })
    };
    for (contact, is_absent) in [
        (held("Katarina", "KAJSA@sp.example", "", ""), false),
        (held("Kajsa", "other@sp.example", "", "+33 1 23 45 67 89"), false),
        (held("KAJSA", "", "01.23.45.67.89", ""), false),
        (json!({ "contact_uuid": "c-1" }), false),
        (json!({ "contact_uuid": "c-1", "first_name": null, "last_name": "", "email": null }), false),
        (json!({ "contact_uuid": "c-1", "first_name": "Kajsa", "last_name": "Anka" }), false),
        (json!({ "contact_uuid": "c-1", "last_name": "Långben" }), true),
        (held("Kajsa", "other@sp.example", "0123456788", ""), true),
        (held("Knatte", "knatte@sp.example", "0123456789", ""), true),
    ] {
        let mut lost = Prepared::new(kajsa()).unwrap();
        sandbox.covage().answer_next("createContact", Answer::status(502));
        assert_eq!(lost.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
        sandbox.covage().answer_next("listContacts", Answer::json(200, &json!([contact])));
        let found = lost.reconcile(&covage).await.unwrap();
        assert_eq!(matches!(found, Reconciled::Absent), is_absent, "{contact}: {found:?}");
        assert_eq!(matches!(found, Reconciled::Undecidable(_)), !is_absent, "{contact}: {found:?}");

        let mut new = copy(&Prepared::new(kajsa()).unwrap());
        sandbox.covage().answer_next("listContacts", Answer::json(200, &json!([contact])));
        assert_eq!(new.look_up(&covage).await.is_ok(), is_absent, "before it is sent: {contact}");
    }
}

#[tokio::test]
async fn an_unreadable_contact_list_leaves_a_contact_indeterminate() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox).with_policy(settled());
    for list in [Answer::json(200, &json!(null)), Answer::json(200, &json!("")), Answer::status(204)] {
        let mut lost = Prepared::new(kajsa()).unwrap();
        sandbox.covage().answer_next("createContact", Answer::status(502));
        lost.place(&covage).await.unwrap_err();
        sandbox.covage().answer_next("listContacts", list);
        let found = lost.reconcile(&covage).await.unwrap();
        assert!(matches!(found, Reconciled::Indeterminate(_)), "{found:?}");
    }
}

#[tokio::test]
async fn a_contact_response_without_a_usable_id_is_not_accepted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    sandbox.covage().answer_next("createContact", Answer::json(200, &json!({ "first_name": "Kajsa" })));
    let mut contact = Prepared::new(kajsa()).unwrap();
    assert_eq!(contact.place(&covage).await.unwrap_err().outcome(), Outcome::Decode);
    assert_eq!(contact.state(), PreparedState::Indeterminate);
}

#[tokio::test]
async fn services_are_listed_and_migrated_to_fibre() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let seeded = sandbox.covage().services();
    let mut services = covage.services();
    let mut read = Vec::new();
    while let Some(service) = services.next().await {
        read.push(service.unwrap().into_option().unwrap().uuid.into_string().unwrap());
    }
    assert_eq!(read, seeded.iter().map(|one| one.uuid.clone()).collect::<Vec<_>>());

    let migrate = async |migration| {
        let answer = Prepared::new(migration).unwrap().place(&covage).await.unwrap();
        Migrated::from(&answer)
    };
    let Migrated::Choose(buildings) = migrate(Migration::new(seeded[0].uuid.parse().unwrap())).await else {
        panic!("there are two buildings")
    };
    assert_eq!(buildings.len(), 2);
    let chosen = Migration::new(seeded[0].uuid.parse().unwrap()).to_building(&buildings[1]);
    let Migrated::Ordered(reference) = migrate(chosen.clone()).await else { panic!("there is an order now") };
    let filter = OrderFilter::default().with_reference(reference.clone());
    let order = covage.orders(filter).next().await.unwrap().unwrap().into_option().unwrap();
    assert!(Draft::try_from(order).is_ok());
    assert!(matches!(migrate(chosen).await, Migrated::No(why) if why.contains(&reference)));
    assert!(
        matches!(migrate(Migration::new(seeded[1].uuid.parse().unwrap())).await, Migrated::Ordered(_)),
        "one building only"
    );
    assert!(
        matches!(migrate(Migration::new(seeded[2].uuid.parse().unwrap())).await, Migrated::No(why) if why.contains("NOT_YET"))
    );
    assert!(matches!(migrate(Migration::new(seeded[3].uuid.parse().unwrap())).await, Migrated::No(_)));

    let mut nowhere =
        Prepared::new(Migration::new(seeded[2].uuid.parse().unwrap()).to_building("IMB/0")).unwrap();
    assert_eq!(nowhere.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate, "it is a 500");
    assert!(matches!(nowhere.reconcile(&covage).await.unwrap(), Reconciled::Undecidable(_)));
    assert_eq!(Migrated::from(&Default::default()), Migrated::Indeterminate);
    let too_long = Migration::new("1".parse().unwrap()).to_building("x".repeat(33));
    assert_eq!(Prepared::new(too_long).unwrap_err().outcome(), Outcome::Invalid);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_service_list_without_pagination_ends() {
    let sandbox = sandbox().await;
    let page = json!([{ "uuid": "1" }, { "uuid": "2" }]);
    for _ in 0..2 {
        sandbox.covage().answer_next("listServices", Answer::json(200, &page));
    }
    let mut services = covage(&sandbox).services();
    assert!(services.next().await.is_some() && services.next().await.is_some());
    assert!(services.next().await.is_none() && services.next().await.is_none());
    assert_eq!(sandbox.covage().count("listServices"), 2);
}

#[tokio::test]
async fn products_user_and_appointment_slots_are_read() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let families = covage.product_families().await.unwrap();
    let family = families[0].get().unwrap();
    let read = covage
        .product_family(&family.product_family_uuid.as_deref().unwrap().parse().unwrap())
        .await
        .unwrap();
    assert_eq!(read.code, family.code);

    let premises = sandbox.covage().premises();
    let place = premises.iter().find(|place| place.line.as_ref().is_some_and(|line| line.active)).unwrap();
    let line = place.line.as_ref().unwrap();
    let active = ListEligibilityEndpointsStatus::Active;
    let lines = covage.lines_by_status(&place.kosc_street_code, &place.street_number, active).await.unwrap();
    assert_eq!(lines[0].get().unwrap().endpoint_ref.as_deref(), Some(line.number.as_str()));
    let offers = covage
        .offers_for_line(&line.number.parse().unwrap(), OfferRequestStatus::Active, Copper::Create)
        .await
        .unwrap();
    let product = offers.offers[0].get().unwrap().product.get().unwrap();
    let line_uuid = product.line.get().unwrap().uuid.as_deref().unwrap();
    assert!(covage.product_line(&line_uuid.parse().unwrap()).await.unwrap().code.get().is_some());

    let code = product.code.as_deref().unwrap();
    let request =
        SlotRequest::for_copper(&place.kosc_insee_code, &place.kosc_street_code, code, &line.number);
    let standard = covage.slots(&request).await.unwrap().len();
    let premium = covage.slots(&request.premium()).await.unwrap().len();
    assert!(premium > standard && standard > 0, "{premium} {standard}");
    let order = NewOrder::copper(offers.eligibility_ref.as_deref().unwrap(), code, Copper::Create);
    let draft = Prepared::new(order.reference("SP-1")).unwrap().place(&covage).await.unwrap();
    let for_order = SlotRequest::for_order(draft.id()).unwrap();
    assert_eq!(covage.slots(&for_order).await.unwrap().len(), standard);
    let never = for_order.days("2020-01-01", "2020-01-02").unwrap();
    assert_eq!(covage.slots(&never).await.unwrap().len(), 0);

    let sent = sandbox.covage().received().len();
    assert_eq!(SlotRequest::for_order(&"1".parse().unwrap()).unwrap_err().outcome(), Outcome::Invalid);
    assert!(SlotRequest::for_order(draft.id()).unwrap().days("2026-12-02", "2026-12-01").is_err());
    assert!(SlotRequest::for_order(draft.id()).unwrap().days("tomorrow", "2026-12-01").is_err());
    let error = covage.slots(&SlotRequest::for_fibre("76540", "765405510", "FP05", "")).await.unwrap_err();
    assert!(error.outcome() == Outcome::Invalid && error.to_string().contains("building_ref"), "{error}");
    assert_eq!(sandbox.covage().received().len(), sent, "nothing was sent");

    let user = json!({ "user_uuid": "u1", "first_name": "Kajsa" });
    sandbox.covage().answer_next("getUser", Answer::json(200, &user));
    assert_eq!(covage.user(&"u1".parse().unwrap()).await.unwrap().first_name.as_deref(), Some("Kajsa"));
    assert_eq!(covage.user(&"none".parse().unwrap()).await.unwrap_err().status().unwrap(), 404);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn filters_and_sorts_use_the_supplier_s_names() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    for sort in [
        OrderSort::Reference,
        OrderSort::ReferenceDown,
        OrderSort::CreationDate,
        OrderSort::CreationDateDown,
        OrderSort::SubmissionDate,
        OrderSort::SubmissionDateDown,
    ] {
        let filter = OrderFilter::default().with_sort(sort);
        assert!(covage.orders(filter).next().await.is_none());
        let query = sandbox.covage().last().unwrap().query.unwrap();
        assert!(query.contains(&format!("sort={}", sort.as_str())), "{query}");
    }
    let filter = OrderFilter::default()
        .with_end_customer("Anka")
        .with_status("draft")
        .with_product_family("F")
        .with_product_line("FP");
    assert!(!format!("{filter:?}").contains("Anka"));
    let params = ListOrdersParams::from(filter);
    let told =
        (params.end_customer.as_deref(), params.product_family.as_deref(), params.product_line.as_deref());
    assert_eq!(told, (Some("Anka"), Some("F"), Some("FP")));
    assert_eq!(params.status.as_deref(), Some("draft"));
}
