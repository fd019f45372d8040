//! Tests of the scripted server itself: each step does what its name says, and only complete requests are counted.

use std::io::ErrorKind;
use std::time::Duration;

use lastmile_tests::{RawServer, Then, Wire, answer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GET: &[u8] = b"GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n";
const POST: &[u8] = b"POST /d HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

async fn start(script: impl Into<Vec<Then>>) -> (RawServer, TcpStream) {
    let server = RawServer::start(script).await;
    let stream = TcpStream::connect(server.address()).await.unwrap();
    (server, stream)
}

/// Returns all bytes that still arrive, and how the connection ends: without an error for a FIN.
async fn rest(stream: &mut TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
    (String::from_utf8(bytes).unwrap(), end)
}

/// Returns this many bytes, then checks that nothing arrives for a while.
async fn then_silence(stream: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.unwrap();
    let more = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut [0])).await;
    assert!(more.is_err(), "{more:?}");
    String::from_utf8(bytes).unwrap()
}

const RESET: Option<ErrorKind> = Some(ErrorKind::ConnectionReset);

async fn ended(server: RawServer, stream: TcpStream) -> Wire {
    drop(stream);
    server.end().await
}

#[tokio::test]
async fn steps_before_a_request_is_read() {
    for (then, text, end) in
        [(Then::ResetUnread, "", RESET), (Then::CloseUnread, "", None), (Then::SpeakUnread(OK), OK, None)]
    {
        let (server, mut stream) = start([then]).await;
        assert_eq!(rest(&mut stream).await, (text.to_owned(), end), "{then:?}");
        let wire = ended(server, stream).await;
        assert_eq!((wire.connections, wire.requests.len(), wire.sent), (1, 0, text.len()), "{then:?}");
    }
}

#[tokio::test]
async fn steps_after_a_request() {
    for (then, text, end) in [
        (Then::Reset, "", RESET),
        (Then::Close, "", None),
        (Then::Answer(OK), OK, None),
        (Then::ResetHalfway, "", RESET),
    ] {
        let (server, mut stream) = start([then]).await;
        stream.write_all(POST).await.unwrap();
        assert_eq!(rest(&mut stream).await, (text.to_owned(), end), "{then:?}");
        let wire = ended(server, stream).await;
        let whole = usize::from(!matches!(then, Then::ResetHalfway));
        assert_eq!((wire.connections, wire.requests.len(), wire.sent), (1, whole, text.len()), "{then:?}");
    }

    let (server, mut stream) = start([Then::AnswerAndReset(OK)]).await;
    stream.write_all(POST).await.unwrap();
    // The reset may overtake the response.
    assert_eq!(rest(&mut stream).await.1, RESET);
    assert_eq!(ended(server, stream).await.requests.len(), 1);
}

#[tokio::test]
async fn a_reset_halfway_waits_for_half_of_the_body() {
    let (server, mut stream) = start([Then::ResetHalfway]).await;
    stream.write_all(&POST[..POST.len() - 6]).await.unwrap();
    assert_eq!(then_silence(&mut stream, 0).await, "");
    stream.write_all(b"4").await.unwrap();
    assert_eq!(rest(&mut stream).await, (String::new(), RESET));
    assert_eq!(ended(server, stream).await.requests.len(), 0);
}

#[tokio::test]
async fn a_hanging_step_keeps_the_connection_open() {
    for (then, text) in [(Then::Hang, ""), (Then::AnswerAndHang(OK), OK), (Then::AnswerWhenTold(OK), "")] {
        let (server, mut stream) = start([then]).await;
        stream.write_all(POST).await.unwrap();
        assert_eq!(then_silence(&mut stream, text.len()).await, text, "{then:?}");
        if let Then::AnswerWhenTold(text) = then {
            server.tell();
            assert_eq!(rest(&mut stream).await, (text.to_owned(), None));
        } else {
            // Later requests are counted, and not answered.
            stream.write_all(GET).await.unwrap();
            assert_eq!(then_silence(&mut stream, 0).await, "");
            assert_eq!(server.requests(), 2);
        }
        ended(server, stream).await;
    }
}

