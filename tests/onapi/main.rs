//! ON-API from end to end: the generated client and the facade against the sandbox.

mod batches;
mod daily;
mod directory;
mod events;
mod facade;
mod habits;
mod journeys;
mod orders;
mod outcomes;
mod prepared;
mod requests;
mod rows;
mod strays;
mod sync;
