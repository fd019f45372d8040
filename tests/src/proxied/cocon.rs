//! The journeys of Cocon.

use std::time::Duration;

use lastmile::cocon::types::{
    ContactCreate, ContactPatch, CustomerContractCreate, CustomerContractPatch, CustomerCreate,
    CustomerPatch, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{
    Batch, BuildingConnection, Cocon, Connection, ContractDates, Geometry, NamedConnection, RouteScenario,
};
use lastmile::{Poll, Prepared};
use lastmile_sandbox::{BuildingKind, Sandbox};

use super::Failure;
use crate::cocon_at;

pub(super) async fn journeys(sandbox: &Sandbox, url: &str) -> Result<(), Failure> {
    let supplier = sandbox.cocon();
    let cocon = cocon_at(url, supplier.api_key(), supplier.client_id());
    connect(sandbox, &cocon).await?;
    administer(&cocon).await
}

/// Connects buildings in a batch, and two of them alone.
async fn connect(sandbox: &Sandbox, cocon: &Cocon) -> Result<(), Failure> {
    let buildings = sandbox.cocon().buildings();
    let of = |kind| buildings.iter().filter(move |building| building.kind == kind);
    let mut prepared = of(BuildingKind::Prepared);
    let mut next = || prepared.next().ok_or("there are too few prepared buildings");
    let (first, second, third, fourth) = (next()?, next()?, next()?, next()?);
    let complex = of(BuildingKind::Complex).next().ok_or("there is no complex building")?;
    let route = Geometry::line([[257_100.5, 471_200.0], [257_104.25, 471_203.0]])?;
    let batch = Batch::new([
        Connection::new(&first.name, RouteScenario::KeepRoute).attenuations("0.21".parse()?, "0.35".parse()?),
        Connection::new(&second.name, RouteScenario::NewRoute(route)),
        Connection::new(&complex.name, RouteScenario::KeepRoute),
        Connection::new("9999ZZ-1", RouteScenario::KeepRoute),
    ])
    .installed_by("Graafbedrijf Anka");
    let id = Prepared::new(batch)?.place(cocon).await?;
    let poll = Poll::default().interval(Duration::from_millis(1)).timeout(Duration::from_secs(20));
    assert_eq!(cocon.wait_for_batch(&id, &poll).await?.counts(), [2, 2, 0]);
    let named = NamedConnection::new(&third.name, RouteScenario::KeepRoute);
    Prepared::new(named)?.place(cocon).await?;
    let building = BuildingConnection::new(fourth.id.parse()?, RouteScenario::KeepRoute);
    Prepared::new(building)?.place(cocon).await?;
    Ok(())
}

/// Creates, changes and deletes a customer, a contact and a contract.
async fn administer(cocon: &Cocon) -> Result<(), Failure> {
    let customer = CustomerCreate { name: Some("Ankeborg Wonen".into()), ..Default::default() };
    let customer = Prepared::new(customer)?.place(cocon).await?.id.into_string().ok_or("no id")?;
    let renamed = CustomerPatch::default().name("Ankeborg Wonen BV");
    cocon.update_customer(&customer.parse()?, &renamed).await?;
    cocon.customer(&customer.parse()?).await?;

    let contact = ContactCreate {
        customer_id: Some(customer.clone()),
        name: Some("Katrien".into()),
        phone_number: Some("+31 20 555 0100".into()),
        email_addresses: Some(vec!["katrien@sp.example".into()]),
        ..Default::default()
    };
    let contact = Prepared::new(contact)?.place(cocon).await?.id.into_string().ok_or("no id")?;
    let patch = ContactPatch::default().name("Katrien Duck").clear_phone_number();
    cocon.update_contact(&contact.parse()?, &patch).await?;
    cocon.contact(&contact.parse()?).await?;
    cocon.customer_contact(&customer.parse()?, &contact.parse()?).await?;

    let dates = ContractDates { start: "2026-01-01".parse().ok(), end: "2026-06-30".parse()? };
    let contract = CustomerContractCreate { customer_id: Some(customer.clone()), ..dates.into() };
    let contract = Prepared::new(contract)?.place(cocon).await?.id.into_string().ok_or("no id")?;
    let patch = CustomerContractPatch::default().clear_comment().clear_start_date();
    cocon.update_contract(&contract.parse()?, &patch).await?;
    cocon.contract(&contract.parse()?).await?;

    let approval =
        ProjectAssetApprovalCreate { project_name: Some("Ankeborg 4".into()), ..Default::default() };
    Prepared::new(approval)?.place(cocon).await?;
    cocon.delete_contract(&contract.parse()?).await?;
    cocon.delete_contact(&contact.parse()?).await?;
    cocon.delete_customer(&customer.parse()?).await?;
    Ok(())
}
