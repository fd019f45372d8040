//! A caller that shares no code with the clients: HTTP over a bare connection.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "tests; each uses a part of this")]

use lastmile_sandbox::{Building, BuildingKind, Cocon, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const PATCH: (&str, &str) = ("content-type", "application/merge-patch+json");

#[derive(Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Returns the code of the only error.
    pub fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{body}");
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

pub async fn send(base_url: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut stream = open(base_url, method, target, headers, body).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    read(&answer)
}

/// Opens a connection and sends a request, without reading the response.
pub async fn open(
    base_url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TcpStream {
    let address = base_url.strip_prefix("http://").unwrap();
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Parses a response with a complete head.
pub fn read(answer: &str) -> Reply {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// A caller with valid keys.
pub struct Caller(pub Cocon);

impl Caller {
    pub async fn new() -> Caller {
        Caller(Sandbox::builder().seed(7).start().await.unwrap().cocon().clone())
    }

    pub async fn call(&self, method: &str, target: &str, extra: &[(&str, &str)], body: &str) -> Reply {
        let keys = [("Api-Key", self.0.api_key()), ("Client-Id", self.0.client_id())];
        let headers: Vec<_> = keys.into_iter().chain(extra.iter().copied()).collect();
        send(&self.0.base_url(), method, target, &headers, body).await
    }

    pub async fn get(&self, target: &str) -> Reply {
        self.call("GET", target, &[], "").await
    }

    pub async fn delete(&self, target: &str) -> Reply {
        self.call("DELETE", target, &[], "").await
    }

    pub async fn post(&self, target: &str, body: Value) -> Reply {
        self.call("POST", target, &[JSON], &body.to_string()).await
    }

    pub async fn patch(&self, target: &str, body: Value) -> Reply {
        self.call("PATCH", target, &[PATCH], &body.to_string()).await
    }

    /// Creates an object and returns its id.
    pub async fn create(&self, target: &str, body: Value) -> String {
        let reply = self.post(target, body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub fn buildings(&self, kind: BuildingKind) -> Vec<Building> {
        self.0.buildings().into_iter().filter(|building| building.kind == kind).collect()
    }
}
