//! No secret and no personal data in anything that the library shows of itself: `Debug`, `Display`, sources of errors,
//! spans and events.

mod calls;
mod cocon;
mod covage;
mod facade;
mod generated;
mod marks;
mod onapi;
mod outbox;
mod primitives;
mod rules;
mod setup;

use lastmile_tests::sandbox;
use lastmile_tests::sources::shown_types;
use tracing_subscriber::util::SubscriberInitExt;

use marks::{Log, Walked, quiet};

/// This is one test, since a process has one subscriber.
#[tokio::test]
async fn no_secret_and_no_personal_data_in_logs_errors_and_debug() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish()
        .init();

    let sandbox = sandbox().await;
    let walked = Walked::default();
    calls::cocon(&sandbox, &walked).await;
    calls::covage(&sandbox, &walked).await;
    calls::onapi(&sandbox, &walked).await;
    setup::walk(&walked).await;
    cocon::walk(&sandbox, &walked).await;
    covage::walk(&sandbox, &walked).await;
    onapi::walk(&sandbox, &walked).await;
    rules::walk(&walked);
    outbox::walk(&walked);
    primitives::walk(&walked);
    walked.reports();

    let log = log.text();
    quiet(&log);
    for part in [
        "call{",
        "attempt{",
        "api=\"cocon\"",
        "api=\"covage\"",
        "api=\"onapi\"",
        "operation=\"create_contact\"",
        "otel.kind=\"client\"",
        "otel.name=POST /api/v1/contacts",
        "otel.status_code=\"ERROR\"",
        "http.request.method=\"POST\"",
        "url.template=\"/api/v1/contacts\"",
        "server.address=\"127.0.0.1\"",
        "server.port=",
        "http.response.status_code=503",
        "http.request.resend_count=1",
        "error.type=\"503\"",
        "error.type=\"indeterminate\"",
        "token_request{",
        "action=\"obtain\"",
        "call failed",
        "sending the request again",
        // The output also contains what the crates underneath log about the same calls.
        "reqwest::",
        "hyper_util::",
    ] {
        assert!(log.contains(part), "{part} is missing in the log");
    }
    for outcome in ["answered", "rejected", "throttled", "indeterminate", "decode", "not-sent"] {
        assert!(log.contains(&format!("outcome=\"{outcome}\"")), "{outcome} is missing in the log");
    }

    let mut declared = shown_types("lastmile", "lastmile");
    declared.extend(shown_types("core", "lastmile_core"));
    let forgotten: Vec<_> = declared.iter().filter(|name| !walked.has(name)).collect();
    assert!(declared.len() > 70, "the sources are read");
    assert!(
        forgotten.is_empty(),
        "show one of each with marks in it to `Walked::debug` (in the file of its supplier in tests/quiet, or in primitives.rs): {forgotten:#?}"
    );
}
