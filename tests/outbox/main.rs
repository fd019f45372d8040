//! The outbox, on SQLite always and on PostgreSQL where `LASTMILE_TEST_POSTGRES` names a server.

mod chains;
mod claims;
mod clocks;
mod crashes;
mod credentials;
mod cuts;
mod databases;
mod enqueueing;
mod events;
mod failovers;
mod fake;
mod metrics;
mod orders;
mod pauses;
mod people;
mod poison;
mod scene;
mod stores;
mod tls;
