//! End-to-end tests of Cocon: the generated client and the facade against the sandbox, the requests on the wire, and the
//! outcomes of calls.

mod addresses;
mod answers;
mod journeys;
mod outcomes;
mod paths;
mod prepared;
mod requests;
mod stored;
