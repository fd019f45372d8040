//! Cocon from end to end: the generated client and the facade against the sandbox, what is on the wire and what becomes
//! of calls.

mod addresses;
mod answers;
mod journeys;
mod outcomes;
mod paths;
mod prepared;
mod requests;
mod stored;
