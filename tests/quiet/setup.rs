//! Builders, clients and credentials, and the errors of invalid ones.

use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::onapi::{Dialect, OnApi};
use lastmile::{CredentialError, SetupError};
use lastmile_cocon::Client;
use lastmile_core::auth::Credentials;
use lastmile_core::client::{ApiClient as _, BuildError};
use lastmile_core::reqwest::Proxy;
use lastmile_onapi::Client as OnApiClient;
use lastmile_onapi::types::ListAccessesParams;
use serde_json::json;

use crate::marks::{CLIENT, KEY, PASSWORD, PERSONAL, TOKEN, USER, Walked};

pub async fn walk(walked: &Walked) {
    let credentials = || {
        let keys = Credentials::none().header("Api-Key", KEY).unwrap();
        keys.header("Client-Id", CLIENT).unwrap().bearer(TOKEN).unwrap()
    };
    walked.debug(&credentials());
    walked.debug(&Credentials::none().basic(USER, PASSWORD).unwrap());
    for flow in lastmile_covage::TABLE.tokens {
        let login = json!({ "email": PERSONAL, "password": PASSWORD });
        walked.debug(&Credentials::none().token(flow, &login).unwrap());
    }
    let invalid: [CredentialError; 8] = [
        Credentials::none().header("Api-Key", &format!("{KEY}\n")).unwrap_err(),
        Credentials::none().header("Host", KEY).unwrap_err(),
        credentials().header("Api-Key", KEY).unwrap_err(),
        credentials().bearer(TOKEN).unwrap_err(),
        Credentials::none().basic("Personal:", PASSWORD).unwrap_err(),
        Credentials::none().basic("Personal\n", PASSWORD).unwrap_err(),
        Credentials::none().basic("Personal", &format!("{PASSWORD}\n")).unwrap_err(),
        Credentials::none().basic("Personal", "").unwrap_err(),
    ];
    invalid.iter().for_each(|error| walked.error(error));

    let at = |base: &str| Client::builder(base).credentials(credentials());
    walked.debug(&at(PASSWORD));
    let bases = [
        PASSWORD,
        "ftp://SECRET@cocon.example",
        "https://Personal:SECRET@cocon.example",
        "https://cocon.example/?key=SECRET",
        "https://cocon.example/#SECRET",
        "http://cocon.example/SECRET",
    ];
    for base in bases {
        walked.error(&at(base).build().unwrap_err());
    }
    walked.error(&at("https://cocon.example").user_agent("Personal\n").build().unwrap_err());
    let proxy = || Proxy::all("http://Personal:SECRET@proxy.example").unwrap();
    let proxied: BuildError = at("http://127.0.0.1").proxy(proxy()).build().unwrap_err();
    walked.error(&proxied);
    let client = at("https://cocon.example").proxy(proxy()).build().unwrap();
    walked.debug(&at("https://cocon.example").proxy(proxy()));
    walked.debug(&client);
    walked.debug(client.transport());

    // A request that cannot be built.
    let here = OnApiClient::builder("http://127.0.0.1").build().unwrap();
    let invalid = ListAccessesParams { if_modified_since: Some(format!("{PERSONAL}\n")) };
    let error = here.list_accesses(&invalid).await.unwrap_err();
    assert_eq!(error.outcome(), lastmile::Outcome::Invalid);
    walked.error(&error);
    walked.both(&error.outcome());

    let builder = || Cocon::builder(PASSWORD).api_key(KEY).client_id(CLIENT).bearer(TOKEN);
    walked.debug(&builder());
    walked.error(&builder().build().unwrap_err());
    walked.debug(&Covage::builder(PASSWORD).login(PERSONAL, PASSWORD));
    walked.error(&Covage::builder(PASSWORD).login(PERSONAL, PASSWORD).build().unwrap_err());
    walked.debug(&OnApi::builder(PASSWORD).dialect(Dialect::Vendor26).login(USER, PASSWORD));
    let invalid: [SetupError; 3] = [
        OnApi::builder("https://co.example").login("Personal:", PASSWORD).build().unwrap_err(),
        OnApi::builder("https://co.example").build().unwrap_err(),
        Cocon::builder("https://cocon.example")
            .api_key(format!("{KEY}\n"))
            .client_id(CLIENT)
            .build()
            .unwrap_err(),
    ];
    invalid.iter().for_each(|error| walked.error(error));
}
