//! The request that the network receives for each operation.

use lastmile_core::auth::Credentials;
use lastmile_onapi::Client;
use lastmile_onapi::types::*;
use lastmile_sandbox::Spec;
use lastmile_tests::{exchanges, request, sandbox};

#[tokio::test]
async fn every_operation_sends_its_documented_request() {
    let sandbox = sandbox().await;
    let supplier = sandbox.onapi();
    let credentials = Credentials::none().basic("sp", "secret").unwrap();
    let client = &Client::builder(supplier.base_url()).credentials(credentials).build().unwrap();
    let id = &"17.a-B".parse().unwrap();
    let since = &Some("Wed, 16 Oct 2019 09:59:04 GMT".to_owned());
    let spec = Spec::onapi();
    exchanges!(supplier, client, {
        "listEndpoints": list_endpoints();
        "listAccesses": list_accesses(&ListAccessesParams { if_modified_since: since.clone() });
        "getAccess": get_access(id);
        "lookupDhcp": lookup_dhcp(&LookupDhcpParams {
            ipv4_circuit_id: Some("sw/1/0/7".into()),
            ipv4_remote_id: Some("10.0.0.1".into()),
            ipv6_interface_id: Some("ge-0/0".into()),
            ipv6_remote_id: Some("å".into()),
            ipv4option82: Some("5200".into()),
        });
        "lookupOption82": lookup_option82(&"520A01036162630203313233".parse().unwrap());
        "listOrders": list_orders(&ListOrdersParams {
            access_id: Some("17".into()),
            state: Some(ListOrdersState::Received),
        });
        "getOrder": get_order(id);
        "createOrder": create_order(&request(spec, "createOrder"));
        "replaceOrder": replace_order(id, &request(spec, "replaceOrder"));
        "changeOrder": change_order(id, &request(spec, "changeOrder"));
        "cancelOrder": cancel_order(id);
        "listOrderEvents": list_order_events(&ListOrderEventsParams { since: Some("e-9".into()) });
        "listEvents": list_events(&ListEventsParams { if_modified_since: since.clone() });
        "listServices": list_services(&ListServicesParams { if_modified_since: since.clone() });
        "getServices": get_services(id);
        "listSubscriptions": list_subscriptions(&ListSubscriptionsParams { if_modified_since: since.clone() });
        "getSubscriptions": get_subscriptions(id);
        "getCpeStatus": get_cpe_status(id);
        "getHardware": get_hardware(id);
        "getMacAddressTable": get_mac_address_table(id);
        "getLeaseInfo": get_lease_info(id);
        "getIgmpSnooping": get_igmp_snooping(id);
        "getLinkStatus": get_link_status(id);
        "listInvoicePeriods": list_invoice_periods();
        "getInvoiceLines": get_invoice_lines(id);
        "listTickets": list_tickets(&ListTicketsParams {
            status: Some(ListTicketsStatus::Created),
            created: Some("2019-10-16".into()),
            if_modified_since: since.clone(),
        });
        "createTicket": create_ticket(&request(spec, "createTicket"));
        "getTicket": get_ticket(id);
        "updateTicket": update_ticket(id, &request(spec, "updateTicket"));
    });
    for operation in spec.operations() {
        assert_eq!(supplier.count(&operation.id), 1, "{}", operation.id);
    }
    assert_eq!(supplier.received().len(), 29);
}
