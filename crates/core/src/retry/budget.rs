use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use crate::setters::setters;

/// How many retries all calls of a client may make together. It prevents retries from multiplying the load on a failing supplier.
///
/// ```
/// use lastmile_core::retry::RetryBudget;
///
/// let none = RetryBudget::default().with_reserve(0).with_per_call(0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryBudget {
    /// The initial and maximum number of available retries. 20 by default.
    pub reserve: u32,
    /// How many retries each call adds. 0.2 by default: in the long run, one call in five may be retried.
    pub per_call: f64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { reserve: 20, per_call: 0.2 }
    }
}

impl RetryBudget {
    setters! {
        /// Sets the initial and maximum number of available retries: the [`reserve`](Self::reserve).
        const with_reserve(reserve: u32);

        /// Sets how many retries each call adds: [`per_call`](Self::per_call).
        const with_per_call(per_call: f64);
    }
}

/// The remaining retries of a [`RetryBudget`].
#[derive(Debug)]
pub(crate) struct RetryTokens {
    /// In millionths of a retry, as are the other fields. Atomic, since every call on every thread accesses it.
    left: AtomicU64,
    most: u64,
    per_call: u64,
}

const ATTEMPT: u64 = 1_000_000;

impl RetryTokens {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        let most = u64::from(budget.reserve) * ATTEMPT;
        // Clamps numbers that are out of range; NaN becomes zero.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts of floats saturate"
        )]
        let per_call = (budget.per_call * ATTEMPT as f64).round() as u64;
        Self { left: AtomicU64::new(most), most, per_call: per_call.min(most) }
    }

    /// Adds the share of a call that begins.
    pub(crate) fn deposit(&self) {
        let more = |left: u64| (left < self.most).then(|| (left + self.per_call).min(self.most));
        // A full budget is not written.
        let _ = self.left.fetch_update(Relaxed, Relaxed, more);
    }

    /// Takes one retry. Returns whether one was available.
    pub(crate) fn withdraw(&self) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(ATTEMPT)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purse_is_filled_by_calls_and_emptied_by_further_attempts() {
        let retry_tokens = RetryTokens::new(RetryBudget { reserve: 2, per_call: 0.5 });
        assert!(retry_tokens.withdraw() && retry_tokens.withdraw() && !retry_tokens.withdraw());
        retry_tokens.deposit();
        assert!(!retry_tokens.withdraw());
        retry_tokens.deposit();
        assert!(retry_tokens.withdraw() && !retry_tokens.withdraw());
        (0..100).for_each(|_| retry_tokens.deposit());
        assert!(
            retry_tokens.withdraw() && retry_tokens.withdraw() && !retry_tokens.withdraw(),
            "never more than the reserve"
        );
        assert!(!RetryTokens::new(RetryBudget { reserve: 0, per_call: f64::NAN }).withdraw());
        let slow = RetryTokens::new(RetryBudget { reserve: 1, per_call: 0.0004 });
        assert!(slow.withdraw());
        (0..2_499).for_each(|_| slow.deposit());
        assert!(!slow.withdraw());
        slow.deposit();
        assert!(slow.withdraw());
        let all = RetryTokens::new(RetryBudget { reserve: u32::MAX, per_call: f64::INFINITY });
        assert!(all.withdraw());
        all.deposit();
        assert!(all.withdraw());
    }
}
