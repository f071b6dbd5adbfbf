//! What the lists of records have around their rows: headings that sort, the pages beside this one, and how many rows a page
//! has. All of it are links that keep the rest of the address.

use actix_web::HttpRequest;

use crate::http::console::kit::form_data::Fields;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::saved_views::{Settings, VIEW, ViewBar};
use crate::http::console::kit::session_user::{SessionUser, address_with};
use crate::http::paging::{Side, address_beside};
use domain::lists::{Column, ListName};
use kernel::error::Error;
use kernel::page::{Keyset, Page, PageRequest, Sort};

/// The parameter that names a chosen column, once for each.
pub const COLUMNS: &str = "columns";

/// Columns with texts of several lines.
const LONG: [&str; 5] = ["notes", "outcome", "reason", "comment", "lost_reason"];

/// Rows that a page of a list may have.
const SIZES: [i64; 4] = [25, 50, 100, 200];

/// The heading of a column.
pub struct Head {
    pub name: &'static str,
    /// The word of its label.
    pub label: &'static str,
    pub is_number: bool,
    /// How the list is sorted by it, in ARIA's words.
    pub sorted: Option<&'static str>,
    /// The list sorted by it; the other way round, if it is so already.
    pub href: Option<String>,
}

impl Head {
    /// Whether it holds texts of several lines, of which a list shows the beginning.
    pub fn is_long(&self) -> bool {
        LONG.contains(&self.name)
    }
}

/// A number of rows, and the list with pages of so many.
pub struct Size {
    pub rows: i64,
    pub href: String,
    pub is_chosen: bool,
}

/// The pages beside this one.
pub struct Pager {
    pub prev: Option<String>,
    pub next: Option<String>,
    pub is_first: bool,
    /// None where the number of rows can't be chosen.
    pub sizes: Vec<Size>,
}

impl Pager {
    /// The pages beside a page, which is the first or not.
    pub fn of<T>(request: &HttpRequest, is_first: bool, page: &Page<T>) -> Self {
        let beside = |row: &Option<Keyset>, side| row.as_ref().map(|row| address_beside(request, row, side));
        Self {
            prev: beside(&page.prev, Side::Before),
            next: beside(&page.next, Side::After),
            is_first,
            sizes: Vec::new(),
        }
    }

    /// With a choice of how many rows a page has, if there are so many that it matters.
    fn sized(self, request: &HttpRequest, asked: &PageRequest, rows: usize) -> Self {
        if !self.is_needed() && rows <= SIZES[0] as usize {
            return self;
        }
        let size = |rows: i64| Size {
            rows,
            href: address_with(request, &[("limit", Some(&rows.to_string())), ("cursor", None)]),
            is_chosen: rows == asked.limit,
        };
        Self { sizes: SIZES.map(size).into(), ..self }
    }

    pub fn is_needed(&self) -> bool {
        self.prev.is_some() || self.next.is_some() || !self.is_first
    }
}

/// Asks for a page. One that leads back to the beginning is the first page: it is full, however many rows were added.
///
/// # Errors
/// Those of `ask`.
pub async fn ask<T, F>(asked: &mut PageRequest, ask: impl Fn(PageRequest) -> F) -> Result<Page<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let page = ask(asked.clone()).await?;
    if asked.before.is_none() || page.prev.is_some() {
        return Ok(page);
    }
    asked.before = None;
    ask(asked.clone()).await
}

/// What a list of records has around its rows.
pub struct Listing {
    pub name: ListName,
    pub heads: Vec<Head>,
    pub sort: &'static str,
    rows: i64,
    pub pager: Pager,
    /// What the form of the filters keeps without showing it.
    pub kept: Vec<(&'static str, String)>,
    /// The address of the list as a file.
    pub file: String,
    pub views: ViewBar,
    /// Whether a filter leaves rows out. Open tasks alone are what the list of tasks is.
    pub is_narrowed: bool,
}

impl Listing {
    /// Around the page that was asked for in this order.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn of<T>(
        me: &SessionUser,
        name: ListName,
        given: &Fields,
        sort: &Sort,
        (asked, page): (&PageRequest, &Page<T>),
    ) -> Result<Self, Error> {
        let heads = chosen_columns(name, given).into_iter().map(|column| head(me, name, column, sort));
        let kept = ["limit", VIEW].into_iter().filter_map(|name| Some((name, given.get(name)?.to_owned())));
        Ok(Self {
            heads: heads.collect(),
            name,
            sort: sort.name,
            rows: page.items.len() as i64,
            pager: Pager::of(&me.request, asked.is_first(), page).sized(&me.request, asked, page.items.len()),
            kept: kept.chain(named_columns(given).map(|column| (COLUMNS, column.to_owned()))).collect(),
            file: file_of(me, name),
            views: ViewBar::of(me, name, given).await?,
            is_narrowed: is_narrowed(name, given),
        })
    }

    /// How much there is, for those who do not see it.
    pub fn said(&self, f: &Frame) -> String {
        f.n(if self.pager.next.is_some() { "list-more" } else { "list-rows" }, &self.rows)
    }

    /// Whether its records can be changed together.
    pub fn can_change(&self) -> bool {
        self.name != ListName::Approvals
    }

    /// The column that is always shown.
    pub fn first_column(&self) -> &'static str {
        self.name.columns().first().map_or("", |column| column.name)
    }

    /// Whether a column is among those shown.
    pub fn shows(&self, column: &str) -> bool {
        self.heads.iter().any(|head| head.name == column)
    }

    /// The names of its orders.
    pub fn sorts(&self) -> impl Iterator<Item = &'static str> {
        self.name.sorts().iter().map(|sort| sort.name)
    }
}

/// The columns that an address names.
pub fn named_columns(given: &Fields) -> impl Iterator<Item = &str> + Clone {
    let pairs: Vec<&str> =
        given.pairs().filter(|(name, _)| *name == COLUMNS).map(|(_, value)| value).collect();
    pairs.into_iter()
}

/// The columns that an address chooses.
pub fn chosen_columns(list: ListName, given: &Fields) -> Vec<Column> {
    list.chosen(named_columns(given))
}

fn is_narrowed(list: ListName, given: &Fields) -> bool {
    let filter = Settings::of(list, given).filter;
    filter.keys().any(|filter| (list, filter.as_str()) != (ListName::Tasks, "status"))
}

/// The whole list as a file has no pages.
fn file_of(me: &SessionUser, list: ListName) -> String {
    let pages = ["cursor", "limit", "done", "kept", "view"].map(|name| (name, None));
    let address = address_with(&me.request, &pages);
    let query = address.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    format!("/{}.csv{query}", list.as_str())
}

fn head(me: &SessionUser, list: ListName, column: Column, sort: &Sort) -> Head {
    let by = |name: &str| name.trim_start_matches('-') == column.name;
    let mut ways = list.sorts().iter().filter(|sort| by(sort.name));
    let is_sorted = by(sort.name);
    let next = ways.find(|way| !is_sorted || way.name != sort.name);
    Head {
        name: column.name,
        label: label(list, column.name),
        is_number: column.is_number,
        sorted: is_sorted.then_some(if sort.descending { "descending" } else { "ascending" }),
        href: next.map(|way| {
            let others = [("sort", Some(way.name)), ("cursor", None), ("done", None), ("kept", None)];
            address_with(&me.request, &others)
        }),
    }
}

/// The word of a column's label.
pub fn label(list: ListName, column: &'static str) -> &'static str {
    match (list, column) {
        (ListName::Approvals, "created_at") => "requested_at",
        _ => column,
    }
}
