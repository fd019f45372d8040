//! A supplier with the orders to be placed there: all that a process needs to work through them.

use std::time::Duration;

use lastmile::Policy;
use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::covage::types::{OfferRequest, OfferRequestReferenceType};
use lastmile::onapi::{Dialect, OnApi};
use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{BuildingKind, Sandbox};
use serde::{Deserialize, Serialize};

/// The policy of every call of a campaign, with time limits that fit suppliers on the same machine.
pub fn policy() -> Policy {
    Policy::default()
        .with_deadline(DEADLINE)
        .with_attempt_timeout(Duration::from_millis(800))
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(5))
        .with_max_backoff(Duration::from_millis(50))
        .with_settle_time(SETTLE)
}

/// The deadline of a call.
pub const DEADLINE: Duration = Duration::from_millis(2000);

/// How long a request may remain in flight at the supplier after that; far longer than [`LATE`](super::LATE).
pub const SETTLE: Duration = Duration::from_millis(2500);

/// One of the three suppliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Which {
    OnApi,
    Covage,
    Cocon,
}

/// A supplier and the orders to be placed there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Site {
    /// The supplier.
    pub which: Which,
    base: String,
    login: [String; 2],
    /// The dialect of ON-API's network.
    dialect: Dialect,
    /// Whether the supplier normalizes references, so that not every lost order can be found again.
    pub normalises: bool,
    /// The operator's contact, where orders need one.
    pub contact: String,
    /// The orders.
    pub orders: Vec<Wanted>,
}

/// An order that is to be placed once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Its reference with the service provider.
    pub key: String,
    /// The access, eligibility reference or building.
    pub place: String,
    /// The service or product.
    pub item: String,
    /// The optical socket, where there is one.
    pub socket: String,
}

impl Site {
    /// Returns this many orders at a supplier of the sandbox. No fault may be active yet.
    pub async fn at(which: Which, sandbox: &Sandbox, orders: usize, normalises: bool) -> Self {
        let site = match which {
            Which::OnApi => Self::onapi(sandbox, orders),
            Which::Covage => Self::covage(sandbox, orders).await,
            Which::Cocon => Self::cocon(sandbox, orders),
        };
        let keyed = |(number, wanted): (usize, Wanted)| Wanted { key: key(number, normalises), ..wanted };
        let dialect = crate::dialect(sandbox);
        Self { dialect, normalises, orders: site.orders.into_iter().enumerate().map(keyed).collect(), ..site }
    }

    fn onapi(sandbox: &Sandbox, orders: usize) -> Self {
        let supplier = sandbox.onapi();
        let mut wanted = Vec::new();
        while wanted.len() < orders {
            supplier.add_accesses(orders);
            let accesses = supplier.accesses();
            let free =
                accesses.iter().filter_map(|access| Some((&access.id, access.service(Availability::Free)?)));
            wanted =
                free.map(|(access, offer)| (access.clone(), offer.service.clone(), String::new())).collect();
        }
        let login = [supplier.user().to_owned(), supplier.password().to_owned()];
        Self::new(Which::OnApi, supplier.base_url(), login, wanted, orders)
    }

    async fn covage(sandbox: &Sandbox, orders: usize) -> Self {
        let supplier = sandbox.covage();
        let login = [supplier.email().to_owned(), supplier.password().to_owned()];
        let building =
            supplier.premises().iter().flat_map(|place| &place.buildings).next().expect("a building");
        let request = OfferRequest {
            activation_type: None,
            product_lines: None,
            reference: building.reference.clone(),
            reference_type: OfferRequestReferenceType::Building,
            status: None,
        };
        let offers = crate::covage(sandbox).offers(&request).await.expect("no faults yet");
        let products = offers.offers.iter().filter_map(|offer| offer.get()?.product.get()?.code.as_deref());
        let product = products.take(1).collect::<String>();
        let eligibility = offers.eligibility_ref.as_deref().expect("an eligible building").to_owned();
        let socket = building.sockets[0].reference.clone();
        let wanted = vec![(eligibility, product, socket); orders];
        let contact = supplier.contact_uuid().to_owned();
        Self { contact, ..Self::new(Which::Covage, supplier.base_url(), login, wanted, orders) }
    }

    fn cocon(sandbox: &Sandbox, orders: usize) -> Self {
        let supplier = sandbox.cocon();
        let buildings = supplier.buildings();
        let prepared = buildings.iter().filter(|building| building.kind == BuildingKind::Prepared);
        let wanted = prepared.map(|building| (building.name.clone(), String::new(), String::new())).collect();
        let login = [supplier.api_key().to_owned(), supplier.client_id().to_owned()];
        Self::new(Which::Cocon, supplier.base_url(), login, wanted, orders)
    }

    fn new(
        which: Which,
        base: String,
        login: [String; 2],
        wanted: Vec<(String, String, String)>,
        orders: usize,
    ) -> Self {
        assert!(wanted.len() >= orders, "{which:?} has room for {} orders only", wanted.len());
        let wanted = wanted.into_iter().take(orders).enumerate();
        let orders = wanted.map(|(number, (place, item, socket))| Wanted {
            key: key(number, false),
            place,
            item,
            socket,
        });
        let dialect = Dialect::Vendor26;
        Self {
            which,
            base,
            login,
            dialect,
            normalises: false,
            contact: String::new(),
            orders: orders.collect(),
        }
    }

    pub(super) fn onapi_client(&self) -> Option<OnApi> {
        let [user, password] = &self.login;
        let builder = OnApi::builder(&self.base).dialect(self.dialect).login(user, password).policy(policy());
        (self.which == Which::OnApi).then(|| builder.build().expect("loopback"))
    }

    pub(super) fn covage_client(&self) -> Option<Covage> {
        let [email, password] = &self.login;
        let builder = Covage::builder(&self.base).login(email, password).policy(policy());
        (self.which == Which::Covage).then(|| builder.build().expect("loopback"))
    }

    pub(super) fn cocon_client(&self) -> Option<Cocon> {
        let [key, client] = &self.login;
        let builder = Cocon::builder(&self.base).api_key(key).client_id(client).policy(policy());
        (self.which == Which::Cocon).then(|| builder.build().expect("loopback"))
    }

    /// Returns the order of a reference, however the supplier spells it.
    pub(super) fn number_of(&self, reference: &str) -> Option<usize> {
        let digits: String =
            reference.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|number| *number < self.orders.len())
    }
}

/// Returns the reference of an order; one that a normalizing supplier changes.
fn key(number: usize, changes: bool) -> String {
    if changes { format!("sp-{number}-of-this-campaign") } else { format!("SP-{number}") }
}
