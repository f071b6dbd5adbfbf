//! Approvals.

use domain::approval::messages::{ApprovalCounts, NEWEST_FIRST};

use serde::Deserialize;

use domain::approval::messages::ApprovalFilter;
use domain::approval::record::{Approval, ApprovalStatus};
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use store::db::{Db, StoreError};
use store::paging;
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};

pub static APPROVALS: Table = Table {
    name: "approvals",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("customer_id", Kind::Id),
        ("title", Kind::Text),
        ("amount", Kind::Int),
        ("currency", Kind::Text),
        ("reason", Kind::Text),
        ("status", Kind::Text),
        ("requester_id", Kind::Id),
        ("approver_id", Kind::Id),
        ("decided_by", Kind::Id),
        ("decided_at", Kind::Time),
        ("comment", Kind::Text),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// Approvals; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &ApprovalFilter,
    request: &PageRequest,
) -> Result<Page<Approval>, StoreError> {
    let narrow = |sql: Sql| {
        sql.filter_some("requester_id = ?", owner)
            .filter_some("requester_id = ?", filter.requester_id)
            .filter_some("status = ?", filter.status.map(|status| status.as_str()))
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("approver_id = ?", filter.approver_id)
    };
    let key = |row: &Approval| NEWEST_FIRST.keyset(row.created_at, row.id);
    paging::page(db, &APPROVALS, request, &NEWEST_FIRST, narrow, key).await
}

/// The approvals of a status and currency. Amounts are added in two halves, so that no sum overflows.
#[derive(Deserialize)]
struct Group {
    status: ApprovalStatus,
    currency: String,
    approvals: i64,
    high: i64,
    low: i64,
}

static GROUPS: Table = Table {
    name: "groups",
    columns: &[
        ("status", Kind::Text),
        ("currency", Kind::Text),
        ("approvals", Kind::Int),
        ("high", Kind::Int),
        ("low", Kind::Int),
    ],
    on_conflict: OnConflict::Fail,
    fence: "approvals",
};

/// Statistics: approvals requested from `from` to `to`.
pub async fn stats(
    db: &Db,
    requester: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<ApprovalCounts, StoreError> {
    let grouped = Sql::new(
        "SELECT status, currency, count(*) AS approvals, \
         sum(amount >> 32) AS high, sum(amount & 4294967295) AS low FROM approvals",
    );
    let grouped = grouped
        .filter("created_at >= ?", [from.into()])
        .filter("created_at < ?", [to.into()])
        .filter_some("requester_id = ?", requester)
        .push(" GROUP BY status, currency", []);
    let groups: Vec<Group> = db.rows_of(&GROUPS, grouped).await?;
    Ok(counts(groups))
}

fn counts(groups: Vec<Group>) -> ApprovalCounts {
    let mut counts = ApprovalCounts::default();
    for group in groups {
        let number = match group.status {
            ApprovalStatus::Pending => &mut counts.pending,
            ApprovalStatus::Approved => &mut counts.approved,
            ApprovalStatus::Rejected => &mut counts.rejected,
            ApprovalStatus::Cancelled => &mut counts.cancelled,
        };
        *number += group.approvals;
        if group.status == ApprovalStatus::Approved {
            let amount = (i128::from(group.high) << 32) + i128::from(group.low);
            counts.approved_amount.insert(group.currency, i64::try_from(amount).unwrap_or(i64::MAX));
        }
    }
    counts
}
