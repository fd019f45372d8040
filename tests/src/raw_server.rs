//! A scripted server without an HTTP implementation. It does to its connections what a script says, and records what it
//! reads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

/// The next step of a [`RawServer`]: with a connection before it reads a request from it, or with the request that it
/// has read.
#[derive(Clone, Copy, Debug)]
pub enum Then {
    /// Unread: resets the connection (RST), whether it is new or kept.
    ResetUnread,
    /// Unread: closes it (FIN).
    CloseUnread,
    /// Unread: sends these unrequested bytes, and closes it.
    SpeakUnread(&'static str),
    /// Half read: resets the connection when the head and half of the body have arrived.
    ResetHalfway,

    /// Resets the connection.
    Reset,
    /// Closes the connection.
    Close,
    /// Sends nothing until the client disconnects.
    Hang,
    /// Sends these bytes and closes the connection.
    Answer(&'static str),
    /// Sends these bytes and resets the connection.
    AnswerAndReset(&'static str),
    /// Sends these bytes and nothing more.
    AnswerAndHang(&'static str),
    /// Sends these bytes and continues with the next step on the same connection.
    AnswerAndKeep(&'static str),
    /// Sends these bytes after a call of [`tell`](RawServer::tell), and closes the connection.
    AnswerWhenTold(&'static str),
    /// Sends the first bytes, and then every few milliseconds the second, until the client disconnects.
    Drip(&'static str, &'static str),
    /// The same as fast as the client reads it.
    Flood(&'static str, &'static str),
}

/// Returns a response with its length. The head is the status with its reason, and further header lines if there are
/// any.
pub fn answer(head: &str, body: &str) -> &'static str {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).leak()
}

/// Returns a response with a JSON body.
pub fn json(status: &str, body: &str) -> &'static str {
    answer(&format!("{status}\r\ncontent-type: application/json"), body)
}

/// A server on loopback that follows a script.
///
/// Each request, on any connection, triggers the next step of the script. Steps that are called unread run when a
/// connection is accepted or, after [`Then::AnswerAndKeep`], kept. The last step repeats.
#[derive(Debug)]
pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    tokens: Option<Mutex<Script>>,
    /// The response to a read; none if reads follow the script, too.
    reads: Option<Then>,
    wire: Mutex<Wire>,
    told: watch::Sender<bool>,
    /// The number of open connections.
    open: watch::Sender<usize>,
    /// The address of a connection that is not a client's: when it is accepted, all earlier ones are.
    marker: Mutex<Option<SocketAddr>>,
    /// The last marker that was accepted.
    marked: watch::Sender<Option<SocketAddr>>,
}

#[derive(Debug)]
struct Script {
    steps: Vec<Then>,
    next: usize,
}

/// What a [`RawServer`] has recorded.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// The number of accepted connections.
    pub connections: usize,
    /// The requests that it read completely, in order.
    pub requests: Vec<Received>,
    /// The token requests, if it issues tokens.
    pub tokens: Vec<Received>,
    /// The reads, if it has a response of its own for them.
    pub reads: Vec<Received>,
    /// The number of bytes that it could send.
    pub sent: usize,
}

/// A request that was read completely: the head, and the body that it announces.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its connection, from 0.
    pub connection: usize,
    /// `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The length of the body in bytes.
    pub body: usize,
    /// The status of the response.
    pub answered: Option<u16>,
    /// When its last byte had been read.
    pub at: Instant,
}

impl RawServer {
    /// Starts a server.
    pub async fn start(script: impl Into<Vec<Then>>) -> Self {
        Self::listen(script.into(), None, None).await
    }

    /// Starts a server with a separate script for requests whose path contains `/token/`.
    pub async fn with_tokens(script: impl Into<Vec<Then>>, tokens: impl Into<Vec<Then>>) -> Self {
        Self::listen(script.into(), Some(tokens.into()), None).await
    }

    /// Starts a server that issues tokens, and has one response to every read.
    pub async fn with_reads(
        script: impl Into<Vec<Then>>,
        tokens: impl Into<Vec<Then>>,
        read: &'static str,
    ) -> Self {
        Self::listen(script.into(), Some(tokens.into()), Some(Then::AnswerAndKeep(read))).await
    }

