//! The responses of the suppliers, decoded by their clients.

use lastmile::rules::OnApiId;
use lastmile::wire::{Lenient, OneOrMany};
use lastmile::{HasProgress, OrderStage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::choose;
use super::tree::{readable, reads_back};

type List<T> = OneOrMany<Lenient<T>>;

/// The response of an operation, as its generated type.
pub struct Answer {
    pub api: &'static str,
    /// The client's method.
    pub method: &'static str,
    /// The name of the type.
    pub ty: &'static str,
    pub read: fn(&[u8]),
}

/// Reads a response. An unexpected value below its top level affects only its own field.
fn read<T: DeserializeOwned + Serialize>(data: &[u8]) {
    reads_back::<T>(data);
    let Some((json, text)) = readable(data) else { return };
    let is_list = serde_json::from_str::<T>("[]").is_ok();
    if is_list || json.is_object() {
        assert!(reads_back::<T>(text.as_bytes()).is_some(), "refused: {text}");
    }
}

fn nothing(_: &[u8]) {}

/// What the facade derives from an order: its progress, and its issues.
fn orders_of_covage(data: &[u8]) {
    use lastmile::covage::types::{Order, ServiceFtthMigration};
    use lastmile::covage::{Draft, Migrated};

    if let Ok(answer) = serde_json::from_slice::<ServiceFtthMigration>(data) {
        let _ = Migrated::from(&answer);
    }
    let Ok(order) = serde_json::from_slice::<Order>(data) else { return };
    let _ = order.progress().stage().is_final();
    let Ok(draft) = Draft::try_from(order) else { return };
    let readiness = draft.readiness();
    for gap in readiness.issues().iter().chain(readiness.warnings()) {
        // The text repeats nothing of the order but a single character and the codes of its options.
        assert!(gap.to_string().len() < 500 + gap.path.len(), "{gap}");
    }
    let is_ready =
        readiness.is_ready() && draft.order().type_.get().map(|kind| kind.as_str()) == Some("activate");
    assert_eq!(draft.submission().is_ok(), is_ready);
}

fn orders_of_onapi(data: &[u8]) {
    use lastmile::onapi::ReceivedOrder;
    use lastmile::onapi::types::{Order, OrderOfEvent};

    if let Ok(order) = serde_json::from_slice::<OrderOfEvent>(data) {
        let _ = (order.progress().stage(), OnApiId::try_from(&order));
    }
    let Ok(order) = serde_json::from_slice::<Order>(data) else { return };
    let is_received = order.progress().stage() == OrderStage::Received;
    let has_id = order.order_id.as_deref().is_some_and(|id| id.parse::<OnApiId>().is_ok());
    assert_eq!(ReceivedOrder::try_from(order).is_ok(), is_received && has_id);
}

macro_rules! answers {
    ($($api:ident, $follows:path: { $($method:ident => $ty:ty,)* })*) => {
        /// All responses that have a body.
        pub const ANSWERS: &[Answer] = &[$($({
            use lastmile::$api::types::*;
            Answer {
                api: stringify!($api),
                method: stringify!($method),
                ty: stringify!($ty),
                read: read::<$ty>,
            }
        }),*),*];

        $(
            /// The first byte chooses the operation, the rest is its response.
            pub fn $api(data: &[u8]) {
                let mine = || ANSWERS.iter().filter(|answer| answer.api == stringify!($api));
                let Some((chosen, body)) = choose(data, mine().count()) else { return };
                (mine().nth(chosen).expect("one of them").read)(body);
                $follows(body);
            }
        )*
    };
}

answers! {
    cocon, nothing: {
        create_building_delayed_connection => DelayedConnection,
        create_contact => Contact,
        get_contact => Contact,
        update_contact => Contact,
        create_customer_contract => CustomerContract,
        get_customer_contract => CustomerContract,
        update_customer_contract => CustomerContract,
        create_customer => Customer,
        get_customer => Customer,
        update_customer => Customer,
        get_customer_contact => Contact,
        create_delayed_connection => DelayedConnection,
        create_delayed_connection_batch => DelayedConnectionBatch,
        get_delayed_connection_batch => DelayedConnectionBatchStatus,
    }
    covage, orders_of_covage: {
        obtain_legacy_token => LegacyToken,
        refresh_legacy_token => LegacyToken,
        list_contacts => List<Contact>,
        create_contact => Contact,
        get_contact => Contact,
        replace_contact => Contact,
        get_portability => List<Portability>,
        list_events => List<Event>,
        list_product_families => List<ProductFamily>,
        get_product_family => ProductFamily,
        get_product_line => ProductLine,
        get_user => User,
        obtain_token => Token,
        refresh_token => RefreshedToken,
        list_appointment_slots => List<AppointmentSlot>,
        list_buildings => List<Building>,
        get_building => Building,
        list_cities => List<City>,
        list_eligibility_endpoints => List<EligibilityEndpoint>,
        get_forecast => Forecast,
        create_offers => Offers,
        list_street_numbers => List<StreetNumber>,
        list_streets => List<Street>,
        list_orders => List<Order>,
        create_order => Order,
        get_order => Order,
        update_order => Order,
        update_order_bound => OrderBound,
        update_order_endpoint => OrderEndpoint,
        create_order_info_event => OrderInfoEvent,
        list_services => List<Service>,
        get_service => Service,
        migrate_service_to_ftth => ServiceFtthMigration,
    }
    onapi, orders_of_onapi: {
        list_endpoints => List<Endpoint>,
        list_accesses => List<Access>,
        get_access => Access,
        lookup_dhcp => FoundAccess,
        list_events => List<ObjectEvent>,
        list_invoice_periods => List<InvoicePeriod>,
        get_invoice_lines => List<InvoiceLine>,
        lookup_option82 => FoundAccess,
        list_order_events => List<OrderEvent>,
        list_orders => List<Order>,
        create_order => Order,
        get_order => Order,
        list_services => List<AccessServices>,
        get_services => AccessServices,
        list_subscriptions => List<AccessSubscriptions>,
        get_subscriptions => AccessSubscriptions,
        get_hardware => Hardware,
        get_igmp_snooping => List<IgmpGroup>,
        get_lease_info => List<Lease>,
        get_mac_address_table => List<MacEntry>,
        get_link_status => LinkStatus,
        get_cpe_status => CpeStatus,
        list_tickets => List<TicketSummary>,
        create_ticket => TicketReference,
        get_ticket => Ticket,
    }
}
