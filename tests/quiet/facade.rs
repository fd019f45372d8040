//! What the facade makes of marked data: handles, builders, requests, answers, lists, errors.

use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::onapi::OnApi;
use lastmile::rules::{CovageText, OnApiId, Otp};
use lastmile::wire::Patch;
use lastmile::{Creation, CredentialError, Poll, Prepared, SetupError, WaitError};
use lastmile_core::auth::Credentials;
use lastmile_core::call::{Api, BuildError, Context, Handle, Table};
use lastmile_core::reqwest::{Client, Proxy};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::brisk;
use serde_json::{Value, json};

use crate::marks::{
    CLIENT, KEY, NUMBER, PASSWORD, PERSONAL, REFRESH, SOCKET, TOKEN, USER, Walked, echo, personal,
};

/// A patient look that is given up at once.
const GLANCE: Poll = Poll { every: Duration::from_millis(10), at_most: Duration::ZERO };

/// A client that shows its context.
struct Peek(Context);

impl Api for Peek {
    const TABLE: &'static Table = &lastmile_cocon::TABLE;

    fn connect(_: &str, _: Client, context: Context) -> Self {
        Self(context)
    }
}

/// Builders, handles, credentials, rules, and why they cannot be made.
pub fn setup(walked: &Walked) {
    let credentials = || {
        let keys = Credentials::none().header("Api-Key", KEY).unwrap();
        keys.header("Client-Id", CLIENT).unwrap().bearer(TOKEN).unwrap()
    };
    walked.debug(&credentials());
    walked.debug(&Credentials::none().basic(USER, PASSWORD).unwrap());
    for flow in lastmile_covage::TABLE.tokens {
        let login = json!({ "email": PERSONAL, "password": PASSWORD });
        walked.debug(&Credentials::none().token(flow, &login).unwrap());
    }
    let unfit: [CredentialError; 5] = [
        Credentials::none().header("Api-Key", &format!("{KEY}\n")).unwrap_err(),
        Credentials::none().header("Host", KEY).unwrap_err(),
        credentials().header("Api-Key", KEY).unwrap_err(),
        credentials().bearer(TOKEN).unwrap_err(),
        Credentials::none().basic("Personal:", PASSWORD).unwrap_err(),
    ];
    unfit.iter().for_each(|error| walked.error(error));

    let at = |base: &str| Handle::<Peek>::builder(base).credentials(credentials());
    walked.debug(&at(PASSWORD));
    let bases = [
        PASSWORD,
        "ftp://SECRET@cocon.example",
        "https://Personal:SECRET@cocon.example",
        "https://cocon.example/?key=SECRET",
        "https://cocon.example/#SECRET",
        "http://cocon.example/SECRET",
    ];
    for base in bases {
        walked.error(&at(base).build().unwrap_err());
    }
    let proxy = || Proxy::all("http://Personal:SECRET@proxy.example").unwrap();
    let proxied: BuildError = at("http://127.0.0.1").proxy(proxy()).build().unwrap_err();
    walked.error(&proxied);
    let handle = at("https://cocon.example").proxy(proxy()).build().unwrap();
    walked.debug(&at("https://cocon.example").proxy(proxy()));
    walked.debug(&handle);

    let builder = || Cocon::builder(PASSWORD).api_key(KEY).client_id(CLIENT).bearer(TOKEN);
    walked.debug(&builder());
    walked.error(&builder().build().unwrap_err());
    walked.debug(&Covage::builder(PASSWORD).login(PERSONAL, PASSWORD));
    walked.error(&Covage::builder(PASSWORD).login(PERSONAL, PASSWORD).build().unwrap_err());
    walked.debug(&OnApi::builder(PASSWORD).login(USER, PASSWORD));
    let unfit: [SetupError; 3] = [
        OnApi::builder("https://co.example").login("Personal:", PASSWORD).build().unwrap_err(),
        OnApi::builder("https://co.example").build().unwrap_err(),
        Cocon::builder("https://cocon.example")
            .api_key(format!("{KEY}\n"))
            .client_id(CLIENT)
            .build()
            .unwrap_err(),
    ];
    unfit.iter().for_each(|error| walked.error(error));

    walked.debug(&PERSONAL.parse::<CovageText>().unwrap());
    walked.error(&format!("O'{PERSONAL}").parse::<CovageText>().unwrap_err());
    walked.debug(&SOCKET.parse::<Otp>().unwrap());
    for error in [
        PERSONAL.parse::<Otp>().unwrap_err(),
        format!("{PERSONAL} data").parse::<OnApiId>().unwrap_err(),
        PERSONAL.repeat(9).parse::<OnApiId>().unwrap_err(),
    ] {
        walked.error(&error);
        walked.debug(&error.problem());
    }
    // An id that is sent as a part of a path is no personal data by the standard.
    walked.both(&"17".parse::<OnApiId>().unwrap());
}

