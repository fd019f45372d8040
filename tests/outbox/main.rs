//! The outbox, on SQLite always and on PostgreSQL where `LASTMILE_TEST_POSTGRES` names a server.

mod chains;
mod claims;
mod crashes;
mod cuts;
mod enqueueing;
mod events;
mod fake;
mod orders;
mod people;
mod poison;
mod stores;
