//! The spans of calls, and the event of a failed call. This is the only test of its process: other threads without a
//! subscriber would disable the spans.

use std::io::Write;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use lastmile::Prepared;
use lastmile::cocon::types::ContactPatch;
use lastmile::cocon::{Cocon, CoconBuilder};
use lastmile_tests::{RawServer, Then, answer, brisk, customer, json};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Returns a builder for a server that checks no keys.
fn cocon(server: &RawServer) -> CoconBuilder {
    Cocon::builder(server.base_url()).api_key("key-4711").client_id("client").policy(brisk())
}

/// Returns what was logged since the last call of this function.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns what a call has logged.
struct Logged(Vec<String>);

impl Logged {
    /// Returns the events of failed calls.
    fn warnings(&self) -> Vec<&str> {
        self.0.iter().filter(|line| line.contains(" WARN ")).map(String::as_str).collect()
    }

    /// Returns the only line that shows the span of a call at its end.
    #[track_caller]
    fn span(&self) -> &str {
        let ends: Vec<_> = self.0.iter().filter(|line| line.contains(" INFO call{")).collect();
        let [end] = ends[..] else { panic!("{:#?}", self.0) };
        assert!(end.contains("}: close"), "{end}");
        end
    }
}

#[track_caller]
fn has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
}

#[tokio::test]
async fn calls_emit_spans_and_failures_emit_warnings() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_target(false)
        .with_writer(move || writer.clone())
        .finish()
        .init();
    let logged = || Logged(log.take().lines().map(str::to_owned).collect());

    // A successful read.
    let server = RawServer::start([Then::Answer(json("200 OK", "{}"))]).await;
    let port = format!("server.port={}", server.address().port());
    cocon(&server).build().unwrap().contact(&"c-4711".parse().unwrap()).await.unwrap();
    let read = logged();
    assert!(read.warnings().is_empty());
    let span = read.span();
    has(
        span,
        &[
            "otel.kind=\"client\"",
            "otel.name=GET /api/v1/contacts/{id}",
            "api=\"cocon\"",
            "http.request.method=\"GET\"",
            "url.template=\"/api/v1/contacts/{id}\"",
            "server.address=\"127.0.0.1\"",
            &port,
            "http.response.status_code=200",
            "outcome=\"answered\"",
        ],
    );
    assert_eq!(span.matches("get_contact").count(), 1, "{span}");
    for absent in ["c-4711", "key-4711", "error.type", "otel.status_code", "resend_count"] {
        assert!(!span.contains(absent), "{absent} in {span}");
    }

    // A read that is repeated and fails: one warning for both attempts.
    let server = RawServer::start([Then::Answer(json("503 Busy", "{}"))]).await;
    let policy = brisk().with_max_attempts(2);
    cocon(&server).policy(policy).build().unwrap().contact(&"c-4711".parse().unwrap()).await.unwrap_err();
    let failed = logged();
    has(
        failed.span(),
        &[
            "http.request.resend_count=1",
            "http.response.status_code=503",
            "error.type=\"503\"",
            "otel.status_code=\"ERROR\"",
        ],
    );
    let [warning] = failed.warnings()[..] else { panic!("{:#?}", failed.0) };
    let (_, event) = warning.rsplit_once("}: ").unwrap();
    has(event, &["call failed api=\"cocon\" operation=\"get_contact\" outcome=\"indeterminate\""]);
    has(event, &["http.response.status_code=503 attempts=2 elapsed_ms=", "reason=\"the server failed\""]);

    // A response that answers the question of a read is not a failure; for a change it is.
    let server = RawServer::start([Then::Answer(answer("404 Not Found", ""))]).await;
    let client = cocon(&server).build().unwrap();
    client.contact(&"1".parse().unwrap()).await.unwrap_err();
    let absent = logged();
    assert!(absent.warnings().is_empty(), "{:#?}", absent.0);
    has(absent.span(), &["http.response.status_code=404", "outcome=\"rejected\""]);
    assert!(!absent.span().contains("error.type"));
    client.update_contact(&"1".parse().unwrap(), &ContactPatch::default().name("Kajsa")).await.unwrap_err();
    assert_eq!(logged().warnings().len(), 1);

    // No response.
    let server = RawServer::start([Then::Close]).await;
    let single = brisk().with_max_attempts(1);
    cocon(&server).policy(single).build().unwrap().contact(&"1".parse().unwrap()).await.unwrap_err();
    has(logged().span(), &["error.type=\"indeterminate\"", "otel.status_code=\"ERROR\""]);

    // The caller drops the call: a read loses nothing, a creating call becomes indeterminate.
    let server = RawServer::start([Then::Hang]).await;
    let client = cocon(&server).build().unwrap();
    assert!(client.contact(&"1".parse().unwrap()).now_or_never().is_none());
    let dropped = logged();
    assert!(dropped.warnings().is_empty(), "{:#?}", dropped.0);
    has(dropped.span(), &["outcome=\"dropped\""]);
    let server = RawServer::start([Then::Hang]).await;
    let client = cocon(&server).build().unwrap();
    let mut prepared = Prepared::new(customer()).unwrap();
    {
        let mut placing = Box::pin(prepared.place(&client));
        tokio::select! {
            result = &mut placing => panic!("{:?}", result.map(drop)),
            () = server.has_read(1) => {}
        }
    }
    let dropped = logged();
    let [warning] = dropped.warnings()[..] else { panic!("{:#?}", dropped.0) };
    has(warning, &["call failed", "operation=\"create_customer\" outcome=\"dropped\" attempts=1"]);
}
