//! What can be created at Cocon, and what a person should look at when an answer was lost.

use lastmile_cocon::types::{
    Contact, ContactCreate, Customer, CustomerContract, CustomerContractCreate, CustomerCreate,
    DelayedConnection, ProjectAssetApprovalCreate,
};
use lastmile_core::call::{Error, Reply};

use super::texts::check_creation;
use super::{Batch, BatchId, BuildingConnection, Cocon, NamedConnection, segment};
use crate::prepared::Creation;
use crate::prepared::sealed::{Found, Look, Sealed};

const NO_LOOK_UP: &str = "Cocon offers no look-up by a reference of the caller's, so nothing tells what became of a request \
                          whose answer was lost";

macro_rules! creation {
    (
        $request:ty => $created:ty, $kind:literal,
        check: |$checked:ident| $check:expr,
        send: |$sent:ident, $cocon:ident| $send:expr,
        look_at: $look_at:literal $(,)?
    ) => {
        impl Sealed for $request {}

        impl Creation for $request {
            type Supplier = Cocon;
            type Created = $created;
            const KIND: &'static str = concat!("cocon.", $kind);
            const LOOK_AT: &'static str = $look_at;

            fn check(&self) -> Result<(), Error> {
                let $checked = self;
                $check
            }

            async fn send(&self, $cocon: &Cocon) -> Result<$created, Error> {
                let $sent = self;
                $send
            }

            async fn find(&self, _: &Cocon, _: Look) -> Result<Found<$created>, Error> {
                Ok(Found::Never(NO_LOOK_UP))
            }
        }
    };
}

creation! {
    CustomerCreate => Customer, "customer",
    check: |customer| check_creation("customer", "clientCode, name", customer),
    send: |customer, cocon| {
        cocon.handle.value(|client| async move { client.create_customer(customer).await }).await
    },
    look_at: "Look in Cocon for a customer of this name and client code",
}

creation! {
    ContactCreate => Contact, "contact",
    check: |contact| check_creation("contact", "name, customerId, phoneNumber, emailAddresses", contact),
    send: |contact, cocon| {
        cocon.handle.value(|client| async move { client.create_contact(contact).await }).await
    },
    look_at: "Look in Cocon for a contact of this name at the customer",
}

creation! {
    CustomerContractCreate => CustomerContract, "customer-contract",
    check: |contract| check_creation("contract", "name, customerId, startDate, endDate", contract),
    send: |contract, cocon| {
        cocon.handle.value(|client| async move { client.create_customer_contract(contract).await }).await
    },
    look_at: "Look in Cocon for a contract of this name and these dates at the customer",
}

creation! {
    ProjectAssetApprovalCreate => Reply<()>, "project-asset-approval",
    check: |approval| check_creation("approval", "projectName, timestamp, assetApproval", approval),
    send: |approval, cocon| {
        let call = |client: lastmile_cocon::Client| async move { client.create_project_asset_approval(approval).await };
        cocon.handle.call(call).await
    },
    look_at: "Look in Cocon for an approval of this asset with this moment in the project",
}

creation! {
    NamedConnection => DelayedConnection, "delayed-connection",
    check: |connection| connection.check(),
    send: |connection, cocon| {
        let body = connection.body();
        let call = |client: lastmile_cocon::Client| async move { client.create_delayed_connection(body).await };
        cocon.handle.value(call).await
    },
    look_at: "Look in Cocon whether the building is connected",
}

creation! {
    BuildingConnection => DelayedConnection, "building-delayed-connection",
    check: |connection| connection.check(),
    send: |connection, cocon| {
        let id = segment("the building's id", connection.building_id())?;
        let body = connection.body();
        let call =
            |client: lastmile_cocon::Client| async move { client.create_building_delayed_connection(&id, body).await };
        cocon.handle.value(call).await
    },
    look_at: "Look in Cocon whether the building is connected",
}

creation! {
    Batch => BatchId, "delayed-connection-batch",
    check: |batch| batch.check(),
    send: |batch, cocon| {
        let body = batch.body();
        let call = |client: lastmile_cocon::Client| async move { client.create_delayed_connection_batch(body).await };
        let reply = cocon.handle.call(call).await?;
        match reply.value.batch_id.as_deref().map(str::parse) {
            Some(Ok(id)) => Ok(BatchId(id)),
            _ => Err(reply.unfit("the batch is registered, but the answer has no id that it could be followed by")),
        }
    },
    look_at: "Look in Cocon which of the buildings are connected, and whether a batch with them is running",
}