    async fn listen(script: Vec<Then>, tokens: Option<Vec<Then>>, reads: Option<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Script { steps: script, next: 0 }),
            tokens: tokens.map(|steps| Mutex::new(Script { steps, next: 0 })),
            reads,
            wire: Mutex::default(),
            told: watch::Sender::new(false),
            open: watch::Sender::new(0),
            marker: Mutex::default(),
            marked: watch::Sender::new(None),
        });
        tokio::spawn(accept(listener, shared.clone()));
        Self { address, shared }
    }

    /// Returns its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many complete requests it has read so far, including token requests and reads.
    pub fn requests(&self) -> usize {
        let wire = self.shared.wire();
        wire.requests.len() + wire.tokens.len() + wire.reads.len()
    }

    /// Waits until it has read this many requests.
    ///
    /// # Panics
    /// If they do not arrive.
    pub async fn has_read(&self, requests: usize) {
        let read = async {
            while self.requests() < requests {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), read).await.expect("they are sent");
    }

    /// Returns what it has recorded so far.
    pub fn wire(&self) -> Wire {
        self.shared.wire().clone()
    }

    /// Lets it send the responses that wait for this call.
    pub fn tell(&self) {
        self.shared.told.send_replace(true);
    }

    /// Returns what it has recorded when every connection has been served to its end. The clients must be dropped by
    /// then, or have closed their connections: it waits for everything that they may still send.
    pub async fn end(self) -> Wire {
        self.settle().await;
        self.wire()
    }

    /// Returns the same, and restarts the script.
    pub async fn again(&self) -> Wire {
        self.settle().await;
        self.shared.script.lock().unwrap().next = 0;
        std::mem::take(&mut *self.shared.wire())
    }

    async fn settle(&self) {
        self.tell();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let marker = Some(socket.local_addr().unwrap());
        self.shared.marked.send_replace(None);
        *self.shared.marker.lock().unwrap() = marker;
        // Connections are accepted in the order in which they were made, so this one is accepted last.
        let _connection = socket.connect(self.address).await.unwrap();
        let (mut marked, mut open) = (self.shared.marked.subscribe(), self.shared.open.subscribe());
        let settled = async {
            marked.wait_for(|one| *one == marker).await.unwrap();
            open.wait_for(|open| *open == 0).await.unwrap();
        };
        tokio::time::timeout(Duration::from_secs(10), settled).await.expect("a client is still connected");
    }
}

/// The purpose of a request, if the script does not answer all of them.
#[derive(Clone, Copy)]
enum Kind {
    Token,
    Read,
    Scripted,
}

impl Shared {
    fn kind(&self, head: &Head) -> Kind {
        if self.tokens.is_some() && head.path.contains("/token/") {
            Kind::Token
        } else if self.reads.is_some() && head.method == "GET" {
            Kind::Read
        } else {
            Kind::Scripted
        }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap()
    }
}

impl Script {
    fn peek(&self) -> Then {
        self.steps[self.next.min(self.steps.len() - 1)]
    }

    fn take(&mut self) -> Then {
        let then = self.peek();
        self.next += 1;
        then
    }

    fn take_unread(&mut self) -> Option<Then> {
        let unread = matches!(self.peek(), Then::ResetUnread | Then::CloseUnread | Then::SpeakUnread(_));
        unread.then(|| self.take())
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, peer)) = listener.accept().await {
        let marker = shared.marker.lock().unwrap().take_if(|marker| *marker == peer);
        if marker.is_some() {
            shared.marked.send_replace(marker);
            continue;
        }
        let number = {
            let mut wire = shared.wire();
            wire.connections += 1;
            wire.connections - 1
        };
        shared.open.send_modify(|open| *open += 1);
        let connection = Connection { stream, number, unread: Vec::new(), shared: shared.clone() };
        let shared = shared.clone();
        tokio::spawn(async move {
            connection.serve().await;
            shared.open.send_modify(|open| *open -= 1);
        });
    }
}

struct Connection {
    stream: TcpStream,
    number: usize,
    /// The bytes that have arrived and belong to no request yet.
    unread: Vec<u8>,
    shared: Arc<Shared>,
}

/// The head of a request.
struct Head {
    method: String,
    path: String,
    /// Returns the length of the body that it announces.
    body: usize,
}

