//! The control API and the page.

mod controlled;
mod example;
mod feed;
mod guard;
mod page;
mod routes;
mod try_it;
mod values;

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::body::ResponseBody;
use crate::changes::Changes;
use crate::clock_mode::ClockMode;
use crate::document;
use crate::server::Server;
use crate::spec::Spec;
use crate::supplier_name::SupplierName;
pub(crate) use controlled::Controlled;
pub use example::{Credential, ExampleStep};

/// The most bytes of a request body.
const MAX_BODY: usize = 16 << 20;

static SPEC: LazyLock<Spec> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the document is part of this crate, and its tests read it")]
    Spec::parse(include_str!("../../control.yaml")).expect("control.yaml can be read")
});

/// The control API of a sandbox, and its page.
///
/// A test suite in any language drives the sandbox with the control API: it lets time pass, finishes orders, switches
/// faults on and off, scripts responses, and reads what was received. The document is served at `/openapi.yaml` and
/// `/openapi.json`, and the page at `/`.
///
/// The API has no credentials. It refuses requests from pages of other origins, and requests for a host name that it
/// does not know.
///
/// ```
/// use lastmile_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().control(true).start().await?;
/// let control = sandbox.control().ok_or("the control API is enabled")?;
/// println!("open {}/ in a browser", control.base_url());
/// # Ok(())
/// # }
/// ```
pub struct ControlApi {
    server: Server,
    suppliers: Vec<Arc<dyn Controlled>>,
}

/// Where the control API listens, and how.
pub(crate) struct ControlOptions {
    pub(crate) address: SocketAddr,
    /// The accepted host names besides `localhost`.
    pub(crate) hosts: Vec<String>,
    pub(crate) clock: ClockMode,
}

/// What the requests share.
struct Shared {
    suppliers: Vec<Arc<dyn Controlled>>,
    hosts: Vec<String>,
    clock: ClockMode,
    changes: Changes,
}

impl Shared {
    fn supplier(&self, key: &str) -> Option<&Arc<dyn Controlled>> {
        self.suppliers.iter().find(|supplier| supplier.name().key() == key)
    }
}

impl ControlApi {
    pub(crate) async fn start(
        options: ControlOptions,
        suppliers: Vec<Arc<dyn Controlled>>,
        changes: Changes,
    ) -> io::Result<ControlApi> {
        let ControlOptions { address, hosts, clock } = options;
        let shared = Arc::new(Shared { suppliers: suppliers.clone(), hosts, clock, changes });
        let server = Server::listen(address, |listener| accept(listener, shared)).await?;
        Ok(ControlApi { server, suppliers })
    }

    /// Returns the OpenAPI document of the control API.
    pub fn spec() -> &'static Spec {
        &SPEC
    }

    /// Returns the base URL, such as `http://127.0.0.1:40004`. The page is directly below it.
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Returns the credentials that a supplier accepts.
    pub fn credentials(&self, supplier: SupplierName) -> Vec<Credential> {
        self.find(supplier).map(|supplier| supplier.credentials()).unwrap_or_default()
    }

    /// Returns requests that place an order at a supplier, in order.
    pub fn example(&self, supplier: SupplierName) -> Vec<ExampleStep> {
        self.find(supplier).map(|supplier| supplier.example()).unwrap_or_default()
    }

    fn find(&self, name: SupplierName) -> Option<&Arc<dyn Controlled>> {
        self.suppliers.iter().find(|supplier| supplier.name() == name)
    }
}

impl fmt::Debug for ControlApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlApi").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// Accepts connections. The task owns the connections, so they end with it.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, Arc::clone(&shared))); }
                // The client has disconnected, or the process has no free file descriptor.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(request, &shared).await) }
    });
    // An error means that the client disconnected.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: Request<Incoming>, shared: &Arc<Shared>) -> Response<ResponseBody> {
    let (parts, body) = request.into_parts();
    let mut response = match guard::refusal(&parts, &shared.hosts) {
        Some(reason) => problem(StatusCode::FORBIDDEN, reason),
        None => match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => answer(parts, body.to_bytes(), shared).await,
            Err(_) => problem(StatusCode::PAYLOAD_TOO_LARGE, "The request body is longer than 16 MiB."),
        },
    };
    secure(&mut response);
    response
}

/// Passes a request to the part that answers it.
async fn answer(parts: http::request::Parts, body: Bytes, shared: &Arc<Shared>) -> Response<ResponseBody> {
    let path = parts.uri.path();
    if let Some(response) = page::asset(&parts.method, path) {
        return response;
    }
    if let Some(response) = document::answer(&SPEC, &parts.method, path, "", "/") {
        return response.map(ResponseBody::from);
    }
    if path.starts_with(try_it::PREFIX) {
        return try_it::forward(parts, body, shared).await;
    }
    routes::answer(&parts, &body, shared).await
}

/// Adds the headers that keep other sites out, and the page from loading anything else.
fn secure(response: &mut Response<ResponseBody>) {
    const HEADERS: [(HeaderName, &str); 5] = [
        (
            http::header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
             font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (http::header::REFERRER_POLICY, "no-referrer"),
        (http::header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

fn json_response(status: StatusCode, value: &Value) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::Full(value.to_string().into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn problem(status: StatusCode, text: impl Into<String>) -> Response<ResponseBody> {
    json_response(status, &json!({ "error": text.into() }))
}
