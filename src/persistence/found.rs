//! Finding records by their texts: the condition of `?q=` on meetings, tasks, approvals and deals, and what `/search` ranks.
//!
//! Meetings, tasks, approvals and deals are also found by the name of their customer, as their service's replica has it.

use crate::persistence::customer_lists::TEXTS as CUSTOMER_TEXTS;
use domain::search::record::Candidate;
use kernel::ids::Id;
use kernel::rank::Query;
use kernel::search::{VERSION, Words};
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};
use store::text_search::{Known, TextIndex};

/// How many records with all words of a search are ranked at most: the newest. So a word that most records have costs no more
/// than others.
pub const NEWEST_MAX: i64 = 200;
/// How many customers are ranked beside these because their name begins with what was typed, in the order of characters:
/// one whose whole name it is comes first, however old it is.
const BEGINNING_MAX: i64 = 100;
/// The characters of a name that the index `customers_beginning` has, with the version of its key.
const BEGINNING: usize = 60;

/// Candidates of the index that are compared and sorted at most. Where more may match, reading along the order finds a page
/// sooner.
const SORTED_MAX: i64 = 5_000;
/// Where one user's records are looked for, which are few of them.
const OWN_SORTED_MAX: i64 = 1_000;

/// Of how many of the newest records PostgreSQL looks at the texts first, for a word that many have. That takes 2 ms; sorting all
/// that the index finds would take ten times that.
const READ_FIRST: i64 = 5_000;
/// What many are. Fewer are found by the index, and sorted, in less time.
const MANY: i64 = 1_000;
/// If the newest hold so many that match, these are ranked.
const ENOUGH: usize = 100;

/// How the newest records with some words are found.
#[derive(Clone, Copy)]
enum Way {
    /// Among the newest in the index.
    AmongNewest,
    /// By all that the index finds, which is little.
    ByIndex,
    /// Along the order of the records.
    AlongOrder,
}

/// A table whose records are found by their own texts and by the name of their customer.
#[derive(Debug)]
pub struct Searched {
    owner: &'static str,
    has_deleted: bool,
    /// The replica with the record's customer.
    replica: &'static str,
    /// The index of both texts (docs/decisions/0033).
    texts: TextIndex,
}

/// A table of records: what one is called, who owns it, the replica with its customer, and what is true of a record `r` that lives.
macro_rules! searched {
    ($table:literal, $one:literal, $owner:literal, $replica:literal, $lives:literal) => {
        Searched {
            owner: $owner,
            has_deleted: !$lives.is_empty(),
            replica: $replica,
            texts: TextIndex {
                table: $table,
                grams: concat!($one, "_grams"),
                gram_rows: concat!($one, "_gram_rows"),
                known: Known::ById {
                    texts: concat!($one, "_texts"),
                    changes: concat!($one, "_gram_changes"),
                },
                texts: concat!($one, "_texts"),
                // The records themselves, and those of customers with another name.
                changed: concat!(
                    "SELECT record FROM tally_changes WHERE number > (SELECT folded FROM tally_folds WHERE id = 0) \
                     AND kind = '",
                    $table,
                    "' UNION SELECT of.id FROM tally_changes AS c CROSS JOIN LATERAL (SELECT r.id FROM ",
                    $table,
                    " AS r WHERE r.customer_id = c.record",
                    $lives,
                    " OFFSET 0) AS of WHERE c.number > (SELECT folded FROM tally_folds WHERE id = 0) \
                     AND c.kind = '",
                    $replica,
                    "'"
                ),
            },
        }
    };
}

pub static MEETINGS: Searched =
    searched!("meetings", "meeting", "owner_id", "sales_customers", " AND r.deleted_at IS NULL");
pub static TASKS: Searched =
    searched!("tasks", "task", "assignee_id", "sales_customers", " AND r.deleted_at IS NULL");
pub static APPROVALS: Searched =
    searched!("approvals", "approval", "requester_id", "opportunity_customers", "");
pub static DEALS: Searched =
    searched!("deals", "deal", "owner_id", "opportunity_customers", " AND r.deleted_at IS NULL");

static CANDIDATES: Table = Table {
    name: "candidates",
    columns: &[
        ("id", Kind::Id),
        ("title", Kind::Text),
        ("subtitle", Kind::Text),
        ("created_at", Kind::Time),
        ("line", Kind::Text),
    ],
    on_conflict: OnConflict::Fail,
    fence: "created_at",
};

