//! What a service does with its orders: each step is stored before it is taken, and what is not known is found out.

use std::sync::Arc;
use std::time::Duration;

use lastmile::cocon::types::CustomerCreate;
use lastmile::cocon::{Batch, Cocon, Connection, NamedConnection, RouteScenario};
use lastmile::covage::types::{
    EndCustomerContactUpdate, EndCustomerUpdate, EndCustomerUpdateType, OperatorInfoUpdate,
    OrderCreateRequestType, OrderUpdate,
};
use lastmile::covage::{Covage, Draft, NewOrder, Submission};
use lastmile::onapi::{self, OnApi};
use lastmile::{Creation, Error, Outcome, Prepared, PreparedState, Reconciled};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::outbox::{Outbox, Stage};
use super::site::{Site, Wanted, Which};

/// How many orders are worked on at a time.
pub(super) const AT_A_TIME: usize = 64;

/// After so many rounds something is wrong with an order.
const ROUNDS: usize = 200;

/// How long the mark that an order is being sent is good for.
const MARK: Duration = Duration::from_secs(3);

/// Works through all orders of a site that have not ended yet.
pub async fn work_through(site: Site, outbox: Arc<Outbox>) {
    let desk = Arc::new(Desk { outbox, permits: Semaphore::new(AT_A_TIME) });
    let site = Arc::new(site);
    let mut tasks = JoinSet::new();
    let (onapi, covage, cocon) = (site.onapi_handle(), site.covage_handle(), site.cocon_handle());
    for number in 0..site.orders.len() {
        let (desk, site) = (desk.clone(), site.clone());
        let (onapi, covage, cocon) = (onapi.clone(), covage.clone(), cocon.clone());
        tasks.spawn(async move {
            let wanted = &site.orders[number];
            if desk.outbox.step(&wanted.key).is_some_and(|step| step.stage.is_end()) {
                return;
            }
            let end = match site.which {
                Which::OnApi => desk.activate(&onapi, wanted).await,
                Which::Covage => desk.order_fibre(&covage, wanted, &site.contact).await,
                Which::Cocon => desk.connect(&cocon, wanted, number).await,
            };
            match end {
                Ok(()) => desk.outbox.put(&wanted.key, Stage::Placed, ""),
                Err(Stop::Undecidable) => desk.outbox.put(&wanted.key, Stage::Undecidable, ""),
                Err(Stop::Failed(why)) => desk.outbox.put(&wanted.key, Stage::Failed, why),
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

/// Why an order goes no further.
enum Stop {
    Undecidable,
    Failed(String),
}

struct Desk {
    outbox: Arc<Outbox>,
    permits: Semaphore,
}

impl Desk {
    async fn activate(&self, network: &OnApi, wanted: &Wanted) -> Result<(), Stop> {
        let request = || {
            let access = wanted.place.parse().expect("an id of the sandbox's");
            onapi::NewOrder::activate(access, &wanted.item, wanted.key.parse().expect("an id of ours"))
        };
        self.place(&wanted.key, Stage::Create, request, network).await.map(drop)
    }

    async fn order_fibre(&self, covage: &Covage, wanted: &Wanted, contact: &str) -> Result<(), Stop> {
        let key = &wanted.key;
        let stage = self.outbox.step(key).map_or(Stage::Create, |step| step.stage);
        if stage == Stage::Create {
            let request = || {
                NewOrder::activate(&wanted.place, &wanted.item, OrderCreateRequestType::ActivateDefined)
                    .reference(key)
            };
            let draft = self.place(key, Stage::Create, request, covage).await?;
            self.outbox.put(key, Stage::Complete, draft.uuid());
        }
        let mut submission = None;
        if stage != Stage::Submit {
            let uuid = self.outbox.step(key).expect("it has come to here").value;
            submission = Some(self.complete(covage, wanted, &uuid, contact).await?);
        }
        let request = || submission.expect("stored, or just made");
        self.place::<Submission>(key, Stage::Submit, request, covage).await.map(drop)
    }

    /// Fills in a draft. Each step can be taken again, as it says the same.
    async fn complete(
        &self,
        covage: &Covage,
        wanted: &Wanted,
        uuid: &str,
        contact: &str,
    ) -> Result<Submission, Stop> {
        let data = &order_data(&wanted.key, contact);
        let otp = &wanted.socket.parse().expect("a socket of the sandbox's");
        self.again(|| async move { Draft::of(covage.order(uuid).await?)?.complete(covage, data).await })
            .await?;
        let submission = || async move {
            let mut draft = Draft::of(covage.order(uuid).await?)?;
            draft.set_otp(covage, otp).await?;
            Ok(draft.submission()?)
        };
        self.again(submission).await
    }

    /// Takes a step until it succeeds.
    async fn again<T, Fut>(&self, step: impl Fn() -> Fut) -> Result<T, Stop>
    where
        Fut: Future<Output = Result<T, Error>>,
    {
        let mut last = None;
        for _ in 0..ROUNDS {
            let permit = self.permits.acquire().await.expect("it is never closed");
            match step().await {
                Ok(done) => return Ok(done),
                Err(error) => last = Some(error),
            }
            drop(permit);
            come_back(last.as_ref()).await;
        }
        Err(Stop::Failed(format!("not completed: {last:?}")))
    }

    async fn connect(&self, cocon: &Cocon, wanted: &Wanted, number: usize) -> Result<(), Stop> {
        let key = &wanted.key;
        match number % 3 {
            0 => {
                let request = || CustomerCreate { name: Some(wanted.place.clone()), ..Default::default() };
                self.place(key, Stage::Create, request, cocon).await.map(drop)
            }
            1 => {
                let request = || NamedConnection::new(&wanted.place, RouteScenario::KeepRoute);
                self.place(key, Stage::Create, request, cocon).await.map(drop)
            }
            _ => {
                let request = || Batch::new([Connection::new(&wanted.place, RouteScenario::KeepRoute)]);
                self.place(key, Stage::Create, request, cocon).await.map(drop)
            }
        }
    }

    /// Brings a value to its end, be it new or found in the outbox.
    async fn place<C: Creation>(
        &self,
        key: &str,
        stage: Stage,
        request: impl FnOnce() -> C,
        supplier: &C::Supplier,
    ) -> Result<C::Created, Stop> {
        let mut prepared: Prepared<C> = match self.outbox.step(key).filter(|step| step.stage == stage) {
            Some(step) => serde_json::from_str(&step.value).expect("what was stored is read"),
            None => Prepared::new(request()).expect("what a campaign orders is right"),
        };
        let store = |prepared: &Prepared<C>| {
            self.outbox.put(key, stage, serde_json::to_string(prepared).expect("JSON"));
        };
        let mut seen = None;
        for _ in 0..ROUNDS {
            let permit = self.permits.acquire().await.expect("it is never closed");
            let error = match prepared.state() {
                PreparedState::Ready => match self.send(&mut prepared, &store, supplier).await {
                    Ok(created) => return Ok(created),
                    // A look-up that is refused by a gateway's page is made again; nothing was sent.
                    Err(error) if error.outcome() == Outcome::Rejected && !is_look_up(&error) => {
                        return Err(Stop::Failed(error.to_string()));
                    }
                    Err(error) => Some(error),
                },
                _ => match prepared.reconcile(supplier).await {
                    Ok(Reconciled::Placed(created)) => {
                        store(&prepared);
                        return Ok(created);
                    }
                    Ok(Reconciled::Undecidable(_)) => return Err(Stop::Undecidable),
                    Ok(Reconciled::Indeterminate(indeterminate)) => {
                        drop(permit);
                        tokio::time::sleep(indeterminate.retry_after).await;
                        continue;
                    }
                    Ok(_) => {
                        store(&prepared);
                        None
                    }
                    Err(error) => Some(error),
                },
            };
            drop(permit);
            come_back(error.as_ref()).await;
            seen = error.or(seen);
        }
        Err(Stop::Failed(format!("no end: {seen:?}")))
    }

    /// Looks a value up, marks it and sends it. It is stored before it is sent, and however it ends.
    async fn send<C: Creation>(
        &self,
        prepared: &mut Prepared<C>,
        store: &impl Fn(&Prepared<C>),
        supplier: &C::Supplier,
    ) -> Result<C::Created, Error> {
        let found = prepared.look_up(supplier).await;
        if let Ok(None) = found {
            prepared.mark_in_flight_for(MARK)?;
        }
        store(prepared);
        if let Some(created) = found? {
            return Ok(created);
        }
        let result = prepared.place(supplier).await;
        store(prepared);
        result
    }
}

fn is_look_up(error: &Error) -> bool {
    error.operation().is_some_and(|operation| operation.method == "GET")
}

/// When the supplier said when to come back.
async fn come_back(error: Option<&Error>) {
    if let Some(wait) = error.and_then(Error::retry_after) {
        tokio::time::sleep(wait).await;
    }
}

fn order_data(key: &str, contact: &str) -> OrderUpdate {
    let text = |text: &str| Some(text.to_owned());
    OrderUpdate {
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
