//! One journey per supplier, against the embedded sandbox, step by step:
//!
//! ```text
//! cargo run -p lastmile --example journeys
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::time::Duration;

use lastmile::cocon::types::{ContactCreate, ContactPatch, CustomerCreate, PostalAddress};
use lastmile::cocon::{Batch, Cocon, Connection, Route, Scenario};
use lastmile::wire::Patch;
use lastmile::{Poll, Prepared, Reconciled};
use lastmile_sandbox::{BuildingKind, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    cocon(&sandbox).await
}

async fn cocon(sandbox: &Sandbox) -> Result<(), Box<dyn Error>> {
    println!("Cocon (Netherlands)");
    let supplier = sandbox.cocon();
    let cocon = Cocon::builder(supplier.base_url())
        .api_key(supplier.api_key())
        .client_id(supplier.client_id())
        .build()?;

    println!("  a batch of delayed connections");
    let town = supplier.buildings();
    let mut prepared = town.iter().filter(|building| building.kind == BuildingKind::Prepared);
    let (Some(first), Some(second)) = (prepared.next(), prepared.next()) else {
        return Err("the town has too few prepared buildings".into());
    };
    let route = Route::line([(257_100.5, 471_200.0), (257_104.25, 471_203.0)])?;
    let batch = Batch::new([
        Connection::new(&first.name, Scenario::KeepRoute).attenuations("0.21".parse()?, "0.35".parse()?),
        Connection::new(&second.name, Scenario::NewRoute(route)),
        Connection::new("9999ZZ-1", Scenario::KeepRoute),
    ])
    .installed_by("Graafbedrijf Anka");
    let mut prepared = Prepared::new(batch)?;
    prepared.begin()?;
    println!("    begun, {} bytes to store before it is placed", serde_json::to_string(&prepared)?.len());
    let id = prepared.place(&cocon).await?;
    println!("    registered as batch {id}; it is {:?} now", prepared.progress());
    println!("    pending at the first look: {}", cocon.batch(&id).await?.pending().count());
    let poll = Poll { every: Duration::from_millis(20), at_most: Duration::from_secs(10) };
    let report = cocon.wait_for_batch(&id, &poll).await?;
    for (building, details) in report.connected() {
        let cable = details.and_then(|details| details.cable_id.as_deref()).unwrap_or("unknown");
        println!("    {building}: connected by cable {cable}");
    }
    for (building, errors) in report.failed() {
        let reasons: Vec<&str> = errors.iter().filter_map(|error| error.message.as_deref()).collect();
        println!("    {building}: not connected ({})", reasons.join("; "));
    }
    if let Reconciled::Undecidable(undecidable) = prepared.reconcile(&cocon).await? {
        println!("    had the answer been lost: {undecidable}");
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
    let contact_id = contact.id.as_deref().ok_or("the contact has no id")?;
    println!("    contact {contact_id} of {}", contact.customer_name.as_deref().unwrap_or("?"));

    println!("  the contact changes");
    let patch =
        ContactPatch { name: Patch::set("Katrien Duck"), phone_number: Patch::Null, ..Default::default() };
    let contact = cocon.update_contact(contact_id, &patch).await?;
    println!("    name, set: {}", contact.name.as_deref().unwrap_or("?"));
    println!("    telephone, cleared: {:?}", contact.phone_number.get());
    println!("    e-mail addresses, left alone: {}", contact.email_addresses.len());

    println!("  and goes");
    cocon.delete_contact(contact_id).await?;
    match cocon.contact(contact_id).await {
        Err(error) => println!("    {error}"),
        Ok(_) => return Err("the contact is there still".into()),
    }
    Ok(())
}
