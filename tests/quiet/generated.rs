//! Every generated type, with marks in each field that a document calls sensitive, in fields that no document lists, and
//! in unexpected values.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use lastmile_sandbox::Spec;
use lastmile_tests::sources::generated;
use lastmile_tests::{instance, pointers};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::marks::{NUMBER, PERSONAL, quiet};

/// An object whose fields no document lists.
fn is_free(document: &Value, schema: &Value) -> bool {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let is_open = schema.get("additionalProperties").is_some_and(|rest| *rest == json!({}));
    is_open && schema.get("properties").is_none()
}

/// Returns a marked value for a sensitive property. Every digit of a number is a mark as well.
fn mark(property: &Value) -> Value {
    match (property["type"].as_str(), property["items"]["type"].as_str()) {
        (Some("string"), _) => json!(PERSONAL),
        (Some("integer"), _) => json!(NUMBER),
        (Some("array"), Some("string")) => json!([PERSONAL]),
        (Some("array"), Some("number")) => json!([NUMBER]),
        (Some("array"), _) => json!([[NUMBER]]),
        (Some("object"), _) => json!({ "Personal": PERSONAL }),
        (None, _) if property.get("oneOf").or(property.get("anyOf")).is_some() => json!(PERSONAL),
        other => panic!("{other:?}"),
    }
}

/// Returns an instance of a component with every sensitive property marked, and the number of marks. A free-form object
/// is marked in the document, or has a type of its own.
pub fn marked(document: &Value, schema: &Value) -> (Value, usize) {
    let marks = Cell::new(0);
    let object = instance(document, schema, &|property| {
        if property.get("x-sensitive").is_some() {
            marks.set(marks.get() + 1);
            return Some(mark(property));
        }
        is_free(document, property).then(|| json!({ "Personal": PERSONAL }))
    });
    (object, marks.get())
}

/// Adds to each object a marked field that no document lists.
pub fn with_more(mut object: Value) -> Value {
    for pointer in pointers(&object) {
        if let Some(Value::Object(members)) = object.pointer_mut(&pointer) {
            members.insert("unlisted".to_owned(), json!(PERSONAL));
        }
    }
    object
}

/// Returns unexpected values that must not be shown in this field.
fn unexpected_values(value: &Value) -> Vec<Value> {
    let object = json!({ "Personal": PERSONAL, "more": [NUMBER] });
    let list = json!([[PERSONAL], { "Personal": NUMBER }]);
    let is_mark = |value: &Value| *value == PERSONAL || *value == NUMBER;
    let is_marked = match value {
        Value::Array(items) => items.iter().any(|item| is_mark(item) || item.get(0).is_some_and(is_mark)),
        Value::Object(members) => members.get("Personal").is_some_and(is_mark),
        scalar => is_mark(scalar),
    };
    match value {
        _ if is_marked => vec![json!(PERSONAL), json!(NUMBER), json!([PERSONAL]), object, list],
        // A string is an expected value for a string, and a free-form map accepts any value.
        Value::String(_) => vec![object, list],
        Value::Array(items) if items.iter().all(Value::is_string) => vec![object, list],
        Value::Array(items) if items.iter().all(Value::is_number) => vec![json!(PERSONAL), object, list],
        Value::Null => vec![json!(PERSONAL), json!([PERSONAL])],
        Value::Number(_) => vec![json!(PERSONAL), object, list],
        Value::Bool(_) => vec![json!(PERSONAL), json!(NUMBER), object, list],
        Value::Array(_) | Value::Object(_) => vec![json!(PERSONAL), json!(NUMBER), list],
    }
}

fn shown<T: Debug>(value: &T) -> String {
    let text = format!("{value:?}\n{value:#?}");
    quiet(&text);
    text
}

