//! What the library, the database drivers and the HTTP client log of orders and credentials. This is the only test of its process: it installs a
//! logger for all of them.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::{By, EventKind, State};
use lastmile_sandbox::Fault;
use lastmile_tests::outbox::{TestStore, postgres, quick, until};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// In everything that a person could be recognized by: requests, results, decisions and their reasons.
const MARKER: &str = "Katrien";

fn order(name: &str) -> Prepared<CustomerCreate> {
    Prepared::new(CustomerCreate { name: Some(name.into()), ..Default::default() }).unwrap()
}

#[tokio::test]
async fn no_level_of_logging_shows_an_order() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish()
        .init();
    let mut stores = vec![TestStore::sqlite().await];
    if postgres().is_some() {
        stores.push(TestStore::postgres().await);
    }
    for store in &stores {
        let (sandbox, outbox) = (lastmile_tests::sandbox().await, &store.outbox);
        outbox.register_consumer("billing").await.unwrap();
        outbox.enqueue("placed", &order("Katrien Duck")).await.unwrap();
        let worker = quick(outbox.worker()).serve(lastmile_tests::cocon(&sandbox)).start();
        let event = outbox.events("billing").next().await.unwrap().unwrap();
        assert_eq!(event.kind(), EventKind::Placed);
        event.ack().await.unwrap();

        // Nobody can tell what became of this one.
        sandbox.cocon().fail_next("createCustomer", Fault::ResetAfter);
        outbox.enqueue("lost", &order("Katrien Mouse")).await.unwrap();
        let state = async || outbox.order("lost").await.unwrap().unwrap().state();
        until(|| async { state().await == State::NeedsPerson }).await;
        let (by, why) = (By("Katrien at the desk"), "Katrien has it, by the portal");
        outbox
            .declare_placed("lost", Some(r#"{"customerId":"Katrien-1"}"#.to_owned()), by, why)
            .await
            .unwrap();
        until(|| async { state().await == State::Placed }).await;
        assert_eq!(outbox.audit("lost").await.unwrap().len(), 1);
        worker.drain(Duration::from_secs(5)).await;
        outbox.erase("lost", by).await.unwrap();
        outbox.prune(Duration::ZERO).await.unwrap();
    }
    // Credentials, in a header and in the body of a token request. What the calls return does not matter.
    let sandbox = lastmile_tests::sandbox().await;
    let _result = lastmile_tests::onapi(&sandbox).access(&"ACC-1".parse().unwrap()).await;
    let _result = lastmile_tests::covage(&sandbox).order(&"ORDER-1".parse().unwrap()).await;
    assert!(sandbox.onapi().count("getAccess") == 1 && sandbox.covage().count("getOrder") == 1);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // The drivers and the HTTP client do log.
    assert!(logged.contains("hyper"), "{logged}");
    assert!(postgres().is_none() || logged.contains("executing statement"), "{logged}");
    let (cocon, onapi, covage) = (sandbox.cocon(), sandbox.onapi(), sandbox.covage());
    for hidden in [MARKER, cocon.api_key(), onapi.password(), covage.password(), "Basic ", "Bearer "] {
        let shows: Vec<&str> = logged.lines().filter(|line| line.contains(hidden)).collect();
        assert!(shows.is_empty(), "{hidden}: {shows:#?}");
    }
}
