//! Customers that may be one: found by the keys that they have in common.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::persistence::customers::CUSTOMERS;
use domain::customer::matching::{MatchBy, MatchGroup, MatchKeys};
use domain::customer::record::Customer;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

/// Customers with one key that are read: of more, nobody would look through all.
const OF_ONE_KEY: i64 = 20;
/// Customers that a group names.
const NAMED: i64 = 10;

fn column(by: MatchBy) -> &'static str {
    match by {
        MatchBy::Email => "email",
        MatchBy::Phone => "match_phone",
        MatchBy::Name => "match_name",
        MatchBy::Kana => "match_kana",
        MatchBy::Domain => "match_domain",
    }
}

/// Live customers with one of these keys or this address, each once, the oldest of each key first; with `owner`, that
/// user's alone.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn with_keys(
    db: &Db,
    owner: Option<Id>,
    keys: &MatchKeys,
    email: Option<&str>,
) -> Result<Vec<Customer>, StoreError> {
    let wanted = [
        (MatchBy::Email, email),
        (MatchBy::Phone, keys.phone.as_deref()),
        (MatchBy::Name, keys.name.as_deref()),
        (MatchBy::Kana, keys.kana.as_deref()),
        (MatchBy::Domain, keys.domain.as_deref()),
    ];
    let mut found = BTreeMap::new();
    for (by, key) in wanted {
        let Some(key) = key else { continue };
        let tail = of_key(Sql::default(), by, key, owner).push(" ORDER BY id", []).limit(OF_ONE_KEY);
        let customers: Vec<Customer> = db.rows(&CUSTOMERS, tail).await?;
        found.extend(customers.into_iter().map(|customer| (customer.id, customer)));
    }
    Ok(found.into_values().collect())
}

fn of_key(sql: Sql, by: MatchBy, key: &str, owner: Option<Id>) -> Sql {
    sql.filter("deleted_at IS NULL", [])
        .filter(&format!("{} = ?", column(by)), [key.into()])
        .filter_some("owner_id = ?", owner)
}

/// Keys that several live customers have, in their order, after one, at most `limit`; with `owner`, that user's customers
/// alone.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn groups(
    db: &Db,
    owner: Option<Id>,
    by: MatchBy,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<MatchGroup>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        key: String,
        count: i64,
    }
    static SHAPE: Table = Table {
        name: "groups",
        columns: &[("key", Kind::Text), ("count", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "count",
    };
    let column = column(by);
    let keys = Sql::new(format!("SELECT {column} AS key, count(*) AS count FROM customers"))
        .filter("deleted_at IS NULL", [])
        .filter(&format!("{column} IS NOT NULL"), [])
        .filter_some(&format!("{column} > ?"), after.map(str::to_owned))
        .filter_some("owner_id = ?", owner)
        .push(&format!(" GROUP BY {column} HAVING count(*) > 1 ORDER BY {column}"), [])
        .limit(limit);
    let rows: Vec<Row> = db.rows_of(&SHAPE, keys).await?;
    let mut groups = Vec::new();
    for Row { key, count } in rows {
        let tail = of_key(Sql::default(), by, &key, owner).push(" ORDER BY id", []).limit(NAMED);
        let customers = db.rows(&CUSTOMERS, tail).await?;
        groups.push(MatchGroup { by, key, customers, count });
    }
    Ok(groups)
}
