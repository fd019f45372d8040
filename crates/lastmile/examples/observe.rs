//! Logs, spans and metrics of calls to Covage, against the embedded sandbox:
//!
//! ```text
//! cargo run -p lastmile --example observe
//! ```
//!
//! The events of `tracing` show the spans that they belong to, and an observer prints what a service would give to its metrics
//! library. With the feature `metrics`, `lastmile::observe::MetricsObserver` does the latter.
#![allow(clippy::print_stdout, reason = "showing is what it is for")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lastmile::RateLimit;
use lastmile::covage::Covage;
use lastmile::observe::{AttemptReport, CallReport, Observer, TokenRequestReport, WaitReport};
use lastmile_sandbox::{Answer, Sandbox};
use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

/// Prints each report as a line that a metrics library would count.
struct Printer;

impl Observer for Printer {
    fn on_call_end(&self, call: &CallReport) {
        let (operation, outcome, failed) = (call.operation.id, call.outcome, call.failed);
        // `call.elapsed` would be the value of a histogram.
        println!("  calls{{api={}, operation={operation}, outcome={outcome}, failed={failed}}}", call.api);
    }

    fn on_attempt_end(&self, attempt: &AttemptReport) {
        let (operation, outcome, retry) = (attempt.operation.id, attempt.outcome, attempt.number > 1);
        println!("  attempts{{operation={operation}, outcome={outcome}, retry={retry}}}");
    }

    fn on_wait_end(&self, wait: &WaitReport) {
        println!("  waits{{operation={}, reason={}}}", wait.operation.id, wait.reason.as_str());
    }

    fn on_token_request_end(&self, request: &TokenRequestReport) {
        println!("  token requests{{action={}, outcome={}}}", request.action, request.outcome);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::INFO)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .with_writer(std::io::stdout)
        .init();

    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url())
        .login(supplier.email(), supplier.password())
        .rate_limit(RateLimit::new(4, Duration::from_millis(400)))
        .observer(Arc::new(Printer))
        .build()?;

    println!("A read, and the login that it needs");
    covage.cities(&"76000".parse()?).await?;

    println!("A read that is repeated, since the first response is a failure");
    supplier.answer_next("listCities", Answer::json(503, &json!({})));
    covage.cities(&"76000".parse()?).await?;

    println!("A read of what does not exist does not fail, and waits for the rate limit");
    covage.order(&"no-such-order".parse()?).await.err().ok_or("there is no such order")?;
    covage.order(&"no-such-order".parse()?).await.err().ok_or("there is no such order")?;

    println!("A read that the supplier refuses fails");
    supplier.answer_next("listCities", Answer::json(403, &json!({})));
    covage.cities(&"76000".parse()?).await.err().ok_or("the sandbox refuses it")?;
    Ok(())
}
