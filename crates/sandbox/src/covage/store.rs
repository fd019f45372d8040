//! A list whose items are also found by identifier.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

/// A list from which nothing is removed.
#[derive(Debug)]
pub(super) struct Store<T> {
    items: Vec<T>,
    positions: HashMap<String, usize>,
}

impl<T> Store<T> {
    pub(super) fn new() -> Store<T> {
        Store { items: Vec::new(), positions: HashMap::new() }
    }

    pub(super) fn add(&mut self, uuid: &str, item: T) {
        self.positions.insert(uuid.to_owned(), self.items.len());
        self.items.push(item);
    }

    pub(super) fn position(&self, uuid: &str) -> Option<usize> {
        self.positions.get(uuid).copied()
    }
}

impl<T> Deref for Store<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for Store<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}
