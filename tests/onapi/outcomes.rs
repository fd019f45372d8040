//! Outcomes of failed calls.

use lastmile_onapi::Client;
use lastmile_tests::{onapi, outcomes_of_a_creation, outcomes_of_a_read, sandbox};
use serde_json::json;

#[tokio::test]
async fn reads_and_creating_calls_have_the_common_outcomes() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let id = &"1".parse().unwrap();
    let read = |client: Client| async move { client.get_order(id).await };
    outcomes_of_a_read(sandbox.onapi(), sandbox.cocon(), network.raw(), "getOrder", read).await;
    let order = &serde_json::from_value(json!({ "operation": "ACTIVATE" })).unwrap();
    let create = |client: Client| async move { client.create_order(order).await };
    outcomes_of_a_creation(sandbox.onapi(), network.raw(), "createOrder", create).await;
    let ticket = &serde_json::from_value(json!({})).unwrap();
    let create = |client: Client| async move { client.create_ticket(ticket).await };
    outcomes_of_a_creation(sandbox.onapi(), network.raw(), "createTicket", create).await;
}
