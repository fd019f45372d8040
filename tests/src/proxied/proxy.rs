//! A proxy as a process of its own.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use lastmile_sandbox::Supplier;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::Failure;

/// What begins the type of an error that the proxy puts in place of a request or a response.
const ERROR: &str = "stoplight.io/prism/errors#";

/// A running proxy. Dropping it ends its process.
pub(super) struct Proxy {
    url: String,
    violations: Arc<Mutex<Vec<String>>>,
    _process: Child,
}

impl Proxy {
    /// Starts a proxy in front of a supplier, and waits until it listens.
    pub(super) async fn start(command: &str, supplier: &Supplier) -> Result<Proxy, Failure> {
        let base_url = supplier.base_url();
        let origin = base_url.split('/').take(3).collect::<Vec<_>>().join("/");
        let mut process = Command::new(command)
            .args(["proxy", &format!("{origin}/openapi.json"), &base_url])
            .args(["--errors", "--host", "127.0.0.1", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{command}: {error}"))?;
        let output = process.stdout.take().ok_or("the process has no output")?;
        let violations = Arc::new(Mutex::new(Vec::new()));
        let (ready, listening) = oneshot::channel();
        tokio::spawn(read(BufReader::new(output), ready, Arc::clone(&violations)));
        let url = listening.await.map_err(|_| format!("{command} ends before it listens"))?;
        Ok(Proxy { url, violations, _process: process })
    }

    /// Returns the URL that stands for the supplier's base URL.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the lines of the log that report violations.
    pub(super) fn violations(&self) -> Vec<String> {
        self.violations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the log of a proxy to its end.
async fn read(
    output: impl tokio::io::AsyncBufRead + Unpin,
    ready: oneshot::Sender<String>,
    violations: Arc<Mutex<Vec<String>>>,
) {
    let (mut lines, mut ready) = (output.lines(), Some(ready));
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, url)) = line.split_once("listening on ")
            && let Some(ready) = ready.take()
        {
            // Fails if nobody waits for the proxy any more.
            let _ = ready.send(url.split_whitespace().next().unwrap_or_default().to_owned());
        }
        if line.contains(ERROR) || line.contains("Violation") {
            violations.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }
}
