//! What a caller has stored and gives back: it may have been changed in the store.

use lastmile::cocon::types::{
    ContactCreate, CustomerContractCreate, CustomerCreate, ProjectAssetApprovalCreate,
};
use lastmile::cocon::{Batch, BatchId, BuildingConnection, NamedConnection};
use lastmile::covage::{NewOrder, Submission};
use lastmile::onapi::{Activation, Cursor, NewTicket, TicketReference};
use lastmile::{Creation, Prepared, Progress};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::tree::Tree;
use super::{choose, lossy};

/// Reads what was stored. What is taken can be stored again, and holds nothing that was not there.
fn taken<T: Serialize + DeserializeOwned>(data: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(data).ok()?;
    let text = serde_json::to_string(&read).expect("it can be stored again");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&again).expect("it can be stored again"), text);
    let (arrived, written) = (Tree::of(data)?, Tree::of(text.as_bytes())?);
    assert!(written.is_within(&arrived), "stored: {}\nwritten: {text}", lossy(data));
    Some(again)
}

/// A value that may have been sent is not sent again, whatever the store says of it.
fn prepared<C: Creation>(data: &[u8]) {
    let Some(mut prepared) = taken::<Prepared<C>>(data) else { return };
    let before = prepared.progress();
    assert_eq!(prepared.begin().is_ok(), before == Progress::Ready, "{before:?}");
    assert_eq!(prepared.progress() == Progress::Placed, before == Progress::Placed);
    let text = serde_json::to_string(&prepared).expect("it can be stored");
    let again: Prepared<C> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again.progress(), prepared.progress());
    assert_ne!(again.progress(), Progress::Ready, "begun, stored and forgotten: {text}");
    // The request alone is what it was, and could be prepared anew.
    let request = serde_json::to_string(prepared.request()).expect("it can be stored");
    let request = serde_json::from_str(&request).unwrap_or_else(|error| panic!("{error}: {request}"));
    assert!(Prepared::<C>::new(request).is_ok(), "{text}");
}

macro_rules! kinds {
    ($($kind:ty),* $(,)?) => {
        /// The kinds of prepared values, by the names that they are stored under.
        pub const KINDS: &[&str] = &[$(<$kind as Creation>::KIND),*];

        const READ: &[fn(&[u8])] = &[$(prepared::<$kind>),*];
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
    NewOrder,
    Submission,
    Activation,
    NewTicket,
);

/// The first byte chooses what was stored.
pub fn stored(data: &[u8]) {
    let Some((chosen, data)) = choose(data, READ.len() + 3) else { return };
    match (READ.get(chosen), chosen - chosen.min(READ.len())) {
        (Some(read), _) => read(data),
        (None, 0) => drop(taken::<BatchId>(data)),
        (None, 1) => drop(taken::<TicketReference>(data)),
        (None, _) => drop(taken::<Cursor>(data)),
    }
}