impl Searched {
    pub fn table(&self) -> &'static str {
        self.texts.table
    }

    /// The replica with the records' customers.
    pub fn replica(&self) -> &'static str {
        self.replica
    }

    /// The table of what the index has of each record.
    pub fn texts(&self) -> &'static str {
        self.texts.texts
    }

    /// In SQLite, the full-text index.
    pub fn grams(&self) -> &'static str {
        self.texts.grams
    }

    /// In SQLite, the table with the records that the index has not reached yet.
    pub fn changes(&self) -> &'static str {
        match self.texts.known {
            Known::ById { changes, .. } | Known::ByNumber { changes, .. } => changes,
        }
    }

    /// What the index has of a record, which the statement knows by the name `r`.
    pub fn text(&self, r: &str) -> String {
        let of_customer =
            format!("(SELECT c.search FROM {} AS c WHERE c.id = {r}.customer_id)", self.replica);
        format!("coalesce({r}.search, '') || coalesce({of_customer}, '')")
    }

    /// The condition that a record, which the statement knows by the name `r`, is not deleted.
    pub fn lives(&self, r: &str) -> String {
        if self.has_deleted { format!("{r}.deleted_at IS NULL") } else { "true".to_owned() }
    }

    /// Whether the index finds few enough records for `words` that all of them are compared and sorted; with `owner`, that user's
    /// are wanted.
    ///
    /// # Errors
    /// `Unavailable`, `Failed`.
    pub async fn are_few(&self, db: &Db, owner: Option<Id>, words: &Words) -> Result<bool, StoreError> {
        // SQLite has one user's records by an index. PostgreSQL might read everybody's along the order.
        let most = match (db.dialect(), owner) {
            (Dialect::Sqlite, Some(_)) => OWN_SORTED_MAX,
            _ => SORTED_MAX,
        };
        let Some(some) = self.texts.some(db.dialect(), words.iter(), most) else { return Ok(false) };
        Ok(db.number(some.within("CAST(count(*) AS TEXT)", "matching")).await? < most)
    }

    /// Selects `columns` of the records that the index finds for `words`; add [`Searched::holding`]. `None` without a word.
    pub fn found(&self, dialect: Dialect, columns: &str, words: &Words) -> Option<Sql> {
        self.texts.candidates(dialect, columns, words.iter())
    }

    /// A column of the record's customer in the replica; with `owner`, of that owner's customers alone, so that nobody
    /// finds out the names of others'.
    fn of_customer(&self, column: &str, owner: Option<Id>) -> String {
        let own = if owner.is_some() { " AND c.owner_id = ?" } else { "" };
        format!(
            "(SELECT c.{column} FROM {} AS c WHERE c.id = {}.customer_id{own})",
            self.replica,
            self.table()
        )
    }

    /// Adds the condition that a record has each of `words`; with `owner`, for that user.
    pub fn holding(&self, dialect: Dialect, sql: Sql, owner: Option<Id>, words: &Words) -> Sql {
        let customer = self.of_customer("search", owner);
        // Each text begins with the version of its keys, which no word has: no word is found across the two.
        let text = format!("coalesce({}.search, '') || coalesce({customer}, '')", self.table());
        let holds = match dialect {
            Dialect::Sqlite => format!("instr({text}, ?) > 0"),
            Dialect::Postgres => format!("strpos({text}, ?) > 0"),
        };
        words.iter().fold(sql, |sql, word| match owner {
            Some(owner) => sql.filter(&holds, [owner.into(), word.into()]),
            None => sql.filter(&holds, [word.into()]),
        })
    }

    /// Adds the names of the customers to the [`Searched::newest`] records.
    fn with_customers(&self, newest: Sql, owner: Option<Id>) -> Sql {
        let replica = self.replica;
        let own = if owner.is_some() { " AND c.owner_id = ?" } else { "" };
        let sql = newest.joined(|newest| {
            format!(
                "SELECT n.id, n.title, c.name AS subtitle, n.created_at, n.line FROM ({newest}) AS n \
                 LEFT JOIN {replica} AS c ON c.id = n.customer_id"
            )
        });
        match owner {
            Some(owner) => sql.push(own, [owner.into()]),
            None => sql,
        }
    }

    /// The newest live records that have all words; with `owner`, that user's alone.
    fn newest(&self, dialect: Dialect, owner: Option<Id>, words: &Words, way: Way) -> Sql {
        let columns = format!("id, title, customer_id, created_at, {} AS line", first_line(dialect));
        let found = match way {
            Way::AmongNewest => self.texts.among_newest(&columns, words.iter(), READ_FIRST, NEWEST_MAX),
            Way::ByIndex => self.found(dialect, &columns, words),
            Way::AlongOrder => None,
        };
        let is_ordered = found.is_some();
        let sql = found.unwrap_or_else(|| Sql::new(format!("SELECT {columns} FROM {}", self.table())));
        let sql = if self.has_deleted { sql.filter("deleted_at IS NULL", []) } else { sql };
        let sql = sql.filter_some(&format!("{} = ?", self.owner), owner);
        let sql = self.holding(dialect, sql, owner, words);
        // An id has the time when it was made. What the index finds is in that order, and is compared no further than this.
        let sql = if is_ordered { sql } else { sql.push(" ORDER BY id DESC", []) };
        sql.limit(NEWEST_MAX)
    }
}

