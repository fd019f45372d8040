use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many attempts beyond the first all calls of a handle may make together, so that a supplier in trouble is not asked
/// four times as often.
///
/// ```
/// use lastmile_core::retry::RetryBudget;
///
/// let none = RetryBudget { reserve: 0, per_call: 0.0 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// How many further attempts there are at the beginning, and at the most. 20 by default.
    pub reserve: u32,
    /// How many further attempts each call adds. 0.2 by default: in the long run one call in five may be tried again.
    pub per_call: f64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { reserve: 20, per_call: 0.2 }
    }
}

/// What is left of a [`RetryBudget`].
#[derive(Debug)]
pub(crate) struct Purse {
    budget: RetryBudget,
    left: Mutex<f64>,
}

impl Purse {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        Self { budget, left: Mutex::new(f64::from(budget.reserve)) }
    }

    fn left(&self) -> MutexGuard<'_, f64> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins.
    pub(crate) fn earn(&self) {
        let mut left = self.left();
        *left = (*left + self.budget.per_call.max(0.0)).min(f64::from(self.budget.reserve));
    }

    /// A call wants to be tried again.
    pub(crate) fn spend(&self) -> bool {
        let mut left = self.left();
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purse_is_filled_by_calls_and_emptied_by_further_attempts() {
        let purse = Purse::new(RetryBudget { reserve: 2, per_call: 0.5 });
        assert!(purse.spend() && purse.spend() && !purse.spend());
        purse.earn();
        assert!(!purse.spend());
        purse.earn();
        assert!(purse.spend() && !purse.spend());
        (0..100).for_each(|_| purse.earn());
        assert!(purse.spend() && purse.spend() && !purse.spend(), "never more than the reserve");
        assert!(!Purse::new(RetryBudget { reserve: 0, per_call: f64::NAN }).spend());
    }
}
