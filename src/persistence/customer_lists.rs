//! Lists of customers: how the page of each order, filter and search is found (docs/decisions/0033, 0035).

use crate::persistence::customers::CUSTOMERS;
use crate::persistence::tallies;
use crate::persistence::tallies::{CUSTOMERS_CREATED, DELETED, EVER, only};
use domain::customer::messages::CustomerFilter;
use domain::customer::record::{Customer, CustomerStatus};
use kernel::ids::Id;
use kernel::page::{Keyset, Page, PageRequest, Sort, SortKind};
use kernel::search::Words;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use store::db::{Db, StoreError};
use store::paging::{Each, List};
use store::sql::Sql;
use store::table::Dialect;
use store::text_search::{Known, TextIndex};

/// The index of the texts that `?q=` searches.
pub(super) static TEXTS: TextIndex = TextIndex {
    table: "customers",
    grams: "customer_grams",
    gram_rows: "customer_gram_rows",
    known: Known::ByNumber { end: "customer_grams_end", changes: "customer_gram_changes" },
    texts: "customer_texts",
    changed: "SELECT record FROM tally_changes WHERE number > (SELECT folded FROM tally_folds WHERE id = 0) \
              AND kind = 'customers'",
};

/// The column by which the indexes of customers begin.
const STATUSES: Each = Each { column: "status", values: &["LEAD", "ACTIVE", "DORMANT"] };

/// Customers that are read along an order for what its index does not have; and as many again where that is not rare.
const WALKED: i64 = 2_000;
const WALKED_FAR: i64 = 32_000;
/// So few customers are sorted before more are read along the order.
const FEW: i64 = 2_000;
/// Customers that are sorted at most, if there is another way.
const SORTED_MAX: i64 = 5_000;
/// What it costs to read and sort a customer, in entries of an index that are stepped over.
const SORTED_COST: i64 = 2;
/// So many of one owner's customers are compared with a search and sorted, whatever the order.
const OWN_COMPARED: i64 = 10_000;

/// The conditions of a list, and which of them the index of its order has.
struct Conditions<'a> {
    dialect: Dialect,
    /// The one whose customers are listed; `None`: everybody's.
    owner: Option<Id>,
    filter: &'a CustomerFilter,
    words: &'a Words,
}

