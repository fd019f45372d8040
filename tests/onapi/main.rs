//! End-to-end tests of ON-API: the generated client and the facade against the sandbox.

mod batches;
mod daily;
mod dialects;
mod directory;
mod events;
mod every_dialect;
mod facade;
mod journeys;
mod look_ups;
mod object_events;
mod orders;
mod outcomes;
mod path_style;
mod placing;
mod prepared;
mod requests;
mod rows;
mod shapes;
mod shared_references;
mod standard_samples;
mod steps;
mod sync;
mod ticket_changes;
mod unexpected_values;
