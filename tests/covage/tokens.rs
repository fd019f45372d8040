//! Tokens are obtained, and renewed once for all calls, in both generations.

use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use lastmile::covage::Covage;
use lastmile::covage::types::OrderCreateRequestType::Activate;
use lastmile::{Outcome, Prepared, covage::NewOrder};
use lastmile_sandbox::Answer;
use lastmile_tests::{RawServer, Then, brisk, covage, sandbox};
use serde_json::json;

#[tokio::test]
async fn one_token_serves_fifty_calls_and_is_renewed_once() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let covage = covage(&sandbox);
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    assert_eq!((supplier.count("obtainToken"), supplier.count("refreshToken")), (1, 0));

    supplier.expire_tokens();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let covage = covage.clone();
            tokio::spawn(
                async move { covage.cities(&"76000".parse().unwrap()).await.map(|cities| cities.len()) },
            )
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(
        (supplier.count("obtainToken"), supplier.count("refreshToken")),
        (1, 1),
        "one renewal for all"
    );
    let answered = supplier
        .received()
        .iter()
        .filter(|r| r.operation.as_deref() == Some("listCities") && r.status == 200)
        .count();
    assert_eq!(answered, 52, "each call is answered once");
}

/// A list sends its request when it is polled, and may then be left alone for a while.
#[tokio::test]
async fn an_unpolled_list_does_not_hold_the_login_of_other_calls() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let mut contacts = covage.contacts();
    assert!(contacts.next().now_or_never().is_none(), "the login is in flight");
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    assert_eq!(sandbox.covage().count("obtainToken"), 1);
    assert!(contacts.next().await.is_none_or(|contact| contact.is_ok()));
}

/// Creating calls run in tasks of a service, which demands that their futures are `Send`.
#[test]
fn futures_of_calls_are_send() {
    fn is_send<T: Send>(_: T) {}
    let covage = Covage::builder("http://127.0.0.1").login("a@sp.example", "word").build().unwrap();
    let raw = covage.raw().clone();
    is_send(raw.create_order(&Default::default()));
    is_send(raw.update_order(&"1".parse().unwrap(), &Default::default()));
    is_send(raw.get_order(&"1".parse().unwrap()));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_is_obtained_again() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let covage = covage(&sandbox);
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    supplier.expire_tokens();
    supplier.expire_refresh_tokens();
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    assert_eq!((supplier.count("obtainToken"), supplier.count("refreshToken")), (2, 1));
}

#[tokio::test]
async fn the_legacy_token_generation_is_supported() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let covage =
        Covage::builder(supplier.base_url()).login(supplier.email(), supplier.password()).legacy_tokens();
    let covage = covage.policy(brisk()).build().unwrap();
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    assert!(supplier.last().unwrap().header("authorization").unwrap().starts_with("JWT "));
    supplier.expire_tokens();
    covage.cities(&"76000".parse().unwrap()).await.unwrap();
    assert_eq!(
        supplier.count("obtainLegacyToken"),
        2,
        "an expired token of this generation cannot be renewed"
    );
    assert_eq!(supplier.count("obtainToken"), 0);
}

#[tokio::test]
async fn a_wrong_password_is_reported_and_the_order_is_not_sent() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    for legacy in [false, true] {
        let builder = Covage::builder(supplier.base_url()).login(supplier.email(), "wrong").policy(brisk());
        let covage = if legacy { builder.legacy_tokens() } else { builder }.build().unwrap();
        let mut order = Prepared::new(NewOrder::activate("elig-1", "AM01", Activate)).unwrap();
        let error = order.place(&covage).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Rejected);
        assert_eq!(error.status().unwrap(), if legacy { 400 } else { 401 });
        assert!(error.to_string().contains("gives no token for these credentials"), "{error}");
        assert!(!error.may_have_taken_effect());
    }
    assert_eq!(supplier.count("createOrder"), 0);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let sandbox = sandbox().await;
    for answer in
        [Answer::status(500), Answer::json(200, &json!({})), Answer::json(200, &json!({ "access": "a\nb" }))]
    {
        for _ in 0..4 {
            sandbox.covage().answer_next("obtainToken", answer.clone());
        }
        let mut order = Prepared::new(NewOrder::activate("elig-1", "AM01", Activate)).unwrap();
        let error = order.place(&covage(&sandbox)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
        assert_eq!(sandbox.covage().count("createOrder"), 0);
    }
    let server = RawServer::start(&[Then::Hang]).await;
    let policy = brisk().with_deadline(Duration::from_millis(100));
    let covage =
        Covage::builder(server.base_url()).login("a@sp.example", "x").policy(policy).build().unwrap();
    let mut order = Prepared::new(NewOrder::activate("elig-1", "AM01", Activate)).unwrap();
    let error = order.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), server.requests()), (Outcome::NotSent, 1), "the login alone was sent");
}

