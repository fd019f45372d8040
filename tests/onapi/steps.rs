//! The steps that the tests of all dialects share.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use lastmile::onapi::types::Subscription;
use lastmile::onapi::{Deleted, NewOrder, OnApi, Placed, SyncItem, SyncPlan, SyncRun, SyncState, Synced};
use lastmile::rules::OnApiId;
use lastmile::{HasProgress as _, OrderStage, Prepared};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Sandbox, SandboxBuilder};
use lastmile_tests::{dialect, onapi};

/// The service that requires a service level in the standard's dialects.
pub const FASTEST: &str = "BB-1000-1000";

pub fn id(text: &str) -> OnApiId {
    text.parse().unwrap()
}

pub async fn every_dialect(with: impl Fn(SandboxBuilder) -> SandboxBuilder) -> Vec<(Sandbox, OnApi)> {
    let mut all = Vec::new();
    for dialect in lastmile_sandbox::Dialect::ALL {
        let sandbox = with(Sandbox::builder().seed(5).onapi_dialect(dialect)).start().await.unwrap();
        let network = onapi(&sandbox);
        all.push((sandbox, network));
    }
    all
}

pub async fn one(dialect: lastmile_sandbox::Dialect) -> (Sandbox, OnApi) {
    let sandbox = Sandbox::builder().seed(5).onapi_dialect(dialect).start().await.unwrap();
    let network = onapi(&sandbox);
    (sandbox, network)
}

/// Returns an access that can have a service of this availability, with the service.
pub fn offered(sandbox: &Sandbox, availability: Availability) -> (OnApiId, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let offer = access.services.iter().find(|offer| offer.availability == availability)?;
        Some((id(&access.id), offer.service.clone()))
    });
    found.unwrap()
}

/// Returns an access with a service of another service provider that can be taken over.
pub fn held_by_another(sandbox: &Sandbox) -> (OnApiId, String) {
    let accesses = sandbox.onapi().accesses();
    let found = accesses.iter().find_map(|access| {
        let mut offers = access.services.iter();
        let is_open = |offer: &&lastmile_sandbox::onapi::Offer| {
            offer.availability == Availability::HeldByOther && offer.forced_takeover_possible
        };
        Some((id(&access.id), offers.find(is_open)?.service.clone()))
    });
    found.unwrap()
}

pub fn done(sandbox: &Sandbox) {
    sandbox.onapi().advance();
    sandbox.onapi().advance();
}

#[track_caller]
pub fn obeys_its_document(sandbox: &Sandbox) {
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new(), "{}", dialect(sandbox));
    for received in sandbox.onapi().received() {
        assert_eq!(received.problems, Vec::<String>::new(), "{} {}", dialect(sandbox), received.path);
    }
}

pub async fn place(network: &OnApi, order: NewOrder) -> Placed {
    Prepared::new(order).unwrap().place(network).await.unwrap()
}

/// Places an order, and follows it to its end by the order events.
pub async fn carry_out(sandbox: &Sandbox, network: &OnApi, order: NewOrder) {
    let placed = place(network, order).await;
    let order = placed.order_id().unwrap();
    done(sandbox);
    let mut last = None;
    let mut events = network.order_events(None);
    while let Some(event) = events.next().await {
        let event = event.unwrap().event;
        if let Some(of) = event.order.get().filter(|of| OnApiId::try_from(*of).ok().as_ref() == Some(&order))
        {
            last = Some(of.progress().stage());
        }
    }
    assert_eq!(last, Some(OrderStage::Done));
}

/// The subscription on an access with a reference.
pub async fn mine(network: &OnApi, access: &OnApiId, reference: &str) -> Option<Subscription> {
    let answer = network.subscriptions(access).await.unwrap();
    let all = answer.subscriptions.into_iter().filter_map(|one| one.into_option());
    all.into_iter().find(|one| one.sp_reference.as_deref() == Some(reference))
}

/// Runs a synchronization to its end, and applies it to a copy.
pub async fn apply<T: Synced>(
    network: &OnApi,
    since: Option<&SyncState>,
    copy: &mut BTreeSet<String>,
    id_of: impl Fn(&T) -> String,
) -> (SyncState, bool) {
    let mut run: SyncRun<T> = network.sync(since, &SyncPlan::default()).await.unwrap();
    let mut seen = BTreeSet::new();
    while let Some(item) = run.next().await {
        match item.unwrap() {
            SyncItem::Upserted(row) => {
                seen.insert(id_of(&row));
            }
            SyncItem::Deleted(Deleted::Access(id) | Deleted::Subscription(id) | Deleted::Service(id)) => {
                copy.remove(&id);
            }
            _ => panic!("an item that this test does not know"),
        }
    }
    if run.is_complete() {
        copy.clear();
    }
    copy.append(&mut seen);
    (run.state().unwrap().clone(), run.is_full())
}
