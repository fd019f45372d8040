//! Response heads that HTTP/1.1 does not allow, but that servers and gateways send.

use lastmile::Outcome;
use lastmile_tests::Then;

use crate::calls::Ends::*;
use crate::calls::{Call, done, patient, seen, told};

const CALLS: [Call; 4] = [Call::Create, Call::Activate, Call::Read, Call::List];

/// Returns a successful response with these header lines before and after the relevant ones.
fn with_lines(lines: &str) -> &'static str {
    let body = done("1");
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\n{lines}content-type: application/json\r\ncontent-length: {length}\r\n{lines}\r\n{body}"
    )
    .leak()
}

#[tokio::test]
async fn invalid_headers_do_not_lose_the_response() {
    let many: String = (0..60).map(|number| format!("x-edge-{number}: here\r\n")).collect();
    for lines in [
        "content-security-policy: default-src self;\r\n  child-src self\r\n",
        "x-edge:\r\n\there\r\n",
        "x-edge : here\r\n",
        "x-edge\t: here\r\n",
        "x(edge): here\r\n",
        "x edge: here\r\n",
        "no colon\r\n",
        ": no name\r\n",
        "x-edge: he\u{1}re\r\n",
        "x-\u{e9}dge: here\r\n",
        "x-edge: h\u{e9}re\r\n",
        many.as_str(),
    ] {
        for call in CALLS {
            let (told, wire) = told(call, patient(), vec![Then::Answer(with_lines(lines)); 2]).await;
            // A repeatable call is repeated, with a client that reads more header lines.
            let requests = if lines == many && matches!(call, Call::Read | Call::List) { 2 } else { 1 };
            assert_eq!(
                seen(call, &told, &wire.requests),
                (Answered, None, 0, requests),
                "{call:?} {lines:?}"
            );
            assert_eq!(told.unwrap(), "1", "{lines:?}");
        }
    }
}

/// A relevant header with a space before its colon is still read.
#[tokio::test]
async fn headers_with_a_space_before_the_colon_are_read() {
    let body = done("1");
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length : {}\r\n\r\n{body}", body.len()).leak();
    let (told, wire) = told(Call::Create, patient(), vec![Then::AnswerAndHang(answer)]).await;
    assert_eq!(seen(Call::Create, &told, &wire.requests), (Answered, None, 0, 1));
    let refused = "HTTP/1.1 429 Later\r\nretry-after : 3600\r\nx-edge: a\r\n b\r\ncontent-length: 0\r\n\r\n";
    let (told, _) = self::told(Call::Read, patient(), vec![Then::Answer(refused)]).await;
    let error = told.unwrap_err();
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3600));
    assert_eq!(error.headers()["x-edge"], "a b");
}

#[tokio::test]
async fn the_error_says_why_a_head_is_unreadable() {
    let many: String = (0..300).map(|number| format!("x-edge-{number}: here\r\n")).collect();
    let long = format!("x-edge: {}\r\n", "here".repeat(1 << 18));
    for (answer, says) in [
        (with_lines(&many), "has more than 256 headers"),
        (with_lines(&long), "larger than can be read"),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", "is not HTTP/1.1"),
        ("<html>Ankeborg</html>\r\n\r\n", "is not HTTP/1.1"),
    ] {
        for call in [Call::Create, Call::Read] {
            let (told, _) = told(call, patient(), vec![Then::Answer(answer); 2]).await;
            let error = told.unwrap_err();
            assert_eq!(error.outcome(), Outcome::Indeterminate);
            let shown = error.to_string();
            assert!(shown.contains(says) && shown.contains("127.0.0.1:"), "{shown}");
            assert!(!shown.contains("SSH") && !shown.contains("Ankeborg"), "{shown}");
        }
    }
}
