//! The order and the service's own row exist together or not at all.

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::{By, EventKind, Outbox};
use lastmile_sqlx::{note_result, take_order};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

fn customer(name: &str) -> Prepared<CustomerCreate> {
    Prepared::new(CustomerCreate { name: Some(name.into()), ..Default::default() }).unwrap()
}

async fn rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM customers").fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn an_order_is_enqueued_exactly_if_the_transaction_of_sqlx_commits() {
    let Ok(server) = std::env::var("LASTMILE_TEST_POSTGRES") else {
        eprintln!("LASTMILE_TEST_POSTGRES is not set: the test is left out");
        return;
    };
    let config: lastmile_outbox::tokio_postgres::Config = server.parse().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let address = format!("postgres://{}@127.0.0.1:{port}/postgres", config.get_user().unwrap());
    let schema = format!("sqlx_{}", std::process::id());
    let options: sqlx::postgres::PgConnectOptions = address.parse().unwrap();
    let pool = PgPoolOptions::new().connect_with(options.options([("search_path", &schema)])).await.unwrap();
    sqlx::query(&format!("CREATE SCHEMA {schema}")).execute(&pool).await.unwrap();
    sqlx::query("CREATE TABLE customers (key text PRIMARY KEY, is_done bool DEFAULT false)")
        .execute(&pool)
        .await
        .unwrap();
    let outbox =
        Outbox::postgres(format!("{server} options='-c search_path={schema}'").parse().unwrap()).unwrap();
    outbox.migrate().await.unwrap();

    take_order(&pool, "A-1", &customer("Ankeborg")).await.unwrap();
    assert!(outbox.order("A-1").await.unwrap().is_some());
    assert_eq!(rows(&pool).await, 1);

    // Another request under a used key: the whole transaction fails.
    sqlx::query("DELETE FROM customers").execute(&pool).await.unwrap();
    let error = take_order(&pool, "A-1", &customer("Gåseborg")).await.unwrap_err();
    let error = error.downcast::<sqlx::Error>().unwrap();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("LM001"));
    assert_eq!(rows(&pool).await, 0);

    // The service's own row fails: the order is not enqueued either.
    take_order(&pool, "A-2", &customer("Ankeborg")).await.unwrap();
    assert!(take_order(&pool, "A-2", &customer("Ankeborg")).await.is_err());
    assert_eq!(rows(&pool).await, 1);

    // An event is acknowledged together with what the service writes about it.
    outbox.register_consumer("billing").await.unwrap();
    outbox.cancel("A-2", By("operator-7"), "the customer is gone").await.unwrap();
    let event = outbox.events("billing").next().await.unwrap().unwrap();
    assert_eq!(event.kind(), EventKind::Cancelled);
    note_result(&pool, &event).await.unwrap();
    let done: bool =
        sqlx::query_scalar("SELECT is_done FROM customers WHERE key = 'A-2'").fetch_one(&pool).await.unwrap();
    assert!(done);
    assert_eq!(outbox.statistics().await.unwrap().events["billing"], 0);
    sqlx::query(&format!("DROP SCHEMA {schema} CASCADE")).execute(&pool).await.unwrap();
}
