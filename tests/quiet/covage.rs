//! What the facade of Covage shows of marked data.

use futures_util::StreamExt as _;
use lastmile::covage::types::*;
use lastmile::covage::{
    ConfirmTermination, Copper, Covage, Draft, EventCursor, Fibre, Information, Migrated, Migration,
    NewOrder, Options, OrderFilter, OrderId, OrderSort, SlotRequest, Socket,
};
use lastmile::rules::CovageZipCode;
use lastmile::{HasProgress, Prepared, Reconciled};
use lastmile_sandbox::{Answer, Sandbox, Spec};
use lastmile_tests::{brisk, store_and_place};
use serde_json::{Value, json};

use crate::facade::{answer, prepared};
use crate::marks::{PASSWORD, PERSONAL, REFRESH, SOCKET, TOKEN, Walked, echo, personal};

/// Returns an order with marks, in Covage's form.
fn order(status: &str, kind: &str) -> Value {
    json!({
        "uuid": "1", "status": status, "type": kind, "comment": PERSONAL, "unlisted": PERSONAL, "service_ref": "S-1",
        "end_customer": { "type": "registered", "name": "Personal'", "contact": { "email": PERSONAL } },
        "request_type": "activate_defined",
        "bounds": [{
            "uuid": "2", "address": { "stairs": "Personal'", "floor": PERSONAL, "street_name": [PERSONAL] },
            "endpoints": [{ "uuid": "3", "type": "otp", "reference": SOCKET }],
        }],
        "options": { "portability": { "enabled": true, "rio_code": PERSONAL } },
        "submission_date": "2026-01-01T00:00:00Z",
    })
}

fn new_order(walked: &Walked) -> Prepared<NewOrder> {
    let customer = EndCustomerUpdate { name: personal(), ..Default::default() };
    let rio = "03H000017NH+".parse().unwrap();
    let options = Options::new().portability(&rio, None);
    assert!(!format!("{options:?} {options:#?}").contains(rio.as_str()), "{options:?}");
    walked.debug(&options);
    let order = NewOrder::activate("elig-1", "AM01", OrderCreateRequestType::Activate).reference("SP-1");
    prepared(walked, order.options(options).with(|body| body.end_customer = Some(customer)))
}

pub async fn walk(sandbox: &Sandbox, walked: &Walked) {
    let covage = tokens(sandbox, walked).await;
    drafts(sandbox, &covage, walked).await;
    lists(sandbox, &covage, walked).await;
}

/// The login and the tokens.
async fn tokens(sandbox: &Sandbox, walked: &Walked) -> Covage {
    let supplier = sandbox.covage();
    let builder = || {
        Covage::builder(supplier.base_url())
            .login("Personal@sp.example", PASSWORD)
            .policy(brisk())
            .observer(walked.observer())
    };
    let covage = builder().build().unwrap();
    walked.error(&store_and_place(&mut new_order(walked), &covage).await.unwrap_err()); // a wrong password

    // Rejected credentials are not used again for a while, so this is a new client.
    let covage = builder().build().unwrap();
    supplier.answer_next("obtainToken", Answer::json(200, &json!({ "access": TOKEN, "refresh": REFRESH })));
    supplier.answer_next("listOrders", Answer::json(200, &json!([])));
    supplier.answer_next("createOrder", Answer::json(400, &echo()));
    let error = store_and_place(&mut new_order(walked), &covage).await.unwrap_err();
    assert_eq!((error.message(), error.supplier_id()), (None, None), "what repeats a secret is not told");
    walked.error(&error);
    walked.debug(&error.details()[1]);
    walked.debug(&covage);
    // A rejected token is renewed, and the new one is redacted as well.
    supplier.answer_next("getOrder", Answer::json(401, &echo()));
    supplier.answer_next("refreshToken", Answer::json(200, &json!({ "access": "SECRET-TOKEN-4712" })));
    supplier.answer_next("getOrder", Answer::json(401, &json!({ "error": "SECRET-TOKEN-4712" })));
    let error = covage.order(&PERSONAL.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.message(), None);
    walked.error(&error);
    walked.debug(&covage);
    covage
}