impl Conditions<'_> {
    /// Those that every index has.
    fn indexed(&self, sql: Sql) -> Sql {
        sql.filter("deleted_at IS NULL", [])
            .filter_some("status = ?", self.filter.status.map(CustomerStatus::as_str))
    }

    /// Whose customers they are: at the beginning of an index by creation, at the end of the others.
    fn owned(&self, sql: Sql) -> Sql {
        sql.filter_some("owner_id = ?", self.owner)
    }

    /// The time of creation, which an index by creation has, too.
    fn created(&self, sql: Sql) -> Sql {
        sql.filter_some("created_at >= ?", self.filter.created_from)
            .filter_some("created_at < ?", self.filter.created_to)
    }

    fn is_bounded(&self) -> bool {
        self.filter.created_from.is_some() || self.filter.created_to.is_some()
    }

    fn holds(&self, sql: Sql) -> Sql {
        let holds = self.dialect.search_holds();
        self.words.iter().fold(sql, |sql, word| sql.filter(holds, [word.into()]))
    }

    /// Selects `columns` of all customers that fulfil the conditions, by the index of texts or, without a search, of creation.
    fn found(&self, columns: &str) -> Sql {
        match TEXTS.candidates(self.dialect, columns, self.words.iter()) {
            Some(candidates) => self.holds(self.created(self.owned(self.indexed(candidates)))),
            None => self.found_by_creation(columns),
        }
    }

    fn found_by_creation(&self, columns: &str) -> Sql {
        let all = Sql::new(format!("SELECT {columns} FROM customers"));
        // For the index, which begins with the status.
        let all = if self.filter.status.is_none() { all.filter(&STATUSES.any(), []) } else { all };
        self.holds(self.created(self.owned(self.indexed(all))))
    }

    /// Whether the index of texts finds so few for what is searched that all of them are read and sorted sooner than a page is
    /// found along the order.
    async fn are_few(&self, db: &Db) -> Result<bool, StoreError> {
        let Some(some) = TEXTS.some(self.dialect, self.words.iter(), FEW) else { return Ok(false) };
        Ok(db.number(some.within("CAST(count(*) AS TEXT)", "matching")).await? < FEW)
    }

    /// Whether so many texts contain what is searched that sorting them takes longer than reading along the order. PostgreSQL
    /// knows by itself: it may also use the index of an owner.
    async fn are_many(&self, db: &Db) -> Result<bool, StoreError> {
        let is_asked = self.dialect == Dialect::Sqlite;
        let some = if is_asked { TEXTS.some(self.dialect, self.words.iter(), SORTED_MAX) } else { None };
        let Some(some) = some else { return Ok(false) };
        let some = some.within("CAST(count(*) AS TEXT)", "matching");
        Ok(db.number(some).await? >= SORTED_MAX)
    }

    /// How many customers fulfil the conditions: by the tallies, if none is a search.
    async fn count(&self, db: &Db) -> Result<i64, StoreError> {
        if !self.words.is_empty() {
            return db.number(self.found("CAST(count(*) AS TEXT)")).await;
        }
        let between = (self.filter.created_from, self.filter.created_to);
        tallies::count(db, &CUSTOMERS_CREATED, self.owner, between, |status| self.counts(status)).await
    }

    /// How many customers of the status there are, of one owner or of all.
    async fn number(&self, db: &Db, owner: Option<Id>) -> Result<i64, StoreError> {
        tallies::count(db, &CUSTOMERS_CREATED, owner, EVER, |status| self.counts(status)).await
    }

    fn counts(&self, value: &str) -> bool {
        self.filter.status.map_or(value != DELETED, |status| value == status.as_str())
    }
}

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
    let Some(owner) = only(owner, filter.owner_id) else {
        return Ok(Page::empty(request.count.then_some(0)));
    };
    let conditions = Conditions { dialect: db.dialect(), owner, filter, words };
    if sort.kind == SortKind::Name {
        let key = |row: &Named| sort.keyset(&row.name_order, row.customer.id);
        return Ok(page(db, &conditions, sort, request, key).await?.map(|row: Named| row.customer));
    }
    let key = |row: &Customer| match sort.field {
        "updated_at" => sort.keyset(row.updated_at, row.id),
        _ => sort.keyset(row.created_at, row.id),
    };
    page(db, &conditions, sort, request, key).await
}

async fn page<T: DeserializeOwned>(
    db: &Db,
    conditions: &Conditions<'_>,
    sort: &Sort,
    request: &PageRequest,
    key: impl Fn(&T) -> Keyset,
) -> Result<Page<T>, StoreError> {
    let rows = match (sort.field, conditions.owner) {
        ("created_at", _) | (_, None) => rows(db, conditions, sort, request).await?,
        _ => rows_of_owner(db, conditions, sort, request).await?,
    };
    let total = if request.count { Some(conditions.count(db).await?) } else { None };
    Ok(Page::of(rows, request, key, total))
}

/// The list by the index of its order.
fn by_index<'a>(conditions: &Conditions<'_>, sort: &'a Sort, request: &'a PageRequest) -> List<'a> {
    let index = match (sort.field, conditions.owner) {
        ("name_order", _) => "customers_by_name",
        ("updated_at", _) => "customers_by_change",
        (_, None) => "customers_by_creation",
        (_, Some(_)) => "customers_of_owner_by_creation",
    };
    let each = if conditions.filter.status.is_none() { Some(STATUSES) } else { None };
    let key = match conditions.dialect {
        Dialect::Sqlite => "number",
        Dialect::Postgres => "id",
    };
    let covered: &[_] = if conditions.owner.is_some() { &["owner_id"] } else { &[] };
    let (dialect, table, index) = (conditions.dialect, &CUSTOMERS, Some(index));
    List { dialect, table, sort, request, each, index, key, covered }
}