impl Connection {
    async fn serve(mut self) {
        loop {
            let unread = self.shared.script.lock().unwrap().take_unread();
            match unread {
                Some(Then::ResetUnread) => return self.reset(),
                Some(Then::SpeakUnread(text)) => return self.close(text).await,
                Some(_) => return,
                None => {}
            }
            let Some(head) = self.head().await else { return };
            let shared = self.shared.clone();
            let kind = shared.kind(&head);
            let then = match (kind, &shared.tokens, shared.reads) {
                (Kind::Token, Some(tokens), _) => tokens.lock().unwrap().take(),
                (Kind::Read, _, Some(read)) => read,
                _ => shared.script.lock().unwrap().take(),
            };
            if matches!(then, Then::ResetHalfway) {
                if self.arrived(head.body / 2).await {
                    self.reset();
                }
                return;
            }
            if !self.arrived(head.body).await {
                return;
            }
            self.unread.drain(..head.body);
            self.record(head, kind, status(then));
            match then {
                Then::Reset => return self.reset(),
                Then::Hang => return self.listen().await,
                Then::Answer(text) => return self.close(text).await,
                Then::AnswerAndReset(text) => {
                    self.send(text).await;
                    return self.reset();
                }
                Then::AnswerAndHang(text) => {
                    self.send(text).await;
                    return self.listen().await;
                }
                Then::AnswerAndKeep(text) => {
                    if !self.send(text).await {
                        return;
                    }
                }
                Then::AnswerWhenTold(text) => {
                    let _ = self.shared.told.subscribe().wait_for(|told| *told).await;
                    return self.close(text).await;
                }
                Then::Drip(head, drop) => return self.drip(head, drop).await,
                Then::Flood(head, wave) => return self.flood(head, wave).await,
                Then::Close
                | Then::ResetHalfway
                | Then::ResetUnread
                | Then::CloseUnread
                | Then::SpeakUnread(_) => return,
            }
        }
    }

    fn record(&mut self, head: Head, kind: Kind, answered: Option<u16>) {
        let Head { method, path, body } = head;
        let received = Received { connection: self.number, method, path, body, answered, at: Instant::now() };
        let mut wire = self.shared.wire();
        let list = match kind {
            Kind::Token => &mut wire.tokens,
            Kind::Read => &mut wire.reads,
            Kind::Scripted => &mut wire.requests,
        };
        list.push(received);
    }

    /// Returns the head of the next request, taken from the bytes that have arrived; none if the client disconnects
    /// before it is complete.
    async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                let head = String::from_utf8(head).ok()?;
                let mut line = head.split(' ');
                let (method, path) = (line.next()?.to_owned(), line.next()?.to_owned());
                let header = head.to_ascii_lowercase();
                let length = header.lines().find_map(|line| line.strip_prefix("content-length:"));
                let body = length.map_or(Ok(0), |length| length.trim().parse()).ok()?;
                return Some(Head { method, path, body });
            }
            self.more().await?;
        }
    }

    /// Returns whether this much of a body arrives before the client disconnects.
    async fn arrived(&mut self, length: usize) -> bool {
        while self.unread.len() < length {
            if self.more().await.is_none() {
                return false;
            }
        }
        true
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 16_384];
        match self.stream.read(&mut chunk).await {
            Ok(length) if length > 0 => {
                self.unread.extend_from_slice(&chunk[..length]);
                Some(())
            }
            _ => None,
        }
    }

    /// Reads without sending anything, until the client disconnects.
    async fn listen(&mut self) {
        while let Some(head) = self.head().await {
            if !self.arrived(head.body).await {
                return;
            }
            self.unread.drain(..head.body);
            let kind = self.shared.kind(&head);
            self.record(head, kind, None);
        }
    }

    fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    async fn close(mut self, text: &str) {
        self.send(text).await;
        let _ = self.stream.shutdown().await;
    }

    async fn send(&mut self, text: &str) -> bool {
        let sent = self.stream.write_all(text.as_bytes()).await.is_ok();
        if sent {
            self.shared.wire().sent += text.len();
        }
        sent
    }

    // The loop is bounded, in case the client never disconnects.

    async fn drip(mut self, head: &str, drop: &str) {
        let mut sent = self.send(head).await;
        for _ in 0..2000 {
            if !sent {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            sent = self.send(drop).await;
        }
    }

    async fn flood(mut self, head: &str, wave: &str) {
        let waves = wave.repeat(16_384 / wave.len());
        let mut sent = self.send(head).await;
        for _ in 0..4096 {
            if !sent {
                return;
            }
            sent = self.send(&waves).await;
        }
    }
}

/// Returns the status that a step sends first.
fn status(then: Then) -> Option<u16> {
    let text = match then {
        Then::Answer(text)
        | Then::AnswerAndReset(text)
        | Then::AnswerAndHang(text)
        | Then::AnswerAndKeep(text)
        | Then::AnswerWhenTold(text)
        | Then::Drip(text, _)
        | Then::Flood(text, _) => text,
        _ => return None,
    };
    let status = text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    // An interim response is not counted.
    (status >= 200).then_some(status)
}