#[tokio::test]
async fn a_failed_login_is_not_repeated_at_once() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let covage = Covage::builder(supplier.base_url())
        .login(supplier.email(), "wrong")
        .policy(brisk())
        .build()
        .unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let covage = covage.clone();
            tokio::spawn(async move { covage.cities(&"76000".parse().unwrap()).await.unwrap_err().outcome() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Outcome::Rejected);
    }
    assert_eq!(supplier.count("obtainToken"), 1, "a wrong password locks accounts");
}

#[tokio::test]
async fn every_call_waits_for_a_token_until_its_deadline() {
    let server = RawServer::start(&[Then::Hang]).await;
    let policy = brisk().with_deadline(Duration::from_millis(300));
    let covage =
        Covage::builder(server.base_url()).login("a@sp.example", "x").policy(policy).build().unwrap();
    let calls: Vec<_> = (0..8)
        .map(|_| {
            let covage = covage.clone();
            tokio::spawn(async move { covage.cities(&"76000".parse().unwrap()).await.unwrap_err() })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap();
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(error.elapsed() < Duration::from_secs(2), "{:?}", error.elapsed());
    }
}

#[tokio::test]
async fn a_throttled_login_reports_its_retry_after() {
    let sandbox = sandbox().await;
    let busy = Answer::status(429).header("retry-after", "3600");
    sandbox.covage().answer_next("obtainToken", busy);
    let error = covage(&sandbox).cities(&"76000".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Throttled, 429));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn obtaining_a_token_requires_none() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    let covage = covage(&sandbox);
    let body = serde_json::from_value(json!({ "email": supplier.email(), "password": supplier.password() }))
        .unwrap();
    covage.raw().obtain_token(&body).await.unwrap();
    assert_eq!(supplier.count("obtainToken"), 1);
    assert_eq!(supplier.last().unwrap().header("authorization"), None);
}

/// Makes five concurrent calls, and returns their errors.
async fn five_calls(covage: &Covage) -> Vec<lastmile::Error> {
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let covage = covage.clone();
            tokio::spawn(async move { covage.cities(&"76000".parse().unwrap()).await.unwrap_err() })
        })
        .collect();
    let mut errors = Vec::new();
    for call in calls {
        errors.push(call.await.unwrap());
    }
    errors
}

#[tokio::test]
async fn a_refused_login_is_sent_once_for_all_calls() {
    for status in [400, 401, 402, 403, 404, 409, 410, 422, 423, 451] {
        let sandbox = sandbox().await;
        let supplier = sandbox.covage();
        let refused =
            Answer::json(status, &json!({ "detail": "The account is locked" })).header("x-edge", "here");
        (0..50).for_each(|_| supplier.answer_next("obtainToken", refused.clone()));
        let covage = covage(&sandbox);
        let mut errors = five_calls(&covage).await;
        // Later calls wait for it, too.
        errors.push(covage.cities(&"76000".parse().unwrap()).await.unwrap_err());
        for error in errors {
            assert_eq!(
                (error.outcome(), error.status().unwrap().as_u16()),
                (Outcome::Rejected, status),
                "{error}"
            );
            assert_eq!((error.attempts(), &error.headers()["x-edge"]), (1, &"here".parse().unwrap()));
            assert_eq!(error.supplier_message(), Some("The account is locked"));
            assert!(error.body().starts_with(b"{\"detail\""));
        }
        assert_eq!(supplier.count("obtainToken"), 1, "status {status}: one login for all");
    }
}

