//! A fibre order at Covage, from an address to the day it works, against the embedded sandbox:
//!
//! ```text
//! cargo run -p lastmile --example covage_fibre
//! ```
//!
//! The customer gives an address and a socket. The draft is completed step by step; what it still lacks is shown before it
//! is submitted; where the supplier says the socket is, is compared with what the customer says. Then the order is followed,
//! and let go on when the supplier asks for something.
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;

use lastmile::covage::types::{
    ContactCreate, EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, OperatorInfoUpdate,
    OrderUpdate,
};
use lastmile::covage::{
    Covage, EventCursor, Fibre, Information, NewOrder, Options, OrderFilter, OrderOption, OrderSort,
};
use lastmile::{HasProgress, OrderStage, Prepared, StreamExt as _};
use lastmile_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password()).build()?;

    println!("From an address to an offer");
    let premises = supplier.premises().iter().find(|one| one.buildings.iter().any(|b| !b.sockets.is_empty()));
    let place = premises.ok_or("no fibre anywhere")?;
    let buildings = covage.buildings(&place.kosc_street_code, &place.street_number).await?;
    let building = buildings.iter().find_map(|building| building.get()?.building_ref.as_deref());
    let building = building.ok_or("no building")?;
    let offers = covage.offers_for_building(&building.parse()?).await?;
    let products = offers.offers.iter().filter_map(|offer| offer.get()?.product.get()?.code.as_deref());
    println!("  {building}: {}", products.collect::<Vec<_>>().join(", "));

    println!("Who the supplier may call");
    let contact = ContactCreate {
        first_name: Some("Kajsa".into()),
        last_name: Some("Anka".into()),
        email: Some("orders@sp.example".into()),
        ..Default::default()
    };
    let contact = Prepared::new(contact)?.place(&covage).await?;
    let contact_uuid = contact.contact_uuid.into_string().ok_or("no contact")?;
    println!("  contact {contact_uuid}; said again, it would be the same one");

    println!("A draft");
    let eligibility = offers.eligibility_ref.as_deref().ok_or("no eligibility reference")?;
    let order = NewOrder::fibre(eligibility, "FP01", Fibre::ActivateDefined)
        .reference("SP-0431")
        .options(Options::new().value(OrderOption::ContractTerm, "36_months"));
    let mut draft = Prepared::new(order)?.place(&covage).await?;
    println!("  what it lacks:");
    for gap in draft.readiness().issues() {
        println!("    {gap}");
    }
    draft.complete(&covage, &data(contact_uuid)).await?;
    println!("  {} more after customer and operator", draft.readiness().issues().len());

    let known = place.buildings.iter().find(|one| one.reference == building).ok_or("no such building")?;
    let socket = known.sockets.first().ok_or("no socket")?;
    let found = draft.set_otp(&covage, &socket.reference.parse()?).await?;
    println!("  socket {}: stairs {:?}, floor {:?}", socket.reference, found.stairs, found.floor);
    if found.is_at(&socket.stairs, &socket.floor) != Some(true) {
        return Err("the socket is somewhere else than the customer says".into());
    }
    println!("  {}", draft.readiness());

    println!("Submitted, which is when it is ordered");
    let id = draft.id().clone();
    let mut submission = Prepared::new(draft.submission()?)?;
    submission.mark_in_flight()?;
    println!("  marked, {} bytes to store before it is sent", serde_json::to_string(&submission)?.len());
    submission.place(&covage).await?;
    for day in 0..8 {
        let progress = covage.order(&id).await?.progress();
        println!("  day {day}: {:?} ({})", progress.stage(), progress.supplier_status().unwrap_or("?"));
        if progress.stage() == OrderStage::WaitingForUs {
            let told = Information::new(id.clone(), "The concierge has the key").stop_deferred();
            Prepared::new(told)?.place(&covage).await?;
            println!("    the supplier was told, and goes on");
        }
        if progress.stage().is_final() {
            break;
        }
        supplier.advance();
    }

    println!("What happened, with a cursor to store");
    let mut events = covage.events(EventCursor::default());
    while let Some(delivered) = events.next().await {
        let delivered = delivered?;
        let event = delivered.event.get().ok_or("an event that cannot be read")?;
        println!("  {}", event.type_.get().map_or("?", |kind| kind.as_str()));
    }
    println!("  cursor: {} bytes", serde_json::to_string(events.cursor())?.len());
    let newest = OrderFilter::default().with_sort(OrderSort::CreationDateDown).with_product_family("F");
    let mut orders = covage.orders(newest);
    println!("  {} fibre orders in all", orders.total().await?.unwrap_or_default());
    Ok(())
}

/// Customer and operator. The order's name makes the sandbox ask for something on the way.
fn data(contact_uuid: String) -> OrderUpdate {
    OrderUpdate {
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: Some("Epicerie d Ankeborg".into()),
            contact: Some(EndCustomerContactUpdate {
                first_name: Some("Joakim".into()),
                last_name: Some("Anka".into()),
                email: Some("joakim@client.example".into()),
                phone_number: Some("0123456789".into()),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: Some("SP-0431".into()),
            order_name: Some("Ankeborg 1 defer".into()),
            contact_uuid: Some(contact_uuid),
        }),
        ..Default::default()
    }
}
