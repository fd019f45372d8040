//! Responses that deviate from the documents: each known deviation, on each field where it is known, and many others.

use lastmile::onapi::types::*;
use lastmile::wire::{Lenient, OneOrMany};
use lastmile_sandbox::Spec;
use lastmile_tests::{reads_and_writes_back, survives_mutation};
use serde_json::{Value, json};

type List<T> = OneOrMany<Lenient<T>>;

/// Reads `json` as the component of this name, and writes it back.
#[track_caller]
fn component(name: &str, json: &Value) {
    macro_rules! types {
        ($($type:ident),* $(,)?) => {
            match name {
                $(stringify!($type) => reads_and_writes_back::<$type>(json, name),)*
                other => panic!("{other} is not in the list of this test"),
            }
        };
    }
    types!(
        Access,
        AccessServices,
        AccessSubscriptions,
        Characteristics,
        ConfiguredSpeed,
        CpePort,
        CpeStatus,
        DhcpSnoopingEntry,
        Endpoint,
        Hardware,
        IgmpGroup,
        InvoiceAccess,
        InvoiceAddress,
        InvoiceItem,
        InvoicePeriod,
        InvoiceSubscription,
        Lease,
        LinkStatus,
        MacEntry,
        ObjectEvent,
        OfferedCharacteristic,
        Order,
        OrderOfEvent,
        PeakRate,
        PortStatistics,
        Service,
        Subscription,
        Ticket,
        TicketComment,
        TicketInfo,
        TicketSummary,
        TrafficCounters,
    );
}

/// Returns the value that arrives if a property deviates in this way.
fn unexpected_value(kind: &str, property: &Value) -> Value {
    match kind {
        "text" => json!("12"),
        "number" => json!(12),
        "empty" => json!(""),
        "null" => Value::Null,
        "one" if property["items"].get("$ref").is_some() => json!({ "mac": "00:00:5E:00:53:01" }),
        "one" => json!("one"),
        "many" => json!([{}]),
        "date" => json!("2019-01-18"),
        "offset" => json!("2019-01-18T10:00:00+02:00"),
        "unlisted" => json!("ZZZ"),
        other => panic!("{other}"),
    }
}

/// Tries one kind of deviation on every property for which it is known.
#[track_caller]
fn each(kind: &str, at_least: usize) {
    let schemas = Spec::onapi().document()["components"]["schemas"].as_object().unwrap();
    let mut tried = 0;
    for (name, schema) in schemas {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let kinds = property["x-stray"].as_array().into_iter().flatten();
            for _ in kinds.filter(|known| known.as_str() == Some(kind)) {
                component(name, &json!({ key: unexpected_value(kind, property) }));
                tried += 1;
            }
        }
    }
    assert!(tried >= at_least, "{kind} was tried {tried} times");
}

#[test]
fn strings_are_read_for_other_types() {
    each("text", 5);
}

#[test]
fn numbers_are_read_for_strings() {
    each("number", 2);
}

#[test]
fn empty_strings_are_read_for_absent_values() {
    each("empty", 20);
}

#[test]
fn null_is_read_for_absent_values() {
    each("null", 20);
}

#[test]
fn a_single_element_is_read_for_a_list() {
    each("one", 1);
}

#[test]
fn dates_are_read_for_timestamps() {
    each("date", 5);
}

#[test]
fn offsets_other_than_z_are_read() {
    each("offset", 5);
}

#[test]
fn unlisted_enum_values_are_read() {
    each("unlisted", 5);
}

#[test]
fn names_of_each_dialect_are_read_and_unknown_ones_are_kept() {
    let both =
        json!({ "sla": "silver", "SLA": "gold", "ipAddress": ["192.0.2.1"], "fixedIp": true, "vlan": 7 });
    component("Characteristics", &both);
    let read: Characteristics = serde_json::from_value(both).unwrap();
    assert_eq!((read.sla.as_deref(), read.sla_upper.as_deref()), (Some("silver"), Some("gold")));
    assert_eq!(read.extra["vlan"], 7);
}

/// Every sample of both sources, complete and with every value mutated.
#[test]
fn a_mutation_affects_only_its_own_value() {
    let mut tried = 0;
    macro_rules! answers {
        ($($operation:literal $status:literal => $type:ty;)*) => {$(
            for sample in lastmile_tests::samples("onapi", $operation, stringify!($status)) {
                survives_mutation::<$type>(&sample, $operation);
                tried += 1;
            }
        )*};
    }
    answers! {
        "listEndpoints" 200 => List<Endpoint>;
        "listAccesses" 200 => List<Access>;
        "getAccess" 200 => Access;
        "lookupDhcp" 200 => FoundAccess;
        "lookupOption82" 200 => FoundAccess;
        "listOrders" 200 => List<Order>;
        "createOrder" 200 => Order;
        "createOrder" 201 => Order;
        "getOrder" 200 => Order;
        "listOrderEvents" 200 => List<OrderEvent>;
        "listEvents" 200 => List<ObjectEvent>;
        "listServices" 200 => List<AccessServices>;
        "getServices" 200 => AccessServices;
        "listSubscriptions" 200 => List<AccessSubscriptions>;
        "getSubscriptions" 200 => AccessSubscriptions;
        "getCpeStatus" 200 => CpeStatus;
        "getHardware" 200 => Hardware;
        "getMacAddressTable" 200 => List<MacEntry>;
        "getLeaseInfo" 200 => List<Lease>;
        "getIgmpSnooping" 200 => List<IgmpGroup>;
        "getLinkStatus" 200 => LinkStatus;
        "listInvoicePeriods" 200 => List<InvoicePeriod>;
        "getInvoiceLines" 200 => List<InvoiceLine>;
        "listTickets" 200 => List<TicketSummary>;
        "createTicket" 201 => TicketReference;
        "getTicket" 200 => Ticket;
    }
    assert!(tried > 30, "{tried}");
}