#[tokio::test]
async fn a_kept_connection_serves_the_next_request() {
    let script = [Then::AnswerAndKeep(OK), Then::AnswerAndKeep(answer("500 Oh", "")), Then::CloseUnread];
    let (server, mut stream) = start(script).await;
    stream.write_all(GET).await.unwrap();
    assert_eq!(then_silence(&mut stream, OK.len()).await, OK);
    stream.write_all(POST).await.unwrap();
    let last = "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n".to_owned();
    assert_eq!(rest(&mut stream).await, (last, None));
    let wire = ended(server, stream).await;
    let [get, post] = &wire.requests[..] else { panic!("two: {wire:?}") };
    assert_eq!((get.method.as_str(), get.path.as_str(), get.body), ("GET", "/a?b=c", 0));
    assert_eq!((post.method.as_str(), post.path.as_str(), post.body), ("POST", "/d", 10));
    assert_eq!((get.connection, post.connection, wire.connections), (0, 0, 1));
    assert_eq!((get.answered, post.answered), (Some(200), Some(500)));
    assert!(get.at <= post.at);
}

#[tokio::test]
async fn endless_responses_continue_until_the_client_leaves() {
    for (then, least) in [(Then::Drip(OK, "x"), 3), (Then::Flood(OK, "x"), 1 << 20)] {
        let (server, mut stream) = start([then]).await;
        stream.write_all(GET).await.unwrap();
        let mut bytes = vec![0; OK.len() + least];
        stream.read_exact(&mut bytes).await.unwrap();
        assert!(bytes.starts_with(OK.as_bytes()) && bytes.ends_with(b"xxx"), "{then:?}");
        assert!(ended(server, stream).await.sent >= bytes.len());
    }
}

#[tokio::test]
async fn only_complete_requests_are_counted() {
    for cut in [1, GET.len() - 1] {
        let (server, mut stream) = start([Then::Answer(OK)]).await;
        stream.write_all(&GET[..cut]).await.unwrap();
        assert_eq!(ended(server, stream).await.requests.len(), 0, "{cut} bytes");
    }
    for cut in [1, POST.len() - 10, POST.len() - 1] {
        let (server, mut stream) = start([Then::Answer(OK)]).await;
        stream.write_all(&POST[..cut]).await.unwrap();
        assert_eq!(ended(server, stream).await.requests.len(), 0, "{cut} bytes");
    }
    // One byte at a time, then two requests at once.
    let (server, mut stream) = start([Then::AnswerAndKeep(OK)]).await;
    for byte in POST {
        stream.write_all(&[*byte]).await.unwrap();
    }
    stream.write_all(&[GET, POST, &POST[..20]].concat()).await.unwrap();
    assert_eq!(then_silence(&mut stream, 3 * OK.len()).await, OK.repeat(3));
    let methods: Vec<_> = ended(server, stream).await.requests.into_iter().map(|one| one.method).collect();
    assert_eq!(methods, ["POST", "GET", "POST"]);
}

#[tokio::test]
async fn the_last_step_repeats_and_the_script_can_restart() {
    let (server, first) = start([Then::Close, Then::Answer(OK)]).await;
    let mut streams = vec![first];
    for _ in 0..2 {
        streams.push(TcpStream::connect(server.address()).await.unwrap());
    }
    let mut answers = Vec::new();
    for stream in &mut streams {
        stream.write_all(GET).await.unwrap();
        answers.push(rest(stream).await.0);
    }
    assert_eq!(answers, ["", OK, OK]);
    drop(streams);
    let wire = server.again().await;
    assert_eq!((wire.connections, wire.requests.len()), (3, 3));

    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(GET).await.unwrap();
    assert_eq!(rest(&mut stream).await, (String::new(), None));
    let wire = ended(server, stream).await;
    assert_eq!((wire.connections, wire.requests.len()), (1, 1));
}

#[tokio::test]
async fn token_requests_are_counted_separately() {
    let server = RawServer::with_tokens([Then::Close], [Then::AnswerAndKeep(OK)]).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /api/token/ HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(then_silence(&mut stream, OK.len()).await, OK);
    }
    stream.write_all(GET).await.unwrap();
    assert_eq!(rest(&mut stream).await, (String::new(), None));
    assert_eq!(server.requests(), 3);
    let wire = ended(server, stream).await;
    assert_eq!((wire.tokens.len(), wire.requests.len()), (2, 1));
}

/// Bytes that were sent and not read yet are not lost: `end` waits for them.
#[tokio::test]
async fn end_waits_for_all_sent_bytes() {
    for _ in 0..50 {
        let (server, mut stream) = start([Then::Hang]).await;
        let more = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(&POST.repeat(3)).await.unwrap();
        drop((stream, more));
        let wire = server.end().await;
        assert_eq!((wire.connections, wire.requests.len()), (2, 3));
    }
}
