//! A copy of a network's objects: changes, deletions, and when a full run is due.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use lastmile::onapi::types::{Access, AccessServices, AccessSubscriptions};
use lastmile::onapi::{
    Changes, Deleted, NewOrder, OnApi, SubscriptionAt, SyncItem, SyncPlan, SyncRun, SyncState, Synced,
    TicketQuery,
};
use lastmile::{Outcome, Prepared, RowError};
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{onapi, sandbox};
use serde_json::json;

struct Seen<T> {
    rows: Vec<T>,
    gone: Vec<Deleted>,
    full: bool,
    is_complete: bool,
    state: SyncState,
}

async fn read<T: Synced + std::fmt::Debug>(mut run: SyncRun<T>) -> Seen<T> {
    let (mut rows, mut gone) = (Vec::new(), Vec::new());
    assert!(run.state().is_none() && !run.is_complete(), "not before the end");
    while let Some(item) = run.next().await {
        match item.unwrap() {
            SyncItem::Upserted(row) => rows.push(*row),
            SyncItem::Deleted(one) => gone.push(one),
            other => panic!("{other:?}"),
        }
    }
    let state = run.state().unwrap().clone();
    Seen { rows, gone, full: run.is_full(), is_complete: run.is_complete(), state }
}

async fn sync<T: Synced + std::fmt::Debug>(network: &OnApi, since: Option<&SyncState>) -> Seen<T> {
    read(network.sync::<T>(since, &SyncPlan::default()).await.unwrap()).await
}

/// Returns the state as if it had been stored this many seconds ago.
fn aged(state: &SyncState, field: &str, seconds: u64) -> SyncState {
    let mut stored = serde_json::to_value(state).unwrap();
    stored[field] = json!(stored[field].as_u64().unwrap() - seconds);
    serde_json::from_value(stored).unwrap()
}

#[tokio::test]
async fn a_full_run_is_followed_by_changes_and_deletions() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().add_accesses(1);
    let first = sync::<Access>(&network, None).await;
    assert_eq!((first.rows.len(), first.full, first.is_complete), (31, true, true));
    assert_eq!(first.gone, []);
    let state: SyncState = serde_json::from_str(&serde_json::to_string(&first.state).unwrap()).unwrap();

    // The stream returns the same items.
    let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
    let rows: Vec<_> = (&mut run).collect().await;
    assert!(rows.len() == 31 && rows.iter().all(|row| matches!(row, Ok(SyncItem::Upserted(_)))));
    assert!(run.is_complete() && run.state().is_some());

    let nothing = sync::<Access>(&network, Some(&state)).await;
    assert_eq!((nothing.rows.len(), nothing.full, nothing.is_complete), (0, false, false));
    assert_eq!(nothing.gone, []);

    let torn_down = sandbox.onapi().accesses()[3].id.clone();
    sandbox.onapi().tear_down(&torn_down);
    sandbox.onapi().add_accesses(2);
    let mut run = network.sync::<Access>(Some(&nothing.state), &SyncPlan::default()).await.unwrap();
    let first = StreamExt::next(&mut run).await.unwrap().unwrap();
    assert!(matches!(first, SyncItem::Deleted(Deleted::Access(_))) && run.state().is_none());
    let news = sync::<Access>(&network, Some(&nothing.state)).await;
    assert_eq!(news.gone, [Deleted::Access(torn_down.clone())]);
    assert_eq!((news.rows.len(), news.full), (2, false));
    let again = sync::<Access>(&network, Some(&news.state)).await;
    assert_eq!((again.rows.len(), again.gone.len()), (0, 0), "told once");

    let all = sync::<Access>(&network, None).await;
    let copy: BTreeSet<String> =
        all.rows.into_iter().map(|row| row.access_id.into_string().unwrap()).collect();
    let there: BTreeSet<String> = sandbox.onapi().accesses().into_iter().map(|access| access.id).collect();
    assert_eq!(copy, there);
    assert!(!copy.contains(&torn_down));
    assert_eq!(sandbox.onapi().violations(), Vec::<String>::new());
}