/// Looks at a creation, prepared and stored.
fn prepared<C: Creation + std::fmt::Debug>(walked: &Walked, request: C) -> Prepared<C> {
    walked.debug(&request);
    let mut prepared = Prepared::new(request).unwrap();
    walked.debug(&prepared);
    walked.debug(&prepared.progress());
    prepared.begin().unwrap();
    let stored = serde_json::to_string(&prepared).unwrap();
    let mut again: Prepared<C> = serde_json::from_str(&stored).unwrap();
    walked.error(&again.begin().unwrap_err());
    prepared
}

pub async fn cocon(sandbox: &Sandbox, walked: &Walked) {
    use lastmile::cocon::types::*;
    use lastmile::cocon::{Batch, BatchId, BuildingConnection, Connection, NamedConnection, Route, Scenario};

    let supplier = sandbox.cocon();
    let builder = Cocon::builder(supplier.base_url()).api_key(KEY).client_id(CLIENT).bearer(TOKEN);
    let cocon = builder.policy(brisk()).build().unwrap();
    walked.debug(&cocon);
    walked.debug(cocon.raw());

    let route = || Route::line([(NUMBER as f64, 2.0), (3.0, 471_100_811.5)]).unwrap();
    walked.debug(&route());
    walked.error(&Route::line([(NUMBER as f64, f64::NAN)]).unwrap_err());
    walked.debug(&Scenario::NewRoute(route()));
    let connection = Connection::new(PERSONAL, Scenario::NewRoute(route()));
    walked.debug(&connection);
    let contact = || ContactCreate { name: personal(), phone_number: personal(), ..Default::default() };
    let approval = AssetApproval { author: personal(), ..Default::default() };
    let mut batch = prepared(walked, Batch::new([connection]));
    prepared(walked, NamedConnection::new(PERSONAL, Scenario::KeepRoute));
    prepared(walked, BuildingConnection::new("1937214", Scenario::NewRoute(route())));
    prepared(walked, CustomerCreate { name: personal(), client_code: personal(), ..Default::default() });
    prepared(walked, CustomerContractCreate { owner: personal(), comment: personal(), ..Default::default() });
    prepared(
        walked,
        ProjectAssetApprovalCreate {
            approver: personal(),
            asset_approval: Some(approval),
            ..Default::default()
        },
    );
    let address = PostalAddressPatch { street: Patch::set(PERSONAL), ..Default::default() };
    walked.debug(&CustomerPatch { postal_address: Some(address), ..Default::default() });

    supplier.answer_next("createContact", Answer::json(400, &echo()));
    walked.error(&prepared(walked, contact()).place(&cocon).await.unwrap_err());
    let mut lost = prepared(walked, contact());
    supplier.answer_next("createContact", Answer::json(500, &echo()));
    walked.error(&lost.place(&cocon).await.unwrap_err());
    let found = lost.reconcile(&cocon).await.unwrap();
    walked.debug(&found);
    let lastmile::Reconciled::Undecidable(undecidable) = found else { panic!("Cocon cannot tell") };
    walked.both(&undecidable);
    walked.error(&cocon.contact("Personal\\").await.unwrap_err());

    supplier.answer_next("createDelayedConnectionBatch", Answer::json(200, &json!({ "batchId": "17" })));
    let id: BatchId = batch.place(&cocon).await.unwrap();
    walked.both(&id);
    let report = json!({
        "success": [{ "buildingName": PERSONAL, "details": { "unlisted": PERSONAL } }, PERSONAL],
        "failure": [{ "buildingName": PERSONAL, "errors": [{ "message": PERSONAL, "errors": [{ "message": PERSONAL }] }] }],
        "pending": [{ "buildingName": PERSONAL }], "unlisted": PERSONAL,
    });
    (0..2).for_each(|_| supplier.answer_next("getDelayedConnectionBatch", Answer::json(200, &report)));
    walked.debug(&cocon.batch(&id).await.unwrap());
    let not_yet = cocon.wait_for_batch(&id, &GLANCE).await.unwrap_err();
    assert!(matches!(not_yet, WaitError::NotYet(_)));
    walked.error(&not_yet);
    supplier.answer_next("getDelayedConnectionBatch", Answer::json(404, &echo()));
    walked.error(&cocon.wait_for_batch(&id, &GLANCE).await.unwrap_err());
    walked.debug(&GLANCE);

    let peek = Handle::<Peek>::builder(supplier.base_url()).build().unwrap();
    let shown = peek.call(|Peek(context)| {
        walked.debug(&context);
        async { Err::<lastmile_core::progenitor_client::ResponseValue<()>, _>(invalid(PERSONAL)) }
    });
    let error = shown.await.unwrap_err();
    assert_eq!(error.outcome(), lastmile::Outcome::Invalid);
    walked.error(&error);
    walked.both(&error.outcome());
}

