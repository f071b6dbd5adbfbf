//! A search ranks the newest records of a word that many have, whether or not they are in the index yet.

use domain::search::record::Candidate;
use kernel::ids::Id;
use kernel::rank::Query;
use kizuna::persistence::found::{self, NEWEST_MAX, Searched};
use rstest::rstest;
use store::Db;
use store::sql::Sql;
use store::table::Dialect;
use testing::{Database, Postgres, Sqlite, TestDatabase};

use super::{fill, fold_all};

/// Many, for PostgreSQL; each is called 佐藤 or is about a customer of that name.
const RECORDS: usize = 1_100;

const KINDS: [&Searched; 4] = [&found::MEETINGS, &found::TASKS, &found::APPROVALS, &found::DEALS];

/// The newest live records of a table, newest first.
async fn newest(db: &Db, table: &str) -> Vec<Id> {
    let lives = if table == "approvals" { "" } else { " WHERE deleted_at IS NULL" };
    let rows = format!("SELECT id FROM {table}{lives} ORDER BY id DESC LIMIT {NEWEST_MAX}");
    let each = match db.dialect() {
        Dialect::Sqlite => "SELECT group_concat(id) FROM",
        Dialect::Postgres => "SELECT string_agg(CAST(id AS TEXT), ',') FROM",
    };
    let ids = db.text(Sql::new(format!("{each} ({rows}) AS r"))).await.unwrap().unwrap();
    ids.split(',').map(|id| id.parse().unwrap()).collect()
}

fn sorted(candidates: Vec<Candidate>) -> Vec<Id> {
    let mut ids: Vec<Id> = candidates.iter().map(|candidate| candidate.id).collect();
    ids.sort_by(|a, b| b.cmp(a));
    ids
}

/// Compares what is found by 佐藤 with what there is.
async fn are_found(db: &Db, what: &str) {
    let query = Query::parse("佐藤").unwrap();
    for searched in KINDS {
        let table = searched.table();
        let found = found::candidates(db, searched, None, &query).await.unwrap();
        assert_eq!(sorted(found), newest(db, table).await, "{table}, {what}");
    }
    let customers = found::customers_among_newest(db, None, &query).await.unwrap();
    let expected = (db.dialect() == Dialect::Postgres).then_some(newest(db, "customers").await);
    assert_eq!(customers.map(sorted), expected, "customers, {what}");
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_of_a_word_that_many_have_are_found_before_and_after_they_are_in_the_index(
    #[case] on: Database,
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    fill(&db, RECORDS).await;
    hear_of_customers(&database).await;
    fold_all(&db).await;
    are_found(&db, "in the index").await;

    // Those that come next in the index are among the newest then.
    let [tenth, customer] = [newest(&db, "tasks").await[9], newest(&db, "customers").await[9]];
    for (table, id) in [("tasks", tenth), ("customers", customer)] {
        database.raw(&format!("UPDATE {table} SET deleted_at = created_at WHERE id = '{id}'")).await;
    }
    fold_all(&db).await;
    are_found(&db, "without one that was deleted").await;

    fill(&db, 10).await;
    hear_of_customers(&database).await;
    are_found(&db, "with new ones that are not in the index").await;

    let none = Query::parse("佐藤 鈴木").unwrap();
    assert!(found::customers_among_newest(&db, None, &none).await.unwrap().is_none(), "too few for that");
    assert!(found::candidates(&db, &found::TASKS, None, &none).await.unwrap().is_empty());
}

/// The services' replicas have all customers, whose names the records' titles lack.
async fn hear_of_customers(database: &TestDatabase) {
    for replica in ["sales_customers", "opportunity_customers"] {
        let missing = format!(
            "INSERT INTO {replica} (id, version, name, owner_id, search, keyed_version) \
             SELECT id, version, name, owner_id, search, version FROM customers AS c \
             WHERE NOT EXISTS (SELECT 1 FROM {replica} AS r WHERE r.id = c.id)"
        );
        database.raw(&missing).await;
    }
}
