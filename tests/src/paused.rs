//! What a paused worker and the worker that takes over its order agree on.

use std::process::Stdio;
use std::time::Duration;

use lastmile::Policy;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;

/// How long the mark of an order is valid.
pub const MARK: Duration = Duration::from_millis(600);

/// Returns a policy with a short deadline and a short settle time, so that a pause longer than both is a short wait.
pub fn policy() -> Policy {
    let deadline = Duration::from_millis(900);
    Policy::default()
        .with_deadline(deadline)
        .with_attempt_timeout(deadline)
        .with_max_attempts(1)
        .with_settle_time(Duration::from_millis(200))
}

/// Sends a signal to a process that may have exited.
pub async fn signal(name: &str, process: &str) {
    Command::new("kill")
        .args([name, process])
        .stderr(Stdio::null())
        .status()
        .await
        .expect("the system has it");
}

/// Returns whether the operating system reports the process as stopped.
pub async fn is_stopped(process: &str) -> bool {
    let shown =
        Command::new("ps").args(["-o", "state=", "-p", process]).output().await.expect("the system has it");
    String::from_utf8_lossy(&shown.stdout).trim().starts_with('T')
}

/// Returns whether a process waits for its connection to this port: state 02 (`SYN_SENT`) in the system's table.
pub fn is_connecting(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has it");
    let remote = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns[2].ends_with(&remote) && columns[3] == "02"
    })
}

/// Returns a listener whose queue is full, so that connecting takes until a connection is accepted, with the connections
/// that fill the queue.
pub async fn busy_listener() -> (TcpListener, Vec<TcpStream>) {
    let listener = short_listener();
    let waiting = fill(&listener).await;
    (listener, waiting)
}

/// Returns a listener with a queue for one or two connections.
pub fn short_listener() -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    socket.listen(1).expect("it is bound")
}

/// Fills the queue of a listener, and returns the connections in it.
pub async fn fill(listener: &TcpListener) -> Vec<TcpStream> {
    let address = listener.local_addr().expect("it is bound");
    let mut waiting = Vec::new();
    for _ in 0..16 {
        match timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            Ok(connected) => waiting.push(connected.expect("a connection")),
            Err(_full) => return waiting,
        }
    }
    panic!("the queue has no end");
}
