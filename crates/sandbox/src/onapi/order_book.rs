//! The orders of the CO, by number and by access.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fastrand::Rng;

use super::order::{Order, Target};
use super::response::ErrorResponse;

#[derive(Debug)]
pub(super) struct OrderBook {
    /// Whether the CO detects repeated orders.
    pub(super) deduplicates: bool,
    by_number: BTreeMap<usize, Order>,
    /// The numbers of the orders of each access.
    by_access: HashMap<String, BTreeSet<usize>>,
    next_number: usize,
}

impl OrderBook {
    pub(super) fn new(rng: &mut Rng, deduplicates: bool) -> OrderBook {
        let next_number = rng.usize(10_000..90_000);
        OrderBook { deduplicates, by_number: BTreeMap::new(), by_access: HashMap::new(), next_number }
    }

    pub(super) fn new_number(&mut self) -> usize {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    pub(super) fn get(&self, number: usize) -> Option<&Order> {
        self.by_number.get(&number)
    }

    /// Returns all orders with their numbers, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Order)> {
        self.by_number.iter().map(|(number, order)| (*number, order))
    }

    /// Returns the number of the oldest open order for the same service on the same access, whatever its operation:
    /// the standard compares the service only.
    pub(super) fn find_open(&self, target: &Target, except: Option<usize>) -> Option<usize> {
        let mut orders = self.of_access(&target.access_id);
        let same = |order: &Order| order.state.is_open() && order.service == target.service;
        orders.find(|(number, order)| Some(*number) != except && same(order)).map(|(number, _)| number)
    }

    /// Returns the orders of an access, the oldest first.
    pub(super) fn of_access(&self, access_id: &str) -> impl Iterator<Item = (usize, &Order)> {
        let numbers = self.by_access.get(access_id).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.by_number.get(number)?)))
    }

    pub(super) fn insert(&mut self, number: usize, order: Order) {
        self.by_access.entry(order.access_id.clone()).or_default().insert(number);
        self.by_number.insert(number, order);
    }

    pub(super) fn remove(&mut self, number: usize) {
        let Some(order) = self.by_number.remove(&number) else { return };
        if let Some(numbers) = self.by_access.get_mut(&order.access_id) {
            numbers.remove(&number);
        }
    }

    pub(super) fn find(&self, id: &str) -> Result<(usize, &Order), ErrorResponse> {
        let number = id.strip_prefix("o-").and_then(|number| number.parse::<usize>().ok());
        let found = number.and_then(|number| Some((number, self.by_number.get(&number)?)));
        found.ok_or_else(|| ErrorResponse::not_found("order", id))
    }
}
