//! The tables of analytics: activity, metrics, copies of the users, notifications.

use domain::api_key::event_scopes::readable;
use domain::notification::messages::{NEWEST_FIRST, Which};
use domain::report::messages::{DayMetrics, ReportDay};
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use domain::notification::record::Notification;
use domain::notification::user_directory::UserCopy;
use domain::search::record::RecordType;
use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use kernel::scopes::Scopes;
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
        ("quarter", Kind::Int),
        ("user_id", Kind::Id),
        ("metric", Kind::Text),
        ("value", Kind::Int),
    ],
    on_conflict: OnConflict::Add("value"),
    fence: "value",
};

/// A quarter of an hour in microseconds. Every time zone of today differs from UTC by whole quarters.
const QUARTER: i64 = 15 * 60 * 1_000_000;

/// The number of the quarter of an hour in which a moment is, from 1970 on.
pub fn quarter(time: Timestamp) -> i64 {
    time.micros().div_euclid(QUARTER)
}

#[derive(Serialize, Deserialize)]
struct MetricRow {
    id: String,
    quarter: i64,
    user_id: Id,
    metric: String,
    value: i64,
}

/// Adds to a figure of a [`quarter`] and user.
pub fn metric_write(quarter: i64, user_id: Id, metric: &str, value: i64) -> Write {
    let id = format!("{quarter}/{user_id}/{metric}");
    let metric = metric.to_owned();
    Write::put(&METRICS, &id, &MetricRow { id: id.clone(), quarter, user_id, metric, value })
}

/// Days of one length, each after the other: their sums are one query.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// The place of its first day among all.
    first: usize,
    from: i64,
    to: i64,
    /// Quarters of each day.
    length: i64,
}

/// The fewest runs of these days: a zone changes its clocks a few times a year.
fn runs(days: &[ReportDay]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (place, day) in days.iter().enumerate() {
        let (from, to) = (quarter(day.begin), quarter(day.end));
        match runs.last_mut() {
            Some(run) if run.to == from && run.length == to - from => run.to = to,
            _ => runs.push(Run { first: place, from, to, length: (to - from).max(1) }),
        }
    }
    runs
}

/// A figure's sum over a day of a run.
#[derive(Deserialize)]
struct Sum {
    place: usize,
    metric: String,
    value: i64,
}

static SUMS: Table = Table {
    name: "sums",
    columns: &[("place", Kind::Int), ("metric", Kind::Text), ("value", Kind::Int)],
    on_conflict: OnConflict::Fail,
    fence: "place",
};

/// The figures of each of these days, in their order.
pub async fn metrics(db: &Db, owner: Option<Id>, days: &[ReportDay]) -> Result<Vec<DayMetrics>, StoreError> {
    let mut sums: BTreeMap<(usize, String), i64> = BTreeMap::new();
    for run in runs(days) {
        let places = "SELECT (quarter - ?) / ? AS place, metric, CAST(sum(value) AS BIGINT) AS value \
                      FROM daily_metrics";
        let query = Sql::default()
            .push(places, [run.from.into(), run.length.into()])
            .filter("quarter >= ?", [run.from.into()])
            .filter("quarter < ?", [run.to.into()])
            .filter_some("user_id = ?", owner)
            .push(" GROUP BY 1, 2", []);
        let found: Vec<Sum> = db.rows_of(&SUMS, query).await?;
        sums.extend(found.into_iter().map(|sum| ((run.first + sum.place, sum.metric), sum.value)));
    }
    let sum = |place: usize, metric: &str| sums.get(&(place, metric.to_owned())).copied().unwrap_or(0);
    let figures = |(place, day): (usize, &ReportDay)| DayMetrics {
        date: day.date,
        logins: sum(place, "logins"),
        customers_created: sum(place, "customers_created"),
        customers_deleted: sum(place, "customers_deleted"),
        meetings_created: sum(place, "meetings_created"),
        tasks_completed: sum(place, "tasks_completed"),
        approvals_requested: sum(place, "approvals_requested"),
        approvals_approved: sum(place, "approvals_approved"),
        approvals_rejected: sum(place, "approvals_rejected"),
        deals_created: sum(place, "deals_created"),
        deals_won: sum(place, "deals_won"),
        deals_lost: sum(place, "deals_lost"),
    };
    Ok(days.iter().enumerate().map(figures).collect())
}

pub static USER_COPIES: Table = Table {
    name: "analytics_users",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("name", Kind::Text),
        ("role", Kind::Text),
        ("manager_id", Kind::Id),
        ("muted_notifications", Kind::Json),
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
    readable_notifications(db, (user, Scopes::ALL), which, request).await
}

/// A user's notifications, newest first, about records that may be read with these scopes.
pub async fn readable_notifications(
    db: &Db,
    (user, scopes): (Id, Scopes),
    which: Which,
    request: &PageRequest,
) -> Result<Page<Notification>, StoreError> {
    let readable: Vec<&str> = readable(scopes).map(RecordType::as_str).collect();
    let about = match readable.len() == RecordType::ALL.len() {
        true => None,
        false => Some(serde_json::to_string(&readable)?),
    };
    let of_types = format!("subject_type IN ({})", db.dialect().texts());
    let narrow = |sql: Sql| {
        let sql = sql.filter("user_id = ?", [user.into()]).filter_some(&of_types, about.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_one_length_are_one_run() {
        let hour = 4 * QUARTER;
        let mut begin = 0;
        let mut day = |hours: i64| {
            let from = begin;
            begin += hours * hour;
            let date = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day");
            let at = Timestamp::from_micros;
            ReportDay { date, begin: at(from), end: at(begin) }
        };
        let days = [day(24), day(24), day(23), day(24)];
        let firsts: Vec<_> =
            runs(&days).iter().map(|run| (run.first, run.length, run.from, run.to)).collect();
        assert_eq!(firsts, [(0, 96, 0, 192), (2, 92, 192, 284), (3, 96, 284, 380)]);
    }
}