/// By creation, or of all owners: an index has the order and whose they are.
async fn rows<T: DeserializeOwned>(
    db: &Db,
    conditions: &Conditions<'_>,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Vec<T>, StoreError> {
    let list = by_index(conditions, sort, request);
    let by_creation = sort.field == "created_at";
    let in_order = |sql: Sql| {
        let sql = conditions.owned(conditions.indexed(sql));
        if by_creation { conditions.created(sql) } else { sql }
    };
    if conditions.words.is_empty() && (by_creation || !conditions.is_bounded()) {
        return db.rows_of(&CUSTOMERS, list.rows(in_order)).await;
    }
    let rest = |sql: Sql| conditions.holds(if by_creation { sql } else { conditions.created(sql) });
    let mut far = WALKED;
    loop {
        let rows: Vec<T> = db.rows_of(&CUSTOMERS, list.walk(far, in_order, |sql| sql, rest)).await?;
        let found = rows.len() as i64;
        if found > request.limit || db.number(list.walked(far, in_order)).await? < far {
            return Ok(rows);
        }
        // Where some are, others are expected.
        let are_expected = far == WALKED && found * (WALKED_FAR / WALKED) > request.limit;
        if are_expected && !conditions.are_few(db).await? {
            far = WALKED_FAR;
        } else if are_expected {
            break;
        } else if far < i64::MAX && conditions.are_many(db).await? {
            far = i64::MAX;
        } else {
            break;
        }
    }
    db.rows_of(&CUSTOMERS, list.sorted(conditions.found(&CUSTOMERS.read_names()))).await
}

/// One owner's by name or change: picked out of the index of all, which has the owner at its end, or sorted if they are few.
async fn rows_of_owner<T: DeserializeOwned>(
    db: &Db,
    conditions: &Conditions<'_>,
    sort: &Sort,
    request: &PageRequest,
) -> Result<Vec<T>, StoreError> {
    let (own, all) = (conditions.number(db, conditions.owner).await?, conditions.number(db, None).await?);
    let list = by_index(conditions, sort, request);
    let columns = CUSTOMERS.read_names();
    let is_search = !conditions.words.is_empty();
    if is_search && own > FEW && conditions.are_few(db).await? {
        return db.rows_of(&CUSTOMERS, list.sorted(conditions.found(&columns))).await;
    }
    // Of every `all / own` entries one is the owner's.
    let walked_for_a_page = (request.limit + 1).saturating_mul(all);
    let are_sorted_sooner = match is_search {
        true => own <= OWN_COMPARED,
        false => own.saturating_mul(own).saturating_mul(SORTED_COST) <= walked_for_a_page,
    };
    if are_sorted_sooner {
        return db.rows_of(&CUSTOMERS, list.sorted(conditions.found_by_creation(&columns))).await;
    }
    let in_order = |sql: Sql| conditions.indexed(sql);
    let owned = |sql: Sql| conditions.owned(sql);
    let rest = |sql: Sql| conditions.holds(conditions.created(sql));
    let is_whole = conditions.words.is_empty() && !conditions.is_bounded();
    let mut far = if is_whole { WALKED_FAR } else { 2 * WALKED };
    loop {
        let rows: Vec<T> = db.rows_of(&CUSTOMERS, list.walk(far, in_order, owned, rest)).await?;
        let found = rows.len() as i64;
        if found > request.limit || db.number(list.walked(far, in_order)).await? < far {
            return Ok(rows);
        }
        let is_frequent = if is_whole { own * SORTED_COST > all } else { conditions.are_many(db).await? };
        if far < WALKED_FAR && found * (WALKED_FAR / far) > request.limit {
            far = WALKED_FAR;
        } else if far < i64::MAX && is_frequent {
            far = i64::MAX;
        } else {
            break;
        }
    }
    db.rows_of(&CUSTOMERS, list.sorted(conditions.found(&columns))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged_for_every_status() {
        assert_eq!(STATUSES.values, CustomerStatus::ALL.map(CustomerStatus::as_str));
    }
}
