//! Timestamps and identifiers, generated from the seed.

use fastrand::Rng;

use crate::clock::Clock;
use crate::uuid::uuid_v4;

/// Generates timestamps and identifiers. The clock advances by one second with each request.
#[derive(Debug)]
pub(super) struct Generator {
    clock: Clock,
    rng: Rng,
}

impl Generator {
    pub(super) fn new(rng: Rng) -> Generator {
        Generator { clock: Clock::START, rng }
    }

    pub(super) fn timestamp(&self) -> String {
        self.clock.to_string()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Advances the clock to a number of seconds since 1970, unless they have passed.
    pub(super) fn advance_to(&mut self, seconds: u64) {
        self.clock.advance_to(seconds);
    }

    pub(super) fn tick(&mut self) {
        self.clock.tick();
    }

    pub(super) fn uuid(&mut self) -> String {
        uuid_v4(&mut self.rng)
    }
}
