//! One journey per supplier, against the embedded sandbox, step by step:
//!
//! ```text
//! cargo run -p lastmile --example journeys
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::time::Duration;

use lastmile::cocon::types::{ContactCreate, ContactPatch, CustomerCreate, PostalAddress};
use lastmile::cocon::{Batch, Cocon, Connection, ContactId, Geometry, RouteScenario};
use lastmile::covage::Covage;
use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, ListOrdersParams, OfferRequest,
    OfferRequestReferenceType, OperatorInfoUpdate, Order, OrderCreateRequestType, OrderUpdate,
};
use lastmile::onapi::{Changes, Dialect, OnApi};
use lastmile::wire::Patch;
use lastmile::{Poll, Prepared, Reconciled, StreamExt as _};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    cocon(&sandbox).await?;
    covage(&sandbox).await?;
    onapi(&sandbox).await
}

async fn cocon(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    println!("Cocon (Netherlands)");
    let supplier = sandbox.cocon();
    let cocon = Cocon::builder(supplier.base_url())
        .api_key(supplier.api_key())
        .client_id(supplier.client_id())
        .build()?;

    println!("  a batch of delayed connections");
    let buildings = supplier.buildings();
    let mut prepared = buildings.iter().filter(|building| building.kind == BuildingKind::Prepared);
    let (Some(first), Some(second)) = (prepared.next(), prepared.next()) else {
        return Err("the buildings has too few prepared buildings".into());
    };
    let route = Geometry::line([[257_100.5, 471_200.0], [257_104.25, 471_203.0]])?;
    let batch = Batch::new([
        Connection::new(&first.name, RouteScenario::KeepRoute).attenuations("0.21".parse()?, "0.35".parse()?),
        Connection::new(&second.name, RouteScenario::NewRoute(route)),
        Connection::new("9999ZZ-1", RouteScenario::KeepRoute),
    ])
    .installed_by("Graafbedrijf Anka");
    let mut prepared = Prepared::new(batch)?;
    prepared.mark_in_flight()?;
    let marked = serde_json::to_string(&prepared)?;
    println!("    marked, {} bytes to store before it is placed", marked.len());
    let id = prepared.place(&cocon).await?;
    println!("    registered as batch {id}; it is {:?} now", prepared.state());
    println!("    pending at the first look: {}", cocon.batch(&id).await?.pending().count());
    let poll = Poll::default().interval(Duration::from_millis(20)).timeout(Duration::from_secs(10));
    let report = cocon.wait_for_batch(&id, &poll).await?;
    for (building, details) in report.connected() {
        let cable = details.and_then(|details| details.cable_id.as_deref()).unwrap_or("unknown");
        println!("    {building}: connected by cable {cable}");
    }
    for (building, errors) in report.failed() {
        let reasons: Vec<&str> = errors.iter().filter_map(|error| error.message.as_deref()).collect();
        println!("    {building}: not connected ({})", reasons.join("; "));
    }
    let mut crashed: Prepared<Batch> = serde_json::from_str(&marked)?;
    if let Reconciled::Undecidable(undecidable) = crashed.reconcile(&cocon).await? {
        println!("    had the process crashed: {undecidable}");
    }

    println!("  a customer with a contact");
    let address = PostalAddress { city: Some("Ankeborg".into()), ..Default::default() };
    let customer = CustomerCreate {
        name: Some("Ankeborg Wonen".into()),
        postal_address: Some(address),
        ..Default::default()
    };
    let customer = Prepared::new(customer)?.place(&cocon).await?;
    let customer_id = customer.id.as_deref().ok_or("the customer has no id")?;
    println!("    customer {customer_id}: {}", customer.name.as_deref().unwrap_or("?"));
    let contact = ContactCreate {
        customer_id: Some(customer_id.to_owned()),
        name: Some("Katrien".into()),
        phone_number: Some("+31 20 555 0100".into()),
        email_addresses: Some(vec!["katrien@sp.example".into()]),
        ..Default::default()
    };
    let contact = Prepared::new(contact)?.place(&cocon).await?;
    let contact_id = ContactId::try_from(&contact.id)?;
    println!("    contact {contact_id} of {}", contact.customer_name.as_deref().unwrap_or("?"));

    println!("  the contact changes");
    let patch =
        ContactPatch { name: Patch::set("Katrien Duck"), phone_number: Patch::Null, ..Default::default() };
    let contact = cocon.update_contact(&contact_id, &patch).await?.value;
    println!("    name, set: {}", contact.name.as_deref().unwrap_or("?"));
    println!("    telephone, cleared: {:?}", contact.phone_number.get());
    println!("    e-mail addresses, left alone: {}", contact.email_addresses.len());

    println!("  and goes");
    cocon.delete_contact(&contact_id).await?;
    match cocon.contact(&contact_id).await {
        Err(error) => println!("    not found, as expected: {error}"),
        Ok(_) => return Err("the contact is there still".into()),
    }
    Ok(())
}

