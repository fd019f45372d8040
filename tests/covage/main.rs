//! End-to-end tests of Covage: the generated client and the facade against the sandbox.

mod answers;
mod events;
mod intervals;
mod journeys;
mod lists;
mod outcomes;
mod people;
mod readiness;
mod requests;
mod stored;
mod terminations;
mod tokens;
mod unanswered;
