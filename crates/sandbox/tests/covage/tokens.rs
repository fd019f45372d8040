//! Tokens.

use http::Method;
use lastmile_sandbox::Spec;
use serde_json::{Value, json};

use crate::caller::{Caller, faults};
use crate::common::{JSON, send};

const TOKEN: &str = "/api/v2/account/token/";
const REFRESH: &str = "/api/v2/account/token/refresh/";
const LEGACY: &str = "/api/account/token/";
const LEGACY_REFRESH: &str = "/api/account/token/refresh/";
const CONTACTS: &str = "/api/contacts/";

async fn status(caller: &Caller, authorization: &str) -> u16 {
    let headers = [("Authorization", authorization)];
    let reply = send(&caller.covage.base_url(), "GET", CONTACTS, &headers, "").await;
    if reply.status == 401 {
        assert!(faults(&reply).is_empty());
    }
    reply.status
}

#[tokio::test]
async fn a_token_is_valid_until_it_expires() {
    let mut caller = Caller::new().await;
    let credentials = json!({ "email": caller.covage.email(), "password": caller.covage.password() });
    let tokens = caller.post(TOKEN, credentials).await;
    let refresh = json!({ "refresh": tokens["refresh"] });
    assert_eq!(caller.call("GET", CONTACTS, Value::Null).await.status, 200, "the earlier token stays good");

    caller.covage.expire_tokens();
    assert_eq!(caller.call("GET", CONTACTS, Value::Null).await.status, 401);
    let renewed = caller.post(REFRESH, refresh.clone()).await;
    assert_eq!(renewed.as_object().unwrap().len(), 1);
    caller.token = renewed["access"].as_str().unwrap().to_owned();
    caller.get(CONTACTS).await;
    caller.post(REFRESH, refresh.clone()).await;

    caller.covage.expire_refresh_tokens();
    caller.get(CONTACTS).await;
    assert_eq!(caller.call("POST", REFRESH, refresh).await.status, 401);
    assert_eq!((caller.covage.count("obtainToken"), caller.covage.took_effect("obtainToken")), (2, 2));
    assert_eq!((caller.covage.count("refreshToken"), caller.covage.took_effect("refreshToken")), (3, 2));
    caller.assert_sound();
}

#[tokio::test]
async fn a_legacy_token_is_renewed_before_it_expires() {
    let caller = Caller::new().await;
    let credentials = json!({ "email": caller.covage.email(), "password": caller.covage.password() });
    let first = caller.post(LEGACY, credentials).await;
    let second = caller.post(LEGACY_REFRESH, json!({ "token": first["token"] })).await;
    let third = caller.post(LEGACY_REFRESH, json!({ "token": second["token"] })).await;
    let user = third["user"]["user_uuid"].as_str().unwrap();
    for token in [&first, &second, &third] {
        let token = token["token"].as_str().unwrap();
        assert_eq!(status(&caller, &format!("JWT {token}")).await, 200);
        assert_eq!(status(&caller, &format!("Bearer {token}")).await, 401, "the other generation");
    }
    assert_eq!(status(&caller, &format!("JWT {}", caller.token)).await, 401, "the other generation");
    assert_eq!(caller.get(&format!("/api/users/{user}/")).await, third["user"]);
    assert_eq!(caller.call("GET", "/api/users/other/", Value::Null).await.status, 404);
    caller.covage.expire_tokens();
    let late = caller.call("POST", LEGACY_REFRESH, json!({ "token": third["token"] })).await;
    assert_eq!(late.status, 400);
    caller.assert_sound();
}

#[tokio::test]
async fn wrong_credentials_have_the_status_of_the_generation() {
    let caller = Caller::new().await;
    let (email, password) = (caller.covage.email(), caller.covage.password());
    for (email, password) in [(email, "x"), ("x@operateur.example", password), (email, "")] {
        let body = json!({ "email": email, "password": password });
        for (path, status) in [(TOKEN, 401), (LEGACY, 400)] {
            let reply = caller.call("POST", path, body.clone()).await;
            assert_eq!(reply.status, status);
            assert!(faults(&reply).is_empty() && !reply.body.contains(email));
        }
    }
    let shouted = json!({ "email": email.to_uppercase(), "password": password });
    caller.post(TOKEN, shouted).await;
    let faults = caller.refused("POST", TOKEN, json!({ "email": email })).await;
    assert_eq!(faults["password"], json!(["This field is required."]));
    caller.assert_sound();
}

#[tokio::test]
async fn everything_but_obtaining_a_token_requires_one() {
    let caller = Caller::new().await;
    let open = ["obtainToken", "refreshToken", "obtainLegacyToken", "refreshLegacyToken"];
    for operation in Spec::covage().operations() {
        let path = operation.path.replace(['{', '}'], "");
        let body = if operation.method == Method::GET { "" } else { "{}" };
        let reply = send(&caller.covage.base_url(), operation.method.as_str(), &path, &[JSON], body).await;
        let expected = if open.contains(&operation.id.as_str()) { 400 } else { 401 };
        assert_eq!(reply.status, expected, "{}", operation.id);
        faults(&reply);
    }
    let token = &caller.token;
    for wrong in ["", "Bearer", "Bearer ", "Bearer x", token, &format!("bearer {token}")] {
        assert_eq!(status(&caller, wrong).await, 401, "{wrong}");
    }
    caller.assert_sound();
}
