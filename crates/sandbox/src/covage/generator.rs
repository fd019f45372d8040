//! Timestamps, identifiers and references, generated from the seed.

use fastrand::Rng;

use crate::clock::Clock;
use crate::uuid::uuid_v4;

/// The number of distinct references: five digits, of which the first is not 0.
const REFERENCES: u32 = 90_000;
/// Coprime to [`REFERENCES`], so that all references are used before one repeats.
const STRIDE: u32 = 7_919;

/// Generates timestamps, identifiers and references. The clock advances by one second with each request and by some
/// microseconds with each timestamp.
#[derive(Debug)]
pub(super) struct Generator {
    clock: Clock,
    microseconds: u32,
    rng: Rng,
    last_reference: u32,
}

impl Generator {
    pub(super) fn new(mut rng: Rng) -> Generator {
        let last_reference = rng.u32(..REFERENCES);
        Generator { clock: Clock::START, microseconds: 0, rng, last_reference }
    }

    pub(super) fn tick(&mut self) {
        self.clock.tick();
        self.microseconds = self.rng.u32(1..900_000);
    }

    /// Advances the clock to a number of seconds since 1970, unless they have passed.
    pub(super) fn advance_to(&mut self, seconds: u64) {
        self.clock.advance_to(seconds);
    }

    pub(super) fn next_day(&mut self) {
        self.clock = self.clock.after_days(1);
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns a timestamp later than all before, such as `2019-10-16T09:59:04.541090Z`.
    pub(super) fn stamp(&mut self) -> String {
        self.microseconds += self.rng.u32(20..300);
        if self.microseconds >= 1_000_000 {
            self.clock.tick();
            self.microseconds -= 1_000_000;
        }
        format!("{}.{:06}Z", self.clock.to_string().trim_end_matches('Z'), self.microseconds)
    }

    /// Returns a commercial reference, such as `O191016_32563`: the day, and a number that does not repeat.
    pub(super) fn reference(&mut self, letter: char) -> String {
        self.last_reference = (self.last_reference + STRIDE) % REFERENCES;
        let date = self.clock.to_string();
        let day: String = date.chars().take(10).filter(char::is_ascii_digit).skip(2).collect();
        format!("{letter}{day}_{}", 10_000 + self.last_reference)
    }

    pub(super) fn uuid(&mut self) -> String {
        uuid_v4(&mut self.rng)
    }

    /// Returns a short identifier of the supplier, such as `b9snx9ba`.
    pub(super) fn short_id(&mut self) -> String {
        short_id(&mut self.rng)
    }

    /// Returns an opaque token.
    pub(super) fn token(&mut self) -> String {
        format!("{:032x}{:032x}", self.rng.u128(..), self.rng.u128(..))
    }
}

pub(super) fn short_id(rng: &mut Rng) -> String {
    const SYMBOLS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    (0..8).filter_map(|_| rng.choice(SYMBOLS)).map(|symbol| char::from(*symbol)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_increase_and_references_do_not_repeat() {
        let mut generator = Generator::new(Rng::with_seed(1));
        let mut seen = std::collections::BTreeSet::new();
        let mut last = String::new();
        for round in 0..20_000 {
            if round % 100 == 0 {
                generator.tick();
            }
            let stamp = generator.stamp();
            assert!(stamp > last && stamp.len() == 27, "{last} {stamp}");
            last = stamp;
            assert!(seen.insert(generator.reference('O')));
        }
        assert!(seen.iter().all(|reference| reference.starts_with("O260105_") && reference.len() == 13));
    }
}
