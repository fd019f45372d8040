//! Listens on loopback and brings each request to the desk.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::Received;
use crate::desk::Desk;

/// A listener that stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Server {
    /// Listens on the runtime it is called in. Port 0 is any free one.
    pub(crate) async fn start(port: u16, desk: Arc<Desk>) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, desk)).abort_handle();
        Ok(Server { address, accepting })
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Owns the connections, so that they end with it.
async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, Arc::clone(&desk))); }
                // The caller went away again, or the process is out of handles for now.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(|request| respond(request, &desk));
    // No `Date`: the answers of two runs are to be the same to the byte.
    let connection =
        http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
    // A connection that breaks off is the caller's doing; what arrived whole is with the desk.
    let _ = connection.await;
}

async fn respond(request: Request<Incoming>, desk: &Desk) -> hyper::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(desk.handle(Received::new(&parts, body.into())))
}
