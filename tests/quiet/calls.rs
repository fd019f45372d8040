//! Calls of every outcome, with marks in addresses, queries, bodies, headers and credentials.

use std::collections::BTreeSet;
use std::time::Duration;

use lastmile::{Outcome, Policy, RowError};
use lastmile_core::auth::Credentials;
use lastmile_core::client::ApiClient;
use lastmile_core::{Error, Reply};
use lastmile_sandbox::{Answer, Sandbox, Supplier};
use lastmile_tests::{RawServer, Then, brisk};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::marks::{CLIENT, KEY, PASSWORD, PERSONAL, TOKEN, USER, Walked, echo, personal, quiet};

pub async fn cocon(sandbox: &Sandbox, walked: &Walked) {
    use lastmile_cocon::Client;
    use lastmile_cocon::types::{ContactCreate, ContactPatch};

    let credentials =
        || Credentials::none().header("Api-Key", KEY).unwrap().header("Client-Id", CLIENT).unwrap();
    let at = |base: &str| -> Client {
        let credentials = credentials().bearer(TOKEN).unwrap();
        Client::builder(base)
            .credentials(credentials)
            .policy(brisk())
            .observer(walked.observer())
            .build()
            .unwrap()
    };
    let supplier = sandbox.cocon();
    let contact = &ContactCreate { name: personal(), phone_number: personal(), ..Default::default() };
    each_outcome(walked, supplier, at, "createContact", |client: Client| async move {
        client.create_contact(contact).await
    })
    .await;
    let id = &PERSONAL.parse().unwrap();
    each_outcome(
        walked,
        supplier,
        at,
        "getContact",
        |client: Client| async move { client.get_contact(id).await },
    )
    .await;
    let patch = &ContactPatch { name: lastmile::wire::Patch::set(PERSONAL), ..Default::default() };
    each_outcome(walked, supplier, at, "updateContact", |client: Client| async move {
        client.update_contact(id, patch).await
    })
    .await;

    // A read that is repeated.
    (0..2).for_each(|_| supplier.answer_next("getContact", Answer::json(503, &echo())));
    let stubborn = brisk().with_max_attempts(2);
    walked.error(&at(&supplier.base_url()).with_policy(stubborn).get_contact(id).await.unwrap_err());

    // A repeated key inside a list: the error names the path, and not the key.
    let failure =
        r#"{"failure": [{"errors": [{"errors": [{"Personal data": 1, "code": 1, "code": "Personal"}]}]}]}"#;
    supplier.answer_next("getDelayedConnectionBatch", json_answer(failure));
    let error = at(&supplier.base_url()).get_delayed_connection_batch(id).await.unwrap_err();
    assert_eq!(
        (error.outcome(), error.decode_path()),
        (Outcome::Decode, Some("failure[0].errors[0].errors[0]"))
    );
    walked.error(&error);
}

pub async fn covage(sandbox: &Sandbox, walked: &Walked) {
    use lastmile_covage::Client;
    use lastmile_covage::types::*;

    let at = |base: &str| -> Client {
        let credentials = Credentials::none().bearer(TOKEN).unwrap();
        Client::builder(base)
            .credentials(credentials)
            .policy(brisk())
            .observer(walked.observer())
            .build()
            .unwrap()
    };
    let supplier = sandbox.covage();
    let customer = EndCustomerUpdate { name: personal(), ..Default::default() };
    let order = &OrderCreate { end_customer: Some(customer), comment: personal(), ..Default::default() };
    each_outcome(walked, supplier, at, "createOrder", |client: Client| async move {
        client.create_order(order).await
    })
    .await;
    // In the query, and in the path.
    let filter =
        &ListOrdersParams { end_customer: personal(), endpoint_ref: personal(), ..Default::default() };
    each_outcome(walked, supplier, at, "listOrders", |client: Client| async move {
        client.list_orders(filter).await
    })
    .await;
    each_outcome(walked, supplier, at, "getForecast", |client: Client| async move {
        client.get_forecast("765405510", PERSONAL, &Default::default()).await
    })
    .await;
    let line = &PERSONAL.parse().unwrap();
    each_outcome(walked, supplier, at, "getPortability", |client: Client| async move {
        client.get_portability(line).await
    })
    .await;
    // A login that is sent as a body.
    let login = &TokenCreate { email: PERSONAL.into(), password: PASSWORD.into() };
    each_outcome(walked, supplier, at, "obtainToken", |client: Client| async move {
        client.obtain_token(login).await
    })
    .await;
}

