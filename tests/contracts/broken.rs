//! Failed and broken connections: the cases that the table does not cover.

use lastmile::cocon::types::CustomerCreate;
use lastmile::{Outcome, Prepared};
use lastmile_tests::{RawServer, Then, answer};
use tokio::net::TcpSocket;

use crate::calls::Ends::*;
use crate::calls::{Call, Client, patient, secure, seen, told};
use crate::table::CUT;

#[tokio::test]
async fn connection_refused() {
    // The socket is bound and does not listen, so no other process can take the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    for call in [Call::Create, Call::Activate, Call::Submit, Call::Read, Call::List, Call::Delete] {
        let told = call.client(&base, patient()).make(call).await;
        assert_eq!(seen(call, &told, &[]), (NotSent, None, 4, 0), "{call:?}: what never left is tried again");
    }
}

#[tokio::test]
async fn tls_handshake_fails() {
    // The server waits for the end of a request, and a TLS handshake contains none.
    let silent = Then::Hang;
    let closing = Then::CloseUnread;
    let plain = Then::SpeakUnread("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    for then in [silent, closing, plain] {
        for call in [Call::Create, Call::Read] {
            let server = RawServer::start([then]).await;
            let told = secure(&server, patient().with_max_attempts(2)).make(call).await;
            let wire = server.end().await;
            assert_eq!(seen(call, &told, &wire.requests), (NotSent, None, 2, 0), "{then:?}");
            assert_eq!(wire.connections, 2);
        }
    }
}

/// Longer than the system's buffers usually hold before the server reads, so that the client is still writing.
#[tokio::test]
async fn reset_while_a_long_request_is_written() {
    for _ in 0..2 {
        let server = RawServer::start([Then::ResetHalfway]).await;
        let Client::Cocon(cocon) = Call::Create.client(&server.base_url(), patient()) else { unreachable!() };
        let name = Some("Ankeborg ".repeat(3 << 18));
        let mut customer = Prepared::new(CustomerCreate { name, ..Default::default() }).unwrap();
        let error = customer.place(&cocon).await.unwrap_err();
        assert_eq!((error.outcome(), error.attempts()), (Outcome::Indeterminate, 1), "{error}");
        assert!(error.may_have_taken_effect() && !error.is_safe_to_repeat());
        drop(cocon);
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (1, 0));
    }
}

#[tokio::test]
async fn a_partial_response_is_kept() {
    let (cut, _) = told(Call::Create, patient(), vec![Then::Answer(CUT)]).await;
    assert_eq!(cut.unwrap_err().body().as_ref(), b"{\"id\": ");

    // The response of one attempt is kept when the next attempt gets none.
    let busy = answer("503 Busy\r\nx-edge: here\r\nconnection: close", "busy");
    let (told, _) = told(Call::Delete, patient(), vec![Then::Answer(busy), Then::Close]).await;
    let error = told.unwrap_err();
    assert_eq!((error.headers()["x-edge"].as_bytes(), error.body().as_ref()), (&b"here"[..], &b"busy"[..]));
}
