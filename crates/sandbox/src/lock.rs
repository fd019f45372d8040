//! Access to state that the requests and a test share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the state, even if a test that held it panicked.
pub(crate) fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
