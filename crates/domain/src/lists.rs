//! The lists whose columns a reader chooses: which columns, orders and filters each has. Pure.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, value};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::approval::record::ApprovalStatus;
use crate::customer::record::CustomerStatus;
use crate::deal::stage::DealStage;
use crate::money::is_currency;
use crate::task::record::TaskStatus;
use crate::{approval, customer, deal, meeting, task};
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::ids::Id;
use kernel::page::Sort;
use kernel::search::Words;

/// A list of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ListName {
    Customers,
    Meetings,
    Tasks,
    Approvals,
    Deals,
}

/// A column of a list: a field of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// Whether it is shown unless other columns are chosen.
    pub is_usual: bool,
    /// Whether it holds numbers, which stand below each other by their last digit.
    pub is_number: bool,
}

const fn usual(name: &'static str) -> Column {
    Column { name, is_usual: true, is_number: false }
}

const fn other(name: &'static str) -> Column {
    Column { name, is_usual: false, is_number: false }
}

const CUSTOMERS: &[Column] = &[
    usual("name"),
    other("kana"),
    usual("company"),
    usual("email"),
    other("phone"),
    usual("status"),
    usual("owner_id"),
    usual("created_at"),
    other("updated_at"),
    other("notes"),
];

const MEETINGS: &[Column] = &[
    usual("title"),
    usual("met_at"),
    Column { is_number: true, ..other("duration_minutes") },
    usual("customer_id"),
    usual("location"),
    other("notes"),
    usual("outcome"),
    usual("owner_id"),
    other("created_at"),
    other("updated_at"),
];

const TASKS: &[Column] = &[
    usual("title"),
    usual("due_at"),
    other("status"),
    usual("customer_id"),
    usual("assignee_id"),
    other("completed_at"),
    other("notes"),
    other("created_at"),
    other("updated_at"),
];

const APPROVALS: &[Column] = &[
    usual("title"),
    Column { is_number: true, ..usual("amount") },
    usual("status"),
    usual("customer_id"),
    usual("requester_id"),
    usual("approver_id"),
    usual("created_at"),
    other("reason"),
    other("decided_by"),
    other("decided_at"),
    other("comment"),
    other("updated_at"),
];

const DEALS: &[Column] = &[
    usual("title"),
    Column { is_number: true, ..usual("amount") },
    usual("stage"),
    Column { is_number: true, ..other("probability") },
    usual("expected_on"),
    usual("customer_id"),
    usual("owner_id"),
    other("lost_reason"),
    other("closed_at"),
    other("created_at"),
    other("updated_at"),
];

/// What the value of a filter is.
#[derive(Clone, Copy, Debug)]
pub enum FilterKind {
    /// Words to search for.
    Words,
    Id,
    Time,
    Day,
    /// Any text, compared word for word.
    Text,
    /// One of these.
    Choice(fn(&str) -> bool),
}

/// A parameter that narrows a list.
#[derive(Clone, Copy, Debug)]
pub struct ListFilter {
    pub name: &'static str,
    kind: FilterKind,
}

const fn filter(name: &'static str, kind: FilterKind) -> ListFilter {
    ListFilter { name, kind }
}

/// Whether a text is the name that the API has for a value.
fn is_value<T: DeserializeOwned>(text: &str) -> bool {
    T::deserialize(StrDeserializer::<value::Error>::new(text)).is_ok()
}

const OF_CUSTOMERS: &[ListFilter] = &[
    filter("q", FilterKind::Words),
    filter("status", FilterKind::Choice(is_value::<CustomerStatus>)),
    filter("owner_id", FilterKind::Id),
    filter("created_from", FilterKind::Time),
    filter("created_to", FilterKind::Time),
];

const OF_MEETINGS: &[ListFilter] = &[
    filter("q", FilterKind::Words),
    filter("customer_id", FilterKind::Id),
    filter("owner_id", FilterKind::Id),
    filter("from", FilterKind::Time),
    filter("to", FilterKind::Time),
];

const OF_TASKS: &[ListFilter] = &[
    filter("q", FilterKind::Words),
    filter("status", FilterKind::Choice(is_value::<TaskStatus>)),
    filter("assignee_id", FilterKind::Id),
    filter("customer_id", FilterKind::Id),
    filter("due_before", FilterKind::Time),
];

const OF_APPROVALS: &[ListFilter] = &[
    filter("q", FilterKind::Words),
    filter("status", FilterKind::Choice(is_value::<ApprovalStatus>)),
    filter("customer_id", FilterKind::Id),
    filter("deal_id", FilterKind::Id),
    filter("requester_id", FilterKind::Id),
    filter("approver_id", FilterKind::Id),
];

const OF_DEALS: &[ListFilter] = &[
    filter("q", FilterKind::Words),
    filter("stage", FilterKind::Choice(is_value::<DealStage>)),
    filter("customer_id", FilterKind::Id),
    filter("owner_id", FilterKind::Id),
    filter("expected_from", FilterKind::Day),
    filter("expected_to", FilterKind::Day),
    filter("created_from", FilterKind::Time),
    filter("created_to", FilterKind::Time),
    filter("closed_from", FilterKind::Time),
    filter("closed_to", FilterKind::Time),
    filter("open", FilterKind::Choice(|value| value == "true")),
    filter("currency", FilterKind::Choice(is_currency)),
    filter("lost_reason", FilterKind::Text),
    filter("reached", FilterKind::Choice(is_value::<DealStage>)),
];

