//! The stream of events that the page listens to (server-sent events).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::mpsc;

use super::{Shared, values};
use crate::body::ResponseBody;

/// The shortest time between two events.
const PAUSE: Duration = Duration::from_millis(150);
/// How long the stream is silent at most.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Returns a stream that sends the state of all suppliers now and after every change.
pub(super) fn stream(shared: &Arc<Shared>) -> Response<ResponseBody> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send_states(Arc::clone(shared), sender));
    let mut response = Response::new(ResponseBody::Channel(receiver));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Runs until the client disconnects.
async fn send_states(shared: Arc<Shared>, sender: mpsc::Sender<Bytes>) {
    let mut changes = shared.changes.subscribe();
    loop {
        let state = format!("event: state\ndata: {}\n\n", values::overview(&shared));
        if sender.send(state.into()).await.is_err() {
            return;
        }
        tokio::select! {
            () = sender.closed() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
        loop {
            tokio::select! {
                () = sender.closed() => return,
                _ = changes.changed() => break,
                () = tokio::time::sleep(KEEP_ALIVE) => {
                    if sender.send(Bytes::from_static(b": still here\n\n")).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}
