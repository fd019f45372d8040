//! Where a redirected request is sent, and with which headers.

use lastmile_tests::{RawServer, Then, answer};

use crate::calls::Ends::*;
use crate::calls::{Call, patient, seen, server, tokens};
use crate::table::ok;

/// No credentials are sent to another machine or port, to the same machine by another name, or to a URL without a
/// scheme.
#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let elsewhere = RawServer::start([Then::AnswerAndKeep(ok())]).await;
    let (address, port) = (elsewhere.address(), elsewhere.address().port());
    let places =
        [format!("http://{address}/x"), format!("//{address}/x"), format!("http://localhost:{port}/x")];
    let every = |place: &String| [301, 302, 303, 307, 308].map(|status| (status, place.clone()));
    let redirects: Vec<(u16, String)> = places.iter().flat_map(every).collect();
    for call in [Call::Create, Call::Read, Call::Delete] {
        let to =
            |(status, place): &(u16, String)| answer(&format!("{status} Elsewhere\r\nlocation: {place}"), "");
        let script: Vec<_> = redirects.iter().map(to).map(Then::AnswerAndKeep).collect();
        let here = RawServer::start(script).await;
        let client = call.client(&here.base_url(), patient().with_max_attempts(1));
        for (number, (status, place)) in redirects.iter().enumerate() {
            let told = client.make(call).await;
            let open = matches!(status, 302 | 303) && call != Call::Read;
            let ends = if open { Indeterminate } else { Rejected };
            let seen = seen(call, &told, &here.wire().requests[number..]);
            assert_eq!(seen, (ends, Some(*status), 1, 1), "{call:?} {place}");
            let text = told.unwrap_err().to_string();
            assert!(text.contains("check the base address"), "{text}");
            assert!(!text.contains("localhost") && !text.contains("127.0.0.1"), "{text}");
        }
    }
    let wire = elsewhere.end().await;
    assert_eq!((wire.connections, wire.requests.len()), (0, 0));
}

/// The password is not sent to another origin either.
#[tokio::test]
async fn a_login_redirect_to_another_origin_is_not_followed() {
    let elsewhere = RawServer::start([tokens()]).await;
    for status in [301, 302, 303, 307, 308] {
        let place = format!("{status} Elsewhere\r\nlocation: {}/token/", elsewhere.base_url());
        let server = RawServer::with_tokens([Then::Reset], [Then::AnswerAndKeep(answer(&place, ""))]).await;
        let client = Call::Submit.client(&server.base_url(), patient().with_max_attempts(1));
        let told = client.make(Call::Submit).await;
        drop(client);
        let wire = server.end().await;
        assert_eq!(seen(Call::Submit, &told, &wire.requests), (NotSent, Some(status), 1, 0));
        assert_eq!(wire.tokens.len(), 1);
    }
    assert_eq!(elsewhere.end().await.connections, 0);
}

/// The redirected request is the same request at another path.
#[tokio::test]
async fn a_redirected_creating_request_keeps_its_method_and_body() {
    for status in [307, 308] {
        for call in [Call::Create, Call::Activate, Call::Submit, Call::Change] {
            let found = answer(&format!("{status} Elsewhere\r\nlocation: /elsewhere?a=b"), "");
            let server = server(call, vec![Then::AnswerAndKeep(found), Then::AnswerAndKeep(ok())]).await;
            let client = call.client(&server.base_url(), patient());
            client.make(call).await.unwrap();
            drop(client);
            let [first, second] = &server.end().await.requests[..] else { panic!("{call:?}: two requests") };
            assert_eq!(second.path, "/elsewhere?a=b");
            assert_eq!((&first.method, first.body), (&second.method, second.body), "{call:?}");
            assert!(first.body > 0 && first.method != "GET");
        }
    }
}
