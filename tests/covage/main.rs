//! Covage from end to end: the generated client and the facade against the sandbox.

mod answers;
mod intervals;
mod journeys;
mod outcomes;
mod requests;
mod tokens;
