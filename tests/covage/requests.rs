//! The request that the supplier receives for each operation.

use lastmile_core::auth::Credentials;
use lastmile_covage::Client;
use lastmile_covage::types::*;
use lastmile_sandbox::Spec;
use lastmile_tests::{exchanges, request, sandbox};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[tokio::test]
async fn every_operation_sends_its_documented_request() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let credentials = Credentials::none().bearer("access").unwrap();
    let client = &Client::builder(supplier.base_url()).credentials(credentials).build().unwrap();
    let uuid = &"0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse().unwrap();
    let [id, building] = &["8w10yfnb", "IMB/76540/X/043X"].map(|id| id.parse().unwrap());
    let spec = Spec::covage();
    let contact = &json!({
        "first_name": "Kajsa", "last_name": "Anka", "email": "kajsa@sp.example",
        "phone_number": "0123456789", "cell_phone_number": "0623456789",
    });
    let login = &json!({ "email": "orders@sp.example", "password": "invented" });
    exchanges!(supplier, client, {
        "createOrder": create_order(&request(spec, "createOrder"));
        "listOrders": list_orders(&ListOrdersParams {
            end_customer: Some("Anka & Co".into()),
            endpoint_ref: Some("0417101993".into()),
            limit: Some(50),
            offset: Some(100),
            product_family: Some("A".into()),
            product_line: Some("AM".into()),
            reference: Some("O191016_32563".into()),
            sort: Some("-creation_date".into()),
            status: Some("draft".into()),
            type_: Some(ListOrdersType::Activate),
        });
        "getOrder": get_order(uuid);
        "updateOrder": update_order(uuid, &request(spec, "updateOrder"));
        "updateOrderBound": update_order_bound(uuid, uuid, &request(spec, "updateOrderBound"));
        "updateOrderEndpoint": update_order_endpoint(uuid, uuid, &request(spec, "updateOrderEndpoint"));
        "createOrderInfoEvent": create_order_info_event(uuid, &request(spec, "createOrderInfoEvent"));
        "getBuilding": get_building(building, &GetBuildingParams {
            include_stairs: Some(true),
            include_otp_ref: Some(false),
        });
        "listCities": list_cities("76000");
        "listStreets": list_streets("76540");
        "listStreetNumbers": list_street_numbers("765405510");
        "listEligibilityEndpoints": list_eligibility_endpoints("765405510", "7B", &ListEligibilityEndpointsParams {
            status: Some(ListEligibilityEndpointsStatus::Active),
        });
        "listBuildings": list_buildings("765405510", "7");
        "getForecast": get_forecast("765405510", "7", &GetForecastParams { street_extension: Some("B".into()) });
        "createOffers": create_offers(&OfferRequest {
            activation_type: Some(OfferRequestActivationType::CreateNearby),
            product_lines: Some(vec!["AM".into()]),
            reference: "0417101993".into(),
            reference_type: OfferRequestReferenceType::LineNumber,
            status: Some(OfferRequestStatus::Active),
        });
        "getPortability": get_portability(&"0417101993".parse().unwrap());
        "listServices": list_services(&ListServicesParams { limit: Some(2), offset: Some(4) });
        "getService": get_service(uuid);
        "migrateServiceToFtth": migrate_service_to_ftth(uuid, &json(&json!({ "imb": "IMB/76540/X/043X" })));
        "listContacts": list_contacts();
        "createContact": create_contact(&json(contact));
        "getContact": get_contact(id);
        "replaceContact": replace_contact(id, &json(contact));
        "deleteContact": delete_contact(id);
        "listEvents": list_events(&ListEventsParams {
            limit: Some(10),
            object_type: Some(ListEventsObjectType::Order),
            object_uuid: Some("0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".into()),
            offset: Some(20),
            sort: Some("creation_date".into()),
        });
        "listProductFamilies": list_product_families();
        "getProductFamily": get_product_family(id);
        "getProductLine": get_product_line(id);
        "listAppointmentSlots": list_appointment_slots(&ListAppointmentSlotsParams {
            building_ref: Some("IMB/76540/X/043X".into()),
            end_date: "2026-12-24".parse().ok(),
            endpoint_ref: Some("0417101993".into()),
            kosc_insee_code: Some("76540".into()),
            kosc_street_code: Some("765405510".into()),
            level: Some(ListAppointmentSlotsLevel::Premium),
            order_uuid: "0cd8d842-b0ca-43c0-8cbc-5d275cbdb1c2".parse().ok(),
            product_code: Some("FP01".into()),
            start_date: "2026-12-01".parse().ok(),
        });
        "obtainToken": obtain_token(&json(login));
        "refreshToken": refresh_token(&json(&json!({ "refresh": "r" })));
        "obtainLegacyToken": obtain_legacy_token(&json(login));
        "refreshLegacyToken": refresh_legacy_token(&json(&json!({ "token": "t" })));
        "getUser": get_user(id);
    });
    for operation in spec.operations() {
        assert_eq!(supplier.count(&operation.id), 1, "{}", operation.id);
    }
    assert_eq!(supplier.received().len(), 34);
    let building =
        supplier.received().into_iter().find(|received| received.operation.as_deref() == Some("getBuilding"));
    assert_eq!(building.unwrap().path, "/api/v2/eligibility/buildings/IMB%2F76540%2FX%2F043X/");
}

/// Returns a request of the generated type, from JSON.
fn json<T: DeserializeOwned>(json: &Value) -> T {
    serde_json::from_value(json.clone()).unwrap()
}
