//! The journeys of Covage.

use futures_util::StreamExt as _;
use lastmile::Prepared;
use lastmile::covage::types::{
    ContactCreate, EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType,
    ListEligibilityEndpointsStatus, ListOrdersParams, OfferRequestStatus, OperatorInfoUpdate, OrderStatus,
    OrderUpdate,
};
use lastmile::covage::{
    ConfirmTermination, Copper, Covage, EventCursor, Fibre, Information, Migrated, Migration, NewOrder,
    OrderId, SlotRequest, replacement,
};
use lastmile_sandbox::Sandbox;
use lastmile_sandbox::covage::Premises;

use super::Failure;
use crate::brisk;

pub(super) async fn journeys(sandbox: &Sandbox, url: &str) -> Result<(), Failure> {
    let supplier = sandbox.covage();
    let builder = || Covage::builder(url).login(supplier.email(), supplier.password()).policy(brisk());
    let covage = builder().build()?;
    read_catalogue(&covage).await?;
    let contact = create_contact(&covage).await?;
    fibre_order(sandbox, &covage, &contact).await?;
    copper_order(sandbox, &covage, &contact).await?;
    floor_without_a_socket(sandbox, &covage).await?;
    services(sandbox, &covage, &contact).await?;
    let mut events = covage.events(EventCursor::default());
    assert!(events.poll().await? > 0);
    while let Some(event) = events.pop() {
        event.get().ok_or("an event is unreadable")?;
    }
    covage.delete_contact(&contact.parse()?).await?;
    // Tokens that expire, and those of the older generation.
    sandbox.covage().expire_tokens();
    assert!(!covage.contacts().await?.is_empty());
    let legacy = builder().legacy_tokens().build()?;
    assert!(!legacy.contacts().await?.is_empty());
    Ok(())
}

async fn read_catalogue(covage: &Covage) -> Result<(), Failure> {
    let unknown = covage.user(&"none".parse()?).await.err().and_then(|error| error.status());
    assert_eq!(unknown.map(|status| status.as_u16()), Some(404), "no operation tells the id of a user");
    let families = covage.product_families().await?;
    let family = families[0].get().and_then(|family| family.product_family_uuid.as_deref());
    covage.product_family(&family.ok_or("the family has no id")?.parse()?).await?;
    Ok(())
}

async fn create_contact(covage: &Covage) -> Result<String, Failure> {
    let contact = ContactCreate {
        first_name: Some("Kajsa".into()),
        last_name: Some("Anka".into()),
        email: Some("kajsa@sp.example".into()),
        phone_number: Some("0123456789".into()),
        ..Default::default()
    };
    let contact = Prepared::new(contact)?.place(covage).await?;
    let uuid = contact.contact_uuid.into_string().ok_or("the contact has no id")?;
    let mut changed = replacement(&covage.contact(&uuid.parse()?).await?);
    changed.cell_phone_number = Some("0612345678".into());
    covage.replace_contact(&uuid.parse()?, &changed).await?;
    Ok(uuid)
}

