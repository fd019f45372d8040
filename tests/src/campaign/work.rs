//! How a service processes its orders: it enqueues them, and runs a worker.

use std::time::Duration;

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile::cocon::{Batch, Connection, NamedConnection, RouteScenario};
use lastmile::covage::NewOrder;
use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, OperatorInfoUpdate,
    OrderCreateRequestType, OrderUpdate,
};
use lastmile::onapi;
use lastmile::outbox::{DraftAndSubmit, Enqueue};
use lastmile_outbox::Outbox;

use super::site::{Site, Wanted, Which};
use crate::outbox::until_done;

/// How many orders a worker has in flight.
pub(super) const MAX_IN_FLIGHT: usize = 64;

/// How long the mark of an order in flight is valid.
pub(super) const MARK: Duration = Duration::from_secs(3);

/// How much longer an order is claimed than its calls may take.
pub(super) const MARGIN: Duration = Duration::from_secs(1);

/// After this many inconclusive look-ups the order is undecidable, if the supplier normalizes references.
const DOUBTS: u32 = 8;

/// Enqueues all orders of a site.
pub(super) async fn enqueue(site: &Site, outbox: &Outbox) {
    for (number, wanted) in site.orders.iter().enumerate() {
        match site.which {
            Which::OnApi => {
                let access = wanted.place.parse().expect("an id of the sandbox's");
                let reference = wanted.key.parse().expect("an id of ours");
                put(outbox, wanted, onapi::NewOrder::activate(access, &wanted.item, reference)).await;
            }
            Which::Covage => {
                let order =
                    NewOrder::activate(&wanted.place, &wanted.item, OrderCreateRequestType::ActivateDefined)
                        .reference(&wanted.key);
                let socket = wanted.socket.parse().expect("a socket of the sandbox's");
                let chain = DraftAndSubmit::new(order)
                    .complete(order_data(&wanted.key, &site.contact))
                    .socket(&socket);
                enqueue_one(outbox, wanted, &chain).await;
            }
            Which::Cocon => match number % 3 {
                0 => {
                    let customer = CustomerCreate { name: Some(wanted.place.clone()), ..Default::default() };
                    put(outbox, wanted, customer).await;
                }
                1 => put(outbox, wanted, NamedConnection::new(&wanted.place, RouteScenario::KeepRoute)).await,
                _ => {
                    let connection = Connection::new(&wanted.place, RouteScenario::KeepRoute);
                    put(outbox, wanted, Batch::new([connection])).await;
                }
            },
        }
    }
}

async fn put<C: lastmile::Creation>(outbox: &Outbox, wanted: &Wanted, request: C) {
    enqueue_one(outbox, wanted, &Prepared::new(request).expect("what a campaign orders is right")).await;
}

async fn enqueue_one(outbox: &Outbox, wanted: &Wanted, order: &impl Enqueue) {
    outbox.enqueue(&wanted.key, order).await.expect("a database that is not disturbed yet");
}

/// Runs a worker until all orders of a site have ended.
pub async fn work_through(site: &Site, outbox: &Outbox) {
    let worker = outbox
        .worker()
        .poll_interval(Duration::from_millis(50))
        .backoff(Duration::from_millis(20), Duration::from_millis(500))
        .doubts(if site.normalises { DOUBTS } else { 1000 })
        // The campaign kills workers, and no order is to blame for it.
        .crashes(1000)
        .mark_valid_for(MARK)
        .lease_margin(MARGIN)
        .max_in_flight(u32::try_from(MAX_IN_FLIGHT).expect("it is small"));
    let worker = match site.which {
        Which::OnApi => worker.serve(site.onapi_client().expect("a campaign at ON-API")),
        Which::Covage => worker.serve(site.covage_client().expect("a campaign at Covage")),
        Which::Cocon => worker.serve(site.cocon_client().expect("a campaign at Cocon")),
    };
    let worker = worker.start();
    until_done(outbox).await;
    worker.drain(Duration::from_secs(30)).await;
}

/// Returns the values that complete a draft.
fn order_data(key: &str, contact: &str) -> OrderUpdate {
    let text = |text: &str| Some(text.to_owned());
    OrderUpdate {
        comment: text("Ankeborg"),
        end_customer: Some(EndCustomerUpdate {
            type_: Some(EndCustomerUpdateType::Unregistered),
            name: text("Ankeborg Epicerie"),
            contact: Some(EndCustomerContactUpdate {
                first_name: text("Kajsa"),
                last_name: text("Anka"),
                email: text("kajsa.anka@sp.example"),
                phone_number: text("0123456789"),
                ..Default::default()
            }),
            ..Default::default()
        }),
        operator_info: Some(OperatorInfoUpdate {
            order_ref: text(key),
            order_name: text("Ankeborg 1"),
            contact_uuid: text(contact),
        }),
        ..Default::default()
    }
}