pub async fn onapi(sandbox: &Sandbox, walked: &Walked) {
    use lastmile_onapi::Client;
    use lastmile_onapi::types::*;

    let at = |base: &str| -> Client {
        let credentials = Credentials::none().basic(USER, PASSWORD).unwrap();
        Client::builder(base)
            .credentials(credentials)
            .policy(brisk())
            .observer(walked.observer())
            .build()
            .unwrap()
    };
    let supplier = sandbox.onapi();
    let ticket = &TicketCreate { heading: personal(), description: personal(), ..Default::default() };
    each_outcome(walked, supplier, at, "createTicket", |client: Client| async move {
        client.create_ticket(ticket).await
    })
    .await;
    let lookup = &LookupDhcpParams {
        ipv4_circuit_id: personal(),
        ipv4_remote_id: personal(),
        ipv6_interface_id: personal(),
        ipv6_remote_id: personal(),
        ipv4option82: personal(),
    };
    each_outcome(walked, supplier, at, "lookupDhcp", |client: Client| async move {
        client.lookup_dhcp(lookup).await
    })
    .await;
    let option = &PERSONAL.parse().unwrap();
    each_outcome(walked, supplier, at, "lookupOption82", |client: Client| async move {
        client.lookup_option82(option).await
    })
    .await;
    // A stream that ends early.
    let script: &[Then] =
        &[Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n[{\"streetName\": \"Personal\"}, {\"")];
    let server = RawServer::start(script).await;
    let mut rows = at(&server.base_url()).list_accesses_rows(&Default::default()).await.unwrap();
    walked.debug(&rows);
    walked.debug(&rows.next().await.unwrap().unwrap());
    walked.debug(&rows);
    walked.error(&rows.next().await.unwrap().unwrap_err());
    let mut rows = lastmile::testing::rows_of::<String>(format!("[{PERSONAL:?}, 7,"));
    assert!(rows.next().await.unwrap().is_ok());
    walked.error(&lastmile::Error::from(rows.next().await.unwrap().unwrap_err()));
    let Some(Err(RowError::Malformed { list, .. })) = rows.next().await else { panic!("it has no end") };
    walked.debug(&list);
    let told =
        lastmile::testing::error(Outcome::Rejected).supplier_message(PERSONAL).detail("name", "x", PERSONAL);
    walked.debug(&told);
    walked.error(&told.build());
}

fn json_answer(body: &str) -> Answer {
    Answer::status(200).header("content-type", "application/json").body(body).header("x-echo", KEY)
}

/// Brings a call to each of its outcomes, and checks the errors.
async fn each_outcome<C, T, F, Fut>(
    walked: &Walked,
    supplier: &Supplier,
    at: impl Fn(&str) -> C,
    operation: &str,
    send: F,
) where
    C: ApiClient + Clone + std::fmt::Debug,
    T: DeserializeOwned + std::fmt::Debug,
    F: Fn(C) -> Fut,
    Fut: Future<Output = Result<Reply<T>, Error>>,
{
    let mut outcomes = BTreeSet::new();
    let mut look = |result: Result<lastmile::Reply<T>, lastmile::Error>| match result {
        Ok(reply) => walked.debug(&reply),
        Err(error) => {
            outcomes.insert(error.outcome().as_str());
            walked.error(&error);
            error.details().iter().for_each(|detail| walked.debug(detail));
            walked.debug(&error.display_with_supplier_message());
        }
    };
    let once = brisk().with_max_attempts(1);
    let client = at(&supplier.base_url());
    let with = |client: &C, policy: &Policy| C::from(client.transport().with_policy(policy.clone()));
    for status in [400, 401, 403, 404, 409, 429, 500, 503] {
        supplier.answer_next(operation, Answer::json(status, &echo()).header("x-echo", KEY));
        look(send(with(&client, &once)).await);
    }
    for location in ["http://127.0.0.1:1/?SECRET-KEY-4711", "/Personal?SECRET-KEY-4711"] {
        supplier.answer_next(operation, Answer::status(307).header("location", location));
        look(send(with(&client, &once)).await);
    }
    for body in
        [PERSONAL, r#"{"id": ["Personal"]"#, r#"[{"Personal": }]"#, "[[[\"Personal\"]", "\"\\ud800Personal\""]
    {
        supplier.answer_next(operation, json_answer(body));
        let result = send(client.clone()).await;
        if let Err(error) = &result {
            assert!(
                String::from_utf8_lossy(error.body()).contains(PERSONAL),
                "it is there for those who ask"
            );
        }
        look(result);
    }
    // A successful response.
    let answer = json!({ "name": PERSONAL, "id": [PERSONAL], "unlisted": PERSONAL, "access": TOKEN, "cause": PERSONAL });
    supplier.answer_next(operation, Answer::json(200, &answer).header("x-echo", KEY));
    look(send(client.clone()).await);
    quiet(&format!("{client:?} {client:#?}"));

    let broken = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"name\": \"Personal";
    for then in [Then::Close, Then::Answer("nonsense Personal\r\n\r\n"), Then::Answer(broken), Then::Hang] {
        let script: &'static [Then] = Box::leak(Box::new([then]));
        let server = RawServer::start(script).await;
        let hasty = once.clone().with_deadline(Duration::from_millis(200));
        look(send(with(&at(&server.base_url()), &hasty)).await);
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    look(send(at(&format!("http://{closed}"))).await);
    for wanted in ["decode", "not-sent", "rejected", "throttled", "indeterminate"] {
        assert!(outcomes.contains(wanted), "{operation} never ended as {wanted}: {outcomes:?}");
    }
}
