//! Rows without keys: those of a database from before there were keys, and those that a node of the version before writes
//! while nodes are upgraded.

use std::time::Duration;

use domain::customer::keys::{CustomerKeys, CustomerTexts};
use domain::customer::record::Customer;
use domain::user::keys::UserKeys;
use futures_util::future::join_all;
use kernel::ids::{Id, new_id};
use kizuna::persistence::text_keys::renew;
use rstest::rstest;
use serde::Deserialize;
use store::Db;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

use crate::common::{begin, customer, customer_write, store, user, user_write};
use testing::{Database, Postgres, Sqlite, TestDatabase, eventually};

/// More than two batches.
const MANY: usize = 1_203;
/// What a program of before wrote, which knew neither of the columns of sort keys nor of readings.
const AS_BEFORE: &str =
    "UPDATE customers SET search = lower(name) || char_10 || coalesce(lower(company), ''), name_order = '', keyed_version = NULL;
    UPDATE users SET search = lower(name) || char_10 || lower(email);";

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Row {
    id: Id,
    name: String,
    kana: Option<String>,
    company: Option<String>,
    email: Option<String>,
    search: String,
    name_order: String,
    match_name: Option<String>,
    keyed_version: Option<i64>,
}

static ROWS: Table = Table {
    name: "customers",
    columns: &[
        ("id", Kind::Id),
        ("name", Kind::Text),
        ("kana", Kind::Text),
        ("company", Kind::Text),
        ("email", Kind::Text),
        ("search", Kind::Text),
        ("name_order", Kind::Text),
        ("match_name", Kind::Text),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Fail,
    fence: "version",
};

impl Row {
    fn has_its_keys(&self) -> bool {
        let texts = CustomerTexts {
            name: &self.name,
            kana: self.kana.as_deref(),
            company: self.company.as_deref(),
            email: self.email.as_deref(),
            phone: None,
        };
        let keys = CustomerKeys::of(self.keyed_version.unwrap_or(0), texts);
        keys.search == self.search
            && keys.name_order == self.name_order
            && keys.matching.name == self.match_name
    }
}

async fn rows(db: &Db) -> Vec<Row> {
    db.rows(&ROWS, Sql::default().push(" ORDER BY id", [])).await.unwrap()
}

async fn without_keys(db: &Db) -> usize {
    rows(db).await.iter().filter(|row| !row.has_its_keys()).count()
}

async fn make_as_before(database: &TestDatabase, on: Database) {
    let line = if on == Sqlite { "char(10)" } else { "chr(10)" };
    database.raw(&AS_BEFORE.replace("char_10", line)).await;
}

/// A database with customers that have every kind of text, and a user.
async fn filled(on: Database) -> (TestDatabase, Db) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let one = |n: usize| Customer {
        kana: n.is_multiple_of(3).then(|| format!("ｶﾅ{n}")),
        company: n.is_multiple_of(2).then(|| format!("㈱絆 {n}")),
        email: n.is_multiple_of(5).then(|| format!("a{n}@example.jp")),
        ..customer(&format!("佐藤　{n}"))
    };
    store(&db, (0..MANY).map(|n| customer_write(&one(n))).collect()).await;
    store(&db, vec![user_write(&user("Ｈａｎａｋｏ"))]).await;
    (database, db)
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_before_gets_its_keys_once(#[case] on: Database) {
    let (database, db) = filled(on).await;
    assert_eq!(renew(&db).await.unwrap(), 0, "they were written with their rows");
    let before = rows(&db).await;
    make_as_before(&database, on).await;
    assert_eq!(without_keys(&db).await, MANY);
    assert_eq!(renew(&db).await.unwrap(), MANY as u64 + 1);
    assert_eq!(rows(&db).await, before);
    let hanako = user("Ｈａｎａｋｏ").user;
    let search = db.text(Sql::new("SELECT search FROM users")).await.unwrap();
    assert_eq!(search, Some(UserKeys::of(&hanako.name, &hanako.email).search));
    assert_eq!(renew(&db).await.unwrap(), 0);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_goes_on_where_it_was(#[case] on: Database) {
    let (database, db) = filled(on).await;
    make_as_before(&database, on).await;
    let cut_off = tokio::spawn({
        let db = db.clone();
        async move { renew(&db).await }
    });
    eventually(Duration::from_secs(10), async || match without_keys(&db).await {
        MANY => Err("none has keys yet".to_owned()),
        _ => Ok(()),
    })
    .await;
    cut_off.abort();
    let _ = cut_off.await;
    let rest = renew(&db).await.unwrap();
    assert!(rest <= MANY as u64 + 1 - 500, "what was done is not done again: {rest}");
    assert_eq!(without_keys(&db).await, 0);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_make_keys_while_one_of_the_version_before_writes(#[case] on: Database) {
    let (database, db) = filled(on).await;
    make_as_before(&database, on).await;
    let mut nodes = vec![db.clone()];
    if on == Postgres {
        nodes.extend([database.open().await, database.open().await]);
    }
    let some: Vec<Id> = rows(&db).await.iter().map(|row| row.id).step_by(20).collect();
    let making = join_all(nodes.iter().map(renew));
    let writing = async {
        for id in &some {
            let set = "SET version = version + 1, name = '改名', search = '改名'";
            database.raw(&format!("UPDATE customers {set} WHERE id = '{id}'")).await;
        }
    };
    let (made, ()) = futures_util::join!(making, writing);
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    renew(&db).await.unwrap();
    assert_eq!(without_keys(&db).await, 0, "no row has the keys of another text");
    assert_eq!(rows(&db).await.iter().filter(|row| row.name == "改名").count(), some.len());
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_version_before_adds_is_whole(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (id, time) = (new_id(), begin());
    let columns = "id, version, created_at, updated_at, name, status, owner_id, search";
    let values = format!("'{id}', 1, '{time}', '{time}', 'サトウ', 'LEAD', '{id}', 'サトウ'");
    database.raw(&format!("INSERT INTO customers ({columns}) VALUES ({values})")).await;
    assert_eq!(renew(&db).await.unwrap(), 1);
    let stored = &rows(&db).await[0];
    assert!(stored.has_its_keys() && stored.kana.is_none(), "{stored:?}");
}

/// A row of one of the tables of which a program of before knows no keys.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Keyed {
    id: Id,
    version: i64,
    search: Option<String>,
    keyed_version: Option<i64>,
}

static KEYED: [Table; 6] = [
    keyed("meetings"),
    keyed("tasks"),
    keyed("approvals"),
    keyed("deals"),
    keyed("sales_customers"),
    keyed("opportunity_customers"),
];

const fn keyed(name: &'static str) -> Table {
    const COLUMNS: &[(&str, Kind)] =
        &[("id", Kind::Id), ("version", Kind::Int), ("search", Kind::Text), ("keyed_version", Kind::Int)];
    Table { name, columns: COLUMNS, on_conflict: OnConflict::Fail, fence: "version" }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_version_that_knows_no_keys_get_theirs_and_lose_them_with_each_change(
    #[case] on: Database,
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (id, time) = (new_id(), begin());
    let named = format!("'{id}', 1, '{time}', '{time}', '{id}'");
    for insert in [
        format!(
            "meetings (id, version, created_at, updated_at, customer_id, title, met_at, location, notes, owner_id) \
             VALUES ({named}, 'ﾃｲﾚｲ', '{time}', '大阪', '見積', '{id}')"
        ),
        format!(
            "tasks (id, version, created_at, updated_at, assignee_id, title, due_at, status, notes) \
             VALUES ({named}, 'ﾃｲﾚｲ', '{time}', 'OPEN', '見積')"
        ),
        format!(
            "approvals (id, version, created_at, updated_at, customer_id, title, amount, currency, reason, status, \
             requester_id, comment) VALUES ({named}, 'ﾃｲﾚｲ', 1, 'JPY', '見積', 'PENDING', '{id}', '可')"
        ),
        format!(
            "deals (id, version, created_at, updated_at, customer_id, title, amount, currency, stage, probability, \
             expected_day, lost_reason, owner_id) VALUES ({named}, 'ﾃｲﾚｲ', 1, 'JPY', 'LOST', 0, 9999999, '価格', '{id}')"
        ),
        format!("sales_customers (id, version, name, owner_id) VALUES ('{id}', 1, 'ﾃｲﾚｲ', '{id}')"),
        format!("opportunity_customers (id, version, name, owner_id) VALUES ('{id}', 1, 'ﾃｲﾚｲ', '{id}')"),
    ] {
        database.raw(&format!("INSERT INTO {insert}")).await;
    }
    assert_eq!(renew(&db).await.unwrap(), 6);
    assert_eq!(renew(&db).await.unwrap(), 0);
    let others = ["\n大阪\n見積", "\n見積", "\n見積\n可", "\n価格", "", ""];
    for (table, others) in KEYED.iter().zip(others) {
        let rows: Vec<Keyed> = db.rows(table, Sql::default()).await.unwrap();
        let search = Some(format!("\u{1}ていれい{others}"));
        assert_eq!(rows, [Keyed { id, version: 1, search, keyed_version: Some(1) }], "{}", table.name);
        let text = if table.name.ends_with("customers") { "name" } else { "title" };
        database.raw(&format!("UPDATE {} SET version = 2, {text} = '改題'", table.name)).await;
    }
    assert_eq!(renew(&db).await.unwrap(), 6, "keys of other texts are made again");
    for table in &KEYED {
        let rows: Vec<Keyed> = db.rows(table, Sql::default()).await.unwrap();
        assert_eq!(rows[0].keyed_version, Some(2));
        assert!(rows[0].search.as_ref().is_some_and(|text| text.starts_with("\u{1}改題")), "{rows:?}");
    }
}
