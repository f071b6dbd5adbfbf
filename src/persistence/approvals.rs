//! Approvals.

use crate::persistence::found;
use domain::approval::messages::{ApprovalCounts, NEWEST_FIRST};

use std::collections::BTreeMap;

use crate::persistence::tallies;
use crate::persistence::tallies::{APPROVALS_REQUESTED, EVER, Sum, only};
use domain::approval::messages::ApprovalFilter;
use domain::approval::record::Approval;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging::{Each, List};
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
        ("search", Kind::Search),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The column by which the indexes of approvals begin.
const STATUSES: Each = Each { column: "status", values: &["PENDING", "APPROVED", "REJECTED", "CANCELLED"] };

/// Approvals with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &ApprovalFilter,
    words: &Words,
    request: &PageRequest,
) -> Result<Page<Approval>, StoreError> {
    let narrow = |sql: Sql| {
        let sql = sql
            .filter_some("requester_id = ?", owner)
            .filter_some("requester_id = ?", filter.requester_id)
            .filter_some("approver_id = ?", filter.approver_id)
            .filter_some("status = ?", filter.status.map(|status| status.as_str()))
            .filter_some("customer_id = ?", filter.customer_id);
        let sql = match filter.awaits {
            Some(user) => {
                let waits = "(approver_id = ? OR approver_id IS NULL) AND requester_id <> ?";
                sql.filter(waits, [user.into(), user.into()])
            }
            None => sql,
        };
        found::APPROVALS.holding(db.dialect(), sql, owner, words)
    };
    let each = (filter.status.is_none() && filter.customer_id.is_none()).then_some(STATUSES);
    // A customer has few approvals, a user many.
    let index = match (filter.customer_id, owner.or(filter.requester_id), filter.approver_id) {
        (Some(_), ..) => "approvals_customer",
        (None, Some(_), Some(_)) => "approvals_of_both",
        (None, Some(_), None) => "approvals_of_requester",
        (None, None, Some(_)) => "approvals_of_approver",
        (None, None, None) => "approvals_status",
    };
    let (dialect, index) = (db.dialect(), Some(index));
    let list = List {
        dialect,
        table: &APPROVALS,
        sort: &NEWEST_FIRST,
        request,
        each,
        index,
        key: "id",
        covered: &[],
    };
    let rows = db.rows_of(&APPROVALS, list.rows(narrow)).await?;
    let total = match request.count {
        false => None,
        true if filter.customer_id.is_some()
            || filter.approver_id.is_some()
            || filter.awaits.is_some()
            || !words.is_empty() =>
        {
            Some(db.number(list.count(narrow)).await?)
        }
        true => Some(match only(owner, filter.requester_id) {
            Some(requester) => {
                let begin = filter.status.map(|status| format!("{}/", status.as_str())).unwrap_or_default();
                let counts = |value: &str| value.starts_with(&begin);
                tallies::count(db, &APPROVALS_REQUESTED, requester, EVER, counts).await?
            }
            None => 0,
        }),
    };
    let key = |row: &Approval| NEWEST_FIRST.keyset(row.created_at, row.id);
    Ok(Page::cut(rows, request.limit, key, total))
}

/// Statistics: approvals requested from `from` to `to`.
pub async fn stats(
    db: &Db,
    requester: Option<Id>,
    from: Timestamp,
    to: Timestamp,
) -> Result<ApprovalCounts, StoreError> {
    let sums = tallies::sums(db, &APPROVALS_REQUESTED, requester, (Some(from), Some(to))).await?;
    Ok(counts(sums))
}

fn counts(sums: BTreeMap<String, Sum>) -> ApprovalCounts {
    let mut counts = ApprovalCounts::default();
    for (value, Sum { count, amount }) in sums {
        let Some((status, currency)) = value.split_once('/').filter(|_| count != 0) else { continue };
        match status {
            "PENDING" => counts.pending += count,
            "APPROVED" => {
                counts.approved += count;
                let amount = i64::try_from(amount).unwrap_or(i64::MAX);
                counts.approved_amount.insert(currency.to_owned(), amount);
            }
            "REJECTED" => counts.rejected += count,
            _ => counts.cancelled += count,
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::approval::record::ApprovalStatus;

    #[test]
    fn ranges_are_merged_for_every_status() {
        let all = [
            ApprovalStatus::Pending,
            ApprovalStatus::Approved,
            ApprovalStatus::Rejected,
            ApprovalStatus::Cancelled,
        ];
        assert_eq!(STATUSES.values, all.map(|status| status.as_str()));
    }
}
