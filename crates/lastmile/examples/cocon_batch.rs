//! A batch of delayed connections at Cocon, and its failures once more, against the embedded sandbox:
//!
//! ```text
//! cargo run -p lastmile --example cocon_batch
//! ```
//!
//! The flats of a high-rise are registered in parts, each stored before it is placed. Some cannot be connected; when the
//! reason is gone, what failed is placed again, and nothing else.
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use lastmile::cocon::{Batch, BatchReport, Cocon, Connection, Geometry, RouteScenario};
use lastmile::{Poll, Prepared};
use lastmile_sandbox::{BuildingKind, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.cocon();
    let cocon = Cocon::builder(supplier.base_url())
        .api_key(supplier.api_key())
        .client_id(supplier.client_id())
        .build()?;

    let buildings = supplier.buildings();
    let names = |kind| buildings.iter().filter(move |one| one.kind == kind).map(|one| one.name.as_str());
    let flats: Vec<&str> =
        names(BuildingKind::Prepared).take(7).chain(names(BuildingKind::Unprepared).take(1)).collect();
    let route = Geometry::line([[257_100.5, 471_200.0], [257_104.25, 471_203.0]])?;
    let connections = flats.iter().enumerate().map(|(number, name)| {
        let scenario =
            if number == 0 { RouteScenario::NewRoute(route.clone()) } else { RouteScenario::KeepRoute };
        Connection::new(*name, scenario)
    });
    let batch = Batch::new(connections).installed_by("Graafbedrijf Anka");

    println!("{} connections, in parts of 5", flats.len());
    let mut again = Vec::new();
    for part in batch.parts(NonZeroUsize::new(5).ok_or("no part")?) {
        let report = connect(&cocon, &part).await?;
        let failures = part.failures(&report);
        for building in &failures.left_out {
            println!("  {building}: look at it by hand");
        }
        again.extend(failures.batch);
    }

    println!("The network owner prepares what was not; what failed, once more");
    for batch in again {
        println!("  {}", batch.buildings().collect::<Vec<_>>().join(", "));
        batch.buildings().for_each(|name| supplier.prepare(name));
        connect(&cocon, &batch).await?;
    }
    println!("{} buildings connected", supplier.took_effect("createDelayedConnectionBatch.job"));
    Ok(())
}

/// Places a batch and follows it to its end.
async fn connect(cocon: &Cocon, batch: &Batch) -> Result<BatchReport, Box<dyn Error>> {
    let mut prepared = Prepared::new(batch.clone())?;
    prepared.mark_in_flight()?;
    println!("  marked, {} bytes to store before it is placed", serde_json::to_string(&prepared)?.len());
    let id = prepared.place(cocon).await?;
    let poll = Poll::default().interval(Duration::from_millis(20)).timeout(Duration::from_secs(10));
    let report = cocon.wait_for_batch(&id, &poll).await?;
    let [connected, failed, pending] = report.counts();
    println!("  batch {id}: {connected} connected, {failed} failed, {pending} pending");
    for (building, errors) in report.failed() {
        let reasons: Vec<&str> = errors.iter().filter_map(|error| error.message.as_deref()).collect();
        println!("    {building}: {}", reasons.join("; "));
    }
    for building in report.missing(batch) {
        println!("    {building}: nothing is said about it");
    }
    Ok(report)
}
