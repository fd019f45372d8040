//! ON-API from end to end: the generated client and the facade against the sandbox.

mod habits;
mod journeys;
mod outcomes;
mod prepared;
mod requests;
mod rows;
mod strays;
