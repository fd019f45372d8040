//! One day with several ON-API networks, each with an address, credentials and path style of its own, against embedded sandboxes:
//! what their directories tell, an order that is stored with the key of its network, and what each has to report.
//!
//! ```text
//! cargo run -p lastmile --example onapi_networks
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::time::Duration;

use lastmile::onapi::{Networks, NewOrder, OnApi};
use lastmile::{Policy, Prepared};
use lastmile_sandbox::onapi::{Availability, Dialect};
use lastmile_sandbox::{Fault, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ankeborg = Sandbox::builder().seed(1).start().await?;
    let gaseborg = Sandbox::builder().seed(2).onapi_dialect(Dialect::Standard24).start().await?;
    let kvackstad = Sandbox::builder().seed(3).onapi_without_endpoint("tickets").start().await?;

    println!("Each network by its name, with what its directory says");
    let mut networks = Networks::new();
    for (name, sandbox) in [("ankeborg", &ankeborg), ("gaseborg", &gaseborg), ("kvackstad", &kvackstad)] {
        let supplier = sandbox.onapi();
        // A slow network gets more time than others.
        let deadline = Duration::from_secs(if name == "gaseborg" { 120 } else { 60 });
        let network = OnApi::builder(supplier.base_url())
            .dialect(supplier.dialect().name().parse()?)
            .login(supplier.user(), supplier.password())
            .policy(Policy::default().with_deadline(deadline))
            .from_directory(&[])
            .await?;
        println!("  {name} speaks {}", network.dialect());
        networks.insert(name.to_owned(), network);
    }
    println!("  {} networks", networks.len());

    println!("An order, stored with the key of its network");
    let seeded = gaseborg.onapi().accesses();
    let (access, offer) = seeded
        .iter()
        .find_map(|access| Some((&access.id, access.service(Availability::Free)?)))
        .ok_or("nothing is free")?;
    let order = NewOrder::activate(access.parse()?, &offer.service, "SP-0431".parse()?);
    let mut order = Prepared::new(order)?;
    order.mark_in_flight()?;
    let stored = serde_json::to_string(&("gaseborg", &order))?;
    println!("  {} bytes to store", stored.len());
    let placed = order.place(networks.at("gaseborg")?).await?;
    println!("  placed: {}", placed.order_id().ok_or("no id")?);

    println!("What each has to report; that one is down stops none of the others");
    gaseborg.onapi().fail_next("listTickets", Fault::Unavailable(503));
    let mut names: Vec<_> = networks.iter().collect();
    names.sort_by_key(|(name, _)| *name);
    for (name, network) in names {
        let hasty = network.with_policy(Policy::default().with_max_attempts(1));
        match hasty.tickets(&Default::default()).await {
            Ok(_) => println!("  {name}: its tickets"),
            // One is down; one has no tickets by its own directory, so nothing was sent.
            Err(error) => println!("  {name}: {error}"),
        }
    }
    Ok(())
}
