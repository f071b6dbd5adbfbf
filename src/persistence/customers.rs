//! Customers.

use domain::customer::messages::CustomerCounts;
use kernel::error::ErrorCode;
use std::collections::HashMap;

use serde::Deserialize;

use domain::customer::messages::{CustomerFilter, CustomerName};
use domain::customer::record::Customer;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest, Sort, SortKind};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::UniqueCheck;

pub static CUSTOMERS: Table = Table {
    name: "customers",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("name", Kind::Text),
        ("kana", Kind::Text),
        ("email", Kind::Text),
        ("phone", Kind::Text),
        ("company", Kind::Text),
        ("status", Kind::Text),
        ("notes", Kind::Text),
        ("owner_id", Kind::Id),
        ("search", Kind::Search),
        ("name_order", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// A customer of a list by name. The sort key is read, not made: a row of a node of another version may have another.
#[derive(Deserialize)]
struct Named {
    #[serde(flatten)]
    customer: Customer,
    name_order: String,
}

/// Live customers with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &CustomerFilter,
    words: &Words,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Page<Customer>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql
            .filter("deleted_at IS NULL", [])
            .filter_some("owner_id = ?", owner)
            .filter_some("owner_id = ?", filter.owner_id)
            .filter_some("status = ?", filter.status.map(|status| status.as_str()))
            .filter_some("created_at >= ?", filter.created_from)
            .filter_some("created_at < ?", filter.created_to);
        let holds = db.dialect().search_holds();
        words.iter().fold(sql, |sql, word| sql.filter(holds, [word.into()]))
    };
    if sort.kind == SortKind::Name {
        let key = |row: &Named| sort.keyset(&row.name_order, row.customer.id);
        let page = paging::page(db, &CUSTOMERS, request, sort, narrow, key).await?;
        return Ok(page.map(|row: Named| row.customer));
    }
    let key = |row: &Customer| match sort.field {
        "updated_at" => sort.keyset(row.updated_at, row.id),
        _ => sort.keyset(row.created_at, row.id),
    };
    paging::page(db, &CUSTOMERS, request, sort, narrow, key).await
}

/// The names of the customers with these ids, live or deleted, in no order; with `owner`, of that owner's.
pub async fn names(db: &Db, owner: Option<Id>, ids: &[Id]) -> Result<Vec<CustomerName>, StoreError> {
    let chosen = format!("id IN ({})", db.dialect().ids());
    let tail = Sql::default()
        .filter(&chosen, [serde_json::to_string(ids)?.into()])
        .filter_some("owner_id = ?", owner);
    let customers: Vec<Customer> = db.rows(&CUSTOMERS, tail).await?;
    let name = |customer: Customer| CustomerName {
        is_deleted: customer.deleted_at.is_some(),
        id: customer.id,
        name: customer.name,
    };
    Ok(customers.into_iter().map(name).collect())
}

/// The condition that no live customer has this address, except `except`; with `owner`, no customer of that owner.
pub fn no_other_with_email(owner: Option<Id>, email: &str, except: Option<Id>) -> UniqueCheck {
    UniqueCheck {
        table: &CUSTOMERS,
        column: "email",
        value: email.to_owned(),
        owner,
        except,
        code: ErrorCode::DuplicateCustomer,
    }
}

/// How many live customers each owner has.
pub async fn by_owner(db: &Db) -> Result<HashMap<Id, i64>, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        owner_id: Id,
        customers: i64,
    }
    static COUNTS: Table = Table {
        name: "counts",
        columns: &[("owner_id", Kind::Id), ("customers", Kind::Int)],
        on_conflict: OnConflict::Fail,
        fence: "customers",
    };
    let grouped = Sql::new("SELECT owner_id, count(*) AS customers FROM customers")
        .filter("deleted_at IS NULL", [])
        .push(" GROUP BY owner_id", []);
    let rows: Vec<Row> = db.rows_of(&COUNTS, grouped).await?;
    Ok(rows.into_iter().map(|row| (row.owner_id, row.customers)).collect())
}

/// Statistics: live customers now, new and deleted ones from `from` to `to`.
pub async fn stats(
    db: &Db,
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<CustomerCounts, StoreError> {
    let count =
        || Sql::new("SELECT CAST(count(*) AS TEXT) FROM customers").filter_some("owner_id = ?", owner);
    let within =
        |sql: Sql, least: &str, below: &str| sql.filter(least, [from.into()]).filter(below, [to.into()]);
    let live = || count().filter("deleted_at IS NULL", []);
    let mut by_status = Vec::new();
    for status in domain::customer::record::CustomerStatus::ALL {
        let number = db.number(live().filter("status = ?", [status.as_str().into()])).await?;
        by_status.push((status.as_str().to_owned(), number));
    }
    Ok(CustomerCounts {
        total: db.number(live()).await?,
        new: db.number(within(count(), "created_at >= ?", "created_at < ?")).await?,
        deleted: db.number(within(count(), "deleted_at >= ?", "deleted_at < ?")).await?,
        by_status,
    })
}
