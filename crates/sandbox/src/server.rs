//! Listens on an address, passes each request to the dispatcher, and ends connections as the dispatcher demands.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::body::{ResponseBody, into_sent};
use crate::dispatcher::Dispatcher;
use crate::document;
use crate::received::ReceivedRequest;
use crate::transmission::{End, Transmission};

/// How many connections may wait to be accepted. With the 128 of [`TcpListener::bind`], a client that opens more at once is kept waiting
/// for a second: the system ignores the others, and the client's system repeats them.
const BACKLOG: u32 = 4096;

/// A listener. Dropping it ends the listener and all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Starts to listen on the current runtime. Port 0 selects any free port. `prefix` is the path prefix of the API.
    pub(crate) async fn start(
        address: SocketAddr,
        prefix: &'static str,
        dispatcher: Arc<Dispatcher>,
    ) -> io::Result<Server> {
        Server::listen(address, |listener| accept(listener, prefix, dispatcher)).await
    }

    /// Starts to listen, and runs the task that accepts the connections.
    pub(crate) async fn listen<F>(
        address: SocketAddr,
        accept: impl FnOnce(TcpListener) -> F,
    ) -> io::Result<Server>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As `TcpListener::bind` does. On Windows the option would let two programs listen at one address.
        #[cfg(not(windows))]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener)).abort_handle();
        Ok(Server { address, accepting })
    }

    /// Returns the URL at which a client on this machine reaches the server.
    pub(crate) fn base_url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.address.port()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts connections. The task owns the connections and the late requests, so they end with it.
async fn accept(listener: TcpListener, prefix: &'static str, dispatcher: Arc<Dispatcher>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if dispatcher.refuses_connection() => reset(stream),
                Ok((stream, _)) => { connections.spawn(serve(stream, prefix, Arc::clone(&dispatcher))); }
                // The client has disconnected, or the process has no free file descriptor.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, prefix: &'static str, dispatcher: Arc<Dispatcher>) {
    let unanswered = OnceLock::new();
    let service = service_fn(|request| respond(request, prefix, &dispatcher, &unanswered));
    // No `Date` header, so that the responses of two runs are equal byte for byte.
    let mut connection =
        http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
    // An error here means that the client disconnected. The dispatcher has recorded every complete request.
    let _ = (&mut connection).await;
    let stream = connection.into_parts().io.into_inner();
    if let Some(transmission) = unanswered.into_inner() {
        let _ = end(stream, transmission, &dispatcher).await;
    }
}

/// Responds to a request. Anything but a complete response is stored in `unanswered`, and the returned error ends the
/// connection.
async fn respond(
    request: Request<Incoming>,
    prefix: &str,
    dispatcher: &Dispatcher,
    unanswered: &OnceLock<Transmission>,
) -> Result<Response<ResponseBody>, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.into_parts();
    if let Some(response) = document(&parts, prefix, dispatcher) {
        return Ok(response.map(ResponseBody::from));
    }
    let body = body.collect().await?.to_bytes();
    match dispatcher.handle(ReceivedRequest::new(&parts, body.into())) {
        Transmission::Answer(response, delay) => {
            // If the client disconnects during the delay, this task ends.
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Ok(into_sent(response))
        }
        transmission => {
            let _ = unanswered.set(transmission);
            Err("the connection ends here".into())
        }
    }
}

/// Returns the supplier's document if the request asks for it. The request is not recorded.
fn document(parts: &Parts, prefix: &str, dispatcher: &Dispatcher) -> Option<Response<Bytes>> {
    // Relative to the address at which the client found the document.
    let url = if prefix.is_empty() { "/" } else { prefix };
    document::answer(dispatcher.spec, &parts.method, parts.uri.path(), prefix, url)
}

/// Ends a connection whose last request gets no complete response.
async fn end(mut stream: TcpStream, transmission: Transmission, dispatcher: &Dispatcher) -> io::Result<()> {
    match transmission {
        // hyper sends complete responses.
        Transmission::Answer(..) => {}
        Transmission::ExamplePart(_, bytes, how) => {
            stream.write_all(&bytes).await?;
            match how {
                End::Closed => stream.shutdown().await?,
                End::Reset => reset(stream),
            }
        }
        Transmission::Reset => reset(stream),
        Transmission::Closed => drop(stream),
        Transmission::Silence => while stream.read(&mut [0; 1024]).await? > 0 {},
        Transmission::Late(late) => {
            drop(stream);
            tokio::time::sleep(late.delay).await;
            dispatcher.carry_out(&late);
        }
    }
    Ok(())
}

/// Closes a connection with RST instead of FIN.
fn reset(stream: TcpStream) {
    // Fails if the connection is already closed.
    let _ = stream.set_zero_linger();
}

// Other systems limit the number of waiting connections to 128 themselves.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn many_clients_connect_at_once_and_none_is_ignored() {
        // The listener is kept and accepts nothing.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::listen(address, |listener| async move {
            let _listener = listener;
            std::future::pending().await
        });
        let server = server.await.unwrap();
        let mut connections = JoinSet::new();
        for _ in 0..400 {
            connections.spawn(timeout(Duration::from_millis(900), TcpStream::connect(server.address)));
        }
        for connected in connections.join_all().await {
            connected.expect("within a second, after which it would be repeated").unwrap();
        }
    }
}
