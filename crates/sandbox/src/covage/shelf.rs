//! Things that are kept in the order in which they came, and found by their identifier.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};

/// A list of which nothing is ever taken away.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    things: Vec<T>,
    places: HashMap<String, usize>,
}

impl<T> Shelf<T> {
    pub(super) fn new() -> Shelf<T> {
        Shelf { things: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn add(&mut self, uuid: &str, thing: T) {
        self.places.insert(uuid.to_owned(), self.things.len());
        self.things.push(thing);
    }

    pub(super) fn place(&self, uuid: &str) -> Option<usize> {
        self.places.get(uuid).copied()
    }
}

impl<T> Deref for Shelf<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.things
    }
}

impl<T> DerefMut for Shelf<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.things
    }
}
