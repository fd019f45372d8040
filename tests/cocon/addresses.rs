//! Which base URLs a client accepts, and which headers carry the credentials.

use lastmile::cocon::Cocon;
use lastmile::{BuildError, SetupError};
use lastmile_sandbox::Answer;
use lastmile_tests::sandbox;
use serde_json::json;

#[test]
fn base_urls_that_would_expose_credentials_are_refused() {
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
        SetupError::Connection(BuildError::Unencrypted { .. })
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
        .connection(|builder| builder.proxy(lastmile_core::reqwest::Proxy::all("http://[::1]:1").unwrap()));
    assert!(proxied.build().unwrap_err().to_string().contains("a proxy would read the credentials"));
    let missing = Cocon::builder("https://cocon.example").api_key("k").build().unwrap_err();
    assert_eq!(missing.to_string(), "the supplier demands a client id: give it to the builder");
}

#[tokio::test]
async fn a_trailing_slash_and_custom_header_names_are_accepted() {
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
    cocon.contact(&"1".parse().unwrap()).await.unwrap();
    let received = supplier.last().unwrap();
    assert_eq!(received.path, "/api/v1/contacts/1");
    assert_eq!(received.header("x-key"), Some("key"));
    assert_eq!(received.header("x-client"), Some("client"));
    assert_eq!(received.header("authorization"), Some("Bearer token"));
    assert_eq!(received.header("api-key"), None);
    assert_eq!(received.header("api-version"), None, "an invention of the generator");
}
