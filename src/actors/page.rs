//! Keyset pages: a cursor is the sort value and id of the last row seen, so that rows which come or go
//! while somebody pages neither repeat nor hide others.

use serde::{Deserialize, Serialize};

use crate::ids::Id;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// The sort it was made for; it fits no other.
    pub sort: String,
    /// The sort column's value of the last row, as text.
    pub value: String,
    pub id: Id,
}

/// Which page is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageRequest {
    /// 1 to 200.
    pub limit: i64,
    pub after: Option<Keyset>,
    /// Whether to count all rows too.
    pub count: bool,
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Keyset>,
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Cuts `rows`, read with a limit of one more than asked for, to the page.
    pub fn cut(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> Keyset, total: Option<i64>) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(key);
        Self { items: rows, next, total }
    }

    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(view).collect(), next: self.next, total: self.total }
    }
}
