//! Deals.

use crate::persistence::deal_reports::REACHED;
use crate::persistence::found;
use crate::persistence::tallies;
use crate::persistence::tallies::{DEALS_CREATED, EVER, Sum, only};
use domain::deal::messages::{DealCounts, DealFilter, DealShare, NO_DAY, REASON_SHOWN};
use domain::deal::record::Deal;
use domain::deal::stage::DealStage;
use kernel::ids::Id;
use kernel::page::{Page, PageRequest, Sort};
use kernel::search::Words;
use store::db::{Db, StoreError};
use store::paging::{Each, List};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

pub static DEALS: Table = Table {
    name: "deals",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("updated_at", Kind::Time),
        ("deleted_at", Kind::Time),
        ("customer_id", Kind::Id),
        ("title", Kind::Text),
        ("amount", Kind::Int),
        ("currency", Kind::Text),
        ("stage", Kind::Text),
        ("probability", Kind::Int),
        ("expected_on", Kind::Text),
        ("expected_day", Kind::Int),
        ("lost_reason", Kind::Text),
        ("closed_at", Kind::Time),
        ("owner_id", Kind::Id),
        ("search", Kind::Search),
        ("keyed_version", Kind::Int),
    ],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// The column by which the indexes of deals begin, behind whose they are.
const STAGES: Each = Each { column: "stage", values: &["QUALIFY", "PROPOSE", "NEGOTIATE", "WON", "LOST"] };
const OPEN_STAGES: Each = Each { column: "stage", values: &["QUALIFY", "PROPOSE", "NEGOTIATE"] };

/// The number of the day in the order of expected days.
pub fn expected_day(deal: &Deal) -> i64 {
    deal.expected_on.map_or(NO_DAY, |day| day.number())
}

/// The conditions of a list.
struct Conditions<'a> {
    dialect: Dialect,
    /// The one whose deals are listed; `None`: everybody's.
    owner: Option<Id>,
    filter: &'a DealFilter,
    words: &'a Words,
}

impl Conditions<'_> {
    fn all(&self, sql: Sql) -> Sql {
        let filter = self.filter;
        let sql = sql
            .filter("deleted_at IS NULL", [])
            .filter_some("owner_id = ?", self.owner)
            .filter_some("owner_id = ?", filter.owner_id)
            .filter_some("customer_id = ?", filter.customer_id)
            .filter_some("stage = ?", filter.stage.map(DealStage::as_str))
            .filter_some("expected_day >= ?", filter.expected_from.map(|day| day.number()))
            .filter_some("created_at >= ?", filter.created_from)
            .filter_some("created_at < ?", filter.created_to)
            .filter_some("closed_at >= ?", filter.closed_from)
            .filter_some("closed_at < ?", filter.closed_to)
            .filter_some("currency = ?", filter.currency.as_deref())
            .filter_some(&reason_is(), filter.lost_reason.as_deref())
            .filter_some(REACHED, filter.reached.map(DealStage::rank));
        let sql = if filter.open { sql.filter(&OPEN_STAGES.any(), []) } else { sql };
        // Those that are expected on no day are not within a period either.
        let last = filter.expected_to.map(|day| day.number());
        let last = last.or_else(|| filter.expected_from.map(|_| NO_DAY - 1));
        found::DEALS.holding(self.dialect, sql.filter_some("expected_day <= ?", last), self.owner, self.words)
    }

    /// The column of the period that bounds the list: the time at which its deals were closed, their expected day, or the time of
    /// their creation.
    fn bounded_by(&self) -> Option<&'static str> {
        let DealFilter { expected_from, expected_to, created_from, created_to, .. } = self.filter;
        if self.filter.closed_from.is_some() || self.filter.closed_to.is_some() {
            Some("closed_at")
        } else if expected_from.is_some() || expected_to.is_some() {
            Some("expected_day")
        } else {
            (created_from.is_some() || created_to.is_some()).then_some("created_at")
        }
    }

    /// A customer has few deals, a user many. A period is read, and sorted if another order is wanted.
    fn index(&self, field: &str) -> &'static str {
        let field = self.bounded_by().unwrap_or(field);
        match (self.filter.customer_id, self.owner.or(self.filter.owner_id), field) {
            (Some(_), ..) => "deals_customer",
            (None, Some(_), "amount") => "deals_of_owner_by_amount",
            (None, Some(_), "expected_day") => "deals_of_owner_by_expectation",
            (None, Some(_), "closed_at") => "deals_of_owner_by_closing",
            (None, Some(_), _) => "deals_of_owner_by_creation",
            (None, None, "amount") => "deals_by_amount",
            (None, None, "expected_day") => "deals_by_expectation",
            (None, None, "closed_at") => "deals_by_closing",
            (None, None, _) => "deals_by_creation",
        }
    }

    /// The ranges that are merged: one for each stage, unless the list has one stage or one customer.
    fn each(&self) -> Option<Each> {
        let each = if self.filter.open { OPEN_STAGES } else { STAGES };
        (self.filter.stage.is_none() && self.filter.customer_id.is_none()).then_some(each)
    }

    /// Whether the tallies have the sums of the rows.
    fn are_tallied(&self) -> bool {
        let DealFilter { customer_id, currency, lost_reason, reached, .. } = self.filter;
        let is_narrow = currency.is_some() || lost_reason.is_some() || reached.is_some();
        customer_id.is_none() && !is_narrow && self.bounded_by().is_none() && self.words.is_empty()
    }

    fn counts(&self, stage: DealStage) -> bool {
        self.filter.stage.is_none_or(|wanted| wanted == stage) && (!self.filter.open || stage.is_open())
    }

    /// What the deals of each stage, currency and probability add to the sums.
    async fn shares(&self, db: &Db) -> Result<Vec<DealShare>, StoreError> {
        let sums = match (self.are_tallied(), only(self.owner, self.filter.owner_id)) {
            (_, None) => return Ok(Vec::new()),
            (true, Some(owner)) => tallies::sums(db, &DEALS_CREATED, owner, EVER).await?,
            (false, Some(_)) => tallies::summed(db, self.all(DEALS_CREATED.rows()), "value").await?,
        };
        let shares = sums.into_iter().filter_map(|(value, sum)| share(&value, sum));
        Ok(shares.filter(|share| self.counts(share.stage)).collect())
    }
}

