//! The end of a service at Covage, which is cut the moment the order is submitted, against the embedded sandbox:
//!
//! ```text
//! cargo run -p lastmile --example covage_terminate
//! ```
//!
//! A copper service is moved to fibre first; then the copper is terminated. Only a confirmation that names the service cuts
//! it, and a second worker with the same stored submission cuts nothing twice.
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;

use lastmile::covage::types::{OperatorInfoUpdate, OrderUpdate};
use lastmile::covage::{ConfirmTermination, Covage, Migrated, Migration, NewOrder, ServiceId, Submission};
use lastmile::{HasProgress, Prepared, Reconciled, StreamExt as _};
use lastmile_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password()).build()?;

    println!("The services");
    let mut services = covage.services();
    let mut copper = None;
    while let Some(service) = services.next().await {
        let service = service?.into_option().ok_or("a service that cannot be read")?;
        let product = service.product.get().and_then(|product| product.code.as_deref()).unwrap_or("?");
        let status = service.status.get().map_or("?", |status| status.as_str());
        println!("  {}: {product}, {status}", service.reference.as_deref().unwrap_or("?"));
        if product == "AM01" && status == "active" {
            copper = Some(service);
        }
    }
    let service = copper.ok_or("no copper service")?;
    let id = ServiceId::try_from(&service.uuid)?;
    let name = service.reference.as_deref().ok_or("the service has no reference")?;

    println!("{name} moves to fibre");
    let mut migration = Migration::new(id.clone());
    let mut answer = Prepared::new(migration.clone())?.place(&covage).await?;
    if let Migrated::Choose(buildings) = Migrated::from(&answer) {
        println!("  to one of {}", buildings.join(", "));
        migration = migration.to_building(buildings.first().ok_or("no building")?);
        answer = Prepared::new(migration)?.place(&covage).await?;
    }
    match Migrated::from(&answer) {
        Migrated::Ordered(order) => println!("  ordered: {order}"),
        other => return Err(format!("not moved: {other:?}").into()),
    }

    println!("The end of {name}");
    let order = NewOrder::terminate(id.as_str()).reference("SP-0432");
    let mut draft = Prepared::new(order)?.place(&covage).await?;
    for gap in draft.readiness().issues() {
        println!("  lacks {gap}");
    }
    let info = OperatorInfoUpdate { order_name: Some("Ankeborg, copper".into()), ..Default::default() };
    draft.complete(&covage, &OrderUpdate { operator_info: Some(info), ..Default::default() }).await?;

    println!("  without a confirmation, and with that of another service:");
    let refused = draft.submission().err().ok_or("it must be refused")?;
    println!("    {refused}");
    let refused = refused.into_draft().termination(ConfirmTermination::new("S000000_00000"));
    let refused = refused.err().ok_or("it must be refused")?;
    println!("    {refused}");

    println!("  confirmed");
    let termination = refused.into_draft().termination(ConfirmTermination::new(name))?;
    let mut submission = Prepared::new(termination)?;
    submission.mark_in_flight()?;
    let stored = serde_json::to_string(&submission)?;
    let order = submission.place(&covage).await?;
    println!("    {}: {:?}", order.reference.as_deref().unwrap_or("?"), order.progress().stage());
    let status = covage.service(&id).await?.status;
    println!("    {name} is {}", status.get().map_or("?", |status| status.as_str()));

    let mut second: Prepared<Submission> = serde_json::from_str(&stored)?;
    let Reconciled::Placed(_) = second.reconcile(&covage).await? else {
        return Err("it must be found".into());
    };
    println!("    a second worker found it done: {} submission", supplier.took_effect("updateOrder.submit"));
    Ok(())
}
