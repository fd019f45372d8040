//! Outcomes of failed calls.

use lastmile_covage::Client;
use lastmile_covage::types::{ContactCreate, OrderCreate};
use lastmile_tests::{covage, outcomes_of_a_creation, outcomes_of_a_read, sandbox};

#[tokio::test]
async fn reads_and_creating_calls_have_the_common_outcomes() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let id = &"1".parse().unwrap();
    let read = |client: Client| async move { client.get_order(id).await };
    outcomes_of_a_read(sandbox.covage(), sandbox.cocon(), covage.raw(), "getOrder", read).await;
    let order = &OrderCreate::default();
    let create = |client: Client| async move { client.create_order(order).await };
    outcomes_of_a_creation(sandbox.covage(), covage.raw(), "createOrder", create).await;
    let contact = &ContactCreate::default();
    let create = |client: Client| async move { client.create_contact(contact).await };
    outcomes_of_a_creation(sandbox.covage(), covage.raw(), "createContact", create).await;
}
