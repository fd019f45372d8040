//! The journeys of the facades through a validating proxy in front of the sandbox.
//!
//! The proxy is Prism (`prism proxy --errors`). It knows nothing but the document that the sandbox serves, and replaces
//! each request or response that violates it by an error.

mod cocon;
mod covage;
mod onapi;
mod proxy;

use std::collections::BTreeSet;
use std::fmt;

use lastmile_sandbox::{Answer, Dialect, Sandbox, Supplier};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use proxy::Proxy;

/// Why a run failed.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What passed the proxy without a violation.
#[derive(Debug)]
pub struct Report {
    name: String,
    requests: usize,
    operations: usize,
    /// The operations of the document that no journey uses.
    unused: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { name, requests, operations, unused } = self;
        let documented = operations + unused.len();
        write!(f, "{name}: {requests} requests, {operations} of {documented} operations, no violation")?;
        if unused.is_empty() { Ok(()) } else { write!(f, "; not used: {}", unused.join(", ")) }
    }
}

/// Runs the journeys of ON-API in a dialect through a proxy that `command` starts.
///
/// # Errors
///
/// Returns an error if a journey fails, if the proxy reports a violation, or if it overlooks one.
pub async fn onapi(command: &str, dialect: Dialect) -> Result<Report, Failure> {
    let sandbox = Sandbox::builder().seed(5).onapi_dialect(dialect).start().await?;
    let supplier = sandbox.onapi();
    let proxy = Proxy::start(command, supplier).await?;
    onapi::journeys(&sandbox, proxy.url()).await?;
    let report = report(&format!("ON-API {}", dialect.name()), supplier, &proxy)?;
    let login = |request: RequestBuilder| request.basic_auth(supplier.user(), Some(supplier.password()));
    let wrong = WrongExchange {
        write: ("/orders/", json!({ "operation": "ACTIVATED", "accessId": "a-1" })),
        read: ("/orders/", "listOrders", json!([{ "orderId": {} }])),
    };
    wrong.is_detected(supplier, &proxy, login).await?;
    Ok(report)
}

/// Runs the journeys of Covage.
///
/// # Errors
///
/// Like [`onapi`].
pub async fn covage(command: &str) -> Result<Report, Failure> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.covage();
    let proxy = Proxy::start(command, supplier).await?;
    covage::journeys(&sandbox, proxy.url()).await?;
    let report = report("Covage", supplier, &proxy)?;
    let token = |request: RequestBuilder| request.bearer_auth("unknown");
    let wrong = WrongExchange {
        write: ("/api/v2/orders/", json!({ "type": "activated" })),
        read: ("/api/v2/orders/", "listOrders", json!([{ "uuid": {} }])),
    };
    wrong.is_detected(supplier, &proxy, token).await?;
    Ok(report)
}

/// Runs the journeys of Cocon.
///
/// # Errors
///
/// Like [`onapi`].
pub async fn cocon(command: &str) -> Result<Report, Failure> {
    let sandbox = Sandbox::builder().seed(1).start().await?;
    let supplier = sandbox.cocon();
    let proxy = Proxy::start(command, supplier).await?;
    cocon::journeys(&sandbox, proxy.url()).await?;
    let report = report("Cocon", supplier, &proxy)?;
    let keys = |request: RequestBuilder| {
        request.header("Api-Key", supplier.api_key()).header("Client-Id", supplier.client_id())
    };
    let wrong = WrongExchange {
        write: ("/api/v1/delayed-connections/batch", json!({ "delayedConnections": {} })),
        read: ("/api/v1/delayed-connections/batch/1", "getDelayedConnectionBatch", json!({ "batchId": {} })),
    };
    wrong.is_detected(supplier, &proxy, keys).await?;
    Ok(report)
}

/// Fails if the proxy or the sandbox reports a violation.
fn report(name: &str, supplier: &Supplier, proxy: &Proxy) -> Result<Report, Failure> {
    let mut violations = proxy.violations();
    violations.extend(supplier.violations());
    if !violations.is_empty() {
        return Err(format!("{name}: {}", violations.join("\n")).into());
    }
    let received = supplier.received();
    let operations: BTreeSet<_> = received.iter().filter_map(|one| one.operation.as_deref()).collect();
    let documented = supplier.spec().operations().map(|operation| operation.id.clone());
    Ok(Report {
        name: name.to_owned(),
        requests: received.len(),
        operations: operations.len(),
        unused: documented.filter(|id| !operations.contains(id.as_str())).collect(),
    })
}

/// A request and a response that violate the document. A proxy that lets them pass proves nothing.
struct WrongExchange {
    /// A path, and an invalid body to send there.
    write: (&'static str, Value),
    /// A path, its operation, and an invalid response.
    read: (&'static str, &'static str, Value),
}

impl WrongExchange {
    async fn is_detected(
        &self,
        supplier: &Supplier,
        proxy: &Proxy,
        login: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<(), Failure> {
        let client = Client::new();
        let send = async |method: Method, path: &str, body: Option<&Value>| {
            let request = login(client.request(method, format!("{}{path}", proxy.url())));
            let request = match body {
                Some(body) => request.header("content-type", "application/json").body(body.to_string()),
                None => request,
            };
            Ok::<_, reqwest::Error>(request.send().await?.status().as_u16())
        };
        let before = supplier.received().len();
        let (path, body) = &self.write;
        let status = send(Method::POST, path, Some(body)).await?;
        if status != 422 || supplier.received().len() != before {
            return Err(format!("the proxy lets an invalid request pass, with the status {status}").into());
        }
        let (path, operation, response) = &self.read;
        supplier.answer_next(operation, Answer::json(200, response));
        let status = send(Method::GET, path, None).await?;
        if status != 500 || proxy.violations().is_empty() {
            return Err(format!("the proxy lets an invalid response pass, with the status {status}").into());
        }
        Ok(())
    }
}

/// Without a proxy, so that the journeys keep working where there is none.
#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_journeys_come_to_their_ends() {
        for dialect in Dialect::ALL {
            let sandbox = Sandbox::builder().seed(5).onapi_dialect(dialect).start().await.unwrap();
            onapi::journeys(&sandbox, &sandbox.onapi().base_url()).await.unwrap();
        }
        let sandbox = Sandbox::builder().seed(1).start().await.unwrap();
        covage::journeys(&sandbox, &sandbox.covage().base_url()).await.unwrap();
        cocon::journeys(&sandbox, &sandbox.cocon().base_url()).await.unwrap();
    }
}