/// What progenitor says of a request that cannot be built.
fn invalid(text: &str) -> lastmile_core::progenitor_client::Error<()> {
    lastmile_core::progenitor_client::Error::InvalidRequest(text.to_owned())
}

/// An order with marks, as Covage answers it.
fn covage_order(status: &str) -> Value {
    json!({
        "uuid": "1", "status": status, "type": "activate", "comment": PERSONAL, "unlisted": PERSONAL,
        "end_customer": { "name": PERSONAL, "contact": { "email": PERSONAL } },
        "bounds": [{
            "uuid": "2", "address": { "stairs": PERSONAL, "floor": PERSONAL, "street_name": [PERSONAL] },
            "endpoints": [{ "uuid": "3", "type": "otp", "reference": SOCKET }],
        }],
    })
}

pub async fn covage(sandbox: &Sandbox, walked: &Walked) {
    use lastmile::covage::types::*;
    use lastmile::covage::{Draft, NewOrder};

    let supplier = sandbox.covage();
    let handle =
        || Covage::builder(supplier.base_url()).login("Personal@sp.example", PASSWORD).policy(brisk());
    let covage = handle().build().unwrap();
    let order = |walked: &Walked| {
        let customer = EndCustomerUpdate { name: personal(), ..Default::default() };
        let order = NewOrder::activate("elig-1", "AM01", OrderCreateRequestType::Activate).reference("SP-1");
        prepared(walked, order.with(|body| body.end_customer = Some(customer)))
    };
    walked.error(&order(walked).place(&covage).await.unwrap_err()); // a wrong password

    // Refused credentials are not tried again for a while, so this is another handle.
    let covage = handle().build().unwrap();
    supplier.answer_next("obtainToken", Answer::json(200, &json!({ "access": TOKEN, "refresh": REFRESH })));
    let nothing = || Answer::json(200, &json!([]));
    supplier.answer_next("listOrders", nothing());
    supplier.answer_next("createOrder", Answer::json(400, &echo()));
    let error = order(walked).place(&covage).await.unwrap_err();
    assert_eq!((error.message(), error.supplier_id()), (None, None), "what repeats a secret is not told");
    walked.error(&error);
    walked.debug(&error.details()[1]);
    walked.debug(&covage);
    // A token that is refused is renewed, and the new one kept as quiet.
    supplier.answer_next("getOrder", Answer::json(401, &echo()));
    supplier.answer_next("refreshToken", Answer::json(200, &json!({ "access": "SECRET-TOKEN-4712" })));
    supplier.answer_next("getOrder", Answer::json(401, &json!({ "error": "SECRET-TOKEN-4712" })));
    let error = covage.order(PERSONAL).await.unwrap_err();
    assert_eq!(error.message(), None);
    walked.error(&error);
    walked.debug(&covage);

    supplier.answer_next("listOrders", nothing());
    supplier.answer_next("createOrder", Answer::json(200, &covage_order("draft")));
    let mut draft: Draft = order(walked).place(&covage).await.unwrap();
    walked.debug(&draft);
    let name = EndCustomerUpdate { name: Some("Personal'".into()), ..Default::default() };
    let data = OrderUpdate { end_customer: Some(name), comment: personal(), ..Default::default() };
    walked.debug(&data);
    walked.error(&draft.complete(&covage, &data).await.unwrap_err());
    walked.error(&draft.set_floor(&covage, "Personal'", PERSONAL).await.unwrap_err());
    supplier.answer_next("updateOrderEndpoint", Answer::json(400, &echo()));
    walked.error(&draft.set_otp(&covage, &SOCKET.parse().unwrap()).await.unwrap_err());

    let mut lost = prepared(walked, draft.submission().unwrap());
    supplier.answer_next("getOrder", Answer::json(200, &covage_order("draft")));
    supplier.answer_next("updateOrder", Answer::json(503, &echo()));
    walked.error(&lost.place(&covage).await.unwrap_err());
    supplier.answer_next("getOrder", Answer::json(200, &covage_order("submitted")));
    let found = lost.reconcile(&covage).await.unwrap();
    assert!(matches!(found, lastmile::Reconciled::Placed(_)), "{found:?}");
    walked.debug(&found);

    let filter =
        ListOrdersParams { end_customer: personal(), endpoint_ref: personal(), ..Default::default() };
    let mut orders = covage.orders(filter);
    walked.debug(&orders);
    let page = json!([covage_order("draft"), PERSONAL, { "end_customer": PERSONAL }]);
    supplier.answer_next("listOrders", Answer::json(200, &page));
    walked.debug(&orders.next().await.unwrap().unwrap());
    walked.debug(&orders);
    let no_offer = OfferRequest {
        reference: "Personal 471100811".into(),
        reference_type: OfferRequestReferenceType::Otp,
        activation_type: None,
        product_lines: None,
        status: None,
    };
    walked.debug(&no_offer);
    walked.error(&covage.offers(&no_offer).await.unwrap_err());
    walked.error(&covage.cities(PERSONAL).await.unwrap_err());
}