async fn covage(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    println!("Covage (France)");
    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password()).build()?;

    println!("  from an address to an offer");
    let premises = supplier.premises().iter().find(|one| one.buildings.iter().any(|b| !b.sockets.is_empty()));
    let place = premises.ok_or("no fibre anywhere")?;
    let cities = covage.cities(&place.zipcode.parse()?).await?;
    println!("    {}: {} cities", place.zipcode, cities.len());
    let buildings = covage.buildings(&place.kosc_street_code, &place.street_number).await?;
    println!("    {} {}: {} buildings", place.street_number, place.street_name, buildings.len());
    let building = place.buildings.iter().find(|one| !one.sockets.is_empty()).ok_or("no sockets")?;
    let socket = &building.sockets[0];
    let offers = covage
        .offers(&OfferRequest {
            activation_type: None,
            product_lines: None,
            reference: building.reference.clone(),
            reference_type: OfferRequestReferenceType::Building,
            status: None,
        })
        .await?;
    let eligibility = offers.eligibility_ref.as_deref().ok_or("no eligibility reference")?;
    let mut products = offers.offers.iter().filter_map(|offer| offer.get()?.product.get()?.code.as_deref());
    let product = products.next().ok_or("no product")?;
    println!("    {}: {product} can be had", building.reference);

    println!("  a draft");
    let order =
        lastmile::covage::NewOrder::activate(eligibility, product, OrderCreateRequestType::ActivateDefined)
            .reference("SP-0431");
    let mut draft = Prepared::new(order)?.place(&covage).await?;
    println!("    {}", draft.order().reference.as_deref().unwrap_or("?"));
    let mut data = completed(supplier.contact_uuid());
    if let Some(customer) = &mut data.end_customer {
        customer.name = Some("L'Église d'Ankeborg".into());
    }
    if let Err(refusal) = draft.complete(&covage, &data).await {
        println!("    refused, as expected: {refusal}");
    }
    draft.complete(&covage, &completed(supplier.contact_uuid())).await?;
    let found = draft.set_otp(&covage, &socket.reference.parse()?).await?;
    println!("    socket {}: stairs {:?}, floor {:?}", socket.reference, found.stairs, found.floor);
    if found.is_at(&socket.stairs, &socket.floor) != Some(true) {
        return Err("the socket is somewhere else than the customer says".into());
    }

    println!("  submitted, which is when it is ordered");
    let id = draft.id().clone();
    let mut submission = Prepared::new(draft.submission()?)?;
    submission.mark_in_flight()?;
    println!("    marked, {} bytes to store before it is sent", serde_json::to_string(&submission)?.len());
    let order = submission.place(&covage).await?;
    println!("    {}: {}", order.reference.as_deref().unwrap_or("?"), status(&order));
    supplier.advance();
    println!("    a day later: {}", status(&covage.order(&id).await?));
    let mut orders = covage.orders(ListOrdersParams::default());
    while let Some(order) = orders.next().await {
        let order = order?;
        let order = order.get().ok_or("an order that cannot be read")?;
        println!("    in the list: {}, {}", order.reference.as_deref().unwrap_or("?"), status(order));
    }
    Ok(())
}

fn status(order: &Order) -> &str {
    order.status.get().map_or("?", |status| status.as_str())
}

/// What a draft needs before it can be submitted.
fn completed(contact_uuid: &str) -> OrderUpdate {
    OrderUpdate {
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: Some("Eglise d Ankeborg".into()),
            contact: Some(EndCustomerContactUpdate {
                first_name: Some("Kajsa".into()),
                last_name: Some("Anka".into()),
                email: Some("kajsa@sp.example".into()),
                phone_number: Some("0123456789".into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: Some("SP-0431".into()),
            order_name: Some("Ankeborg 1".into()),
            contact_uuid: Some(contact_uuid.to_owned()),
        }),
        ..Default::default()
    }
}

async fn onapi(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    println!("ON-API (Sweden)");
    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password())
        .build()?;

    println!("  from a DHCP log to what can be had");
    let seeded = supplier.accesses();
    let free = |access: &&lastmile_sandbox::onapi::Access| {
        access.services.iter().any(|offer| offer.availability == Availability::Free)
    };
    let known = seeded.iter().find(free).ok_or("nothing is free")?;
    let access = network.access_of_option82(&known.option82.parse()?).await?;
    println!("    option 82 {}: access {access}", known.option82);
    let offers = network.offers(&access).await?;
    for offer in offers.iter() {
        println!("    {}", offer.name());
    }
    let free = known
        .services
        .iter()
        .find(|offer| offer.availability == Availability::Free)
        .ok_or("nothing is free")?;

    println!("  an order");
    let offer = offers.of(&free.service).ok_or("it is not offered")?;
    let mut activation = Prepared::new(offer.activate("SP-0431".parse()?))?;
    activation.mark_in_flight()?;
    let marked = serde_json::to_string(&activation)?;
    println!("    marked, {} bytes to store before it is placed", marked.len());
    let placed = activation.place(&network).await?;
    let order = placed.order_id().ok_or("done at once")?;
    println!("    placed as order {order}");
    supplier.advance();
    supplier.advance();
    let poll = Poll::default().interval(Duration::from_millis(20)).timeout(Duration::from_secs(10));
    let done = network.wait_for_order(&order, &poll).await?;
    println!("    {}", done.state.get().map_or("?", |state| state.as_str()));
    let mut crashed: Prepared<lastmile::onapi::NewOrder> = serde_json::from_str(&marked)?;
    if let Reconciled::Placed(_) = crashed.reconcile(&network).await? {
        println!("    had the process crashed: found again by its reference");
    }

    println!("  what has changed since last time");
    let Changes::Rows(mut rows) = network.accesses(None).await? else { return Err("no accesses".into()) };
    let mut count = 0;
    while let Some(row) = rows.next().await {
        row?;
        count += 1;
    }
    println!("    {count} accesses, one by one");
    match network.accesses(rows.cursor()).await? {
        Changes::NotModified => println!("    and nothing since"),
        _ => return Err("nothing has changed, and yet it says so".into()),
    }
    Ok(())
}
