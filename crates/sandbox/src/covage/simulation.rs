//! The state of the simulated supplier.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use fastrand::Rng;

use super::CovageOptions;
use super::account::{Account, User};
use super::contacts::Contacts;
use super::draft::Order;
use super::eligibility::EligibilityCheck;
use super::events::Events;
use super::fixtures::Fixtures;
use super::generator::Generator;
use super::products::Products;
use super::query::Rules;
use super::service::Service;
use super::store::Store;
use crate::text_normalization::TextNormalization;

pub(super) struct Simulation {
    pub(super) rules: &'static Rules,
    pub(super) account: Account,
    pub(super) products: Products,
    pub(super) fixtures: Fixtures,
    pub(super) contacts: Contacts,
    /// Eligibility checks by reference. They do not expire.
    pub(super) checks: BTreeMap<String, EligibilityCheck>,
    pub(super) orders: Store<Order>,
    pub(super) services: Store<Service>,
    pub(super) events: Events,
    pub(super) unique_references: bool,
    pub(super) text_normalization: TextNormalization,
    /// The references (`order_ref`) of submitted orders.
    pub(super) submitted_references: HashSet<String>,
    pub(super) generator: Generator,
}

impl Simulation {
    pub(super) fn new(
        user: Arc<User>,
        rules: &'static Rules,
        mut rng: Rng,
        options: CovageOptions,
    ) -> Simulation {
        Simulation {
            rules,
            account: Account::new(user, options.token_life),
            products: Products::new(&mut rng.fork()),
            fixtures: Fixtures::new(&mut rng.fork()),
            contacts: Contacts::new(&mut rng),
            checks: BTreeMap::new(),
            orders: Store::new(),
            services: Store::new(),
            events: Events::default(),
            unique_references: options.unique_references,
            text_normalization: options.text_normalization,
            submitted_references: HashSet::new(),
            generator: Generator::new(rng),
        }
    }

    /// Stores an eligibility check and returns its reference.
    pub(super) fn store_check(&mut self, check: EligibilityCheck) -> String {
        let reference = format!("elig-{}", self.generator.uuid());
        self.checks.insert(reference.clone(), check);
        reference
    }
}