/// Shows a type in every way. `is_answer` says whether it keeps unlisted fields, and so accepts any value.
fn walk<T: DeserializeOwned + Debug>(spec: &Spec, name: &str, is_answer: bool) {
    let document = spec.document();
    let schema = &document["components"]["schemas"][name];
    let (object, marks) = marked(document, schema);
    let read = |object: &Value| serde_json::from_value::<T>(object.clone());
    let value = read(&object).unwrap_or_else(|error| panic!("{name}: {error}: {object}"));
    assert_eq!(
        shown(&value).matches("(hidden)").count(),
        2 * marks,
        "{name}: each is named, and hidden: {value:?}"
    );
    if !is_answer {
        return;
    }
    let unlisted = read(&with_more(object.clone())).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(shown(&unlisted).contains("1 unlisted fields"), "{name}: {unlisted:?}");
    for pointer in pointers(&object).into_iter().filter(|pointer| !pointer.is_empty()) {
        for unexpected in unexpected_values(object.pointer(&pointer).unwrap()) {
            let mut changed = object.clone();
            *changed.pointer_mut(&pointer).unwrap() = unexpected;
            shown(&read(&changed).unwrap_or_else(|error| panic!("{name} at {pointer}: {error}")));
        }
    }
}

macro_rules! every_type_is_quiet {
    ($api:ident, $spec:expr, free: [$($free:ident),*], [$($type:ident),* $(,)?], params: { $($params:ident { $($field:ident),* })* }) => {
        #[test]
        fn $api() {
            use lastmile::$api::types;
            let spec = $spec;
            let declared = generated(stringify!($api)).structs;
            let objects = declared.keys().map(String::as_str).filter(|name| !name.ends_with("Params"));
            let mut listed = vec![$(stringify!($type)),*];
            listed.extend::<Vec<&str>>(vec![$(stringify!($free)),*]);
            listed.sort();
            assert_eq!(objects.collect::<Vec<_>>(), listed, "every struct is in the list");
            $(
                let is_answer = declared[stringify!($type)].iter().any(|field| field == "extra");
                walk::<types::$type>(spec, stringify!($type), is_answer);
            )*
            $(
                let free: types::$free = serde_json::from_value(json!({ "Personal": PERSONAL })).unwrap();
                assert!(shown(&free).contains("1 unlisted fields"), "{free:?}");
            )*

            let listed: BTreeMap<String, BTreeSet<String>> = [$(
                (stringify!($params).to_owned(), [$(stringify!($field).to_owned()),*].into()),
            )*].into();
            assert_eq!(sensitive_params(spec, &declared), listed, "every struct of parameters is in the list");
            $(
                #[allow(clippy::needless_update, reason = "some have no other fields")]
                let params = types::$params { $($field: Some(PERSONAL.to_owned()),)* ..Default::default() };
                let hidden = shown(&params).matches("(hidden)").count();
                assert_eq!(hidden, 2 * [$(stringify!($field)),*].len(), "{params:?}");
            )*
        }
    };
}

/// The sensitive parameters of each operation that are fields of a struct, by the struct's name.
fn sensitive_params(
    spec: &Spec,
    declared: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let document = spec.document();
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for item in document["paths"].as_object().unwrap().values().filter_map(Value::as_object) {
        for (operation, parameter) in item.values().flat_map(|operation| {
            operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(move |parameter| (operation, parameter))
        }) {
            let parameter = match parameter["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                None => parameter,
            };
            let id = operation["operationId"].as_str().unwrap();
            let name = format!("{}{}Params", id[..1].to_uppercase(), &id[1..]);
            if parameter.get("x-sensitive").is_none() || parameter["required"] == true {
                continue;
            }
            let parameter = parameter["name"].as_str().unwrap();
            let field = declared[&name]
                .iter()
                .find(|field| field.replace('_', "") == parameter.replace('_', "").to_lowercase());
            found.entry(name).or_default().insert(field.unwrap_or_else(|| panic!("{parameter}")).clone());
        }
    }
    found
}

