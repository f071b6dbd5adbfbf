//! The tables of analytics: activity, metrics, copies of the users, notifications.

use domain::notification::messages::{NEWEST_FIRST, Which};
use domain::report::messages::DayMetrics;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use domain::notification::record::Notification;
use domain::notification::user_directory::UserCopy;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::log;
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

pub static ACTIVITY: Table = Table {
    name: "customer_activity",
    columns: &[
        ("id", Kind::Id),
        ("customer_id", Kind::Id),
        ("owner_id", Kind::Id),
        ("previous_owner_id", Kind::Id),
    ],
    on_conflict: OnConflict::Fail,
    fence: "id",
};

/// Adds an event to a customer's timeline. `owners` are the SALES users who may see it: the owner of its record, and the
/// owner until this event.
pub fn activity_write(event: Id, customer_id: Id, owners: &[Id]) -> Write {
    #[derive(Serialize)]
    struct Row {
        id: Id,
        customer_id: Id,
        owner_id: Option<Id>,
        previous_owner_id: Option<Id>,
    }
    let (owner_id, previous_owner_id) = (owners.first().copied(), owners.get(1).copied());
    Write::put(&ACTIVITY, event, &Row { id: event, customer_id, owner_id, previous_owner_id })
}

/// The condition that the viewer is one of the owners of an event.
const IS_OWNER: &str = "? IN (a.owner_id, a.previous_owner_id)";

/// A customer's timeline, newest first, before the event `before`; with a `viewer`, only the events of records that are or
/// were theirs.
pub async fn activity(
    db: &Db,
    customer: Id,
    viewer: Option<Id>,
    before: Option<Id>,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    let tail = Sql::new("JOIN customer_activity AS a ON a.id = events.id")
        .filter("a.customer_id = ?", [customer.into()])
        .filter_some(IS_OWNER, viewer)
        .filter_some("a.id < ?", before)
        .push(" ORDER BY a.id DESC", [])
        .limit(limit);
    log::read(db, tail).await
}

/// How many events a customer's timeline has; with a `viewer`, as [`activity`] shows it to them.
pub async fn activity_count(db: &Db, customer: Id, viewer: Option<Id>) -> Result<i64, StoreError> {
    let sql = Sql::new("SELECT CAST(count(*) AS TEXT) FROM customer_activity AS a");
    db.number(sql.filter("a.customer_id = ?", [customer.into()]).filter_some(IS_OWNER, viewer)).await
}

pub static METRICS: Table = Table {
    name: "daily_metrics",
    columns: &[
        ("id", Kind::Text),
        ("day", Kind::Text),
        ("user_id", Kind::Id),
        ("metric", Kind::Text),
        ("value", Kind::Int),
    ],
    on_conflict: OnConflict::Add("value"),
    fence: "value",
};

#[derive(Serialize, Deserialize)]
struct MetricRow {
    id: String,
    day: NaiveDate,
    user_id: Id,
    metric: String,
    value: i64,
}

/// Adds to a figure of a day and user.
pub fn metric_write(day: NaiveDate, user_id: Id, metric: &str, value: i64) -> Write {
    let id = format!("{day}/{user_id}/{metric}");
    Write::put(&METRICS, &id, &MetricRow { id: id.clone(), day, user_id, metric: metric.to_owned(), value })
}

/// The figures of each day from `from` to `to`, both included, oldest first.
pub async fn metrics(
    db: &Db,
    owner: Option<Id>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DayMetrics>, StoreError> {
    let tail = Sql::default()
        .filter("day >= ?", [from.to_string().into()])
        .filter("day <= ?", [to.to_string().into()])
        .filter_some("user_id = ?", owner);
    let rows: Vec<MetricRow> = db.rows(&METRICS, tail).await?;
    let mut sums: BTreeMap<(NaiveDate, String), i64> = BTreeMap::new();
    for row in rows {
        *sums.entry((row.day, row.metric)).or_default() += row.value;
    }
    let sum = |date: NaiveDate, metric: &str| sums.get(&(date, metric.to_owned())).copied().unwrap_or(0);
    let days = from.iter_days().take_while(|day| *day <= to);
    Ok(days
        .map(|date| DayMetrics {
            date,
            logins: sum(date, "logins"),
            customers_created: sum(date, "customers_created"),
            customers_deleted: sum(date, "customers_deleted"),
            meetings_created: sum(date, "meetings_created"),
            tasks_completed: sum(date, "tasks_completed"),
            approvals_requested: sum(date, "approvals_requested"),
            approvals_approved: sum(date, "approvals_approved"),
            approvals_rejected: sum(date, "approvals_rejected"),
        })
        .collect())
}

pub static USER_COPIES: Table = Table {
    name: "analytics_users",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("name", Kind::Text),
        ("role", Kind::Text),
        ("manager_id", Kind::Id),
        ("deleted_at", Kind::Time),
    ],
    on_conflict: OnConflict::Newer,
    fence: "version",
};

/// The copies of all users. Their number is bounded by the size of the company.
pub async fn user_copies(db: &Db) -> Result<Vec<UserCopy>, StoreError> {
    db.rows(&USER_COPIES, Sql::default()).await
}

pub static NOTIFICATIONS: Table = Table {
    name: "notifications",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("user_id", Kind::Id),
        ("kind", Kind::Text),
        ("subject_type", Kind::Text),
        ("subject_id", Kind::Id),
        ("customer_id", Kind::Id),
        ("data", Kind::Json),
        ("read_at", Kind::Time),
        ("archived_at", Kind::Time),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// A user's notifications, newest first.
pub async fn notifications(
    db: &Db,
    user: Id,
    which: Which,
    request: &PageRequest,
) -> Result<Page<Notification>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql.filter("user_id = ?", [user.into()]);
        let unread = |sql: Sql| sql.filter("read_at IS NULL", []).filter("archived_at IS NULL", []);
        match which {
            Which::All => sql,
            Which::Unread => unread(sql),
            Which::Kept => sql.filter("archived_at IS NULL", []),
            Which::Archived => sql.filter("archived_at IS NOT NULL", []),
            Which::About(subject) => unread(sql).filter("subject_id = ?", [subject.into()]),
        }
    };
    let key = |row: &Notification| NEWEST_FIRST.keyset(row.created_at, row.id);
    paging::page(db, &NOTIFICATIONS, request, &NEWEST_FIRST, narrow, key).await
}