#[tokio::test]
async fn ended_subscriptions_and_accesses_are_deleted() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().add_accesses(1);
    let subscriptions = sync::<AccessSubscriptions>(&network, None).await;
    let services = sync::<AccessServices>(&network, None).await;
    assert!(subscriptions.full && services.full);

    let accesses = sandbox.onapi().accesses();
    let with = accesses.iter().find(|access| !access.subscriptions.is_empty()).unwrap();
    let ended = with.subscriptions[0].subscription_id.clone();
    let line = SubscriptionAt { access: with.id.parse().unwrap(), subscription: ended.parse().unwrap() };
    let order = NewOrder::deactivate(line, "SP-1".parse().unwrap());
    Prepared::new(order).unwrap().place(&network).await.unwrap();
    sandbox.onapi().advance();
    sandbox.onapi().advance();
    sandbox.onapi().tear_down(&accesses[0].id);

    let news = sync::<AccessSubscriptions>(&network, Some(&subscriptions.state)).await;
    assert_eq!(news.gone, [Deleted::Access(accesses[0].id.clone()), Deleted::Subscription(ended)]);
    let of: Vec<_> = news.rows.iter().map(|row| row.access_id.as_deref().unwrap()).collect();
    assert_eq!(of, [with.id.as_str()]);
    let news = sync::<AccessServices>(&network, Some(&services.state)).await;
    assert_eq!(news.gone, [Deleted::Access(accesses[0].id.clone())], "no subscription among the services");
}

fn events(sandbox: &Sandbox, rows: serde_json::Value) {
    let answer = Answer::json(200, &rows).header("last-modified", "Mon, 02 Mar 2026 06:00:00 GMT");
    sandbox.onapi().answer_next("listEvents", answer);
}

#[tokio::test]
async fn the_last_event_of_an_object_counts_for_singular_and_plural_names() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    events(
        &sandbox,
        json!([
            { "type": "DELETE", "objectType": "access", "objectId": "back", "time": "2026-03-02T06:00:00Z" },
            { "type": "CREATE", "objectType": "accesses", "objectId": "back", "time": "2026-03-02T06:01:00Z" },
            { "type": "CREATE", "objectType": "accesses", "objectId": "brief", "time": "2026-03-02T06:02:00Z" },
            { "type": "DELETE", "objectType": "Accesses", "objectId": "brief", "time": "2026-03-02T06:03:00Z" },
            { "type": "DELETE", "objectType": "subscriptions", "objectId": "s", "time": "2026-03-02T06:04:00Z" },
            { "type": "DELETE", "objectType": "orders", "objectId": "o", "time": "2026-03-02T06:05:00Z" },
        ]),
    );
    let news = sync::<Access>(&network, Some(&first.state)).await;
    assert_eq!(news.gone, [Deleted::Access("brief".into())]);
}

#[tokio::test]
async fn newest_first_events_delete_no_existing_object() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    let event = |kind: &str, id: &str, minute: u32| {
        let time = format!("2026-03-02T06:{minute:02}:00+01:00");
        json!({ "type": kind, "objectType": "accesses", "objectId": id, "time": time })
    };
    let newest_first = json!([
        event("DELETE", "gone", 4),
        event("CREATE", "back", 3),
        event("CREATE", "gone", 2),
        event("DELETE", "back", 1),
    ]);
    events(&sandbox, newest_first);
    let news = sync::<Access>(&network, Some(&first.state)).await;
    assert_eq!(news.gone, [Deleted::Access("gone".into())]);
    assert!(!news.full);

    // Without times the order of the events is unknown: nothing is deleted, and a full run follows within a day.
    let untimed = |kind: &str| json!({ "type": kind, "objectType": "accesses", "objectId": "back" });
    events(&sandbox, json!([untimed("CREATE"), untimed("DELETE")]));
    let doubtful = sync::<Access>(&network, Some(&news.state)).await;
    assert_eq!(doubtful.gone, []);
    let later = sync::<Access>(&network, Some(&aged(&doubtful.state, "full_at", 25 * 3600))).await;
    assert!(later.full && later.is_complete);
}

