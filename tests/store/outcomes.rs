//! What a commit says when the database fails under it: nothing was stored, or nobody knows.

use std::time::Instant;

use domain::report::messages::ReportDay;
use kernel::ids::{Id, new_id};
use kizuna::persistence::analytics::{METRICS, metric_write, metrics, quarter};
use kizuna::persistence::login_buckets;
use kizuna::persistence::login_buckets::Charge;
use rstest::rstest;
use sqlx::{Connection, PgConnection, SqliteConnection};
use store::journal::commit;
use store::sql::Sql;
use store::unit_of_work::CommitError;
use store::{Db, projections};
use tokio::task::JoinSet;

use crate::common::{begin, commit_one, count, customer, customer_unit, unit, user, user_write};
use testing::{Database, Postgres, Sqlite, TestDatabase};

/// Breaks at COMMIT, whatever a new customer is committed with: a deferred constraint that nothing satisfies.
const SQLITE_BREAKS: &str = "
    CREATE TABLE parents (id TEXT PRIMARY KEY);
    CREATE TABLE orphans (id TEXT REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER breaks AFTER INSERT ON customers BEGIN INSERT INTO orphans VALUES (new.id); END;";
/// Breaks a commit by ending the connection: the server receives COMMIT and never answers.
const POSTGRES_BREAKS: &str = "
    CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON customers
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION breaks();";

async fn nothing_is_stored(db: &Db) {
    assert_eq!((count(db, "customers").await, count(db, "events").await), (0, 0));
}

#[rstest]
#[case(Sqlite, SQLITE_BREAKS, "DROP TRIGGER breaks")]
#[case(Postgres, POSTGRES_BREAKS, "DROP TRIGGER breaks ON customers")]
#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_at_its_commit_is_unknown_to_the_whole_group(
    #[case] on: Database,
    #[case] breaks: &str,
    #[case] heals: &str,
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    database.raw(breaks).await;
    let units: Vec<_> = ["one", "two"].map(|name| customer_unit(&customer(name))).into();
    for outcome in commit(&db, units.clone()).await {
        assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
    }
    nothing_is_stored(&db).await;
    database.raw(heals).await;
    for outcome in commit(&db, units).await {
        assert_eq!(outcome.expect("the connection is whole again").len(), 1);
    }
}

/// Ends the transaction of whoever inserts, as a full disk or an I/O error does.
const ENDS: &str = "
    CREATE TRIGGER ends_a BEFORE INSERT ON customers BEGIN SELECT RAISE(ROLLBACK, 'ended'); END;
    CREATE TRIGGER ends_b BEFORE INSERT ON login_buckets BEGIN SELECT RAISE(ROLLBACK, 'ended'); END;
    CREATE TRIGGER ends_c BEFORE DELETE ON daily_metrics BEGIN SELECT RAISE(ROLLBACK, 'ended'); END;";

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_sqlite_ends_by_itself_spoils_no_later_one() {
    let database = TestDatabase::fresh(Sqlite);
    let db = database.migrated().await;
    let metric = metric_write(quarter(begin()), new_id(), "logins", 1);
    commit_one(&db, unit(vec![metric])).await.unwrap();
    database.raw(ENDS).await;
    let charge = Charge { id: "account/a".into(), interval: 1, per: 10 };
    for _ in 0..3 {
        let outcome = commit_one(&db, customer_unit(&customer("refused"))).await;
        assert!(matches!(outcome, Err(CommitError::Refused(_))), "{outcome:?}");
        assert!(login_buckets::charge(&db, vec![charge.clone()], begin()).await.is_err());
        assert!(db.execute(Sql::new("DELETE FROM daily_metrics")).await.is_err());
        assert!(projections::reset(&db, "tests.outcomes", &METRICS).await.is_err());
        // What no trigger ends is committed all the same.
        commit_one(&db, unit(vec![user_write(&user(&new_id().to_string()))])).await.unwrap();
    }
    nothing_is_stored(&db).await;
    database.raw("DROP TRIGGER ends_a; DROP TRIGGER ends_b; DROP TRIGGER ends_c").await;
    commit_one(&db, customer_unit(&customer("stored"))).await.unwrap();
    assert_eq!(login_buckets::charge(&db, vec![charge], begin()).await.unwrap(), None);
    assert_eq!(db.execute(Sql::new("DELETE FROM daily_metrics")).await.unwrap(), 1);
    assert_eq!((count(&db, "customers").await, count(&db, "users").await), (1, 3));
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_writer_runs_once_a_second_at_most(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let tests = async || {
        let sql = Sql::new("SELECT CAST(coalesce(sum(checks), 0) AS TEXT) FROM write_checks");
        db.number(sql).await.unwrap()
    };
    let began = Instant::now();
    for _ in 0..200 {
        db.check_writes().await.unwrap();
    }
    let most = 1 + began.elapsed().as_secs() as i64;
    assert!((1..=most).contains(&tests().await), "{} tests in {:?}", tests().await, began.elapsed());
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_is_unavailable(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    db.close().await;
    let outcome = commit_one(&db, customer_unit(&customer("late"))).await;
    assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{outcome:?}");
    nothing_is_stored(&database.open().await).await;
}

/// Somebody else's open transaction, as a node leaves it that stopped in the middle.
enum Holder {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Holder {
    async fn take(database: &TestDatabase, on: Database) -> Self {
        match on {
            Sqlite => {
                let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
                sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
                Self::Sqlite(connection)
            }
            Postgres => {
                let mut connection = PgConnection::connect(&database.url).await.unwrap();
                let lock = "BEGIN; SELECT * FROM slices FOR UPDATE";
                sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    async fn give_back(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_not_given_back_makes_a_commit_unavailable(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let holder = Holder::take(&database, on).await;
    let waits = customer_unit(&customer("waits"));
    let outcome = commit_one(&db, waits.clone()).await;
    assert!(matches!(outcome, Err(CommitError::Unavailable(_))), "{outcome:?}");
    nothing_is_stored(&db).await;
    holder.give_back().await;
    assert_eq!(commit_one(&db, waits).await.expect("the lock is free").len(), 1);
}

const ROUNDS: i64 = 40;

/// Adds to the same figures again and again, in this order.
async fn counts(db: Db, order: Vec<Id>) {
    for _ in 0..ROUNDS {
        let writes = order.iter().map(|user| metric_write(quarter(begin()), *user, "logins", 1));
        commit_one(&db, unit(writes.collect())).await.expect("nobody waits in a circle");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn counters_of_two_nodes_in_opposite_orders_add_up(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = [database.migrated().await, database.open().await];
    let users: Vec<Id> = (0..20).map(|_| new_id()).collect();
    let mut writers = JoinSet::new();
    for (task, node) in nodes.iter().cycle().take(4).enumerate() {
        let backwards = users.iter().rev().copied().collect();
        let order = if task % 2 == 0 { users.clone() } else { backwards };
        writers.spawn(counts(node.clone(), order));
    }
    writers.join_all().await;
    let (begin, end) = (begin(), begin().plus(std::time::Duration::from_hours(24)));
    let day = ReportDay { date: begin.date(), begin, end };
    let sums = metrics(&nodes[0], None, &[day]).await.unwrap();
    assert_eq!(sums[0].logins, 4 * ROUNDS * users.len() as i64);
}
