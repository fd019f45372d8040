//! Tests of single operations, where `LASTMILE_TEST_POSTGRES` names a server.

use std::time::Duration;

use tokio_postgres::NoTls;

use crate::Outbox;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_clock_that_was_set_ends_no_settle_time_and_no_quiet_time_after_a_failover() {
    let Some(server) = std::env::var("LASTMILE_TEST_POSTGRES").ok().filter(|config| !config.is_empty())
    else {
        return;
    };
    let schema = format!("lastmile_clock_{}_{:x}", std::process::id(), fastrand::u64(..));
    let mut config: tokio_postgres::Config = server.parse().unwrap();
    config.options(format!("-c search_path={schema}"));
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("create schema {schema}")).await.unwrap();
    let outbox = Outbox::postgres(config).unwrap();
    outbox.migrate().await.unwrap();
    // The clock was set forward by an hour: what was to end in a moment has ended.
    client
        .batch_execute(
            "insert into lastmile_order (key, supplier, kind, digest, state, due, mark, mark_may_be_lost, settled_at, manual_check)
             select key, 'fake', 'k', 'd', state, case when state <> 'needs_person' then clock_timestamp() end, mark, is_lost,
               clock_timestamp() - interval '59 minutes', case when state = 'needs_person' then 'look' end
             from (values ('sent', 'in_flight', 1, false), ('lost', 'ready', 0, true), ('person', 'needs_person', 1, false),
               ('new', 'ready', 0, false), ('followed', 'following', 1, false)) as orders (key, state, mark, is_lost);
             update lastmile_timeline set changed_at = clock_timestamp() - interval '1 hour'",
        )
        .await
        .unwrap();
    let prolonged = async || -> Vec<(String, i64)> {
        let sql = "select key, (extract(epoch from settled_at) * 1000)::bigint from lastmile_order
                   where settled_at > clock_timestamp() + interval '50 seconds' order by key";
        client.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let is_quiet = async || -> bool {
        let sql = "select changed_at > clock_timestamp() - interval '1 minute' from lastmile_timeline";
        client.query_one(sql, &[]).await.unwrap().get(0)
    };
    outbox.store.prolong_settle_times("fake", MINUTE, HOUR).await.unwrap();
    let first = prolonged().await;
    let keys: Vec<_> = first.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["lost", "person", "sent"]);
    assert!(is_quiet().await, "the failover was noticed a moment before");

    // Another worker notices the same step, and a failover is long past.
    client
        .batch_execute("update lastmile_timeline set changed_at = clock_timestamp() - interval '2 hours'")
        .await
        .unwrap();
    outbox.store.prolong_settle_times("fake", MINUTE, HOUR).await.unwrap();
    assert_eq!(prolonged().await, first, "no order is written twice");
    assert!(!is_quiet().await);
    client.batch_execute(&format!("drop schema {schema} cascade")).await.unwrap();
}
