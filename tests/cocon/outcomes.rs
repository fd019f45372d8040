//! Outcomes of failed calls, except for connection failures, which `tests/contracts` covers.

use std::time::Duration;

use lastmile::cocon::Cocon;
use lastmile::cocon::types::{ContactPatch, CustomerContractPatch, CustomerCreate, CustomerPatch};
use lastmile::{Outcome, Prepared, RateLimit, RetryBudget};
use lastmile_tests::{RawServer, Then, brisk, cocon_at, customer, json, sandbox};

#[tokio::test]
async fn a_wrong_key_is_rejected_with_a_clear_error() {
    let sandbox = sandbox().await;
    let cocon = cocon_at(&sandbox.cocon().base_url(), "wrong", sandbox.cocon().client_id());
    let error = cocon.contact(&"1".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 401));
    assert_eq!(error.attempts(), 1);
    assert!(error.to_string().contains("does not accept the credentials"), "{error}");
}

#[tokio::test]
async fn each_call_of_a_client_has_its_own_outcome() {
    let server = RawServer::start(&[Then::Close, Then::Answer("HTTP/1.1 204 Done\r\n\r\n")]).await;
    let client = cocon_at(&server.base_url(), "key", "client").raw().clone();
    let customer = CustomerCreate::default();
    let id = "1".parse().unwrap();
    let error = client.create_customer(&customer).await.unwrap_err();
    assert_eq!((error.outcome(), error.operation().unwrap().id), (Outcome::Indeterminate, "create_customer"));
    assert_eq!(client.delete_contact(&id).await.unwrap().attempts, 1);
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn all_calls_of_a_client_share_one_retry_budget() {
    let server = RawServer::start(&[Then::Close]).await;
    let budget = RetryBudget::default().with_reserve(4).with_per_call(0.0);
    let cocon = Cocon::builder(server.base_url()).api_key("key").client_id("client").policy(brisk());
    let cocon = cocon.connection(|builder| builder.retry_budget(budget)).build().unwrap();
    let mut attempts = Vec::new();
    for _ in 0..3 {
        attempts
            .push(cocon.with_policy(brisk()).contact(&"1".parse().unwrap()).await.unwrap_err().attempts());
    }
    assert_eq!((attempts, server.requests()), (vec![4, 2, 1], 7), "three further ones, one, none");
}

#[tokio::test]
async fn a_creating_call_is_not_sent_with_too_little_time_left() {
    let server = RawServer::start(&[Then::Close]).await;
    let limit = RateLimit::new(1, Duration::from_secs(8));
    let policy = brisk().with_deadline(Duration::from_secs(10)).with_max_attempts(1);
    let cocon = Cocon::builder(server.base_url()).api_key("key").client_id("client").policy(policy);
    let cocon = cocon.rate_limit(limit).build().unwrap();
    cocon.contact(&"1".parse().unwrap()).await.unwrap_err();
    // The rate limit admits the call before its deadline, but with too little time left. The call fails at once, not
    // then.
    let error = Prepared::new(customer()).unwrap().place(&cocon).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Throttled, "{error}");
    assert!(error.to_string().contains("allows no request in time"), "{error}");
    assert!(error.elapsed() < Duration::from_secs(2) && error.retry_after() > Some(Duration::from_secs(5)));
    assert_eq!(server.requests(), 1);
}

/// A change is repeated, and its first attempt may still be carried out after a newer change.
#[tokio::test]
async fn a_reply_reports_an_unanswered_earlier_attempt_of_a_change() {
    let ok = Then::AnswerAndKeep(json("200 OK", r#"{"id":"1"}"#));
    for kind in ["contact", "customer", "contract"] {
        let server = RawServer::start([ok, Then::Reset, ok]).await;
        let cocon = cocon_at(&server.base_url(), "key", "client");
        let change = async || match kind {
            "contact" => {
                let patch = ContactPatch::default().name("Kajsa");
                let reply = cocon.update_contact(&"1".parse().unwrap(), &patch).await.unwrap();
                (reply.earlier_attempt_unanswered, reply.attempts)
            }
            "customer" => {
                let patch = CustomerPatch::default().name("Ankeborg");
                let reply = cocon.update_customer(&"1".parse().unwrap(), &patch).await.unwrap();
                (reply.earlier_attempt_unanswered, reply.attempts)
            }
            _ => {
                let patch = CustomerContractPatch::default().clear_comment();
                let reply = cocon.update_contract(&"1".parse().unwrap(), &patch).await.unwrap();
                (reply.earlier_attempt_unanswered, reply.attempts)
            }
        };
        assert_eq!(change().await, (false, 1), "{kind}");
        assert_eq!(change().await, (true, 2), "{kind}");
    }
}
