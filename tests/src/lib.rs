//! What the end-to-end tests share: a supplier to talk to, and servers that misbehave on the wire.

pub mod campaign;
mod exchange;
mod mutate;
mod outcomes;

pub use exchange::{exchange, request};
pub use mutate::{places, reads_and_writes_back, survives_mutation};
pub use outcomes::{outcomes_of_a_creation, outcomes_of_a_read};

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::onapi::OnApi;
use lastmile::{Error, Policy};
use lastmile_sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The samples of an operation in `specs/samples`: `part` is `request` or a status. Those of every variant.
pub fn samples(api: &str, operation: &str, part: &str) -> Vec<serde_json::Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs/samples").join(api);
    let begins = format!("{operation}.{part}.");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mine =
        paths.into_iter().filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&begins));
    mine.map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

/// A sandbox of seed 1.
pub async fn sandbox() -> Sandbox {
    Sandbox::builder().seed(1).start().await.expect("a loopback port")
}

/// The facade, with the keys that the sandbox accepts and a policy without noticeable pauses.
pub fn cocon(sandbox: &Sandbox) -> Cocon {
    let supplier = sandbox.cocon();
    cocon_at(&supplier.base_url(), supplier.api_key(), supplier.client_id())
}

/// The facade at any address.
pub fn cocon_at(base: &str, key: &str, client_id: &str) -> Cocon {
    Cocon::builder(base).api_key(key).client_id(client_id).policy(brisk()).build().expect("a usable address")
}

/// The facade of Covage, with the account that the sandbox knows.
pub fn covage(sandbox: &Sandbox) -> Covage {
    let supplier = sandbox.covage();
    let builder = Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password());
    builder.policy(brisk()).build().expect("a usable address")
}

/// The facade of ON-API, with the login that the sandbox knows.
pub fn onapi(sandbox: &Sandbox) -> OnApi {
    let supplier = sandbox.onapi();
    let builder = OnApi::builder(supplier.base_url()).login(supplier.user(), supplier.password());
    builder.policy(brisk()).build().expect("a usable address")
}

/// A policy that waits for next to nothing between attempts.
pub fn brisk() -> Policy {
    let millisecond = Duration::from_millis(1);
    Policy {
        pause: millisecond,
        longest_pause: millisecond,
        deadline: Duration::from_secs(20),
        ..Policy::default()
    }
}

/// The same, for a supplier that is known to have nothing at work any more.
pub fn settled() -> Policy {
    Policy { settle: Duration::ZERO, ..brisk() }
}

/// An error with everything it shows: `Display`, `Debug`, and those of its sources.
pub fn shown(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!("\n{error}\n{error:?}"));
        source = error.source();
    }
    text
}

/// A server on loopback that reads each request whole and then does what it is told.
pub struct RawServer {
    address: std::net::SocketAddr,
    requests: Arc<AtomicUsize>,
}

/// What a [`RawServer`] does with a request it has read.
#[derive(Clone, Copy)]
pub enum Then {
    /// Answers with these bytes and closes the connection.
    Answer(&'static str),
    /// Answers with these bytes and keeps the connection open.
    AnswerAndHang(&'static str),
    /// Closes the connection.
    Close,
    /// Keeps the connection open and says nothing.
    Hang,
    /// Begins an answer of a JSON list and then sends a space every few milliseconds, for as long as somebody listens.
    Drip,
}

impl RawServer {
    /// Starts one that treats the first request as `script[0]` says, and so on; the last entry goes for all that follow.
    pub async fn start(script: &'static [Then]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script, counter.clone()));
            }
        });
        Self { address, requests }
    }

    /// Where it listens.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many whole requests it has read.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, script: &[Then], requests: Arc<AtomicUsize>) {
    if !read_request(&mut stream).await {
        return;
    }
    let number = requests.fetch_add(1, Ordering::SeqCst);
    match script[number.min(script.len() - 1)] {
        Then::Answer(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Then::AnswerAndHang(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.read(&mut [0]).await;
        }
        Then::Close => {}
        Then::Drip => {
            let head =
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n[";
            let mut sent = stream.write_all(head).await;
            // Bounded, should nobody hang up.
            for _ in 0..2000 {
                if sent.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                sent = stream.write_all(b" ").await;
            }
        }
        Then::Hang => {
            // Until the client goes.
            let _ = stream.read(&mut [0]).await;
        }
    }
}

/// Reads up to the end of the body that the header announces.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let header = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
            let length = header.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if read.len() >= head + 4 + length {
                return true;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => read.extend_from_slice(&chunk[..n]),
            _ => return false,
        }
    }
}
