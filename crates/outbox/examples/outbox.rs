//! Orders in a SQLite database, placed at the embedded sandbox by a process that crashes while it does, and by the one that follows
//! it.
//!
//! ```text
//! cargo run -p lastmile-outbox --example outbox
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::time::Duration;

use lastmile::onapi::{Dialect, NewOrder, OnApi, Placed};
use lastmile::{Policy, Prepared};
use lastmile_outbox::{EventKind, Outbox, WorkerBuilder};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Fault, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.onapi();
    supplier.add_accesses(20);
    // Short times, so that nobody has to wait for minutes to see what becomes of an order whose process crashed.
    let policy =
        Policy::default().with_deadline(Duration::from_secs(2)).with_settle_time(Duration::from_secs(1));
    let network = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password())
        .policy(policy)
        .build()?;

    let path = std::env::temp_dir().join(format!("lastmile-outbox-example-{}.db", std::process::id()));
    let outbox = Outbox::sqlite(&path)?;
    outbox.migrate().await?;
    outbox.register_consumer("billing").await?;

    println!("Three orders are stored");
    let accesses = supplier.accesses();
    let free = accesses.iter().filter_map(|access| Some((access, access.service(Availability::Free)?)));
    for (number, (access, offer)) in free.take(3).enumerate() {
        let reference = format!("SP-100{number}").parse()?;
        let order = Prepared::new(NewOrder::activate(access.id.parse()?, &offer.service, reference))?;
        let key = format!("A-100{number}");
        println!(
            "  {key}: {:?}, and again: {:?}",
            outbox.enqueue(&key, &order).await?,
            outbox.enqueue(&key, &order).await?
        );
    }

    println!("A worker sends them and crashes before any answer arrives");
    for _ in 0..3 {
        supplier.fail_next("createOrder", Fault::Latency(Duration::from_secs(60)));
    }
    let worker = quick(outbox.worker()).serve(network.clone()).start();
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    while supplier.took_effect("createOrder") < 3 {
        interval.tick().await;
    }
    drop(worker); // As a crash does: nothing is written any more.
    for order in outbox.orders(&lastmile_outbox::Filter::all()).await? {
        println!("  {}: {}, marked {} time(s)", order.key(), order.state(), order.marks());
    }

    println!("Another worker takes over: it looks before it sends");
    let worker = quick(outbox.worker()).serve(network).start();
    let mut events = outbox.events("billing");
    for _ in 0..3 {
        let Some(event) = events.next().await? else { break };
        match (event.kind(), event.created::<NewOrder>()) {
            (EventKind::Placed, Some(Placed::Order(order))) => {
                println!("  {}: placed as {}", event.key(), order.order_id.as_deref().unwrap_or("?"));
            }
            (other, _) => println!("  {}: {other:?}", event.key()),
        }
        event.ack().await?;
    }
    worker.drain(Duration::from_secs(5)).await;
    println!("The network holds {} orders", supplier.took_effect("createOrder"));

    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    Ok(())
}

/// Pauses and leases that suit a demonstration.
fn quick(builder: WorkerBuilder) -> WorkerBuilder {
    builder
        .poll_interval(Duration::from_millis(50))
        .mark_valid_for(Duration::from_secs(1))
        .lease_margin(Duration::from_millis(200))
}