/// The condition that the reason of a loss is `?`, as far as reports tell reasons apart.
pub(super) fn reason_is() -> String {
    format!("{} = ?", reason())
}

/// As much of the reason of a loss as reports tell apart.
pub(super) fn reason() -> String {
    format!("substr(lost_reason, 1, {REASON_SHOWN})")
}

/// The share of a value of the tallies: `QUALIFY/JPY/10`.
pub(super) fn share(value: &str, Sum { count, amount }: Sum) -> Option<DealShare> {
    let mut parts = value.split('/');
    let (stage, currency) = (DealStage::parse(parts.next()?)?, parts.next()?.to_owned());
    let probability = parts.next()?.parse().ok()?;
    Some(DealShare { stage, currency, probability, count, amount })
}

/// Live deals with all of `words`; with `owner`, that user's alone.
pub async fn list(
    db: &Db,
    owner: Option<Id>,
    filter: &DealFilter,
    words: &Words,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Page<Deal>, StoreError> {
    let dialect = db.dialect();
    let conditions = Conditions { dialect, owner, filter, words };
    let (each, index) = (conditions.each(), Some(conditions.index(sort.field)));
    let list = List { dialect, table: &DEALS, sort, request, each, index, key: "id", covered: &[] };
    let by_index = filter.customer_id.is_none() && found::DEALS.are_few(db, owner, words).await?;
    let found = |columns: &str| {
        let found = if by_index { found::DEALS.found(dialect, columns, words) } else { None };
        found.map(|sql| conditions.all(sql))
    };
    let rows = match found(&DEALS.read_names()) {
        Some(found) => db.rows_of(&DEALS, list.sorted(found)).await?,
        None => db.rows_of(&DEALS, list.rows(|sql| conditions.all(sql))).await?,
    };
    let total = match (request.count, found("CAST(count(*) AS TEXT)")) {
        (true, Some(found)) => Some(db.number(found).await?),
        (true, None) => Some(conditions.shares(db).await?.iter().map(|share| share.count).sum()),
        (false, _) => None,
    };
    let key = |row: &Deal| match sort.field {
        "amount" => sort.keyset(row.amount, row.id),
        "expected_day" => sort.keyset(expected_day(row), row.id),
        _ => sort.keyset(row.created_at, row.id),
    };
    Ok(Page::of(rows, request, key, total))
}

/// Statistics of live deals with all of `words`; with `owner`, that user's alone.
pub async fn stats(
    db: &Db,
    owner: Option<Id>,
    filter: &DealFilter,
    words: &Words,
) -> Result<DealCounts, StoreError> {
    let conditions = Conditions { dialect: db.dialect(), owner, filter, words };
    Ok(DealCounts::of(conditions.shares(db).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged_for_every_stage() {
        assert_eq!(STAGES.values, DealStage::ALL.map(DealStage::as_str));
        let open: Vec<_> = DealStage::ALL.into_iter().filter(|stage| stage.is_open()).collect();
        assert_eq!(OPEN_STAGES.values, open.iter().map(|stage| stage.as_str()).collect::<Vec<_>>());
    }
}
