//! The shared test kit: suppliers, and servers that misbehave on the wire.

pub mod bench;
pub mod campaign;
mod exchange;
pub mod fuzzing;
#[cfg(doctest)]
mod guide;
mod instance;
pub mod measure;
mod mutate;
pub mod outbox;
pub mod outbox_bench;
mod outcomes;
pub mod paused;
mod placing;
pub mod postgres_cluster;
pub mod proxied;
mod raw_server;
pub mod rows_from_bytes;
pub mod sources;
mod tls_server;

pub use exchange::{exchange, request};
pub use instance::{answer_schema, instance};
pub use mutate::{pointers, reads_and_writes_back, survives_mutation};
pub use outcomes::{outcomes_of_a_creation, outcomes_of_a_read};
pub use placing::{copy, crashed, created, store_and_place};
pub use raw_server::{RawServer, Received, Then, Wire, answer, json};
pub use tls_server::{CERTIFICATE, CERTIFICATE_KEY, TlsServer};

use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile::covage::Covage;
use lastmile::onapi::{Dialect, OnApi};
use lastmile::{Error, Policy};
use lastmile_sandbox::Sandbox;

/// Returns the samples of an operation in `specs/samples`, those of every variant. `part` is `request` or a status.
pub fn samples(api: &str, operation: &str, part: &str) -> Vec<serde_json::Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/samples").join(api);
    let begins = format!("{operation}.{part}.");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mine =
        paths.into_iter().filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&begins));
    mine.map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// Returns a Cocon customer to be created.
pub fn customer() -> CustomerCreate {
    CustomerCreate { name: Some("Ankeborg Wonen".into()), ..Default::default() }
}

/// Starts a sandbox with seed 1.
pub async fn sandbox() -> Sandbox {
    Sandbox::builder().seed(1).start().await.expect("a loopback port")
}

/// Returns the facade, with the keys that the sandbox accepts and a policy without noticeable backoff.
pub fn cocon(sandbox: &Sandbox) -> Cocon {
    let supplier = sandbox.cocon();
    cocon_at(&supplier.base_url(), supplier.api_key(), supplier.client_id())
}

/// Returns the facade at any base URL.
pub fn cocon_at(base: &str, key: &str, client_id: &str) -> Cocon {
    Cocon::builder(base).api_key(key).client_id(client_id).policy(brisk()).build().expect("a usable address")
}

/// Returns the facade of Covage, with the account that the sandbox knows.
pub fn covage(sandbox: &Sandbox) -> Covage {
    let supplier = sandbox.covage();
    let builder = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password());
    builder.policy(brisk()).build().expect("a usable address")
}

/// Returns the facade of ON-API, with the login that the sandbox knows.
pub fn onapi(sandbox: &Sandbox) -> OnApi {
    let supplier = sandbox.onapi();
    let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
    builder.dialect(dialect(sandbox)).policy(brisk()).build().expect("a usable address")
}

/// Returns the dialect that the sandbox speaks.
pub fn dialect(sandbox: &Sandbox) -> Dialect {
    sandbox.onapi().dialect().name().parse().expect("both name their dialects alike")
}

/// A policy with hardly any backoff between attempts.
pub fn brisk() -> Policy {
    let millisecond = Duration::from_millis(1);
    Policy::default()
        .with_initial_backoff(millisecond)
        .with_max_backoff(millisecond)
        .with_deadline(Duration::from_secs(20))
}

/// The same policy, for a supplier that certainly has no request in flight any more.
pub fn settled() -> Policy {
    brisk().with_settle_time(Duration::ZERO)
}

/// Returns everything that an error shows: `Display`, `Debug`, and those of its sources.
pub fn shown(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!("\n{error}\n{error:?}"));
        source = error.source();
    }
    text
}
