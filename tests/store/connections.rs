//! Connections to PostgreSQL of which some are dead: a statement waits for none of them for long.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sqlx::migrate::Migrate;
use sqlx::{Connection, PgConnection};
use store::sql::Sql;
use store::{Db, StoreError};

use testing::{Postgres, TestDatabase, Valve, eventually, postgres};

/// The longest that a request may wait.
const ANSWERED_WITHIN: Duration = Duration::from_secs(6);
/// Connections that are open when the trouble begins: as many as there may be.
const OPEN: usize = 5;

/// A database that is reached through a valve; the first connection is the one that probes the server.
async fn behind_a_valve() -> (Valve, Db) {
    let valve = Valve::to(postgres::server().port());
    let url = postgres::server().fresh_database();
    let url = url.replace(&format!(":{}/", postgres::server().port()), &format!(":{}/", valve.port()));
    let db = TestDatabase::of(url).open().await;
    (valve, db)
}

async fn sleeps(db: &Db, seconds: &str) -> Result<(), StoreError> {
    db.text(Sql::new(format!("SELECT CAST(pg_sleep({seconds}) AS TEXT)"))).await.map(drop)
}

/// Runs a statement; its answer must come in time, whatever it is.
async fn timed(db: &Db) -> (Result<(), StoreError>, Duration) {
    let began = Instant::now();
    let answer = tokio::time::timeout(ANSWERED_WITHIN, db.ping()).await;
    (answer.expect("an answer in time"), began.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_on_a_dead_connection_ends_in_time_while_the_server_answers_others() {
    let (valve, db) = behind_a_valve().await;
    let open = join_all((0..OPEN).map(|_| sleeps(&db, "0.2"))).await;
    assert!(open.iter().all(Result::is_ok), "{open:?}");
    valve.lose_all_but_the_first();
    // They take connections that were used a moment ago, which are not tested.
    let answers = join_all((0..OPEN).map(|_| timed(&db))).await;
    for (answer, took) in &answers {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?} after {took:?}");
    }
    let (answer, took) = timed(&db).await;
    assert!(answer.is_ok() && took < Duration::from_secs(2), "{answer:?} after {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_on_a_connection_that_works_is_left_alone() {
    let (_valve, db) = behind_a_valve().await;
    sleeps(&db, "5").await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_hang_while_they_are_opened_refuse_in_time_and_then_at_once() {
    let (valve, db) = behind_a_valve().await;
    // The connection that opened the database would answer.
    valve.cut();
    let answers = join_all((0..2 * OPEN).map(|_| timed(&db))).await;
    for (answer, took) in &answers {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?} after {took:?}");
    }
    eventually(ANSWERED_WITHIN, async || {
        let (answer, took) = timed(&db).await;
        if answer.is_err() && took < Duration::from_millis(500) { Ok(()) } else { Err(format!("{took:?}")) }
    })
    .await;
    valve.mend();
    eventually(ANSWERED_WITHIN, async || timed(&db).await.0.map_err(|error| error.to_string())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_waits_for_another_that_migrates_for_longer_than_a_statement_waits() {
    let database = TestDatabase::fresh(Postgres);
    let mut other = PgConnection::connect(&database.url).await.expect("a connection");
    other.lock().await.expect("the lock of the migrations");
    let db = database.open().await;
    let waits = tokio::spawn({
        let db = db.clone();
        async move { db.migrate().await }
    });
    // A connection's own limit is five seconds.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!waits.is_finished(), "{:?}", waits.await);
    other.unlock().await.expect("the lock was held");
    waits.await.expect("no panic").expect("the schema");
    let limit = async |name: &str| db.text(Sql::new(format!("SHOW {name}"))).await;
    for _ in 0..OPEN {
        assert_eq!(limit("lock_timeout").await.unwrap().as_deref(), Some("5s"));
        assert_eq!(limit("statement_timeout").await.unwrap().as_deref(), Some("30s"));
    }
}
