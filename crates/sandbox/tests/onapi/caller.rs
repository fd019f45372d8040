//! A caller with valid credentials.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lastmile_sandbox::onapi::{Access, Availability};
use lastmile_sandbox::{OnApi, Sandbox, SandboxBuilder};
use serde_json::{Value, json};

use crate::common::{JSON, Reply, send};

pub(crate) struct Caller(pub(crate) OnApi);

impl Caller {
    pub(crate) async fn new() -> Caller {
        Caller::of(Sandbox::builder()).await
    }

    pub(crate) async fn of(builder: SandboxBuilder) -> Caller {
        Caller(builder.seed(7).start().await.unwrap().onapi().clone())
    }

    /// Returns the base URL without the path prefix.
    pub(crate) fn root(&self) -> String {
        self.base_url_parts().0
    }

    /// Returns the base URL, split before the path prefix.
    fn base_url_parts(&self) -> (String, String) {
        let base_url = self.0.base_url();
        let (root, prefix) = base_url.split_at(base_url.find("/onapi/").unwrap());
        (root.to_owned(), prefix.to_owned())
    }

    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.0.user(), self.0.password())))
    }

    /// Sends a request. `target` is relative to the path prefix.
    pub(crate) async fn call(&self, method: &str, target: &str, extra: &[(&str, &str)], body: &str) -> Reply {
        let authorization = self.authorization();
        let own = [("Authorization", authorization.as_str())];
        let headers: Vec<_> = own.into_iter().chain(extra.iter().copied()).collect();
        let (root, prefix) = self.base_url_parts();
        send(&root, method, &format!("{prefix}{target}"), &headers, body).await
    }

    pub(crate) async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, &[], "").await
    }

    /// Returns the rows of a list, which are none if the response is a 404. The vendor sends some lists with one row
    /// as that row.
    pub(crate) async fn rows(&self, target: &str) -> Vec<Value> {
        let reply = self.get(target).await;
        if reply.status == 404 {
            return Vec::new();
        }
        assert_eq!(reply.status, 200, "{}", reply.body);
        match reply.json() {
            Value::Array(rows) => rows,
            row => vec![row],
        }
    }

    pub(crate) async fn since(&self, target: &str, moment: &str) -> Reply {
        self.call("GET", target, &[("If-Modified-Since", moment)], "").await
    }

    pub(crate) async fn send(&self, method: &str, target: &str, body: Value) -> Reply {
        self.call(method, target, &[JSON], &body.to_string()).await
    }

    pub(crate) async fn order(&self, body: Value) -> Reply {
        self.send("POST", "/orders/", body).await
    }

    pub(crate) async fn activate(&self, access: &Access, service: &str) -> Reply {
        self.order(json!({ "operation": "ACTIVATE", "accessId": access.id, "service": service })).await
    }

    /// Places a new order and returns its id.
    pub(crate) async fn place(&self, body: Value) -> String {
        let reply = self.order(body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.json()["orderId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn state(&self, order: &str) -> Value {
        self.get(&format!("/orders/{order}")).await.json()["state"].clone()
    }

    /// Returns an access with a service of this availability, and the service.
    pub(crate) fn offered(&self, availability: Availability) -> (Access, String) {
        let accesses = self.0.accesses().into_iter();
        let mut found = accesses.filter_map(|access| {
            let service = access.service(availability)?.service.clone();
            Some((access, service))
        });
        found.next().unwrap()
    }

    /// Returns the access in its current state.
    pub(crate) fn reload(&self, access: &Access) -> Access {
        self.0.accesses().into_iter().find(|other| other.id == access.id).unwrap()
    }
}

/// Advances every open order to its final state.
pub(crate) fn finish(onapi: &OnApi) {
    onapi.advance();
    onapi.advance();
}

pub(crate) fn header(reply: &Reply, name: &str) -> Option<String> {
    let lines = reply.head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

pub(crate) fn cause(reply: &Reply) -> String {
    let body = reply.json();
    assert_eq!(body.as_object().map(|fields| fields.len()), Some(1), "{body}");
    body["cause"].as_str().unwrap().to_owned()
}
