//! What a caller has stored and gives back: it may have been changed in the store.

use lastmile::cocon::types::{
    ContactCreate, CustomerContractCreate, CustomerCreate, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, BatchId, BuildingConnection, NamedConnection};
use lastmile::covage::{Information, Migration, Submission};
use lastmile::onapi::{
    Cursor, NewTicket, PeriodId, SubscriptionAt, SyncState, TicketChange, TicketReference,
};
use lastmile::{Creation, Prepared, PreparedState, covage, onapi};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tree::Tree;
use super::{choose, lossy};

/// Reads what was stored. What is taken can be stored again, and is the same then.
fn taken<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("it can be stored again");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&again).expect("it can be stored again"), text);
    Some(again)
}

/// A value that may have been sent is not sent again, whatever the store says of it.
fn prepared<C: Creation>(data: &[u8]) {
    let Some(mut prepared) = taken::<Prepared<C>>(data) else { return };
    let text = serde_json::to_string(&prepared).expect("it can be stored");
    if let (Some(arrived), Some(written)) = (Tree::of(data), Tree::of(text.as_bytes())) {
        assert!(written.is_within(&arrived), "nothing is made up: {}\nwritten: {text}", lossy(data));
    }
    let before = prepared.progress();
    assert_eq!(prepared.mark_in_flight().is_ok(), before == PreparedState::Ready, "{before:?}");
    assert_eq!(prepared.state() == PreparedState::Placed, before == PreparedState::Placed);
    let text = serde_json::to_string(&prepared).expect("it can be stored");
    let again: Prepared<C> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.progress(), prepared.progress());
    assert_ne!(again.state(), PreparedState::Ready, "begun, stored and forgotten: {text}");
    // The request alone is what it was, and could be prepared anew.
    let request = serde_json::to_string(prepared.request()).expect("it can be stored");
    let request = serde_json::from_str(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
    assert!(Prepared::<C>::new(request).is_ok(), "{text}");
}

/// A kind of prepared value.
pub struct Kind {
    /// What it is stored under.
    pub name: &'static str,
    /// Whether it takes what was stored.
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
        /// What else a caller stores.
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
);

/// The first byte chooses what was stored.
pub fn stored(data: &[u8]) {
    let Some((chosen, data)) = choose(data, KINDS.len() + OTHERS.len()) else { return };
    match KINDS.get(chosen) {
        Some(kind) => (kind.check)(data),
        None => OTHERS[chosen - KINDS.len()](data),
    }
}
