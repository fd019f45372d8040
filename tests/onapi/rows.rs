//! Lists that are read row by row, and cursors that select what has changed.

use futures_util::StreamExt as _;
use lastmile::onapi::types::Access;
use lastmile::onapi::{ChangedRows, Changes, Cursor, Dialect, OnApi};
use lastmile::{Outcome, RowError};
use lastmile_sandbox::Answer;
use lastmile_tests::{RawServer, Then, brisk, onapi, sandbox};
use serde_json::json;

async fn rows(network: &OnApi, since: Option<&Cursor>) -> Box<ChangedRows<Access>> {
    match network.accesses(since).await.unwrap() {
        Changes::Rows(rows) => rows,
        other => panic!("{other:?}"),
    }
}

async fn all(rows: &mut ChangedRows<Access>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(row) = rows.next().await {
        ids.push(row.unwrap().access_id.into_string().unwrap());
    }
    ids
}

#[tokio::test]
async fn the_cursor_selects_rows_changed_since() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().add_accesses(500);
    let mut first = rows(&network, None).await;
    assert!(first.cursor().is_none(), "not before every row is read");
    let ids = all(&mut first).await;
    let expected: Vec<String> = sandbox.onapi().accesses().into_iter().map(|access| access.id).collect();
    assert_eq!(ids, expected);
    let cursor = first.cursor().unwrap().clone();

    assert!(matches!(network.accesses(Some(&cursor)).await.unwrap(), Changes::NotModified));
    sandbox.onapi().add_accesses(3);
    let mut more = rows(&network, Some(&cursor)).await;
    let new = all(&mut more).await;
    assert_eq!(
        new,
        sandbox.onapi().accesses().into_iter().skip(530).map(|access| access.id).collect::<Vec<_>>()
    );
    let stored = serde_json::to_string(more.cursor().unwrap()).unwrap();
    let cursor: Cursor = serde_json::from_str(&stored).unwrap();
    assert!(matches!(network.accesses(Some(&cursor)).await.unwrap(), Changes::NotModified));
}

async fn scripted(body: &str) -> Vec<Result<Option<String>, RowError>> {
    let (read, has_cursor) = read(body, None).await;
    let broken =
        read.iter().any(|row| row.as_ref().is_err_and(|error| !matches!(error, RowError::Unreadable(_))));
    let is_list = body.trim_start().starts_with('[');
    assert_eq!(has_cursor, is_list && !broken, "what is no list, or breaks off, has no cursor");
    read
}

/// Returns the rows of a response, and whether a cursor follows them.
async fn read(body: &str, since: Option<&Cursor>) -> (Vec<Result<Option<String>, RowError>>, bool) {
    let sandbox = sandbox().await;
    let answer = Answer::status(200)
        .header("content-type", "application/json")
        .header("last-modified", "x")
        .body(body);
    sandbox.onapi().answer_next("listAccesses", answer);
    let mut rows = rows(&onapi(&sandbox), since).await;
    let mut read = Vec::new();
    while let Some(row) = rows.next().await {
        assert!(rows.cursor().is_none() && !rows.is_whole_list(), "not before the end");
        read.push(row.map(|access| access.access_id.into_string()));
    }
    let has_cursor = rows.cursor().is_some();
    assert!(rows.next().await.is_none(), "the end is the end");
    assert_eq!(rows.cursor().is_some(), has_cursor);
    (read, has_cursor)
}

#[tokio::test]
async fn a_truncated_list_returns_no_cursor() {
    let since: Cursor = serde_json::from_value(json!("Mon, 02 Mar 2026 06:00:00 GMT")).unwrap();
    for body in [r#"[{"accessId":"1"},{"acce"#, r#"[{"accessId":"1"}"#, "[", r#"[{"accessId":"1"},]"#] {
        let (rows, has_cursor) = read(body, Some(&since)).await;
        assert!(rows.last().unwrap().is_err() && !has_cursor, "{body}");
    }
    for body in ["null", "\"\"", r#"{"accessId":"1"}"#] {
        let (rows, has_cursor) = read(body, Some(&since)).await;
        assert!(rows.iter().all(Result::is_ok) && has_cursor, "the one that was asked with: {body}");
    }
}

