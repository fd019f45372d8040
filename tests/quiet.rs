//! No secret and no personal data in what the library shows of itself.

use std::io::Write;
use std::sync::{Arc, Mutex};

use lastmile::cocon::types::{
    AssetApproval, ContactCreate, ContactPatch, CustomerContractCreate, CustomerCreate, CustomerPatch,
    PostalAddressPatch, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, Cocon, Connection, NamedConnection, Route, Scenario};
use lastmile::wire::Patch;
use lastmile::{Creation, Error, Prepared};
use lastmile_sandbox::{Answer, Sandbox, Spec};
use lastmile_tests::{RawServer, Then, brisk, sandbox, shown};
use serde_json::{Value, json};
use tracing_subscriber::util::SubscriberInitExt;

/// What no output may hold.
const MARKS: [&str; 4] = ["SECRET-KEY-4711", "SECRET-CLIENT-4711", "SECRET-TOKEN-4711", "Personal"];

#[track_caller]
fn quiet(text: &str) {
    for mark in MARKS {
        assert!(!text.contains(mark), "{mark} in {text}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn marked(base: &str) -> Cocon {
    Cocon::builder(base)
        .api_key(MARKS[0])
        .client_id(MARKS[1])
        .bearer(MARKS[2])
        .policy(brisk())
        .build()
        .unwrap()
}

fn contact() -> ContactCreate {
    ContactCreate {
        name: Some("Personal".into()),
        phone_number: Some("Personal".into()),
        ..Default::default()
    }
}

async fn place<C: Creation<Supplier = Cocon>>(cocon: &Cocon, request: C) -> Error
where
    C::Created: std::fmt::Debug,
{
    let mut prepared = Prepared::new(request).unwrap();
    quiet(&format!("{prepared:?} {prepared:#?}"));
    prepared.place(cocon).await.unwrap_err()
}

/// One test, since the subscriber is the process's.
#[tokio::test]
async fn no_secret_and_no_personal_data_in_logs_errors_and_debug() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish()
        .init();

    let sandbox = sandbox().await;
    let supplier = sandbox.cocon();
    let cocon = marked(&supplier.base_url());
    quiet(&format!("{cocon:?} {cocon:#?} {:?}", cocon.raw()));
    quiet(&format!("{:?}", Cocon::builder(MARKS[0]).api_key(MARKS[0]).client_id(MARKS[1])));
    let unfit = Cocon::builder("https://cocon.example")
        .api_key("SECRET-KEY-4711\n")
        .client_id("c")
        .build()
        .unwrap_err();
    quiet(&format!("{unfit} {unfit:?}"));

    // Refusals, among them one that repeats what was sent.
    let echo = json!({
        "id": MARKS[0], "message": "Personal, SECRET-KEY-4711",
        "errors": [{ "code": MARKS[2], "message": "Personal" }, { "code": "Personal data of somebody" }],
    });
    for status in [400, 401, 403, 404, 429, 500] {
        supplier.answer_next("createContact", Answer::json(status, &echo).header("x-echo", MARKS[0]));
        quiet(&shown(&place(&cocon, contact()).await));
    }
    quiet(&shown(&place(&cocon, contact()).await)); // a wrong key

    // Answers that are not understood.
    for body in
        ["Personal", r#"{"id": ["Personal"]"#, r#"["Personal"]"#, r#"{"emailAddresses": {"Personal": }}"#]
    {
        let answer = Answer::status(200).header("content-type", "application/json").body(body);
        supplier.answer_next("createContact", answer);
        let error = place(&cocon, contact()).await;
        quiet(&shown(&error));
        assert!(error.body().windows(8).any(|window| window == b"Personal"), "it is there for those who ask");
    }
    let failure = r#"{"failure": [{"buildingName": "Personal", "buildingName": "Personal"}]}"#;
    let answer = Answer::status(200).header("content-type", "application/json").body(failure);
    supplier.answer_next("getDelayedConnectionBatch", answer);
    quiet(&shown(&cocon.batch(&"1".parse().unwrap()).await.unwrap_err()));

    // Answers that are.
    let answer = Answer::json(200, &json!({ "name": "Personal", "id": ["Personal"], "odd": "Personal" }));
    supplier.answer_next("getContact", answer.header("x-echo", MARKS[0]));
    let id = "1".parse().unwrap();
    let reply = cocon.raw().call(|client| async move { client.get_contact(&id).await }).await.unwrap();
    assert_eq!(reply.value.name.as_deref(), Some("Personal"));
    quiet(&format!("{reply:?} {reply:#?}"));

    // Redirects and broken connections.
    supplier.answer_next(
        "getContact",
        Answer::status(302).header("location", "http://127.0.0.1:1/?SECRET-KEY-4711"),
    );
    quiet(&shown(&cocon.contact("1").await.unwrap_err()));
    for then in [Then::Close, Then::Answer("nonsense Personal\r\n\r\n")] {
        let script = Box::leak(Box::new([then]));
        let server = RawServer::start(script).await;
        quiet(&shown(&place(&marked(&server.base_url()), contact()).await));
    }

    // Everything that personal data can be put into.
    let name = || Some("Personal".to_owned());
    let connection =
        Connection::new("Personal", Scenario::NewRoute(Route::line([(1.0, 2.0), (3.0, 4.0)]).unwrap()));
    let address = PostalAddressPatch { street: Patch::set("Personal"), ..Default::default() };
    let approval = AssetApproval { author: name(), ..Default::default() };
    let requests: [Box<dyn std::fmt::Debug>; 8] = [
        Box::new(contact()),
        Box::new(ContactPatch { name: Patch::set("Personal"), ..Default::default() }),
        Box::new(CustomerCreate { name: name(), client_code: name(), ..Default::default() }),
        Box::new(CustomerPatch { postal_address: Some(address), ..Default::default() }),
        Box::new(CustomerContractCreate { owner: name(), comment: name(), ..Default::default() }),
        Box::new(ProjectAssetApprovalCreate {
            approver: name(),
            asset_approval: Some(approval),
            ..Default::default()
        }),
        Box::new(Batch::new([connection])),
        Box::new(NamedConnection::new("Personal", Scenario::KeepRoute)),
    ];
    for request in requests {
        quiet(&format!("{request:?} {request:#?}"));
    }

    covage_is_quiet(&sandbox).await;
    onapi_is_quiet(&sandbox).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    quiet(&log);
    for part in
        ["call{", "attempt{", "api=\"cocon\"", "operation=\"create_contact\"", "path=\"/api/v1/contacts\""]
    {
        assert!(log.contains(part), "{part} is missing in the log");
    }
    for outcome in ["rejected", "throttled", "unknown", "decode"] {
        assert!(log.contains(&format!("outcome=\"{outcome}\"")), "{outcome} is missing in the log");
    }
}

/// The login and the tokens of Covage, and the personal data of an order.
async fn covage_is_quiet(sandbox: &Sandbox) {
    use lastmile::covage::types::{EndCustomerUpdate, OrderCreateRequestType, OrderUpdate};
    use lastmile::covage::{Covage, NewOrder};

    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url()).login(MARKS[0], MARKS[1]).policy(brisk());
    quiet(&format!("{covage:?}"));
    let covage = covage.build().unwrap();
    quiet(&format!("{covage:?} {covage:#?}"));
    let order = || {
        let customer = EndCustomerUpdate { name: Some("Personal".into()), ..Default::default() };
        let order = NewOrder::activate("elig-1", "AM01", OrderCreateRequestType::Activate).reference("SP-1");
        Prepared::new(order.with(|body| body.end_customer = Some(customer))).unwrap()
    };
    quiet(&format!("{:?} {:?}", order(), order().request()));
    quiet(&shown(&order().place(&covage).await.unwrap_err())); // a wrong password

    // Refused credentials are not tried again for a while, so this is another handle.
    let covage =
        Covage::builder(supplier.base_url()).login(MARKS[0], MARKS[1]).policy(brisk()).build().unwrap();
    let token = json!({ "access": MARKS[2], "refresh": MARKS[0] });
    supplier.answer_next("obtainToken", Answer::json(200, &token));
    let echo = json!({
        "apirequest_uuid": MARKS[2], "error": "Personal, SECRET-TOKEN-4711",
        "details": [{ "field": MARKS[2], "errors": ["Personal"] }, { "field": "Personal field of somebody" }],
    });
    supplier.answer_next("createOrder", Answer::json(400, &echo));
    let error = order().place(&covage).await.unwrap_err();
    quiet(&shown(&error));
    quiet(&format!("{:?} {covage:?}", error.details()));
    assert_eq!((error.message(), error.supplier_id()), (None, None), "what repeats a secret is not told");

    let answer = json!({ "uuid": "1", "status": "draft", "end_customer": { "name": "Personal" }, "comment": "Personal" });
    supplier.answer_next("createOrder", Answer::json(200, &answer));
    let mut draft = order().place(&covage).await.unwrap();
    quiet(&format!("{draft:?} {draft:#?}"));
    let name = EndCustomerUpdate { name: Some("Personal'".into()), ..Default::default() };
    let data = OrderUpdate { end_customer: Some(name), ..Default::default() };
    quiet(&shown(&draft.complete(&covage, &data).await.unwrap_err()));
}

/// The login of ON-API, and what a network says.
async fn onapi_is_quiet(sandbox: &Sandbox) {
    use lastmile::onapi::{NewOrder, OnApi};

    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url()).login("sp", MARKS[0]).policy(brisk());
    quiet(&format!("{network:?}"));
    let network = network.build().unwrap();
    quiet(&format!("{network:?} {network:#?}"));
    let activation =
        || Prepared::new(NewOrder::activate("1".parse().unwrap(), "BB", "2".parse().unwrap())).unwrap();
    quiet(&shown(&activation().place(&network).await.unwrap_err())); // a wrong password
    supplier.answer_next("createOrder", Answer::json(409, &json!({ "cause": "Personal, SECRET-KEY-4711" })));
    quiet(&shown(&activation().place(&network).await.unwrap_err()));
    let rows = Answer::status(200).header("content-type", "application/json");
    supplier.answer_next(
        "listAccesses",
        rows.body(r#"[{"streetName":"Personal","city":"a","city":"Personal"}, "Personal"]"#),
    );
    let lastmile::onapi::Changes::Rows(mut rows) = network.accesses(None).await.unwrap() else {
        panic!("rows")
    };
    while let Some(row) = rows.next().await {
        quiet(&format!("{row:?}"));
        quiet(&row.map_or_else(|error| error.to_string(), |access| format!("{access:#?}")));
    }
}

/// An object of a component with a marked value in every property that is sensitive, and something in each that is
/// required.
fn marked_object(schema: &Value) -> Value {
    let mut members = serde_json::Map::new();
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let property = &schema["properties"][name];
        members.insert(name.to_owned(), property["enum"].get(0).cloned().unwrap_or(json!("x")));
    }
    for (name, property) in schema["properties"].as_object().unwrap() {
        if property.get("x-sensitive").is_none() {
            continue;
        }
        // Every digit of a number is a mark as well.
        let value = match (property["type"].as_str(), property["items"]["type"].as_str()) {
            (Some("string"), _) => json!("Personal"),
            (Some("integer"), _) => json!(4711),
            (Some("array"), Some("string")) => json!(["Personal"]),
            (Some("array"), Some("number")) => json!([4711]),
            (Some("array"), _) => json!([[4711]]),
            (Some("object"), _) => json!({ "Personal": "Personal" }),
            other => panic!("{name}: {other:?}"),
        };
        members.insert(name.clone(), value);
    }
    Value::Object(members)
}