#[tokio::test]
async fn all_calls_honour_the_retry_after_of_a_token_response() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    for (number, (status, outcome)) in [
        (403, Outcome::Throttled),
        (423, Outcome::Rejected),
        (429, Outcome::Throttled),
        (503, Outcome::NotSent),
    ]
    .into_iter()
    .enumerate()
    {
        supplier.answer_next("obtainToken", Answer::status(status).header("retry-after", "3600"));
        let covage = covage(&sandbox);
        let mut errors = five_calls(&covage).await;
        errors.push(covage.cities(&"76000".parse().unwrap()).await.unwrap_err());
        for error in errors {
            assert_eq!((error.outcome(), error.attempts()), (outcome, 1), "{error}");
            let wait = error.retry_after().unwrap().as_secs_f64();
            assert!(wait > 3590.0 && wait <= 3600.0, "{status}: {wait}");
        }
        assert_eq!(supplier.count("obtainToken"), number + 1, "status {status}");
    }
    assert_eq!(supplier.count("listCities"), 0);
}

/// The supplier does not ask for a login after a renewal that it throttled.
#[tokio::test]
async fn a_throttled_renewal_causes_no_login() {
    let sandbox = sandbox().await;
    let supplier = sandbox.covage();
    for (number, (status, after)) in
        [(429, None), (403, Some("3600")), (503, Some("3600")), (423, None)].into_iter().enumerate()
    {
        let covage = covage(&sandbox);
        covage.cities(&"76000".parse().unwrap()).await.unwrap();
        supplier.expire_tokens();
        let refused = Answer::status(status);
        let refused = match after {
            Some(after) => refused.header("retry-after", after),
            None => refused,
        };
        supplier.answer_next("refreshToken", refused);
        let once = covage.with_policy(brisk().with_max_attempts(1));
        let error = once.cities(&"76000".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status, "{error}");
        assert_eq!(supplier.count("obtainToken"), number + 1, "{status}");
    }
}

/// The error carries the whole response to a login.
#[tokio::test]
async fn a_token_response_without_a_token_is_kept() {
    let sandbox = sandbox().await;
    for (body, says) in [
        ("<html>maintenance until 14:00</html>", "the response to the login is not JSON"),
        ("", "the response to the login is not JSON"),
        (r#"{"detail":"maintenance"}"#, "the response to the login holds none"),
        (r#"{"access":"a\nb"}"#, "cannot be sent as a header"),
    ] {
        let page =
            Answer::status(200).header("content-type", "text/html").header("x-edge", "here").body(body);
        sandbox.covage().answer_next("obtainToken", page);
        let covage = covage(&sandbox).with_policy(brisk().with_max_attempts(1));
        let error = covage.cities(&"76000".parse().unwrap()).await.unwrap_err();
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::NotSent, 200), "{error}");
        assert_eq!(
            (error.body().as_ref(), &error.headers()["x-edge"]),
            (body.as_bytes(), &"here".parse().unwrap())
        );
        assert!(error.to_string().contains(says), "{error}");
    }
    let failed = Answer::status(500).header("content-type", "text/plain").body("Maintenance until 14:00");
    (0..4).for_each(|_| sandbox.covage().answer_next("obtainToken", failed.clone()));
    let error = covage(&sandbox).cities(&"76000".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::NotSent, 500));
    assert_eq!(error.supplier_message(), Some("Maintenance until 14:00"));
}

#[test]
fn an_invalid_login_is_refused() {
    for (email, password, says) in [
        ("", "word", "the email of the login is empty"),
        ("a@sp.example", "", "the password of the login is empty"),
        ("a@sp.example\n", "word", "the email of the login holds a control character at byte 12"),
        ("a@sp.example", "wo\0rd", "the password of the login holds a control character at byte 2"),
        ("a@sp.example", "word\r\n", "the password of the login holds a control character at byte 4"),
    ] {
        let error = Covage::builder("https://covage.example").login(email, password).build().unwrap_err();
        assert!(error.to_string().starts_with(says), "{error}");
    }
}