impl ListFilter {
    /// What is wrong with a value of at most so many characters, as a code; `None` if it is right.
    pub fn fault(&self, value: &str, most: usize) -> Option<&'static str> {
        if value.contains('\0') {
            return Some("nul_character");
        }
        if value.chars().count() > most {
            return Some("invalid_value");
        }
        match self.kind {
            FilterKind::Words => Words::parse(Some(value)).is_err().then_some("invalid_value"),
            FilterKind::Id => Id::parse(value).is_none().then_some("invalid_value"),
            FilterKind::Time => Timestamp::parse(value).is_none().then_some("invalid_time"),
            FilterKind::Day => Day::parse(value).is_none().then_some("invalid_date"),
            FilterKind::Text => None,
            FilterKind::Choice(is_one) => (!is_one(value)).then_some("invalid_choice"),
        }
    }
}

impl ListName {
    pub const ALL: [Self; 5] = [Self::Customers, Self::Meetings, Self::Tasks, Self::Approvals, Self::Deals];

    /// The name of its collection in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Meetings => "meetings",
            Self::Tasks => "tasks",
            Self::Approvals => "approvals",
            Self::Deals => "deals",
        }
    }

    /// The columns that it can have. The first names the record, and is always shown.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Customers => CUSTOMERS,
            Self::Meetings => MEETINGS,
            Self::Tasks => TASKS,
            Self::Approvals => APPROVALS,
            Self::Deals => DEALS,
        }
    }

    /// The orders that it offers; the first is the default.
    pub const fn sorts(self) -> &'static [Sort] {
        match self {
            Self::Customers => &customer::messages::SORTS,
            Self::Meetings => &meeting::messages::SORTS,
            Self::Tasks => &task::messages::SORTS,
            Self::Approvals => &approval::messages::SORTS,
            Self::Deals => &deal::messages::SORTS,
        }
    }

    /// The parameters that narrow it.
    pub const fn filters(self) -> &'static [ListFilter] {
        match self {
            Self::Customers => OF_CUSTOMERS,
            Self::Meetings => OF_MEETINGS,
            Self::Tasks => OF_TASKS,
            Self::Approvals => OF_APPROVALS,
            Self::Deals => OF_DEALS,
        }
    }

    /// The chosen columns in the order of the list's; those that are shown usually, if none of the list is chosen.
    pub fn chosen<'a>(self, names: impl Iterator<Item = &'a str> + Clone) -> Vec<Column> {
        let (first, others) = self.columns().split_first().expect("a list has columns");
        let is_chosen = |column: &&Column| names.clone().any(|name| name == column.name);
        let is_any = self.columns().iter().any(|column| is_chosen(&column));
        let shown = others.iter().filter(|column| if is_any { is_chosen(column) } else { column.is_usual });
        [first].into_iter().chain(shown).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: ListName, chosen: &[&'static str]) -> Vec<&'static str> {
        list.chosen(chosen.iter().copied()).iter().map(|column| column.name).collect()
    }

    #[test]
    fn the_name_of_a_record_is_always_shown_and_first() {
        assert_eq!(names(ListName::Tasks, &["notes", "due_at"]), ["title", "due_at", "notes"]);
        assert_eq!(names(ListName::Tasks, &["title"]), ["title"]);
        let usual = ["title", "due_at", "customer_id", "assignee_id"];
        assert_eq!(names(ListName::Tasks, &[]), usual);
        assert_eq!(names(ListName::Tasks, &["kana", "password"]), usual, "columns of other lists");
    }

    #[test]
    fn a_filter_has_a_value_of_its_kind() {
        let fault = |list: ListName, name: &str, value: &str| {
            let found = list.filters().iter().find(|filter| filter.name == name);
            found.expect("a filter of the list").fault(value, 20)
        };
        for (list, name, value, wrong) in [
            (ListName::Tasks, "status", "OPEN", None),
            (ListName::Tasks, "status", "open", Some("invalid_choice")),
            (ListName::Approvals, "status", "CANCELLED", None),
            (ListName::Deals, "stage", "WON", None),
            (ListName::Deals, "expected_to", "2026-01-31", None),
            (ListName::Deals, "expected_to", "2026-01-32", Some("invalid_date")),
            (ListName::Meetings, "from", "2026-01-01T00:00:00Z", None),
            (ListName::Meetings, "from", "yesterday", Some("invalid_time")),
            (ListName::Customers, "owner_id", "me", Some("invalid_value")),
            (ListName::Customers, "q", "青空 太郎", None),
            (ListName::Customers, "q", "a\0", Some("nul_character")),
            (ListName::Customers, "q", "123456789012345678901", Some("invalid_value")),
        ] {
            assert_eq!(fault(list, name, value), wrong, "{name}={value}");
        }
    }

    #[test]
    fn every_order_is_that_of_a_column() {
        for list in ListName::ALL {
            for sort in list.sorts() {
                let column = sort.name.trim_start_matches('-');
                assert!(list.columns().iter().any(|known| known.name == column), "{list:?} {column}");
            }
        }
    }
}
