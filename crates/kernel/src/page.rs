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
    /// Whole numbers.
    Number,
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

    pub const fn number(name: &'static str, field: &'static str, descending: bool) -> Self {
        Self { name, field, kind: SortKind::Number, descending }
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
            SortKind::Number => keyset.value.parse::<i64>().is_ok(),
        };
        keyset.sort == self.tag() && is_value
    }

    /// What a cursor calls this order. Cursors from before there were sort keys hold names, and fit no longer.
    fn tag(&self) -> String {
        match self.kind {
            SortKind::Time | SortKind::Number => self.name.to_owned(),
            SortKind::Name => format!("{}/{}", self.name, self.field),
        }
    }
}

/// A row beside which a page begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// The sort that it was made for; it is valid for no other.
    pub sort: String,
    /// The sort column's value of the row, as text.
    pub value: String,
    pub id: Id,
}

/// A request for a page: the first one, the one after a row, or the one before a row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PageRequest {
    /// 1 to 200.
    pub limit: i64,
    /// The row after which the page begins.
    pub after: Option<Keyset>,
    /// The row before which the page ends. At most one of the two is set.
    #[serde(default)]
    pub before: Option<Keyset>,
    /// Whether to count all rows, too.
    pub count: bool,
}

impl PageRequest {
    /// The first page.
    pub fn first(limit: i64) -> Self {
        Self { limit, after: None, before: None, count: false }
    }

    /// The page after a row; without one, the first.
    pub fn after(limit: i64, after: Option<Keyset>) -> Self {
        Self { after, ..Self::first(limit) }
    }

    /// The page before a row.
    pub fn before(limit: i64, before: Keyset) -> Self {
        Self { before: Some(before), ..Self::first(limit) }
    }

    /// This page again, with the number of all rows.
    pub fn counted(self) -> Self {
        Self { count: true, ..self }
    }

    pub fn is_first(&self) -> bool {
        self.after.is_none() && self.before.is_none()
    }
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The row before which the previous page ends, if there is one.
    #[serde(default)]
    pub prev: Option<Keyset>,
    /// The row after which the next page begins, if there is one.
    pub next: Option<Keyset>,
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Makes the page of a list that is read in one direction. `rows` were read with a limit of one more than requested.
    pub fn cut(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> Keyset, total: Option<i64>) -> Self {
        let more = truncate(&mut rows, limit);
        let next = rows.last().filter(|_| more).map(key);
        Self { items: rows, prev: None, next, total }
    }

    /// Makes the page of a list that is read in both directions. `rows` were read with a limit of one more than requested;
    /// those before a row begin with the one nearest to it.
    pub fn of(
        mut rows: Vec<T>,
        request: &PageRequest,
        key: impl Fn(&T) -> Keyset,
        total: Option<i64>,
    ) -> Self {
        let more = truncate(&mut rows, request.limit);
        let is_backward = request.before.is_some();
        if is_backward {
            rows.reverse();
        }
        // On the other side is the row that the request names.
        let (has_prev, has_next) = if is_backward { (more, true) } else { (request.after.is_some(), more) };
        let prev = rows.first().filter(|_| has_prev).map(&key);
        let next = rows.last().filter(|_| has_next).map(&key);
        Self { items: rows, prev, next, total }
    }

    pub fn empty(total: Option<i64>) -> Self {
        Self { items: Vec::new(), prev: None, next: None, total }
    }

    /// The page as `view` shows its items.
    pub fn view<'a, U>(&'a self, view: impl FnMut(&'a T) -> U) -> Page<U> {
        let Self { items, prev, next, total } = self;
        Page {
            items: items.iter().map(view).collect(),
            prev: prev.clone(),
            next: next.clone(),
            total: *total,
        }
    }

    /// The page with other items, one for each of these.
    pub fn holding<U>(self, items: Vec<U>) -> Page<U> {
        let Self { prev, next, total, .. } = self;
        Page { items, prev, next, total }
    }

    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, prev, next, total } = self;
        Page { items: items.into_iter().map(view).collect(), prev, next, total }
    }
}

/// Cuts off what is beyond a limit; tells whether there was something.
fn truncate<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}

/// The sort of this name.
pub fn sort_named(sorts: &[Sort], name: &str) -> Option<Sort> {
    sorts.iter().copied().find(|sort| sort.name == name)
}

/// Declares the module `sort_name`, for `#[serde(with = "sort_name")]`: a sort of a list by its name, so that a request
/// can't name a column. A request that names none has the first.
#[macro_export]
macro_rules! sort_names {
    ($sorts:ident) => {
        /// A sort of the list by its name.
        pub mod sort_name {
            use std::borrow::Cow;

            use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

            use super::$sorts;
            use $crate::page::{Sort, sort_named};

            /// # Errors
            /// Those of the serializer.
            pub fn serialize<S: Serializer>(sort: &Sort, serializer: S) -> Result<S::Ok, S::Error> {
                sort.name.serialize(serializer)
            }

            /// # Errors
            /// When there is no order of this name.
            pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sort, D::Error> {
                let name = Cow::<'de, str>::deserialize(deserializer)?;
                sort_named(&$sorts, &name).ok_or_else(|| de::Error::custom("an unknown order"))
            }

            /// The order of a list when none is named.
            pub const fn first() -> Sort {
                $sorts[0]
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::new_id;

    const SORT: Sort = Sort::number("amount", "amount", false);

    fn key(row: &i64) -> Keyset {
        SORT.keyset(row, new_id())
    }

    fn ends(page: &Page<i64>) -> (Option<&str>, Option<&str>) {
        let value = |key: &Keyset| key.value.clone().leak() as &str;
        (page.prev.as_ref().map(value), page.next.as_ref().map(value))
    }

    #[test]
    fn a_page_names_the_rows_beside_which_its_neighbours_are() {
        let first = Page::of(vec![1, 2, 3], &PageRequest::first(2), key, None);
        assert_eq!((first.items.as_slice(), ends(&first)), (&[1, 2][..], (None, Some("2"))));
        let second = Page::of(vec![3, 4, 5], &PageRequest::after(2, Some(key(&2))), key, None);
        assert_eq!((second.items.as_slice(), ends(&second)), (&[3, 4][..], (Some("3"), Some("4"))));
        let last = Page::of(vec![5], &PageRequest::after(2, Some(key(&4))), key, None);
        assert_eq!(ends(&last), (Some("5"), None));
        let back = Page::of(vec![4, 3, 2], &PageRequest::before(2, key(&5)), key, None);
        assert_eq!((back.items.as_slice(), ends(&back)), (&[3, 4][..], (Some("3"), Some("4"))));
        let begin = Page::of(vec![2, 1], &PageRequest::before(2, key(&3)), key, None);
        assert_eq!((begin.items.as_slice(), ends(&begin)), (&[1, 2][..], (None, Some("2"))));
    }

    #[test]
    fn a_cursor_fits_its_order_alone() {
        assert!(SORT.fits(&key(&5)));
        assert!(!SORT.fits(&Keyset { value: "five".into(), ..key(&5) }));
        assert!(!Sort::number("-amount", "amount", true).fits(&key(&5)));
    }
}
