//! Keyset pages. A cursor holds the sort value and id of the last row seen, so that rows which are added or removed
//! between two pages neither repeat nor hide others.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::Id;
use crate::name_order::is_order;

/// The type of the values that a sort compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKind {
    Time,
    /// Sort keys of names: [`name_order`](crate::name_order::name_order).
    Name,
}

/// An order that a list offers; ties are broken by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Its name in `?sort=`.
    pub name: &'static str,
    /// The record's field that is compared.
    pub field: &'static str,
    pub kind: SortKind,
    pub descending: bool,
}

impl Sort {
    pub const fn time(name: &'static str, field: &'static str, descending: bool) -> Self {
        Self { name, field, kind: SortKind::Time, descending }
    }

    pub const fn by_name(name: &'static str, field: &'static str, descending: bool) -> Self {
        Self { name, field, kind: SortKind::Name, descending }
    }

    /// The cursor of a row with this value in the sort's field.
    pub fn keyset(&self, value: impl ToString, id: Id) -> Keyset {
        Keyset { sort: self.tag(), value: value.to_string(), id }
    }

    /// Whether a cursor was made for this order.
    pub fn fits(&self, keyset: &Keyset) -> bool {
        let is_value = match self.kind {
            SortKind::Time => Timestamp::parse(&keyset.value).is_some(),
            SortKind::Name => is_order(&keyset.value),
        };
        keyset.sort == self.tag() && is_value
    }

    /// What a cursor calls this order. Cursors from before there were sort keys hold names, and fit no longer.
    fn tag(&self) -> String {
        match self.kind {
            SortKind::Time => self.name.to_owned(),
            SortKind::Name => format!("{}/{}", self.name, self.field),
        }
    }
}

/// Where a page begins: after this row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// The sort that it was made for; it is valid for no other.
    pub sort: String,
    /// The sort column's value of the last row, as text.
    pub value: String,
    pub id: Id,
}

/// A request for a page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageRequest {
    /// 1 to 200.
    pub limit: i64,
    pub after: Option<Keyset>,
    /// Whether to count all rows, too.
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
    /// Makes the page of `rows`, which were read with a limit of one more than requested.
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