/// Drafts and their submission.
async fn drafts(sandbox: &Sandbox, covage: &Covage, walked: &Walked) {
    let supplier = sandbox.covage();
    supplier.answer_next("listOrders", Answer::json(200, &json!([])));
    supplier.answer_next("createOrder", Answer::json(200, &order("draft", "activate")));
    let mut draft: Draft = store_and_place(&mut new_order(walked), covage).await.unwrap();
    walked.debug(&draft);
    let name = EndCustomerUpdate { name: Some("Personal'".into()), ..Default::default() };
    let data = OrderUpdate { end_customer: Some(name), comment: personal(), ..Default::default() };
    walked.debug(&data);
    walked.error(&draft.complete(covage, &data).await.unwrap_err());
    walked.error(&draft.set_floor(covage, "Personal'", PERSONAL).await.unwrap_err());
    supplier.answer_next("updateOrderEndpoint", Answer::json(400, &echo()));
    walked.error(&draft.set_otp(covage, &"FI-0000-0000".parse().unwrap()).await.unwrap_err());

    let readiness = draft.readiness();
    assert!(!readiness.is_ready() && readiness.issues().iter().any(|gap| gap.path == "end_customer.name"));
    walked.both(&readiness);
    for gap in readiness.issues().iter().chain(readiness.warnings()) {
        walked.both(gap);
        walked.debug(&gap.kind);
    }
    let not_ready = draft.submission().unwrap_err();
    walked.error(&not_ready);
    let mut draft = not_ready.into_draft();
    draft.skip_validation(readiness.issues().iter().map(|gap| gap.path.clone()));
    walked.debug(&draft);
    let mut lost = prepared(walked, draft.submission().unwrap());
    // Looked up, and compared with the draft that the caller saw.
    for _ in 0..2 {
        supplier.answer_next("getOrder", Answer::json(200, &order("draft", "activate")));
    }
    supplier.answer_next("updateOrder", Answer::json(503, &echo()));
    walked.error(&store_and_place(&mut lost, covage).await.unwrap_err());
    supplier.answer_next("getOrder", Answer::json(200, &order("submitted", "activate")));
    let found = lost.reconcile(covage).await.unwrap();
    let Reconciled::Placed(order_) = &found else { panic!("{found:?}") };
    walked.debug(&order_.progress());
    walked.debug(&order_.progress().stage());
    walked.debug(&found);

    let termination =
        Draft::try_from(serde_json::from_value::<Order>(order("draft", "terminate")).unwrap()).unwrap();
    let confirmation = ConfirmTermination::new("S-2");
    walked.debug(&confirmation);
    walked.error(&termination.termination(confirmation).unwrap_err());
    walked.error(&lastmile::Error::from(
        Draft::try_from(serde_json::from_value::<Order>(order("draft", "activate")).unwrap())
            .unwrap()
            .submission()
            .unwrap_err(),
    ));

    prepared(walked, Information::new("1".parse().unwrap(), PERSONAL));
    prepared(walked, Migration::new("1".parse().unwrap()).to_building("IMB/76540/X/043X"));
    let answer: ServiceFtthMigration =
        serde_json::from_value(json!({ "eligible": true, "data": "O-1" })).unwrap();
    walked.debug(&Migrated::from(&answer));
    let contact = serde_json::from_value::<ContactCreate>(json!({
        "first_name": PERSONAL, "last_name": PERSONAL, "email": PERSONAL, "phone_number": "0123456789",
        "cell_phone_number": "0623456789",
    }));
    prepared(walked, contact.unwrap());
    walked.debug(&Socket { stairs: personal(), floor: personal() });
    walked.debug(&Copper::Activate);
    walked.debug(&Fibre::Create);
    walked.debug(&Fibre::Create.demands()[0]);
    walked.debug(&lastmile::covage::OrderOption::Portability);
}

/// Lists, and the parameters of lists.
async fn lists(sandbox: &Sandbox, covage: &Covage, walked: &Walked) {
    let supplier = sandbox.covage();
    let filter = OrderFilter::default()
        .with_end_customer(PERSONAL)
        .with_endpoint_ref(PERSONAL)
        .with_sort(OrderSort::Reference);
    walked.debug(&filter);
    walked.debug(&OrderSort::Reference);
    let mut orders = covage.orders(filter);
    walked.debug(&orders);
    let page = json!([order("draft", "activate"), PERSONAL, { "end_customer": PERSONAL }]);
    supplier.answer_next("listOrders", Answer::json(200, &page));
    walked.debug(&orders.next().await.unwrap().unwrap());
    walked.debug(&orders);

    let mut services = covage.services();
    supplier.answer_next("listServices", Answer::json(200, &answer(Spec::covage(), "listServices")));
    walked.debug(&services.next().await.unwrap().unwrap());
    walked.debug(&services);
    let mut events = covage.events(EventCursor::default());
    supplier.answer_next("listEvents", Answer::json(200, &answer(Spec::covage(), "listEvents")));
    assert_eq!(events.poll().await.unwrap(), 1);
    walked.debug(&events);
    let delivered = events.next().await.unwrap().unwrap();
    walked.debug(&delivered);
    walked.debug(&delivered.event);
    walked.debug(events.cursor());

    walked.debug(&covage.contacts());
    walked.debug(&covage.events(EventCursor::default()).follow(lastmile::Poll::default()));

    let request = SlotRequest::for_copper("76540", "765405510", "AM01", PERSONAL);
    walked.debug(&request);
    walked.error(&request.days(PERSONAL, PERSONAL).unwrap_err());
    walked.error(&SlotRequest::for_order(&PERSONAL.parse().unwrap()).unwrap_err());
    let no_offer = OfferRequest {
        reference: "Personal 471100811".into(),
        reference_type: OfferRequestReferenceType::Otp,
        activation_type: None,
        product_lines: None,
        status: None,
    };
    walked.debug(&no_offer);
    walked.error(&covage.offers(&no_offer).await.unwrap_err());
    walked.error(&lastmile::Error::from(PERSONAL.parse::<CovageZipCode>().unwrap_err()));
    walked.error(&format!("{PERSONAL}\\").parse::<OrderId>().unwrap_err());
}
