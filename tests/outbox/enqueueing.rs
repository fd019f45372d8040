//! Enqueueing, alone and in a transaction of the caller's.

use lastmile_outbox::{Enqueued, Error, State, Statement};
use lastmile_tests::outbox::TestStore;

use crate::fake::FakeOrder;
use crate::stores::stores;

#[tokio::test]
async fn the_same_key_again_is_the_same_order() {
    for store in stores().await {
        let outbox = &store.outbox;
        assert_eq!(outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap(), Enqueued::New);
        assert_eq!(outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap(), Enqueued::Known);
        assert_eq!(outbox.enqueue("A-2", &FakeOrder::new("1")).await.unwrap(), Enqueued::New);
        assert_eq!(outbox.statistics().await.unwrap().count(State::Ready), 2, "{}", store.name);
    }
}

#[tokio::test]
async fn another_request_under_a_used_key_is_refused() {
    for store in stores().await {
        let outbox = &store.outbox;
        outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let other = outbox.enqueue("A-1", &FakeOrder::new("2")).await;
        assert!(matches!(other, Err(Error::KeyUsed)), "{}", store.name);
        let other = outbox.enqueue_at("ankeborg", "A-1", &FakeOrder::new("1")).await;
        assert!(matches!(other, Err(Error::KeyUsed)), "another network is another request");
        for key in ["", "a\nb", &"x".repeat(201)] {
            assert!(matches!(outbox.enqueue(key, &FakeOrder::new("1")).await, Err(Error::InvalidKey)));
        }
        // The failed operations undid nothing of the others.
        assert_eq!(outbox.statistics().await.unwrap().count(State::Ready), 1, "{}", store.name);
    }
}

#[tokio::test]
async fn an_order_exists_exactly_if_the_callers_transaction_commits() {
    for store in stores().await {
        let order = FakeOrder::new("1");
        for (key, commits) in [("A-1", false), ("A-2", true)] {
            let statement = match store.name {
                "sqlite" => lastmile_outbox::sqlite::enqueue(key, &order),
                _ => lastmile_outbox::postgres::enqueue(key, &order),
            };
            in_transaction(&store, &statement.unwrap(), commits).await.unwrap();
            assert_eq!(store.outbox.order(key).await.unwrap().is_some(), commits, "{} {key}", store.name);
        }
        let statement = match store.name {
            "sqlite" => lastmile_outbox::sqlite::enqueue("A-2", &FakeOrder::new("2")),
            _ => lastmile_outbox::postgres::enqueue("A-2", &FakeOrder::new("2")),
        };
        let error = in_transaction(&store, &statement.unwrap(), true).await.unwrap_err();
        assert!(error.contains("the key belongs to another request"), "{error}");
    }
}

/// Runs a statement in a transaction of another connection, as a service does.
async fn in_transaction(store: &TestStore, statement: &Statement, commits: bool) -> Result<(), String> {
    match store.address.split_once(':').unwrap() {
        ("sqlite", path) => {
            let mut connection = rusqlite::Connection::open(path).unwrap();
            let transaction = connection.transaction().unwrap();
            let values = rusqlite::params_from_iter(statement.values());
            transaction.execute(statement.sql(), values).map_err(|error| error.to_string())?;
            if commits {
                transaction.commit().unwrap();
            }
        }
        (_, config) => {
            let config: lastmile_outbox::tokio_postgres::Config = config.parse().unwrap();
            let (mut client, connection) =
                config.connect(lastmile_outbox::tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            let transaction = client.transaction().await.unwrap();
            let values: Vec<_> = statement
                .values()
                .iter()
                .map(|value| value as &(dyn lastmile_outbox::tokio_postgres::types::ToSql + Sync))
                .collect();
            transaction.execute(statement.sql(), &values).await.map_err(|error| {
                error.as_db_error().map_or(String::new(), |error| error.message().to_owned())
            })?;
            if commits {
                transaction.commit().await.unwrap();
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_a_later_schema_is_refused() {
    for store in stores().await {
        store.outbox.enqueue("A-1", &FakeOrder::new("1")).await.unwrap();
        let again = lastmile_tests::outbox::open(&store.address);
        let (one, two) = tokio::join!(again.migrate(), store.outbox.migrate());
        one.unwrap();
        two.unwrap();
        assert_eq!(again.order("A-1").await.unwrap().unwrap().state(), State::Ready);
        let sql = "INSERT INTO lastmile_schema (version) VALUES (1000)";
        match store.address.split_once(':').unwrap() {
            ("sqlite", path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            (_, config) => lastmile_tests::outbox::execute(config, sql).await,
        }
        assert!(matches!(again.migrate().await, Err(Error::Schema(_))), "{}", store.name);
    }
}
