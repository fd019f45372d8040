//! An object to create at each supplier, and what the client observes.

use std::io::ErrorKind;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lastmile_sandbox::{Fault, ReceivedRequest, Sandbox, Supplier};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::common::{JSON, Reply, open, read, send};

/// Longer than any operation here takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// A creating request that can be repeated any number of times.
pub(crate) struct Creation {
    pub(crate) supplier: Supplier,
    pub(crate) operation: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
    /// The status code of success.
    pub(crate) status: u16,
}

impl Creation {
    /// Returns a creation at Cocon.
    pub(crate) async fn new() -> Creation {
        let sandbox = Sandbox::builder().start().await.unwrap();
        Creation::at_each(&sandbox).await.remove(0)
    }

    pub(crate) async fn at_each(sandbox: &Sandbox) -> Vec<Creation> {
        let (cocon, covage, onapi) = (sandbox.cocon(), sandbox.covage(), sandbox.onapi());
        let login = json!({ "email": covage.email(), "password": covage.password() }).to_string();
        let account = send(&covage.base_url(), "POST", "/api/v2/account/token/", &[JSON], &login).await;
        let token = account.json()["access"].as_str().unwrap().to_owned();
        let basic = STANDARD.encode(format!("{}:{}", onapi.user(), onapi.password()));
        let keys = [("api-key", cocon.api_key()), ("client-id", cocon.client_id())];
        vec![
            Creation {
                supplier: (**cocon).clone(),
                operation: "createContact",
                path: "/api/v1/contacts",
                headers: keys.map(|(name, value)| (name, value.to_owned())).to_vec(),
                body: json!({ "name": "A. Dijkstra" }),
                status: 200,
            },
            Creation {
                supplier: (**covage).clone(),
                operation: "createContact",
                path: "/api/contacts/",
                headers: vec![("authorization", format!("Bearer {token}"))],
                body: json!({ "first_name": "Odile", "last_name": "Plumet", "email": "o.plumet@client.example" }),
                status: 200,
            },
            Creation {
                supplier: (**onapi).clone(),
                operation: "createTicket",
                path: "/onapi/2.6/tickets",
                headers: vec![("authorization", format!("Basic {basic}"))],
                body: json!({ "spTicketReference": "CASE#1", "heading": "Ingen länk" }),
                status: 201,
            },
        ]
    }

    /// Returns the base URL without the path prefix.
    pub(crate) fn root(&self) -> String {
        let base_url = self.supplier.base_url();
        let path = base_url[7..].find('/').map_or(base_url.len(), |start| start + 7);
        base_url[..path].to_owned()
    }

    pub(crate) async fn open(&self) -> TcpStream {
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = headers.chain([JSON]).collect();
        open(&self.root(), "POST", self.path, &headers, &self.body.to_string()).await
    }

    pub(crate) async fn observe(&self) -> Observed {
        observe(self.open().await).await
    }

    pub(crate) fn fail_next(&self, fault: Fault) {
        self.supplier.fail_next(self.operation, fault);
    }

    /// Returns how many requests arrived, and how many took effect.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let (operation, supplier) = (self.operation, &self.supplier);
        let received = supplier.received_by(operation);
        let took_effect = received.iter().filter(|received| received.took_effect).count();
        let counts = (supplier.count(operation), supplier.took_effect(operation));
        assert_eq!(counts, (received.len(), took_effect), "both ways of counting agree");
        counts
    }

    pub(crate) fn last(&self) -> ReceivedRequest {
        self.supplier.last().unwrap()
    }
}

/// What a client observes.
#[derive(Debug, PartialEq)]
pub(crate) enum Observed {
    Answer(Reply),
    /// A partial response, after which the connection is closed.
    ExamplePart(String),
    /// The connection is closed without any bytes.
    Closed,
    Reset,
}

impl Observed {
    pub(crate) fn answer(self) -> Reply {
        let Observed::Answer(reply) = self else { panic!("{self:?}") };
        reply
    }
}

pub(crate) async fn observe(mut stream: TcpStream) -> Observed {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    match end {
        Ok(0) => Observed::Closed,
        Ok(_) if is_whole(&text) => Observed::Answer(read(&text)),
        Ok(_) => Observed::ExamplePart(text),
        Err(error) => {
            assert_eq!((error.kind(), text.as_str()), (ErrorKind::ConnectionReset, ""));
            Observed::Reset
        }
    }
}

fn is_whole(text: &str) -> bool {
    text.contains("\r\n\r\n") && announced(text) == read(text).body.len()
}

/// Returns the content length of the head.
pub(crate) fn announced(text: &str) -> usize {
    let head = text.split_once("\r\n\r\n").unwrap().0;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}

/// Returns whether the connection is open and has received nothing so far.
pub(crate) fn is_silent(stream: TcpStream) -> (bool, TcpStream) {
    let stream = stream.into_std().unwrap();
    let peeked = stream.peek(&mut [0]).map_err(|error| error.kind());
    (peeked == Err(ErrorKind::WouldBlock), TcpStream::from_std(stream).unwrap())
}

/// Checks that the next request is answered and takes effect.
pub(crate) async fn works_normally_again(creation: &Creation) {
    let before = creation.counts();
    let reply = creation.observe().await.answer();
    assert_eq!(reply.status, creation.status);
    assert_eq!(creation.counts(), (before.0 + 1, before.1 + 1));
    let last = creation.last();
    assert_eq!((last.fault, last.took_effect, last.status), (None, true, creation.status));
    assert!(creation.supplier.violations().is_empty(), "{:?}", creation.supplier.violations());
}