/// Returns what a draft needs before it is submitted.
fn data(contact: &str, order_ref: &str, order_name: &str) -> OrderUpdate {
    OrderUpdate {
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: Some("Palais Colvert".into()),
            contact: Some(EndCustomerContactUpdate {
                first_name: Some("Gontran".into()),
                last_name: Some("Sarcelle".into()),
                email: Some("g.sarcelle@client.example".into()),
                phone_number: Some("0199000101".into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: Some(order_ref.into()),
            order_name: Some(order_name.into()),
            contact_uuid: Some(contact.into()),
        }),
        ..Default::default()
    }
}

/// Lets days pass until an order has a status, and reads it each day.
async fn wait_for(sandbox: &Sandbox, covage: &Covage, order: &OrderId, status: &str) -> Result<(), Failure> {
    for _ in 0..5 {
        sandbox.covage().advance();
        if covage.order(order).await?.status.get().map(OrderStatus::as_str) == Some(status) {
            return Ok(());
        }
    }
    Err(format!("the order never becomes {status}").into())
}

/// From an address to a line that works, with a deferral.
async fn fibre_order(sandbox: &Sandbox, covage: &Covage, contact: &str) -> Result<(), Failure> {
    let with_sockets = |one: &&Premises| one.buildings.iter().any(|building| !building.sockets.is_empty());
    let premises = sandbox.covage().premises();
    let place = premises.iter().find(with_sockets).ok_or("there is no fibre")?;
    assert!(!covage.cities(&place.zipcode.parse()?).await?.is_empty());
    assert!(!covage.streets(&place.kosc_insee_code).await?.is_empty());
    assert!(!covage.street_numbers(&place.kosc_street_code).await?.is_empty());
    covage.forecast(&place.kosc_street_code, &place.street_number).await?;
    let buildings = covage.buildings(&place.kosc_street_code, &place.street_number).await?;
    let building = buildings.iter().find_map(|building| building.get()?.building_ref.as_deref());
    let building = building.ok_or("there is no building")?;
    covage.building_with_stairs(&building.parse()?).await?;
    covage.building_with_sockets(&building.parse()?).await?;
    let offers = covage.offers_for_building(&building.parse()?).await?;
    let eligibility = offers.eligibility_ref.as_deref().ok_or("there is no eligibility reference")?;
    let order = NewOrder::fibre(eligibility, "FP01", Fibre::ActivateDefined).reference("SP-1");
    let mut draft = Prepared::new(order)?.place(covage).await?;
    draft.complete(covage, &data(contact, "SP-1", "defer it")).await?;
    let known = place.buildings.iter().find(|one| one.reference == building).ok_or("no such building")?;
    let socket = known.sockets.first().ok_or("there is no socket")?;
    draft.set_otp(covage, &socket.reference.parse()?).await?;
    let id = draft.id().clone();
    Prepared::new(draft.submission()?)?.place(covage).await?;
    wait_for(sandbox, covage, &id, "deferred").await?;
    let information = Information::new(id.clone(), "The customer is at home.").stop_deferred();
    Prepared::new(information)?.place(covage).await?;
    wait_for(sandbox, covage, &id, "completed").await
}

async fn copper_order(sandbox: &Sandbox, covage: &Covage, contact: &str) -> Result<(), Failure> {
    let premises = sandbox.covage().premises();
    let active = |one: &&Premises| one.line.as_ref().is_some_and(|line| line.active);
    let place = premises.iter().find(active).ok_or("there is no active line")?;
    let line = place.line.as_ref().ok_or("there is no line")?;
    let status = ListEligibilityEndpointsStatus::Active;
    covage.lines_by_status(&place.kosc_street_code, &place.street_number, status).await?;
    covage.lines(&place.kosc_street_code, &place.street_number).await?;
    covage.portability(&line.number.parse()?).await?;
    let number = line.number.parse()?;
    let offers = covage.offers_for_line(&number, OfferRequestStatus::Active, Copper::Activate).await?;
    let product =
        offers.offers[0].get().and_then(|offer| offer.product.get()).ok_or("there is no product")?;
    let product_line = product.line.get().and_then(|line| line.uuid.as_deref());
    covage.product_line(&product_line.ok_or("the product line has no id")?.parse()?).await?;
    let code = product.code.as_deref().ok_or("the product has no code")?;
    let slots = SlotRequest::for_copper(&place.kosc_insee_code, &place.kosc_street_code, code, &line.number);
    assert!(!covage.slots(&slots.premium()).await?.is_empty());
    let eligibility = offers.eligibility_ref.as_deref().ok_or("there is no eligibility reference")?;
    let order = NewOrder::copper(eligibility, code, Copper::Activate).reference("SP-2");
    let mut draft = Prepared::new(order)?.place(covage).await?;
    assert!(!covage.slots(&SlotRequest::for_order(draft.id())?).await?.is_empty());
    draft.complete(covage, &data(contact, "SP-2", "First copper")).await?;
    let id = draft.id().clone();
    Prepared::new(draft.submission()?)?.place(covage).await?;
    wait_for(sandbox, covage, &id, "completed").await?;
    let mut orders = covage.orders(ListOrdersParams { limit: Some(1), ..Default::default() });
    let mut count = 0;
    while let Some(order) = orders.next().await {
        order?;
        count += 1;
    }
    assert_eq!(count, 2);
    Ok(())
}

/// A draft for a socket whose reference is not known. It stays a draft.
async fn floor_without_a_socket(sandbox: &Sandbox, covage: &Covage) -> Result<(), Failure> {
    let buildings = sandbox.covage().premises().iter().flat_map(|one| &one.buildings);
    let building = buildings.max_by_key(|one| one.sockets.len()).ok_or("there is no building")?;
    let offers = covage.offers_for_building(&building.reference.parse()?).await?;
    let eligibility = offers.eligibility_ref.as_deref().ok_or("there is no eligibility reference")?;
    let order = NewOrder::fibre(eligibility, "FP01", Fibre::ActivateUndefined).reference("SP-4");
    let mut draft = Prepared::new(order)?.place(covage).await?;
    draft.set_floor(covage, "A", "1").await?;
    Ok(())
}

/// Lists the services, migrates one to fibre, and terminates another.
async fn services(sandbox: &Sandbox, covage: &Covage, contact: &str) -> Result<(), Failure> {
    let mut services = covage.services();
    while let Some(service) = services.next().await {
        service?;
    }
    let seeded = sandbox.covage().services();
    let migration = Migration::new(seeded[1].uuid.parse()?);
    let migrated = Migrated::from(&Prepared::new(migration)?.place(covage).await?);
    assert!(matches!(migrated, Migrated::Ordered(_)), "{migrated:?}");

    let fibre = seeded.iter().find(|one| one.product == "FP01" && one.active).ok_or("there is no service")?;
    let order = NewOrder::terminate(&fibre.uuid).reference("SP-3");
    let mut draft = Prepared::new(order)?.place(covage).await?;
    let info = OperatorInfoUpdate {
        order_name: Some("The end".into()),
        contact_uuid: Some(contact.into()),
        order_ref: None,
    };
    draft.complete(covage, &OrderUpdate { operator_info: Some(info), ..Default::default() }).await?;
    let id = draft.id().clone();
    let termination = draft.termination(ConfirmTermination::new(&fibre.uuid))?;
    Prepared::new(termination)?.place(covage).await?;
    wait_for(sandbox, covage, &id, "completed").await?;
    covage.service(&fibre.uuid.parse()?).await?;
    Ok(())
}