/// Shows each component that has a sensitive property, with every such property marked.
macro_rules! every_sensitive_property_is_hidden {
    ($test:ident, $spec:expr, $types:path, [$($type:ident),* $(,)?]) => {
        #[test]
        fn $test() {
            use $types as types;
            let schemas = $spec.document()["components"]["schemas"].as_object().unwrap();
            let sensitive = |schema: &Value| {
                let properties = schema["properties"].as_object().into_iter().flatten();
                properties.filter(|(_, property)| property.get("x-sensitive").is_some()).count()
            };
            let listed = [$(stringify!($type)),*];
            let marked = schemas.iter().filter(|(_, schema)| sensitive(schema) > 0).map(|(name, _)| name.as_str());
            assert_eq!(marked.collect::<Vec<_>>(), listed, "every component with a sensitive property is in the list");
            $(
                let schema = &schemas[stringify!($type)];
                let object: types::$type = serde_json::from_value(marked_object(schema)).unwrap();
                let debug = format!("{object:?} {object:#?}");
                assert_eq!(debug.matches("(hidden)").count(), 2 * sensitive(schema), "{debug}");
                assert!(!debug.contains("Personal") && !debug.contains("4711"), "{debug}");
            )*
        }
    };
}

every_sensitive_property_is_hidden!(
    cocon,
    Spec::cocon(),
    lastmile::cocon::types,
    [
        Asset,
        AssetApproval,
        Contact,
        ContactCreate,
        ContactPatch,
        Customer,
        CustomerContract,
        CustomerContractCreate,
        CustomerContractPatch,
        CustomerCreate,
        CustomerPatch,
        DelayedConnectionBatchFailure,
        DelayedConnectionBatchPending,
        DelayedConnectionBatchSuccess,
        DelayedConnectionCreate,
        DelayedConnectionRequestShort,
        ErrorBody,
        ErrorDetail,
        NewRoute,
        OutageContactInformation,
        OutageContactInformationPatch,
        PostalAddress,
        PostalAddressPatch,
        ProjectAssetApprovalCreate
    ]
);
every_sensitive_property_is_hidden!(
    covage,
    Spec::covage(),
    lastmile::covage::types,
    [
        Building,
        BuildingAddress,
        ConcentrationPointAddress,
        Contact,
        ContactCreate,
        ContactReplace,
        EligibilityEndpoint,
        EligibilityEndpointAddress,
        EndCustomer,
        EndCustomerContact,
        EndCustomerContactUpdate,
        EndCustomerUpdate,
        ErrorBody,
        ErrorDetail,
        ForecastAddress,
        LegacyToken,
        LegacyTokenCreate,
        LegacyTokenRefresh,
        OfferRequest,
        OperatorInfo,
        OperatorInfoUpdate,
        Order,
        OrderBoundAddress,
        OrderBoundAddressUpdate,
        OrderCreate,
        OrderEndpoint,
        OrderInfoEventCreate,
        OrderOption,
        OrderOptionUpdate,
        OrderUpdate,
        RefreshedToken,
        SecondAppointmentAddress,
        SecondAppointmentAddressUpdate,
        Token,
        TokenCreate,
        TokenRefresh,
        User
    ]
);
every_sensitive_property_is_hidden!(
    onapi,
    Spec::onapi(),
    lastmile::onapi::types,
    [
        Access,
        Characteristics,
        CharacteristicsRequest,
        CpeStatus,
        DhcpIdentifier,
        DhcpSnoopingEntry,
        Equipment,
        EquipmentRequest,
        IgmpGroup,
        InvoiceAccess,
        InvoiceItem,
        Lease,
        MacEntry,
        Order,
        OrderChange,
        OrderCreate,
        OrderOfEvent,
        OrderReplace,
        Refusal,
        Subscription,
        Ticket,
        TicketComment,
        TicketCommentCreate,
        TicketCreate,
        TicketInfo,
        TicketInfoRequest
    ]
);
