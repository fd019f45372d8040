//! Rejected and unavailable tokens, and a submission whose response is lost.

use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_tests::{RawServer, Then, Wire, answer, json, settled, store_and_place};

use crate::calls::Ends::*;
use crate::calls::{Call, Client, Told, done, drafted, patient, seen, submission, tokens};
use crate::table::ok;

const REFUSED: Then = Then::AnswerAndKeep("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");

async fn told(call: Call, script: [Then; 2], tokens: Vec<Then>) -> (Told, Wire) {
    let server = match call {
        Call::Submit => RawServer::with_reads(script, tokens, json("200 OK", &drafted())).await,
        _ => RawServer::with_tokens(script, tokens).await,
    };
    let client = call.client(&server.base_url(), patient());
    let told = client.make(call).await;
    drop(client);
    (told, server.end().await)
}

fn paths(wire: &Wire) -> Vec<&str> {
    wire.tokens.iter().map(|request| request.path.as_str()).collect()
}

const OBTAIN: &str = "/api/v2/account/token/";
const RENEW: &str = "/api/v2/account/token/refresh/";

#[tokio::test]
async fn a_rejected_token_is_renewed_once() {
    for (call, last) in [(Call::Order, ok()), (Call::Submit, ok()), (Call::Draft, json("200 OK", &drafted()))]
    {
        let (told, wire) = told(call, [REFUSED, Then::AnswerAndKeep(last)], vec![tokens()]).await;
        assert_eq!(seen(call, &told, &wire.requests), (Answered, None, 0, 2));
        assert_eq!(paths(&wire), [OBTAIN, RENEW], "{call:?}");
        // A second rejection is final: there is no third token.
        let (told, wire) = self::told(call, [REFUSED, REFUSED], vec![tokens()]).await;
        assert_eq!(seen(call, &told, &wire.requests), (Rejected, Some(401), 2, 2));
        assert_eq!(paths(&wire), [OBTAIN, RENEW], "{call:?}");
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let busy = Then::AnswerAndKeep(answer("503 Busy", ""));
    for fault in [Then::ResetHalfway, Then::Reset, Then::Close, busy] {
        for call in [Call::Draft, Call::Submit, Call::Order] {
            let (told, wire) = told(call, [Then::Reset; 2], vec![fault]).await;
            let seen = seen(call, &told, &wire.requests);
            assert!(matches!(seen, (NotSent, None | Some(503), 4, 0)), "{fault:?}: {seen:?}");
        }
    }
}

/// A rejected request had no effect, so it counts as not sent.
#[tokio::test]
async fn a_call_is_not_sent_when_its_token_cannot_be_renewed() {
    for call in [Call::Draft, Call::Submit] {
        let (told, wire) = told(call, [REFUSED; 2], vec![tokens(), Then::Reset]).await;
        let seen = seen(call, &told, &wire.requests);
        assert!(matches!(seen, (NotSent, Some(401), 4, 1)), "{seen:?}");
        assert_eq!(paths(&wire)[..3], [OBTAIN, RENEW, OBTAIN]);
    }
}

/// The main guarantee of this library, end to end: the response is lost, nothing is sent again, and a look-up decides.
#[tokio::test]
async fn a_submission_with_a_lost_response_is_found() {
    let script = [
        Then::AnswerAndKeep(json("200 OK", &drafted())),
        Then::Reset,
        Then::AnswerAndKeep(answer("500 Oh", "")),
        Then::AnswerAndKeep(json("200 OK", &done("1"))),
    ];
    let server = RawServer::with_tokens(script, [tokens()]).await;
    let Client::Covage(covage) = Call::Submit.client(&server.base_url(), patient().with_max_attempts(1))
    else {
        unreachable!()
    };
    let mut submission = Prepared::new(submission()).unwrap();
    let error = submission.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Indeterminate, 1));
    assert_eq!(submission.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);

    // A failed look-up changes nothing.
    assert_eq!(submission.reconcile(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    assert_eq!(submission.state(), PreparedState::Indeterminate);
    let Reconciled::Placed(order) = submission.reconcile(&covage).await.unwrap() else {
        panic!("it is submitted")
    };
    assert_eq!(order.uuid.as_deref(), Some("1"));
    assert_eq!(submission.state(), PreparedState::Placed);
    assert_eq!(submission.place(&covage).await.unwrap_err().outcome(), Outcome::Invalid);
    let Reconciled::Placed(again) = submission.reconcile(&covage).await.unwrap() else {
        panic!("it is known")
    };
    assert_eq!(again.uuid.as_deref(), Some("1"));

    drop(covage);
    let wire = server.end().await;
    let methods: Vec<_> = wire.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PATCH", "GET", "GET"], "what is known to be placed is not asked for");
    assert_eq!(wire.tokens.len(), 1);
}

/// A rejection of the second attempt proves nothing about the first: it may be rejected because the first took effect.
#[tokio::test]
async fn a_rejection_after_declare_absent_proves_nothing() {
    let bad = answer("400 Bad Request", "");
    let draft = json("200 OK", &drafted());
    let [draft, bad, submitted] = [draft, bad, ok()].map(Then::AnswerAndKeep);
    let script = [draft, Then::Reset, draft, draft, bad, submitted];
    let server = RawServer::with_tokens(script, [tokens()]).await;
    let Client::Covage(covage) = Call::Submit.client(&server.base_url(), patient()) else { unreachable!() };
    let mut submission = Prepared::new(submission()).unwrap();
    assert_eq!(submission.place(&covage).await.unwrap_err().outcome(), Outcome::Indeterminate);
    submission.declare_absent(&covage.with_policy(settled())).unwrap();
    let error = store_and_place(&mut submission, &covage).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Rejected, 1), "this request was refused");
    assert_eq!(submission.state(), PreparedState::Ready);
    // The value is looked up before it is sent a third time.
    store_and_place(&mut submission, &covage).await.unwrap();
    assert_eq!(submission.state(), PreparedState::Placed);
    drop(covage);
    let wire = server.end().await;
    let methods: Vec<_> = wire.requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(
        methods,
        ["GET", "PATCH", "GET", "GET", "PATCH", "GET"],
        "it is looked up before it is sent again"
    );
}