every_type_is_quiet!(
    cocon,
    Spec::cocon(),
    free: [],
    [
        Asset,
        AssetApproval,
        BuildingDelayedConnectionCreate,
        Contact,
        ContactCreate,
        ContactPatch,
        ContactReference,
        Customer,
        CustomerContract,
        CustomerContractCreate,
        CustomerContractPatch,
        CustomerCreate,
        CustomerPatch,
        DelayedConnection,
        DelayedConnectionBatch,
        DelayedConnectionBatchCreate,
        DelayedConnectionBatchFailure,
        DelayedConnectionBatchPending,
        DelayedConnectionBatchStatus,
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
        ProjectAssetApprovalCreate,
    ],
    params: {}
);
every_type_is_quiet!(
    covage,
    Spec::covage(),
    free: [AppointmentSlot, EventData],
    [
        Building,
        BuildingAddress,
        City,
        ConcentrationPoint,
        ConcentrationPointAddress,
        Contact,
        ContactCreate,
        ContactReplace,
        CopperInformation,
        CopperSection,
        EligibilityCopperInfo,
        EligibilityEndpoint,
        EligibilityEndpointAddress,
        EndCustomer,
        EndCustomerContact,
        EndCustomerContactUpdate,
        EndCustomerUpdate,
        ErrorBody,
        ErrorDetail,
        Event,
        Forecast,
        ForecastAddress,
        LatLng,
        LegacyToken,
        LegacyTokenCreate,
        LegacyTokenRefresh,
        Offer,
        OfferRequest,
        Offers,
        OperatorInfo,
        OperatorInfoUpdate,
        Order,
        OrderBound,
        OrderBoundAddress,
        OrderBoundAddressUpdate,
        OrderBoundInformation,
        OrderBoundUpdate,
        OrderCreate,
        OrderEndpoint,
        OrderEndpointUpdate,
        OrderInfoEvent,
        OrderInfoEventCreate,
        OrderOption,
        OrderOptionUpdate,
        OrderProduct,
        OrderProductFamily,
        OrderProductLine,
        OrderUpdate,
        Portability,
        PortabilityEligibility,
        PortabilityReason,
        ProductChoice,
        ProductFamily,
        ProductLine,
        ProductLineFamily,
        RefreshedToken,
        SecondAppointmentAddress,
        SecondAppointmentAddressUpdate,
        Service,
        ServiceFtthMigration,
        ServiceFtthMigrationCreate,
        Street,
        StreetNumber,
        Token,
        TokenCreate,
        TokenRefresh,
        User,
    ],
    params: {
        ListAppointmentSlotsParams { endpoint_ref }
        ListOrdersParams { end_customer, endpoint_ref }
    }
);
every_type_is_quiet!(
    onapi,
    Spec::onapi(),
    free: [],
    [
        Access,
        AccessServices,
        AccessSubscriptions,
        Characteristics,
        CharacteristicsRequest,
        ConfiguredSpeed,
        CpePort,
        CpeStatus,
        DhcpIdentifier,
        DhcpSnoopingEntry,
        Endpoint,
        Equipment,
        EquipmentRequest,
        FoundAccess,
        Hardware,
        IgmpGroup,
        InvoiceAccess,
        InvoiceAddress,
        InvoiceItem,
        InvoiceLine,
        InvoicePeriod,
        InvoiceServiceProvider,
        InvoiceSubscription,
        Lease,
        LinkStatus,
        MacEntry,
        ObjectEvent,
        OfferedCharacteristic,
        Order,
        OrderChange,
        OrderCreate,
        OrderEvent,
        OrderOfEvent,
        OrderReplace,
        PeakRate,
        PortStatistics,
        Refusal,
        Service,
        Subscription,
        Ticket,
        TicketComment,
        TicketCommentCreate,
        TicketCreate,
        TicketInfo,
        TicketInfoRequest,
        TicketReference,
        TicketSummary,
        TicketUpdate,
        TrafficCounters,
        Transceiver,
    ],
    params: {
        LookupDhcpParams { ipv4_circuit_id, ipv4_remote_id, ipv6_interface_id, ipv6_remote_id, ipv4option82 }
    }
);
