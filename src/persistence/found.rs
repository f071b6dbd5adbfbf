//! Finding records by their texts: the condition of `?q=` on meetings, tasks, approvals and deals, and what `/search` ranks.
//!
//! Meetings, tasks, approvals and deals are also found by the name of their customer, as their service's replica has it.

use domain::search::record::Candidate;
use kernel::ids::Id;
use kernel::rank::Query;
use kernel::search::{VERSION, Words};
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Dialect, Kind, OnConflict, Table};

/// How many records with all words of a search are ranked: the newest. So a word that most records have costs no more
/// than others.
pub const NEWEST_MAX: i64 = 200;
/// How many customers are ranked beside these because their name begins with what was typed, in the order of characters:
/// one whose whole name it is comes first, however old it is.
const BEGINNING_MAX: i64 = 100;
/// The characters of a name that the index `customers_beginning` has, with the version of its key.
const BEGINNING: usize = 60;

/// A table whose records are found by their own texts and by the name of their customer.
pub struct Searched {
    table: &'static str,
    owner: &'static str,
    has_deleted: bool,
    /// The replica with the record's customer.
    replica: &'static str,
}

pub static MEETINGS: Searched =
    Searched { table: "meetings", owner: "owner_id", has_deleted: true, replica: "sales_customers" };

pub static TASKS: Searched =
    Searched { table: "tasks", owner: "assignee_id", has_deleted: true, replica: "sales_customers" };

pub static APPROVALS: Searched = Searched {
    table: "approvals",
    owner: "requester_id",
    has_deleted: false,
    replica: "opportunity_customers",
};

pub static DEALS: Searched =
    Searched { table: "deals", owner: "owner_id", has_deleted: true, replica: "opportunity_customers" };

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
    /// A column of the record's customer in the replica; with `owner`, of that owner's customers alone, so that nobody
    /// finds out the names of others'.
    fn of_customer(&self, column: &str, owner: Option<Id>) -> String {
        let own = if owner.is_some() { " AND c.owner_id = ?" } else { "" };
        format!("(SELECT c.{column} FROM {} AS c WHERE c.id = {}.customer_id{own})", self.replica, self.table)
    }

    /// Adds the condition that a record has each of `words`; with `owner`, for that user.
    pub fn holding(&self, dialect: Dialect, sql: Sql, owner: Option<Id>, words: &Words) -> Sql {
        let customer = self.of_customer("search", owner);
        // Each text begins with the version of its keys, which no word has: no word is found across the two.
        let text = format!("coalesce({}.search, '') || coalesce({customer}, '')", self.table);
        let holds = match dialect {
            Dialect::Sqlite => format!("instr({text}, ?) > 0"),
            Dialect::Postgres => format!("strpos({text}, ?) > 0"),
        };
        words.iter().fold(sql, |sql, word| match owner {
            Some(owner) => sql.filter(&holds, [owner.into(), word.into()]),
            None => sql.filter(&holds, [word.into()]),
        })
    }

    /// The newest live records that have all words; with `owner`, that user's alone.
    fn newest(&self, dialect: Dialect, owner: Option<Id>, words: &Words) -> Sql {
        let line = first_line(dialect);
        let customer = self.of_customer("name", owner);
        let select = format!(
            "SELECT id, title, {customer} AS subtitle, created_at, {line} AS line FROM {}",
            self.table
        );
        let sql = match owner {
            Some(owner) => Sql::default().push(&select, [owner.into()]),
            None => Sql::new(select),
        };
        let sql = if self.has_deleted { sql.filter("deleted_at IS NULL", []) } else { sql };
        let sql = sql.filter_some(&format!("{} = ?", self.owner), owner);
        // An id has the time when it was made.
        self.holding(dialect, sql, owner, words).push(" ORDER BY id DESC", []).limit(NEWEST_MAX)
    }
}

/// The key of the title or name: the first line of `search`.
fn first_line(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "coalesce(substr(search, 1, instr(search || char(10), char(10)) - 1), '')",
        Dialect::Postgres => "coalesce(split_part(search, chr(10), 1), '')",
    }
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
    db.rows_of(&CANDIDATES, searched.newest(db.dialect(), owner, query.words())).await
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
    let line = first_line(db.dialect());
    // The expression of the index `customers_beginning`.
    let column = match db.dialect() {
        Dialect::Sqlite => format!("substr(search, 1, {BEGINNING})"),
        Dialect::Postgres => format!("substr(search, 1, {BEGINNING}) COLLATE \"C\""),
    };
    let from: String = [VERSION].into_iter().chain(query.typed().chars()).take(BEGINNING).collect();
    let to = format!("{from}{}", char::MAX);
    let select = format!(
        "SELECT id, name AS title, coalesce(company, email) AS subtitle, created_at, {line} AS line FROM customers"
    );
    let sql = Sql::new(select)
        .filter("deleted_at IS NULL", [])
        .filter_some("owner_id = ?", owner)
        .filter(&format!("{column} >= ?"), [from.into()])
        .filter(&format!("{column} < ?"), [to.into()]);
    let holds = db.dialect().search_holds();
    let sql = query.words().iter().fold(sql, |sql, word| sql.filter(holds, [word.into()]));
    db.rows_of(&CANDIDATES, sql.push(&format!(" ORDER BY {column}"), []).limit(BEGINNING_MAX)).await
}
