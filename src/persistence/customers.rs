//! Customers; `customer_lists` has their lists.

use domain::customer::messages::CustomerCounts;
use kernel::error::ErrorCode;
use std::collections::{BTreeSet, HashMap};

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
