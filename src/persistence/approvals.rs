//! Approvals.

use crate::persistence::found;
use domain::approval::messages::ApprovalCounts;

use std::collections::BTreeMap;

use crate::persistence::tallies;
use crate::persistence::tallies::{APPROVALS_REQUESTED, EVER, Sum, only};
use domain::approval::messages::ApprovalFilter;
use domain::approval::record::Approval;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest, Sort};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging::{Each, List};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

pub static APPROVALS: Table = Table {
    name: "approvals",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("customer_id", Kind::Id),
        ("deal_id", Kind::Id),
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

/// Approvals that are read along the order of amounts for one user's; if they do not fill the page, the user's are sorted.
const WALKED: i64 = 4_000;

/// The conditions of a list.
struct Conditions<'a> {
    dialect: Dialect,
    /// The one whose requests are listed; `None`: everybody's.
    owner: Option<Id>,
    filter: &'a ApprovalFilter,
    words: &'a Words,
    /// Whether the index of texts finds few enough.
    by_index: bool,
}

impl Conditions<'_> {
    fn of_status(&self, sql: Sql) -> Sql {
        sql.filter_some("status = ?", self.filter.status.map(|status| status.as_str()))
    }

    fn of_users(&self, sql: Sql) -> Sql {
        sql.filter_some("requester_id = ?", self.owner)
            .filter_some("requester_id = ?", self.filter.requester_id)
            .filter_some("approver_id = ?", self.filter.approver_id)
    }

    fn rest(&self, sql: Sql) -> Sql {
        let sql = sql.filter_some("customer_id = ?", self.filter.customer_id);
        let sql = sql.filter_some("deal_id = ?", self.filter.deal_id);
        let sql = match self.filter.awaits {
            Some(user) => {
                let waits = "(approver_id = ? OR approver_id IS NULL) AND requester_id <> ?";
                sql.filter(waits, [user.into(), user.into()])
            }
            None => sql,
        };
        found::APPROVALS.holding(self.dialect, sql, self.owner, self.words)
    }

    fn all(&self, sql: Sql) -> Sql {
        self.rest(self.of_status(self.of_users(sql)))
    }

    /// The index of what the list is filtered by, which has the rows by their creation. A customer or deal has few approvals,
    /// a user many.
    fn index(&self) -> &'static str {
        let filter = self.filter;
        if filter.deal_id.is_some() {
            return "approvals_of_deal";
        }
        match (filter.customer_id, self.owner.or(filter.requester_id), filter.approver_id) {
            (Some(_), ..) => "approvals_customer",
            (None, Some(_), Some(_)) => "approvals_of_both",
            (None, Some(_), None) => "approvals_of_requester",
            (None, None, Some(_)) => "approvals_of_approver",
            (None, None, None) => "approvals_status",
        }
    }

    /// Whether the tallies have the number of the rows.
    fn are_tallied(&self) -> bool {
        let ApprovalFilter { customer_id, deal_id, approver_id, awaits, .. } = self.filter;
        customer_id.or(*deal_id).or(*approver_id).or(*awaits).is_none() && self.words.is_empty()
    }

    /// Selects `columns` of the rows that a search finds by the index of texts, if that is the shorter way.
    fn found(&self, columns: &str) -> Option<Sql> {
        let found =
            if self.by_index { found::APPROVALS.found(self.dialect, columns, self.words) } else { None };
        found.map(|sql| self.all(sql))
    }

    async fn count(&self, db: &Db, list: &List<'_>) -> Result<i64, StoreError> {
        if let Some(found) = self.found("CAST(count(*) AS TEXT)") {
            return db.number(found).await;
        }
        if !self.are_tallied() {
            return db.number(list.count(|sql| self.all(sql))).await;
        }
        let Some(requester) = only(self.owner, self.filter.requester_id) else { return Ok(0) };
        let begin = self.filter.status.map(|status| format!("{}/", status.as_str())).unwrap_or_default();
        let counts = |value: &str| value.starts_with(&begin);
        tallies::count(db, &APPROVALS_REQUESTED, requester, EVER, counts).await
    }
}

/// Approvals with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &ApprovalFilter,
    words: &Words,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Page<Approval>, StoreError> {
    let dialect = db.dialect();
    let is_few = filter.customer_id.is_some() || filter.deal_id.is_some();
    let by_index = !is_few && found::APPROVALS.are_few(db, owner, words).await?;
    let conditions = Conditions { dialect, owner, filter, words, by_index };
    let each = (filter.status.is_none() && !is_few).then_some(STATUSES);
    let (table, index) = (&APPROVALS, Some(conditions.index()));
    let list = List { dialect, table, sort, request, each, index, key: "id", covered: &[] };
    let is_by_amount = sort.field == "amount";
    let rows = match (conditions.found(&APPROVALS.read_names()), is_by_amount) {
        (Some(found), _) => db.rows_of(&APPROVALS, list.sorted(found)).await?,
        (None, true) => by_amount(db, &conditions, &list).await?,
        (None, false) => db.rows_of(&APPROVALS, list.rows(|sql| conditions.all(sql))).await?,
    };
    let total = if request.count { Some(conditions.count(db, &list).await?) } else { None };
    let key = |row: &Approval| match is_by_amount {
        true => sort.keyset(row.amount, row.id),
        false => sort.keyset(row.created_at, row.id),
    };
    Ok(Page::of(rows, request, key, total))
}

/// By the amount: a customer's are sorted, a user's picked out of the index of all, or sorted if they are few.
async fn by_amount(
    db: &Db,
    conditions: &Conditions<'_>,
    list: &List<'_>,
) -> Result<Vec<Approval>, StoreError> {
    let sorted = || {
        let from = match list.dialect {
            Dialect::Sqlite => format!("approvals INDEXED BY {}", conditions.index()),
            Dialect::Postgres => "approvals".to_owned(),
        };
        let all = Sql::new(format!("SELECT {} FROM {from}", APPROVALS.read_names()));
        // For the index, which has the status.
        let all = if list.each.is_some() { all.filter(&STATUSES.any(), []) } else { all };
        list.sorted(conditions.all(all))
    };
    let ApprovalFilter { customer_id, deal_id, requester_id, approver_id, .. } = conditions.filter;
    if customer_id.or(*deal_id).is_some() {
        return db.rows_of(&APPROVALS, sorted()).await;
    }
    let along =
        List { index: Some("approvals_by_amount"), covered: &["requester_id", "approver_id"], ..*list };
    if conditions.owner.or(*requester_id).or(*approver_id).is_none() {
        return db.rows_of(&APPROVALS, along.rows(|sql| conditions.all(sql))).await;
    }
    let status = |sql: Sql| conditions.of_status(sql);
    let walk = along.walk(WALKED, status, |sql| conditions.of_users(sql), |sql| conditions.rest(sql));
    let rows: Vec<Approval> = db.rows_of(&APPROVALS, walk).await?;
    let is_full = rows.len() as i64 > list.request.limit;
    if is_full || db.number(along.walked(WALKED, status)).await? < WALKED {
        return Ok(rows);
    }
    db.rows_of(&APPROVALS, sorted()).await
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