/// Sets the complete next response to a list.
fn listed(sandbox: &Sandbox, list: &str, body: &str) {
    let answer = Answer::status(200).header("content-type", "application/json");
    let answer = answer.header("last-modified", "Tue, 03 Mar 2026 06:00:00 GMT").body(body);
    sandbox.onapi().answer_next(list, answer);
}

/// A list inside a row replaces the copy's list for the access, so an unreadable one must not be read as a shorter one.
#[tokio::test]
async fn a_row_with_an_unreadable_inner_list_replaces_nothing() {
    async fn holds<T: Synced>(list: &str, field: &str, id: &str) {
        let sandbox = sandbox().await;
        let network = onapi(&sandbox);
        let whole = format!(r#"{{"accessId":"A-1","{field}":[{{"{id}":"s-1"}}]}}"#);
        for inner in [
            r#""unavailable""#,
            "0",
            "1.5",
            "false",
            "true",
            "{}",
            r#"{"cause":"x"}"#,
            r#"[{"cause":"timeout"}]"#,
            "[null]",
            "[[]]",
            r#"["s-1"]"#,
            "[17]",
            "[{}]",
            &format!(r#"{{"{id}":" "}}"#),
            &format!(r#"[{{"{id}":""}}]"#),
            &format!(r#"[{{"{id}":null}}]"#),
            &format!(r#"[{{"{id}":17}}]"#),
            &format!(r#"[{{"{id}":["s-1"]}}]"#),
            &format!(r#"[{{"{id}":"s-1"}},{{"cause":"timeout"}}]"#),
            &format!(r#"[{{"{id}":"s-1"}},"s-2"]"#),
            &format!(r#"[{{"{id}":"s-1","{id}":"s-2"}}]"#),
            &format!(r#"{{"{id}":"s-1","{id}":"s-2"}}"#),
        ] {
            listed(&sandbox, list, &format!(r#"[{whole},{{"accessId":"A-2","{field}":{inner}}}]"#));
            let mut run = network.sync::<T>(None, &SyncPlan::default()).await.unwrap();
            assert_eq!(outcome(&mut run).await, (1, 1, false), "{list} {inner}");
            assert!(run.is_full() && !run.is_complete() && run.unreadable() == 1, "{list} {inner}");
        }
        for inner in [
            "[]",
            "null",
            r#""""#,
            &format!(r#"{{"{id}":"s-1"}}"#),
            &format!(r#"[{{"{id}":"s-1"}},{{"{id}":"s-2"}}]"#),
        ] {
            listed(&sandbox, list, &format!(r#"[{whole},{{"accessId":"A-2","{field}":{inner}}}]"#));
            let mut run = network.sync::<T>(None, &SyncPlan::default()).await.unwrap();
            assert_eq!(outcome(&mut run).await, (2, 0, false), "{list} {inner}");
            assert!(run.is_complete(), "{list} {inner}");
        }
    }
    holds::<AccessSubscriptions>("listSubscriptions", "subscriptions", "subscriptionId").await;
    holds::<AccessServices>("listServices", "services", "service").await;
}

#[tokio::test]
async fn an_empty_list_deletes_nothing_and_is_read_again_within_a_day() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    let due = aged(&first.state, "full_at", 8 * 24 * 3600);
    listed(&sandbox, "listAccesses", "[]");
    let empty = sync::<Access>(&network, Some(&due)).await;
    assert_eq!((empty.rows.len(), empty.full, empty.is_complete), (0, true, false));
    let later = sync::<Access>(&network, Some(&aged(&empty.state, "full_at", 25 * 3600))).await;
    assert!(later.full && later.is_complete);
    // An incremental run without rows is not such a case, and events still delete objects.
    let gone = sandbox.onapi().accesses()[0].id.clone();
    sandbox.onapi().tear_down(&gone);
    listed(&sandbox, "listAccesses", "[]");
    let news = sync::<Access>(&network, Some(&later.state)).await;
    assert_eq!((news.full, news.gone), (false, vec![Deleted::Access(gone)]));
    assert!(!sync::<Access>(&network, Some(&aged(&news.state, "full_at", 25 * 3600))).await.full);
}

#[tokio::test]
async fn a_list_with_another_status_than_200_is_not_complete() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    let rows = |state: &SyncState| serde_json::to_value(state).unwrap()["rows"].clone();
    let due = aged(&first.state, "full_at", 8 * 24 * 3600);
    for status in [201, 202, 203, 207] {
        for (since, is_full) in [(&due, true), (&first.state, false)] {
            let answer = Answer::json(status, &json!([{ "accessId": "A-1" }]));
            let answer = answer.header("last-modified", "Tue, 03 Mar 2026 06:00:00 GMT");
            sandbox.onapi().answer_next("listAccesses", answer);
            let seen = sync::<Access>(&network, Some(since)).await;
            assert_eq!((seen.rows.len(), seen.full, seen.is_complete), (1, is_full, false), "{status}");
            assert_eq!(rows(&seen.state), rows(since), "{status}");
            let later = sync::<Access>(&network, Some(&aged(&seen.state, "full_at", 25 * 3600))).await;
            assert!(later.full && later.is_complete, "{status}");
        }
    }
}

#[tokio::test]
async fn a_partial_list_is_an_error() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    let due = aged(&first.state, "full_at", 8 * 24 * 3600);
    let part = |status| Answer::json(status, &json!([{ "accessId": "A-1" }]));
    for list in ["listAccesses", "listEvents"] {
        for answer in [
            part(206),
            part(200).header("content-range", "items 0-0/30"),
            part(200).header("link", "<https://sp.example/accesses/?page=2>; rel=\"next\""),
        ] {
            sandbox.onapi().answer_next(list, answer);
            let error = network.sync::<Access>(Some(&due), &SyncPlan::default()).await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::Decode, "{list}");
            assert!(error.to_string().contains("the response is a part of a list"), "{error}");
        }
    }
    // A list that is decoded as a whole, and a single object, for which these headers mean nothing.
    sandbox.onapi().answer_next("listTickets", part(206));
    let error = network.tickets(&TicketQuery::default()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Decode);
    sandbox.onapi().answer_next("getAccess", Answer::json(206, &json!({ "accessId": "A-1" })));
    network.access(&"A-1".parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn ids_that_differ_in_whitespace_are_the_same_id() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for (body, rows, unreadable) in [
        (r#"[{"accessId":"A-1"},{"accessId":"A-1 "}]"#, 2, 0),
        (r#"[{"accessId":" A-1"},{"accessId":"A-1\t"}]"#, 2, 0),
        (r#"[{"accessId":"A-1"},{"accessId":"  "}]"#, 1, 1),
    ] {
        listed(&sandbox, "listAccesses", body);
        let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
        assert_eq!(outcome(&mut run).await, (rows, unreadable, false), "{body}");
        assert!(!run.is_complete(), "{body}");
    }
}

/// Returns the result of a run: the number of rows, the number of unreadable rows, and whether another error ended it.
async fn outcome<T: Synced>(run: &mut SyncRun<T>) -> (usize, usize, bool) {
    let (mut rows, mut unreadable, mut broken) = (0, 0, false);
    while let Some(item) = run.next().await {
        match item {
            Ok(_) => rows += 1,
            Err(RowError::Unreadable(_)) => unreadable += 1,
            Err(_) => broken = true,
        }
    }
    (rows, unreadable, broken)
}

async fn is_believed<T: Synced>(list: &str, row: impl Fn(&str) -> String) {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let plan = SyncPlan::default();
    let first = {
        let mut run = network.sync::<T>(None, &plan).await.unwrap();
        outcome(&mut run).await;
        assert!(run.is_complete(), "{list}");
        run.state().unwrap().clone()
    };
    let due = aged(&first, "full_at", 8 * 24 * 3600);
    let two = |one: &str, other: &str| format!("[{},{}]", row(one), row(other));
    let envelope = format!(r#"{{"accesses":{}}}"#, two("\"A-1\"", "\"A-2\""));
    let cut_short = &two("\"A-1\"", "\"A-2\"")[..20];

    // Errors and truncated lists: there is no new state.
    let cause = r#"{"cause":"database is being restored"}"#;
    for body in [cause, &envelope, "{}", "7", "\"later\"", "<html>", "", cut_short, "[null,"] {
        listed(&sandbox, list, body);
        let mut run = network.sync::<T>(Some(&due), &plan).await.unwrap();
        let (rows, _, broken) = outcome(&mut run).await;
        assert!(broken && !run.is_complete() && run.state().is_none(), "{list} {body}: {rows} rows");
    }
    // Bodies that say nothing or are not a list: a full run is still due.
    let one = row("\"A-1\"");
    for (body, rows) in [("null", 0), ("\"\"", 0), (one.as_str(), 1)] {
        listed(&sandbox, list, body);
        let mut run = network.sync::<T>(Some(&due), &plan).await.unwrap();
        assert_eq!(outcome(&mut run).await, (rows, 0, false), "{list} {body}");
        assert!(run.is_full() && !run.is_complete(), "{list} {body}");
        assert_eq!(run.state(), Some(&due), "{list} {body}");
    }
    sandbox.onapi().answer_next(list, Answer::status(204));
    let mut run = network.sync::<T>(Some(&due), &plan).await.unwrap();
    assert_eq!(outcome(&mut run).await, (0, 0, false));
    assert!(!run.is_complete() && run.state() == Some(&due), "{list}");

    // Rows that do not identify their objects reliably.
    for (ids, unreadable) in [
        (["17", "18"], 0),
        (["\"A-1\"", "18"], 0),
        (["\"A-1\"", "\"A-1\""], 0),
        (["\"A-1\"", "\"\""], 1),
        (["null", "\"A-2\""], 1),
        (["{}", "[]"], 2),
        (["\"A-1\"", "\"A-2\",\"accessId\":\"A-3\""], 1),
    ] {
        listed(&sandbox, list, &two(ids[0], ids[1]));
        let mut run = network.sync::<T>(Some(&due), &plan).await.unwrap();
        assert_eq!(outcome(&mut run).await, (2 - unreadable, unreadable, false), "{list} {ids:?}");
        assert!(run.is_full() && !run.is_complete() && run.unreadable() == unreadable, "{list} {ids:?}");
        assert_eq!(run.unsure() > 0, unreadable == 0, "{list} {ids:?}");
        // Unreadable rows cause a full run within a day.
        let state = run.state().unwrap().clone();
        let mut later = network.sync::<T>(Some(&aged(&state, "full_at", 25 * 3600)), &plan).await.unwrap();
        outcome(&mut later).await;
        assert_eq!(later.is_full(), unreadable > 0, "{list} {ids:?}");
    }
    listed(&sandbox, list, &two("\"A-1\"", "\"A-2\""));
    let mut run = network.sync::<T>(Some(&due), &plan).await.unwrap();
    assert_eq!(outcome(&mut run).await, (2, 0, false));
    assert!(run.is_complete(), "{list}");
}

#[tokio::test]
async fn a_malformed_or_truncated_list_is_not_complete() {
    is_believed::<Access>("listAccesses", |id| format!(r#"{{"accessId":{id}}}"#)).await;
    is_believed::<AccessServices>("listServices", |id| format!(r#"{{"accessId":{id},"services":[]}}"#)).await;
    is_believed::<AccessSubscriptions>("listSubscriptions", |id| {
        format!(r#"{{"accessId":{id},"subscriptions":[]}}"#)
    })
    .await;
}

#[tokio::test]
async fn unreadable_changes_are_requested_again() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    let before = serde_json::to_value(&first.state).unwrap()["rows"].clone();
    for body in [r#"[{"accessId":"A-1"},7]"#, "null", "\"\"", r#"{"accessId":"A-1"}"#] {
        listed(&sandbox, "listAccesses", body);
        let mut run = network.sync::<Access>(Some(&first.state), &SyncPlan::default()).await.unwrap();
        outcome(&mut run).await;
        assert!(!run.is_full() && !run.is_complete());
        assert_eq!(serde_json::to_value(run.state().unwrap()).unwrap()["rows"], before, "{body}");
    }
    listed(&sandbox, "listAccesses", r#"[{"accessId":"A-1"}]"#);
    let news = sync::<Access>(&network, Some(&first.state)).await;
    assert_eq!(serde_json::to_value(&news.state).unwrap()["rows"], "Tue, 03 Mar 2026 06:00:00 GMT");
}

#[tokio::test]
async fn rows_of_another_version_do_not_empty_an_access() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let flat = json!([
        { "accessId": "A-1", "subscriptionId": "S-1", "service": "BB-100" },
        { "accessId": "A-1", "subscriptionId": "S-2", "service": "TV" },
    ]);
    listed(&sandbox, "listSubscriptions", &flat.to_string());
    let mut run = network.sync::<AccessSubscriptions>(None, &SyncPlan::default()).await.unwrap();
    let Some(Err(error @ RowError::Unreadable(_))) = run.next().await else { panic!("a row of ON-API 2.4") };
    assert!(error.to_string().contains("the list of its subscriptions, as from ON-API 2.6 on"), "{error}");
    assert_eq!(outcome(&mut run).await, (0, 1, false));
    assert!(!run.is_complete() && run.unreadable() == 2);
    // An access without any elements is read, in each form of an empty list.
    let none =
        json!([{ "accessId": "A-1", "subscriptions": "" }, { "accessId": "A-2", "subscriptions": null }]);
    listed(&sandbox, "listSubscriptions", &none.to_string());
    let mut run = network.sync::<AccessSubscriptions>(None, &SyncPlan::default()).await.unwrap();
    assert_eq!(outcome(&mut run).await, (2, 0, false));
    assert!(run.is_complete());
}

#[tokio::test]
async fn an_invalid_event_list_moves_no_cursor() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    for body in [r#"{"cause":"later"}"#, r#"{"events":[]}"#, "null", "\"\"", "[{"] {
        listed(&sandbox, "listEvents", body);
        let news = sync::<Access>(&network, Some(&first.state)).await;
        let kept = |state: &SyncState| serde_json::to_value(state).unwrap()["events"].clone();
        assert_eq!(kept(&news.state), kept(&first.state), "{body}");
        let later = sync::<Access>(&network, Some(&aged(&news.state, "full_at", 25 * 3600))).await;
        assert!(later.full, "{body}");
    }
    sandbox.onapi().answer_next("listEvents", Answer::json(404, &json!({ "cause": "nothing since then" })));
    let news = sync::<Access>(&network, Some(&first.state)).await;
    let later = sync::<Access>(&network, Some(&aged(&news.state, "full_at", 25 * 3600))).await;
    assert!(!news.full && later.full, "they may be forgotten");
}

#[tokio::test]
async fn an_unclear_event_causes_a_full_run_within_a_day() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for doubtful in [
        json!({ "type": "VANISH", "objectType": "accesses", "objectId": "1" }),
        json!({ "type": null, "objectType": "accesses", "objectId": "1" }),
        json!({ "type": "DELETE", "objectType": "accesses", "objectId": 17 }),
        json!({ "type": "DELETE", "objectType": "accesses" }),
        json!({ "type": "DELETE", "objectType": "accesses", "objectId": " " }),
        json!({ "type": "DELETE", "objectId": "1" }),
        json!(7),
    ] {
        let first = sync::<Access>(&network, None).await;
        events(&sandbox, json!([doubtful]));
        let news = sync::<Access>(&network, Some(&first.state)).await;
        assert!(!news.full && news.gone.is_empty(), "{doubtful}");
        let soon = sync::<Access>(&network, Some(&aged(&news.state, "full_at", 23 * 3600))).await;
        assert!(!soon.full, "a list of a whole country is not read at every look");
        let later = sync::<Access>(&network, Some(&aged(&soon.state, "full_at", 2 * 3600))).await;
        assert!(later.full && later.is_complete, "{doubtful}");
        let after = sync::<Access>(&network, Some(&later.state)).await;
        assert!(!after.full);
    }
}

#[tokio::test]
async fn a_full_run_is_due_by_the_plan_and_when_events_may_expire() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let state = sync::<Access>(&network, None).await.state;
    assert!(!sync::<Access>(&network, Some(&aged(&state, "events_at", 23 * 3600))).await.full);
    assert!(sync::<Access>(&network, Some(&aged(&state, "events_at", 24 * 3600))).await.full);
    let week = 7 * 24 * 3600;
    assert!(!sync::<Access>(&network, Some(&aged(&state, "full_at", week - 60))).await.full);
    assert!(sync::<Access>(&network, Some(&aged(&state, "full_at", week))).await.full);
    let plan = SyncPlan::default().with_full_every(Duration::ZERO);
    assert!(network.sync::<Access>(Some(&state), &plan).await.unwrap().is_full());
}

#[tokio::test]
async fn a_network_without_last_modified_gets_periodic_full_runs() {
    let sandbox = Sandbox::builder().seed(1).onapi_last_modified(false).start().await.unwrap();
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    assert!(first.full && first.rows.len() == 30);
    let torn_down = sandbox.onapi().accesses()[0].id.clone();
    sandbox.onapi().tear_down(&torn_down);
    sandbox.onapi().add_accesses(1);
    let lists = sandbox.onapi().count("listAccesses");
    let soon = sync::<Access>(&network, Some(&first.state)).await;
    assert_eq!((soon.full, soon.rows.len()), (false, 0));
    assert_eq!(soon.gone, [Deleted::Access(torn_down)]);
    assert_eq!(sandbox.onapi().count("listAccesses"), lists, "the list is not read");
    let later = sync::<Access>(&network, Some(&aged(&soon.state, "full_at", 24 * 3600))).await;
    assert_eq!((later.full, later.is_complete, later.rows.len()), (true, true, 30));
}

#[tokio::test]
async fn a_network_without_events_gets_periodic_full_runs() {
    let sandbox = Sandbox::builder().seed(1).onapi_without_endpoint("events").start().await.unwrap();
    let network = onapi(&sandbox);
    let first = sync::<Access>(&network, None).await;
    sandbox.onapi().tear_down(&sandbox.onapi().accesses()[0].id);
    sandbox.onapi().add_accesses(1);
    let soon = sync::<Access>(&network, Some(&first.state)).await;
    assert_eq!((soon.full, soon.rows.len(), soon.gone.len()), (false, 1, 0), "what is new, not what is gone");
    let later = sync::<Access>(&network, Some(&aged(&soon.state, "full_at", 24 * 3600))).await;
    assert_eq!((later.full, later.is_complete, later.rows.len()), (true, true, 30));

    let known = network.with_directory(&network.directory().await.unwrap().unwrap(), &[]);
    let asked = sandbox.onapi().count("listEvents");
    assert!(sync::<Access>(&known, None).await.full);
    assert_eq!(sandbox.onapi().count("listEvents"), asked, "the directory tells that there are none");
}

#[tokio::test]
async fn a_network_with_no_event_yet_gets_a_full_run_within_a_day() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let none =
        || sandbox.onapi().answer_next("listEvents", Answer::json(404, &json!({ "cause": "no events" })));
    none();
    let first = sync::<Access>(&network, None).await;
    none();
    let second = sync::<Access>(&network, Some(&first.state)).await;
    assert!(first.full && !second.full);
    none();
    let later = sync::<Access>(&network, Some(&aged(&second.state, "full_at", 25 * 3600))).await;
    assert!(later.full, "it may have no list of events at all");
}

#[tokio::test]
async fn only_a_complete_run_allows_deleting_unseen_rows() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().answer_next("listAccesses", Answer::json(200, &json!([{ "accessId": "1" }, 7])));
    let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
    assert!(run.next().await.unwrap().is_ok());
    assert!(matches!(run.next().await, Some(Err(RowError::Unreadable(_)))));
    assert!(run.next().await.is_none());
    assert!(run.is_full() && run.state().is_some() && !run.is_complete() && run.unreadable() == 1);

    sandbox.onapi().answer_next("listAccesses", Answer::json(404, &json!({ "cause": "nothing" })));
    let nothing = sync::<Access>(&network, None).await;
    assert!(nothing.full && !nothing.is_complete, "some say so of a path that is not in their form");

    let torn = Answer::status(200).header("content-type", "application/json").body("[{},");
    sandbox.onapi().answer_next("listAccesses", torn);
    let mut run = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap();
    let mut failed = false;
    while let Some(item) = run.next().await {
        failed |= item.is_err();
    }
    assert!(failed && run.state().is_none() && !run.is_complete());

    // A cache could respond in this way, although the request was not conditional.
    for list in ["listEvents", "listAccesses"] {
        sandbox.onapi().answer_next(list, Answer::status(304));
        let error = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap_err();
        assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 304), "{list}");
    }
    let state = sync::<Access>(&network, None).await.state;
    sandbox.onapi().answer_next("listAccesses", Answer::status(304));
    let nothing = sync::<Access>(&network, Some(&state)).await;
    assert!(nothing.rows.is_empty() && !nothing.is_complete, "it was asked for");
}

#[tokio::test]
async fn unavailable_events_are_an_error() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    for _ in 0..network.raw().policy().max_attempts {
        sandbox.onapi().answer_next("listEvents", Answer::status(503));
    }
    let error = network.sync::<Access>(None, &SyncPlan::default()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Indeterminate);
    assert_eq!(sandbox.onapi().count("listAccesses"), 0);
}

#[tokio::test]
async fn the_lists_are_read_without_sync() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    sandbox.onapi().add_accesses(1);
    let Changes::Rows(mut rows) = network.all_services(None).await.unwrap() else { panic!("there are") };
    while let Some(row) = rows.next().await {
        row.unwrap();
    }
    assert!(matches!(network.all_services(rows.cursor()).await.unwrap(), Changes::NotModified));
    let Changes::Rows(mut rows) = network.all_subscriptions(None).await.unwrap() else { panic!("there are") };
    while let Some(row) = rows.next().await {
        row.unwrap();
    }
    assert!(matches!(network.all_subscriptions(rows.cursor()).await.unwrap(), Changes::NotModified));
    let Changes::Rows(mut rows) = network.object_events(None).await.unwrap() else { panic!("there are") };
    let event = rows.next().await.unwrap().unwrap();
    assert_eq!(event.object_type.as_deref(), Some("accesses"));
    while rows.next().await.is_some() {}
    assert!(matches!(network.object_events(rows.cursor()).await.unwrap(), Changes::NotModified));
}
