//! A copy of an ON-API network kept up to date, against the embedded sandbox: everything once, then what changed and what is
//! gone; a line that is in trouble, its ticket, and the invoice.
//!
//! ```text
//! cargo run -p lastmile --example onapi_sync
//! ```
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;

use lastmile::onapi::types::{Access, TicketCreateProblemType, TicketUpdateResponsible};
use lastmile::onapi::{
    Deleted, Dialect, Networks, NewTicket, OnApi, PeriodId, SyncItem, SyncPlan, SyncState, TicketChange,
};
use lastmile::rules::OnApiId;
use lastmile::{Prepared, StreamExt as _};
use lastmile_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.onapi();
    let network = OnApi::builder(supplier.base_url())
        .dialect(Dialect::Vendor26)
        .login(supplier.user(), supplier.password())
        .build()?;
    // A provider talks to many; here there is one.
    let networks = Networks::from_iter([("ankeborg", network)]);
    let network = networks.at("ankeborg")?;

    println!("A copy of all accesses");
    let mut copy = Copy::default();
    copy.bring_up_to_date(network).await?;

    println!("An access is torn down, and three are built");
    let torn_down = supplier.accesses()[2].id.clone();
    supplier.tear_down(&torn_down);
    supplier.add_accesses(3);
    copy.bring_up_to_date(network).await?;
    println!("  {} accesses there, {} in the copy", supplier.accesses().len(), copy.accesses.len());

    println!("A line in trouble");
    let accesses = supplier.accesses();
    let delivered =
        accesses.iter().find(|access| !access.subscriptions.is_empty()).ok_or("nothing is delivered")?;
    let access: OnApiId = delivered.id.parse()?;
    println!("  link: {:?}", network.link_status(&access).await?.link.get());
    println!("  up: {:?}", network.cpe_status(&access).await?.up.get());
    println!(
        "  {} devices, {} leases",
        network.mac_table(&access).await?.len(),
        network.leases(&access).await?.len()
    );

    println!("Its ticket");
    let ticket = NewTicket::new("CASE-0431", "No television", "The picture stands still")
        .access(access)
        .problem(TicketCreateProblemType::Quality)
        .created_by("Support, Ankeborg");
    let ticket = Prepared::new(ticket)?.place(network).await?;
    let comment = TicketChange::comment_on(
        ticket.clone(),
        "Support, Ankeborg",
        "It is the box.",
        "2026-03-03T10:00:00Z".parse()?,
    );
    Prepared::new(comment)?.place(network).await?;
    Prepared::new(TicketChange::close(ticket.clone(), TicketUpdateResponsible::Sp))?.place(network).await?;
    let held = network.ticket(&ticket).await?;
    let status = held.status.get().map_or("?", |status| status.as_str());
    println!("  {ticket}: {status}, {} comment", held.comments.len());

    println!("The invoice");
    let periods = network.invoice_periods().await?;
    let last = periods.last().and_then(|period| period.get()).ok_or("no period")?;
    let last = PeriodId::try_from(&last.id)?;
    let mut lines = network.invoice_lines(&last).await?;
    let mut count = 0;
    while let Some(line) = lines.next().await {
        line?;
        count += 1;
    }
    println!("  {count} lines in {last}");
    Ok(())
}

/// What a service keeps: the accesses, and how far they were read.
#[derive(Default)]
struct Copy {
    accesses: BTreeMap<String, (u64, Access)>,
    state: Option<SyncState>,
    runs: u64,
}

impl Copy {
    async fn bring_up_to_date(&mut self, network: &OnApi) -> Result<(), Box<dyn Error>> {
        self.runs += 1;
        let (mut put, mut taken_out) = (0, 0);
        let mut run = network.sync::<Access>(self.state.as_ref(), &SyncPlan::default()).await?;
        while let Some(item) = run.next().await {
            match item? {
                SyncItem::Upserted(access) => {
                    let id = access.access_id.as_deref().ok_or("an access without an id")?.to_owned();
                    self.accesses.insert(id, (self.runs, *access));
                    put += 1;
                }
                SyncItem::Deleted(Deleted::Access(id)) => {
                    taken_out += usize::from(self.accesses.remove(&id).is_some())
                }
                _ => {}
            }
        }
        if run.is_complete() {
            self.accesses.retain(|_, (seen, _)| *seen == self.runs);
        }
        println!("  {put} put, {taken_out} taken out, everything read: {}", run.is_full());
        self.state = run.state().cloned();
        Ok(())
    }
}
