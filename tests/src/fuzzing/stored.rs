//! Stored values, which may have been changed in the store.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use lastmile::cocon::types::{
    ContactCreate, CustomerContractCreate, CustomerCreate, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, BatchId, BuildingConnection, Cocon, NamedConnection};
use lastmile::covage::{Covage, Information, Migration, Submission};
use lastmile::onapi::{
    Cursor, NewTicket, OnApi, PeriodId, SubscriptionAt, SyncState, TicketChange, TicketReference,
};
use lastmile::outbox::{BatchAndReport, DraftAndSubmit, PlaceAndFollow};
use lastmile::{Creation, Outcome, Prepared, PreparedState, covage, onapi};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tree::Tree;
use super::{choose, lossy};

/// Reads a stored value. An accepted value can be stored again, and is then the same.
fn taken<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("it can be stored again");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&again).expect("it can be stored again"), text);
    Some(again)
}

/// A loaded value is never sent as it is, whatever the store says: an unsent one is looked up first, and one that may
/// have been sent is reconciled. Values are written as version 2.
fn prepared<C: Creation<Supplier: Unreachable>>(data: &[u8]) {
    let Some(mut prepared) = taken::<Prepared<C>>(data) else { return };
    let text = serde_json::to_string(&prepared).expect("it can be stored");
    assert!(text.starts_with(r#"{"version":2,"#), "{text}");
    let written = Tree::of(text.as_bytes()).expect("JSON");
    if let Some(arrived) = Tree::of(data) {
        let part = |of: &Tree, name: &str| of.member(name).map(|part| format!("{part:?}"));
        if let (Some(arrived), Some(written)) = (arrived.member("request"), written.member("request")) {
            assert!(written.is_within(arrived), "nothing is made up: {}\nwritten: {text}", lossy(data));
        }
        for time in ["send_by", "ended_at"] {
            let (arrived, written) = (part(&arrived, time), part(&written, time));
            assert!(written.is_none() || written == arrived, "{}\nwritten: {text}", lossy(data));
        }
    }

    let before = prepared.state();
    let refused = match before {
        PreparedState::Ready | PreparedState::Placed => Outcome::Invalid,
        _ => Outcome::Indeterminate,
    };
    assert_eq!(prepared.mark_in_flight().expect_err("it is not marked").outcome(), refused, "{text}");
    // This sends no request: it ends before anything is waited for.
    match C::Supplier::with(|supplier| now(prepared.place(supplier))) {
        Some(Err(error)) => assert_eq!((error.outcome(), error.attempts()), (refused, 0), "{text}"),
        _ => panic!("sent: {text}"),
    }
    assert_eq!(prepared.state(), before, "{text}");

    if let Err(error) = C::Supplier::with(|supplier| prepared.declare_absent(supplier)) {
        let expected =
            if before == PreparedState::Placed { Outcome::Invalid } else { Outcome::Indeterminate };
        assert_eq!((error.outcome(), prepared.state()), (expected, before), "{text}");
    }
    // The request itself is unchanged and could be prepared again, unless it was sent when other rules applied.
    let request = serde_json::to_string(prepared.request()).expect("it can be stored");
    let request = serde_json::from_str(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
    if Prepared::<C>::new(request).is_err() {
        assert_ne!(before, PreparedState::Ready, "{text}");
        return;
    }
    let text = serde_json::to_string(&prepared).expect("it can be stored");
    let again: Prepared<C> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.state(), prepared.state(), "{text}");
    assert_eq!(again.created().is_some(), prepared.created().is_some(), "{text}");
    assert_eq!(serde_json::to_string(&again).expect("it can be stored again"), text);
}

/// Returns the result of a future that does not wait for anything.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Returns a client of a supplier that cannot be reached.
trait Unreachable: Sized {
    fn with<T>(work: impl FnOnce(&Self) -> T) -> T;
}

macro_rules! unreachable_suppliers {
    ($($supplier:ty: |$builder:ident| $login:expr),* $(,)?) => {
        $(impl Unreachable for $supplier {
            fn with<T>(work: impl FnOnce(&Self) -> T) -> T {
                thread_local! {
                    static CLIENT: $supplier = {
                        let $builder = <$supplier>::builder("http://127.0.0.1:9");
                        $login.build().expect("a usable address")
                    };
                }
                CLIENT.with(work)
            }
        })*
    };
}

unreachable_suppliers!(
    Cocon: |builder| builder.api_key("key").client_id("client"),
    Covage: |builder| builder.login("orders@sp.example", "x"),
    OnApi: |builder| builder.dialect(lastmile::onapi::Dialect::Vendor26).login("sp", "x"),
);

/// A kind of prepared value.
pub struct Kind {
    /// The name of the kind in the stored form.
    pub name: &'static str,
    /// Returns whether it accepts the stored value.
    pub takes: fn(&[u8]) -> bool,
    check: fn(&[u8]),
}

macro_rules! kinds {
    ($($kind:ty),* $(,)?) => {
        /// The kinds of prepared values.
        pub const KINDS: &[Kind] = &[$(Kind {
            name: <$kind as Creation>::KIND,
            takes: |data| serde_json::from_slice::<Prepared<$kind>>(data).is_ok(),
            check: prepared::<$kind>,
        }),*];
    };
}

kinds!(
    CustomerCreate,
    ContactCreate,
    CustomerContractCreate,
    ProjectAssetApprovalCreate,
    NamedConnection,
    BuildingConnection,
    Batch,
    covage::NewOrder,
    Submission,
    Migration,
    Information,
    covage::types::ContactCreate,
    onapi::NewOrder,
    NewTicket,
    TicketChange,
);

macro_rules! others {
    ($($other:ty),* $(,)?) => {
        /// The other types that a caller stores.
        const OTHERS: &[fn(&[u8])] = &[$(|data| drop(taken::<$other>(data))),*];
    };
}

others!(
    BatchId,
    TicketReference,
    PeriodId,
    SubscriptionAt,
    Cursor,
    SyncState,
    onapi::EventCursor,
    covage::EventCursor,
    PlaceAndFollow,
    BatchAndReport,
    DraftAndSubmit,
);

/// The first byte chooses the kind of the stored value.
pub fn stored(data: &[u8]) {
    let Some((chosen, data)) = choose(data, KINDS.len() + OTHERS.len()) else { return };
    match KINDS.get(chosen) {
        Some(kind) => (kind.check)(data),
        None => OTHERS[chosen - KINDS.len()](data),
    }
}
