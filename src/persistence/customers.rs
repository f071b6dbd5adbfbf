//! Customers; `customer_lists` has their lists.

use domain::customer::messages::CustomerCounts;
use kernel::error::ErrorCode;
use std::collections::{BTreeSet, HashMap};

use crate::persistence::saga_items::{Group, Items};
use crate::persistence::tallies;
use crate::persistence::tallies::{CUSTOMERS_CREATED, CUSTOMERS_DELETED, DELETED, EVER};
use domain::customer::messages::CustomerName;
use domain::customer::record::{Customer, CustomerStatus};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::UniqueCheck;

pub use crate::persistence::customer_lists::list;

/// Items of a saga that are read at a time.
const ITEMS_AT_ONCE: i64 = 1_000;

pub static CUSTOMERS: Table = Table {
    name: "customers",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("merged_into", Kind::Id),
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
        ("match_name", Kind::Text),
        ("match_kana", Kind::Text),
        ("match_phone", Kind::Text),
        ("match_domain", Kind::Text),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

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

/// The live customers with these addresses; with `owner`, that owner's alone.
pub async fn with_emails(
    db: &Db,
    owner: Option<Id>,
    emails: &BTreeSet<String>,
) -> Result<Vec<Customer>, StoreError> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    let chosen = format!("email IN ({})", db.dialect().texts());
    let tail = Sql::default()
        .filter(&chosen, [serde_json::to_string(emails)?.into()])
        .filter("deleted_at IS NULL", [])
        .filter_some("owner_id = ?", owner);
    db.rows(&CUSTOMERS, tail).await
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

/// The customers that a saga created.
pub async fn created_by(db: &Db, items: Items, saga: Id) -> Result<Vec<Id>, StoreError> {
    let (mut created, mut after): (Vec<Id>, Option<String>) = (Vec::new(), None);
    loop {
        let page = items.page(db, saga, Group::All, after.as_deref(), ITEMS_AT_ONCE).await?;
        let Some(last) = page.last() else { return Ok(created) };
        after = Some(last.id.clone());
        created.extend(page.iter().filter(|item| item.version == 0).map(|item| item.record_id));
    }
}

/// How many live customers each owner has.
pub async fn by_owner(db: &Db) -> Result<HashMap<Id, i64>, StoreError> {
    let counts = tallies::by_owner(db, &CUSTOMERS_CREATED, EVER, DELETED).await?;
    Ok(counts.into_iter().collect())
}

/// Statistics: live customers now, new and deleted ones from `from` to `to`.
pub async fn stats(
    db: &Db,
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<CustomerCounts, StoreError> {
    let within = (Some(from), Some(to));
    let now = tallies::sums(db, &CUSTOMERS_CREATED, owner, EVER).await?;
    let number = |status: CustomerStatus| now.get(status.as_str()).map_or(0, |sum| sum.count);
    let by_status: Vec<_> =
        CustomerStatus::ALL.into_iter().map(|status| (status.as_str().to_owned(), number(status))).collect();
    Ok(CustomerCounts {
        total: by_status.iter().map(|(_, number)| number).sum(),
        new: tallies::count(db, &CUSTOMERS_CREATED, owner, within, |_| true).await?,
        deleted: tallies::count(db, &CUSTOMERS_DELETED, owner, within, |_| true).await?,
        by_status,
    })
}
