//! Redirects, and where credentials may go.

use lastmile::cocon::Cocon;
use lastmile::cocon::types::CustomerCreate;
use lastmile::{BuildError, Outcome, Prepared, SetupError};
use lastmile_sandbox::Answer;
use lastmile_tests::{cocon, sandbox};
use serde_json::json;

#[tokio::test]
async fn another_origin_is_never_asked() {
    let (here, there) = (sandbox().await, sandbox().await);
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("{}/api/v1/contacts/1", there.cocon().base_url());
        here.cocon().answer_next("getContact", Answer::status(status).header("location", elsewhere));
        let error = cocon(&here).contact("1").await.unwrap_err();
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, status));
        assert!(error.to_string().contains("redirects to another origin"), "{error}");
    }
    assert_eq!(there.cocon().received().len(), 0);
    assert_eq!(here.cocon().received().len(), 5);
}

#[tokio::test]
async fn a_creation_is_not_turned_into_a_read() {
    let sandbox = sandbox().await;
    // "Moved" says that nothing was done there; "see there" is what many servers say when it was.
    for (status, outcome) in [(301, Outcome::Rejected), (302, Outcome::Unknown), (303, Outcome::Unknown)] {
        let answer = Answer::status(status).header("location", "/api/v1/customers/7");
        sandbox.cocon().answer_next("createCustomer", answer);
        let error =
            Prepared::new(CustomerCreate::default()).unwrap().place(&cocon(&sandbox)).await.unwrap_err();
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (outcome, status));
        assert!(error.to_string().contains("check the base address"), "{error}");
    }
    assert_eq!(sandbox.cocon().received().len(), 3);
    assert_eq!(sandbox.cocon().count("createCustomer"), 3);
}

#[tokio::test]
async fn a_status_that_nothing_documents_proves_nothing_about_a_creation() {
    let sandbox = sandbox().await;
    for status in [300, 304, 501] {
        sandbox.cocon().answer_next("createCustomer", Answer::status(status));
        let error =
            Prepared::new(CustomerCreate::default()).unwrap().place(&cocon(&sandbox)).await.unwrap_err();
        let expected = if status == 501 { Outcome::Rejected } else { Outcome::Unknown };
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (expected, status));
        sandbox.cocon().answer_next("getContact", Answer::status(status));
        assert_eq!(cocon(&sandbox).contact("1").await.unwrap_err().outcome(), Outcome::Rejected);
    }
}

#[tokio::test]
async fn the_same_origin_is_followed() {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next("getContact", Answer::status(301).header("location", "/api/v1/customers/7"));
    sandbox.cocon().answer_next("getCustomer", Answer::json(200, &json!({ "id": "7" })));
    assert_eq!(cocon(&sandbox).contact("1").await.unwrap().id.as_deref(), Some("7"));

    let kept = Answer::status(307).header("location", "/api/v1/contacts");
    sandbox.cocon().answer_next("createCustomer", kept);
    sandbox.cocon().answer_next("createContact", Answer::json(200, &json!({ "id": "8" })));
    let customer = CustomerCreate { name: Some("Anka".into()), ..Default::default() };
    let customer = Prepared::new(customer).unwrap().place(&cocon(&sandbox)).await.unwrap();
    assert_eq!(customer.id.as_deref(), Some("8"));
    let received = sandbox.cocon().last().unwrap();
    assert_eq!((received.method.as_str(), received.json()), ("POST", Some(json!({ "name": "Anka" }))));
}

#[tokio::test]
async fn a_circle_ends() {
    let sandbox = sandbox().await;
    for _ in 0..20 {
        sandbox
            .cocon()
            .answer_next("getContact", Answer::status(302).header("location", "/api/v1/contacts/1"));
    }
    let error = cocon(&sandbox).contact("1").await.unwrap_err();
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 302));
    assert_eq!(sandbox.cocon().received().len(), 6);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_refused() {
    let sandbox = sandbox().await;
    sandbox.cocon().answer_next("getContact", Answer::status(302));
    let error = cocon(&sandbox).contact("1").await.unwrap_err();
    assert!(error.to_string().contains("without saying where"), "{error}");
}

#[test]
fn addresses_that_would_show_credentials_are_refused() {
    let build = |base: &str| Cocon::builder(base).api_key("k").client_id("c").build();
    for (base, says) in [
        ("http://cocon.example", "plain http to cocon.example"),
        ("http://192.168.0.1/api", "plain http to 192.168.0.1"),
        ("https://user:pass@cocon.example", "take them out and give them as credentials"),
        ("https://cocon.example?key=1", "query or fragment"),
        ("ftp://cocon.example", "not an address"),
        ("cocon.example", "not an address"),
        ("", "not an address"),
    ] {
        let error = build(base).unwrap_err();
        assert!(error.to_string().contains(says), "{base}: {error}");
        assert!(!format!("{error} {error:?}").contains("pass@"));
    }
    assert!(matches!(
        build("http://cocon.example").unwrap_err(),
        SetupError::Connection(BuildError::InTheOpen { .. })
    ));
    assert!(build("https://cocon.example/").is_ok());
    assert!(build("http://localhost:1").is_ok());
    let keys = |key: &str, client: &str| {
        let builder = Cocon::builder("https://cocon.example").api_key("k").client_id("c");
        builder.key_headers(key, client).build().unwrap_err().to_string()
    };
    assert_eq!(keys("X-Key", "x-key"), "two credentials are for x-key: give each a header of its own");
    assert!(keys("host", "x").contains("a meaning of its own in HTTP"));
    assert!(keys("X", "no header").contains("is not a header name"));
    let proxied = Cocon::builder("http://127.0.0.1:1").api_key("k").client_id("c");
    let proxied = proxied
        .connection(|handle| handle.proxy(lastmile_core::reqwest::Proxy::all("http://[::1]:1").unwrap()));
    assert!(proxied.build().unwrap_err().to_string().contains("a proxy would read the credentials"));
    let missing = Cocon::builder("https://cocon.example").api_key("k").build().unwrap_err();
    assert_eq!(missing.to_string(), "the supplier demands a client id: give it to the builder");
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_base_and_other_header_names() {
    let sandbox = sandbox().await;
    let supplier = sandbox.cocon();
    let cocon = Cocon::builder(format!("{}/", supplier.base_url()))
        .api_key("key")
        .client_id("client")
        .bearer("token")
        .key_headers("X-Key", "X-Client")
        .build()
        .unwrap();
    supplier.answer_next("getContact", Answer::json(200, &json!({})));
    cocon.contact("1").await.unwrap();
    let received = supplier.last().unwrap();
    assert_eq!(received.path, "/api/v1/contacts/1");
    assert_eq!(received.header("x-key"), Some("key"));
    assert_eq!(received.header("x-client"), Some("client"));
    assert_eq!(received.header("authorization"), Some("Bearer token"));
    assert_eq!(received.header("api-key"), None);
    assert_eq!(received.header("api-version"), None, "an invention of the generator");
}
