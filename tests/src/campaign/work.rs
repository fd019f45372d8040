//! How a service processes its orders: it stores each step before it takes it, and reconciles indeterminate values.

mod covage;
mod place;

pub(super) use place::{MARK, STALLED};

use std::sync::Arc;

use lastmile::Error;
use lastmile::cocon::types::CustomerCreate;
use lastmile::cocon::{Batch, Cocon, Connection, NamedConnection, RouteScenario};
use lastmile::onapi::{self, OnApi};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::outbox::{Outbox, Stage, Step};
use super::site::{Site, Wanted, Which};

/// How many orders a worker has in flight.
pub(super) const MAX_IN_FLIGHT: usize = 64;

/// An order that needs more rounds than this has failed.
const ROUNDS: usize = 400;

/// One of several workers. Each starts with orders of its own, then takes over what the others left.
#[derive(Clone, Copy, Debug)]
pub struct Worker {
    /// Its number, from 0.
    pub number: usize,
    /// The number of workers.
    pub of: usize,
}

impl Worker {
    /// The only worker.
    pub const ALONE: Self = Self { number: 0, of: 1 };
}

/// Processes all orders of a site that have not ended yet.
pub async fn work_through(site: Site, outbox: Arc<Outbox>, worker: Worker) {
    let service = Arc::new(Service {
        outbox,
        permits: Semaphore::new(MAX_IN_FLIGHT),
        owner: format!("{}-{:x}", std::process::id(), fastrand::u64(..)),
        onapi: site.onapi_client(),
        covage: site.covage_client(),
        cocon: site.cocon_client(),
        site,
    });
    for is_own in [true, false] {
        let mut tasks = JoinSet::new();
        for number in 0..service.site.orders.len() {
            if (number % worker.of == worker.number) == is_own {
                tasks.spawn(bring_to_end(service.clone(), number));
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic");
        }
    }
}

async fn bring_to_end(service: Arc<Service>, number: usize) {
    let wanted = &service.site.orders[number];
    for _ in 0..ROUNDS {
        let step = service.outbox.step(&wanted.key);
        if step.as_ref().is_some_and(|step| step.stage.is_end()) {
            return;
        }
        service.go_on(wanted, number, step).await;
    }
    let step = service.outbox.step(&wanted.key);
    service.outbox.replace(&wanted.key, step.as_ref(), Step::new(Stage::Failed, "no end"));
}

/// The next step of an order.
enum Next {
    /// A step that replaces the one before.
    Step(Step),
    /// Another worker may have continued: load the step again.
    LookAgain,
}

struct Service {
    outbox: Arc<Outbox>,
    permits: Semaphore,
    /// The name of this process in the store.
    owner: String,
    site: Site,
    onapi: Option<OnApi>,
    covage: Option<lastmile::covage::Covage>,
    cocon: Option<Cocon>,
}

impl Service {
    /// Advances an order by one step.
    async fn go_on(&self, wanted: &Wanted, number: usize, step: Option<Step>) {
        let (key, before) = (&wanted.key, step.as_ref());
        let next = match self.site.which {
            Which::OnApi => self.activate(wanted, before).await,
            Which::Covage => self.order_fibre(wanted, before).await,
            Which::Cocon => self.connect(wanted, number, before).await,
        };
        if let Next::Step(next) = next {
            let before = self.outbox.step(key);
            self.outbox.replace(key, before.as_ref(), next);
        }
    }

    async fn activate(&self, wanted: &Wanted, step: Option<&Step>) -> Next {
        let request = || {
            let access = wanted.place.parse().expect("an id of the sandbox's");
            onapi::NewOrder::activate(access, &wanted.item, wanted.key.parse().expect("an id of ours"))
        };
        let network = self.onapi.as_ref().expect("a campaign at ON-API");
        self.place(&wanted.key, Stage::Create, step, request, network, |_| placed()).await
    }

    async fn connect(&self, wanted: &Wanted, number: usize, step: Option<&Step>) -> Next {
        let (key, cocon) = (&wanted.key, self.cocon.as_ref().expect("a campaign at Cocon"));
        match number % 3 {
            0 => {
                let request = || CustomerCreate { name: Some(wanted.place.clone()), ..Default::default() };
                self.place(key, Stage::Create, step, request, cocon, |_| placed()).await
            }
            1 => {
                let request = || NamedConnection::new(&wanted.place, RouteScenario::KeepRoute);
                self.place(key, Stage::Create, step, request, cocon, |_| placed()).await
            }
            _ => {
                let request = || Batch::new([Connection::new(&wanted.place, RouteScenario::KeepRoute)]);
                self.place(key, Stage::Create, step, request, cocon, |_| placed()).await
            }
        }
    }
}

fn placed() -> Step {
    Step::new(Stage::Placed, "")
}

/// Waits as long as the supplier asked.
async fn come_back(error: &Error) {
    if let Some(wait) = error.retry_after() {
        tokio::time::sleep(wait).await;
    }
}