/// The key of the title or name: the first line of `search`.
fn first_line(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "coalesce(substr(search, 1, instr(search || char(10), char(10)) - 1), '')",
        Dialect::Postgres => "coalesce(split_part(search, chr(10), 1), '')",
    }
}

/// Whether PostgreSQL looks among the newest records first: where all users' records are wanted, and many match.
async fn reads_newest_first(
    db: &Db,
    texts: &TextIndex,
    owner: Option<Id>,
    words: &Words,
) -> Result<bool, StoreError> {
    if db.dialect() != Dialect::Postgres || owner.is_some() {
        return Ok(false);
    }
    let Some(some) = texts.some(db.dialect(), words.iter(), MANY) else { return Ok(false) };
    Ok(db.number(some.within("CAST(count(*) AS TEXT)", "matching")).await? == MANY)
}

/// The records of `searched` to rank for a search; with `owner`, that user's alone.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn candidates(
    db: &Db,
    searched: &Searched,
    owner: Option<Id>,
    query: &Query,
) -> Result<Vec<Candidate>, StoreError> {
    let found = async |way| {
        let newest = searched.newest(db.dialect(), owner, query.words(), way);
        db.rows_of(&CANDIDATES, searched.with_customers(newest, owner)).await
    };
    if reads_newest_first(db, &searched.texts, owner, query.words()).await? {
        let newest: Vec<Candidate> = found(Way::AmongNewest).await?;
        if newest.len() >= ENOUGH {
            return Ok(newest);
        }
    }
    let are_few = searched.are_few(db, owner, query.words()).await?;
    found(if are_few { Way::ByIndex } else { Way::AlongOrder }).await
}

/// What is ranked of a live customer.
fn customer_columns(dialect: Dialect) -> String {
    let line = first_line(dialect);
    format!("id, name AS title, coalesce(company, email) AS subtitle, created_at, {line} AS line")
}

/// The newest live customers that have all words, if they are found among the newest of all; `None` if not, or if the database
/// has a shorter way.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn customers_among_newest(
    db: &Db,
    owner: Option<Id>,
    query: &Query,
) -> Result<Option<Vec<Candidate>>, StoreError> {
    if !reads_newest_first(db, &CUSTOMER_TEXTS, owner, query.words()).await? {
        return Ok(None);
    }
    let columns = customer_columns(db.dialect());
    let newest = CUSTOMER_TEXTS.among_newest(&columns, query.words().iter(), READ_FIRST, NEWEST_MAX);
    let Some(newest) = newest else { return Ok(None) };
    let holds = db.dialect().search_holds();
    let live = newest.filter("deleted_at IS NULL", []);
    let sql = query.words().iter().fold(live, |sql, word| sql.filter(holds, [word.into()]));
    let found: Vec<Candidate> = db.rows_of(&CANDIDATES, sql.limit(NEWEST_MAX)).await?;
    Ok(Some(found).filter(|found| found.len() >= ENOUGH))
}

/// The live customers whose name begins with what was typed: those that the newest leave out because they are old. With
/// `owner`, that user's alone.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub async fn customers_beginning(
    db: &Db,
    owner: Option<Id>,
    query: &Query,
) -> Result<Vec<Candidate>, StoreError> {
    // The expression of the index `customers_beginning`.
    let column = match db.dialect() {
        Dialect::Sqlite => format!("substr(search, 1, {BEGINNING})"),
        Dialect::Postgres => format!("substr(search, 1, {BEGINNING}) COLLATE \"C\""),
    };
    let from: String = [VERSION].into_iter().chain(query.typed().chars()).take(BEGINNING).collect();
    let to = format!("{from}{}", char::MAX);
    let columns = customer_columns(db.dialect());
    let sql = Sql::new(format!("SELECT {columns}, search FROM customers"))
        .filter("deleted_at IS NULL", [])
        .filter_some("owner_id = ?", owner)
        .filter(&format!("{column} >= ?"), [from.into()])
        .filter(&format!("{column} < ?"), [to.into()]);
    // The words are compared afterwards, or PostgreSQL expects so few customers that it sorts them all.
    let first = sql.push(&format!(" ORDER BY {column}"), []).limit(BEGINNING_MAX);
    let begun =
        first.joined(|first| format!("SELECT id, title, subtitle, created_at, line FROM ({first}) AS begun"));
    let holds = db.dialect().search_holds();
    db.rows_of(&CANDIDATES, query.words().iter().fold(begun, |sql, word| sql.filter(holds, [word.into()])))
        .await
}