pub async fn onapi(sandbox: &Sandbox, walked: &Walked) {
    use lastmile::onapi::types::*;
    use lastmile::onapi::{Activation, Changes, NewTicket, Placed};

    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url()).login(USER, PASSWORD).policy(brisk()).build().unwrap();
    walked.debug(&network);
    let id = |text: &str| text.parse::<OnApiId>().unwrap();
    let activation = |walked: &Walked| {
        let equipment = EquipmentRequest { mac_address: personal(), ..Default::default() };
        let addresses =
            CharacteristicsRequest { ip_addresses: Some(vec![PERSONAL.into()]), ..Default::default() };
        let order = Activation::new(id("1"), "BB", id("2")).note(PERSONAL);
        prepared(walked, order.equipment(equipment).characteristics(addresses))
    };
    walked.error(&activation(walked).place(&network).await.unwrap_err()); // a wrong password

    let order = json!({
        "orderId": "7", "state": "RECEIVED", "operation": "ACTIVATE", "accessId": "1", "service": "BB", "spReference": "2",
        "externalNote": PERSONAL, "message": PERSONAL, "equipment": { "macAddress": PERSONAL }, "unlisted": PERSONAL,
    });
    let subscription =
        json!({ "service": "BB", "spReference": "2", "option82": PERSONAL, "unlisted": PERSONAL });
    let nothing_to_list = |operation: &str| {
        supplier.answer_next(operation, Answer::json(404, &json!({ "cause": PERSONAL })));
    };
    // Held by the network already, as an order and as a subscription.
    supplier.answer_next("listOrders", Answer::json(200, &json!([order, PERSONAL])));
    walked.debug(&activation(walked).place(&network).await.unwrap());
    nothing_to_list("listOrders");
    let held = json!({ "accessId": "1", "subscriptions": [subscription] });
    supplier.answer_next("getSubscriptions", Answer::json(200, &held));
    let placed = activation(walked).place(&network).await.unwrap();
    assert!(matches!(placed, Placed::Subscription(_)), "{placed:?}");
    walked.debug(&placed);
    // Ordered, and refused.
    for (status, body) in [(201, &order), (409, &echo())] {
        nothing_to_list("listOrders");
        nothing_to_list("getSubscriptions");
        supplier.answer_next("createOrder", Answer::json(status, body));
        match activation(walked).place(&network).await {
            Ok(placed) => walked.debug(&placed),
            Err(error) => walked.error(&error),
        }
    }
    supplier.answer_next("getOrder", Answer::json(200, &order));
    walked.error(&network.wait_for_order(&id("7"), &GLANCE).await.unwrap_err());

    let info = TicketInfoRequest { ip: personal(), mac: personal(), ..Default::default() };
    let ticket = NewTicket::new("TT-1", PERSONAL, PERSONAL).created_by(PERSONAL).info(info);
    let mut ticket = prepared(walked, ticket);
    nothing_to_list("listTickets");
    supplier.answer_next(
        "createTicket",
        Answer::json(201, &json!({ "coTicketReference": "9", "unlisted": PERSONAL })),
    );
    let reference = ticket.place(&network).await.unwrap();
    walked.both(&reference);

    walked.error(&network.access_of_option82(PERSONAL).await.unwrap_err());
    let answer =
        Answer::status(200).header("content-type", "application/json").header("last-modified", "then");
    let body =
        r#"[{"streetName":"Personal","city":"a","city":"Personal"}, "Personal", {"streetName":"Personal"}]"#;
    supplier.answer_next("listAccesses", answer.body(body));
    let changes = network.accesses(None).await.unwrap();
    walked.debug(&changes);
    let Changes::Rows(mut rows) = changes else { panic!("rows") };
    walked.debug(rows.as_ref());
    let mut unreadable = 0;
    while let Some(row) = rows.next().await {
        match row {
            Ok(access) => walked.debug(&access),
            Err(error) => {
                walked.error(&error);
                let lastmile::RowError::Unreadable(row) = &error else { panic!("{error}") };
                walked.debug(row.as_ref());
                unreadable += 1;
            }
        }
    }
    assert_eq!(unreadable, 2);
    walked.debug(rows.cursor().unwrap());
    let unsendable = network.accesses(Some(&serde_json::from_value(json!("Personal\n")).unwrap())).await;
    walked.error(&unsendable.unwrap_err());
}