#[tokio::test]
async fn an_error_with_a_successful_status_is_not_a_row() {
    let cause = r#"{"cause":"database is being restored, Kalle"}"#;
    for body in [cause, r#"{"accesses":[{"accessId":"1"}]}"#, r#"{"accessId":""}"#, "{}", "\"Kalle\"", "true"]
    {
        let read = scripted(body).await;
        let [Err(error @ RowError::NotAList(answer))] = read.as_slice() else { panic!("{body}: {read:?}") };
        assert_eq!((answer.bytes(), answer.offset()), (body.as_bytes(), 0));
        let text = format!("{error} {error:?}");
        assert!(text.starts_with("the response is not a list") && !text.contains("Kalle"), "{text}");
    }
}

#[tokio::test]
async fn a_204_lists_nothing() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for list in ["listAccesses", "listServices", "listSubscriptions", "listEvents", "listOrderEvents"] {
        sandbox.onapi().answer_next(list, Answer::status(204));
    }
    let mut accesses = rows(&network, None).await;
    assert!(accesses.next().await.is_none() && !accesses.is_whole_list() && accesses.cursor().is_none());
    let Changes::Rows(mut rows) = network.all_services(None).await.unwrap() else { panic!("no rows") };
    assert!(rows.next().await.is_none());
    let Changes::Rows(mut rows) = network.all_subscriptions(None).await.unwrap() else { panic!("no rows") };
    assert!(rows.next().await.is_none());
    let Changes::Rows(mut rows) = network.object_events(None).await.unwrap() else { panic!("no rows") };
    assert!(rows.next().await.is_none());
    assert!(network.order_events(None).next().await.is_none());
    for list in ["listOrders", "listInvoicePeriods"] {
        sandbox.onapi().answer_next(list, Answer::status(204));
    }
    assert!(network.open_orders().await.unwrap().is_empty());
    assert!(network.invoice_periods().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unreadable_element_affects_only_itself() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let access = "A-1".parse().unwrap();
    for bad in [r#"{"orderId":"2","orderId":"3"}"#, r#"{"message":"\ud800"}"#, r#"{"price":1e999}"#] {
        let body = format!(r#"[{{"orderId":"1"}},{bad},{{"orderId":"4"}}]"#);
        let answer = Answer::status(200).header("content-type", "application/json").body(body.as_str());
        sandbox.onapi().answer_next("listOrders", answer);
        let orders = network.orders_of(&access).await.unwrap();
        let ids: Vec<_> = orders.iter().map(|order| order.get()?.order_id.as_deref()).collect();
        assert_eq!(ids, [Some("1"), None, Some("4")], "{bad}");
        assert_eq!(serde_json::to_string(&orders[1]).unwrap(), bad);
    }
}

#[tokio::test]
async fn a_list_of_one_is_read_as_an_object() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let id = lastmile::rules::DhcpIdentifier { ipv4_circuit_id: Some("c".into()), ..Default::default() };
    let answer = |body| sandbox.onapi().answer_next("lookupDhcp", Answer::json(200, &body));
    answer(json!([{ "accessId": "A-1" }]));
    assert_eq!(network.access_of_dhcp(&id).await.unwrap().as_str(), "A-1");
    for (body, says) in [
        (json!([]), "an empty list where one object"),
        (json!([{ "accessId": "A-1" }, { "accessId": "A-2" }]), "a list of several"),
        (json!([[{ "accessId": "A-1" }]]), "something else than an object"),
    ] {
        answer(body);
        let error = network.access_of_dhcp(&id).await.unwrap_err();
        assert!(error.outcome() == Outcome::Decode && error.to_string().contains(says), "{error}");
    }
    sandbox.onapi().answer_next("getOrder", Answer::json(200, &json!([{ "orderId": "o-1" }])));
    assert_eq!(network.order(&"o-1".parse().unwrap()).await.unwrap().order_id.as_deref(), Some("o-1"));
}

#[tokio::test]
async fn an_unreadable_row_affects_only_itself() {
    let read = scripted(r#"[{"accessId":"1"}, {"accessId":"2","accessId":"2"}, 7, {"accessId":"4"}]"#).await;
    assert_eq!(read.len(), 4);
    assert_eq!(read[0].as_ref().unwrap().as_deref(), Some("1"));
    let Err(RowError::Unreadable(row)) = &read[1] else { panic!("{:?}", read[1]) };
    assert_eq!((row.index(), row.offset()), (1, 19));
    assert_eq!(row.bytes(), br#"{"accessId":"2","accessId":"2"}"#);
    let text = format!("{} {:?}", read[1].as_ref().unwrap_err(), read[1]);
    assert!(text.contains("row 1 (byte 19) cannot be read"), "{text}");
    assert!(matches!(&read[2], Err(RowError::Unreadable(row)) if row.index() == 2));
    assert_eq!(read[3].as_ref().unwrap().as_deref(), Some("4"));
}

#[tokio::test]
async fn single_elements_null_and_empty_lists_are_read() {
    assert_eq!(scripted(r#"{"accessId":"1"}"#).await.len(), 1);
    assert_eq!(scripted("null").await.len(), 0);
    assert_eq!(scripted("[]").await.len(), 0);
}

#[tokio::test]
async fn a_malformed_or_truncated_list_fails_after_its_whole_rows() {
    for (body, rows, says) in [
        (r#"[{"accessId":"1"},{"acce"#, 1, "breaks off after 1 rows"),
        ("<html>", 0, "it is not a JSON list"),
        ("", 0, "it ends before the list does"),
    ] {
        let read = scripted(body).await;
        assert_eq!(read.len(), rows + 1, "{body}");
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert!(matches!(error, RowError::Malformed { .. }) && error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_closed_connection_fails_after_the_whole_rows() {
    let server = RawServer::start(&[Then::Answer(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n[{\"accessId\":\"1\"},",
    )])
    .await;
    let network = OnApi::builder(server.base_url())
        .dialect(Dialect::Vendor26)
        .login("sp", "x")
        .policy(brisk())
        .build()
        .unwrap();
    let mut rows = rows(&network, None).await;
    assert_eq!(rows.next().await.unwrap().unwrap().access_id.as_deref(), Some("1"));
    let Some(Err(RowError::Call(error))) = rows.next().await else { panic!("the rest is missing") };
    assert_eq!(error.outcome(), Outcome::Indeterminate);
    assert!(rows.next().await.is_none() && rows.cursor().is_none());
}

#[tokio::test]
async fn only_a_documented_404_means_nothing_to_list() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().answer_next("listAccesses", Answer::json(404, &json!({ "cause": "nothing to list" })));
    let Changes::Nothing { cause } = network.accesses(None).await.unwrap() else { panic!("there are rows") };
    assert_eq!(cause, "nothing to list");
    for other in [Answer::status(404), Answer::status(404).header("content-type", "text/html").body("<html>")]
    {
        sandbox.onapi().answer_next("listAccesses", other);
        assert_eq!(
            network.accesses(None).await.unwrap_err().outcome(),
            Outcome::Rejected,
            "a wrong address, perhaps"
        );
    }
}

#[tokio::test]
async fn a_buffered_list_may_be_not_modified() {
    use lastmile::onapi::types::ListServicesParams;
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let since = async |since: Option<String>| {
        let params = ListServicesParams { if_modified_since: since };
        network.raw().list_services(&params).await
    };
    let all = since(None).await.unwrap();
    assert_eq!(all.value.len(), 30);
    let modified = all.headers["last-modified"].to_str().unwrap().to_owned();
    assert!(since(Some(modified.clone())).await.unwrap_err().is_not_modified());
    sandbox.onapi().add_accesses(2);
    assert_eq!(since(Some(modified)).await.unwrap().value.len(), 2);
}
