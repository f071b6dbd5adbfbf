//! What becomes of the records that are changed together, and which they are. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::customer::record::{CustomerChanges, CustomerStatus};
use crate::deal::record::DealChanges;
use crate::deal::stage::DealStage;
use crate::deal::validation::reason_fault;
use crate::lists::ListName;
use crate::meeting::record::MeetingChanges;
use crate::saved_view::record::Filter;
use crate::task::record::{TaskChanges, TaskStatus};
use kernel::clock::Timestamp;
use kernel::day::Day;
use kernel::error::{Error, FieldError};
use kernel::ids::Id;
use kernel::patch::some;
use kernel::text_schemas::Notes;
use kernel::validation::{Rules, faults_of};

/// The most records that a request may name.
pub const IDS_MAX: usize = 1_000;
/// The most records that a filter may leave.
pub const FILTERED_MAX: usize = 10_000;
/// The most characters of a filter's value.
const VALUE_MAX: usize = 200;

/// Which records are changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// These, each once.
    Ids(Vec<Id>),
    /// Those that the list has under this filter when the request is taken up.
    Filter(Filter),
}

/// What becomes of the records of a list.
pub trait BulkChange {
    const LIST: ListName;

    /// The change that deletes them.
    fn deletion() -> Self;

    /// Whether they are deleted.
    fn is_delete(&self) -> bool;

    /// How many fields are set.
    fn fields(&self) -> usize;

    /// Who is to own them, and the field that says so.
    fn owner(&self) -> (&'static str, Option<Id>);
}

macro_rules! bulk_change {
    ($(#[$meta:meta])* $name:ident of $list:ident by $owner:literal $owner_field:ident {
        $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)?
    } => $changes:ident, $body_doc:literal $body:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])*
            #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
            #[schema(nullable = false)]
            pub $field: Option<$kind>,)*
            /// Deletes them; no field is set then.
            #[serde(default)]
            #[schema(value_type = bool, required = false)]
            pub delete: bool,
        }

        impl BulkChange for $name {
            const LIST: ListName = ListName::$list;

            fn deletion() -> Self {
                Self { delete: true, ..Self::default() }
            }

            fn is_delete(&self) -> bool {
                self.delete
            }

            fn fields(&self) -> usize {
                [$(self.$field.is_some()),*].into_iter().filter(|is_set| *is_set).count()
            }

            fn owner(&self) -> (&'static str, Option<Id>) {
                ($owner, self.$owner_field)
            }
        }

        impl Rules for $name {}

        impl $name {
            /// The change of each record, unless it is deleted.
            pub fn changes(&self) -> $changes {
                $changes { $($field: self.$field.clone().map(Into::into),)* ..$changes::default() }
            }
        }

        #[doc = $body_doc]
        #[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $body {
            /// The records, each once. Either these or a filter.
            #[serde(default)]
            #[schema(min_items = 1, max_items = 1000)]
            pub ids: Option<Vec<Id>>,
            /// The list's parameters: all records that it has under them, 10,000 at most.
            #[serde(default)]
            #[schema(value_type = Option<BTreeMap<String, String>>)]
            pub filter: Option<Filter>,
            pub change: $name,
        }

        impl $body {
            /// Which records, and what becomes of them.
            ///
            /// # Errors
            /// `invalid_fields` with every error.
            pub fn checked(self) -> Result<(Selection, $name), Error> {
                let selection = check(self.ids, self.filter, &self.change)?;
                Ok((selection, self.change))
            }
        }

        impl Rules for $body {
            fn faults(self) -> Vec<FieldError> {
                faults_of(self.checked())
            }
        }
    };
}

bulk_change! {
    /// What becomes of customers.
    CustomersChange of Customers by "change.owner_id" owner_id {
        status: CustomerStatus,
        owner_id: Id,
    } => CustomerChanges, "Customers to change together." CustomersBulk
}

bulk_change! {
    /// What becomes of meetings.
    MeetingsChange of Meetings by "change.owner_id" owner_id {
        owner_id: Id,
    } => MeetingChanges, "Meetings to change together." MeetingsBulk
}

bulk_change! {
    /// What becomes of tasks.
    TasksChange of Tasks by "change.assignee_id" assignee_id {
        status: TaskStatus,
        due_at: Timestamp,
        assignee_id: Id,
    } => TaskChanges, "Tasks to change together." TasksBulk
}

bulk_change! {
    /// What becomes of deals.
    DealsChange of Deals by "change.owner_id" owner_id {
        stage: DealStage,
        /// Of deals that become LOST.
        #[schema(value_type = Option<Notes>)]
        lost_reason: String,
        expected_on: Day,
        owner_id: Id,
    } => DealChanges, "Deals to change together." DealsBulk
}

impl DealsChange {
    /// Checks that deals get a reason if they become LOST, and only then.
    ///
    /// # Errors
    /// `invalid_fields`.
    pub fn check_reason(&self) -> Result<(), Error> {
        let reason = self.lost_reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        match reason_fault(self.stage.unwrap_or(DealStage::Qualify), reason) {
            Some(code) => Err(Error::field("change.lost_reason", code)),
            None => Ok(()),
        }
    }
}

/// Checks which records are meant, and that something becomes of them.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check<C: BulkChange>(
    ids: Option<Vec<Id>>,
    filter: Option<Filter>,
    change: &C,
) -> Result<Selection, Error> {
    let mut faults = Vec::new();
    match (change.is_delete(), change.fields()) {
        (false, 0) => faults.push(FieldError::new("change", "nothing_to_change")),
        (true, 1..) => faults.push(FieldError::new("change.delete", "delete_alone")),
        _ => {}
    }
    for (name, value) in filter.iter().flatten() {
        let known = C::LIST.filters().iter().find(|known| known.name == name);
        let fault = known.map_or(Some("unknown_field"), |known| known.fault(value, VALUE_MAX));
        let name: String = name.chars().take(40).collect();
        faults.extend(fault.map(|code| FieldError::new(format!("filter.{name}"), code)));
    }
    let selection = match (ids, filter) {
        (Some(ids), None) => {
            if ids.is_empty() {
                faults.push(FieldError::new("ids", "required"));
            } else if ids.len() > IDS_MAX {
                faults.push(FieldError::limit("ids", "too_many", IDS_MAX as i64));
            }
            let mut seen = BTreeSet::new();
            Some(Selection::Ids(ids.into_iter().filter(|id| seen.insert(*id)).collect()))
        }
        (None, Some(filter)) => Some(Selection::Filter(filter)),
        (None, None) | (Some(_), Some(_)) => {
            faults.push(FieldError::new("ids", "ids_or_filter"));
            None
        }
    };
    match selection {
        Some(selection) if faults.is_empty() => Ok(selection),
        _ => Err(Error::fields(faults)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    fn faults(body: &str) -> Vec<(String, String)> {
        let body: CustomersBulk = serde_json::from_str(body).expect("its shape");
        body.faults().into_iter().map(|fault| (fault.field, fault.code.into_owned())).collect()
    }

    #[test]
    fn records_are_named_or_filtered_and_something_becomes_of_them() {
        let id = new_id();
        let one = |field: &str, code: &str| vec![(field.to_owned(), code.to_owned())];
        let change = r#""change": {"status": "ACTIVE"}"#;
        assert_eq!(faults(&format!(r#"{{"ids": ["{id}"], {change}}}"#)), []);
        assert_eq!(faults(&format!(r#"{{"filter": {{}}, {change}}}"#)), []);
        assert_eq!(faults(&format!(r#"{{{change}}}"#)), one("ids", "ids_or_filter"));
        assert_eq!(
            faults(&format!(r#"{{"ids": ["{id}"], "filter": {{}}, {change}}}"#)),
            one("ids", "ids_or_filter")
        );
        assert_eq!(faults(&format!(r#"{{"ids": [], {change}}}"#)), one("ids", "required"));
        assert_eq!(
            faults(&format!(r#"{{"ids": ["{id}"], "change": {{}}}}"#)),
            one("change", "nothing_to_change")
        );
        let both = r#""change": {"status": "ACTIVE", "delete": true}"#;
        assert_eq!(faults(&format!(r#"{{"ids": ["{id}"], {both}}}"#)), one("change.delete", "delete_alone"));
        let typo = format!(r#"{{"filter": {{"stats": "LEAD"}}, {change}}}"#);
        assert_eq!(faults(&typo), one("filter.stats", "unknown_field"), "it would have meant all");
        let many: Vec<String> = (0..=IDS_MAX).map(|_| format!("\"{}\"", new_id())).collect();
        assert_eq!(faults(&format!(r#"{{"ids": [{}], {change}}}"#, many.join(","))), one("ids", "too_many"));
    }

    #[test]
    fn a_record_that_is_named_twice_is_changed_once() {
        let id = new_id();
        let body =
            CustomersBulk { ids: Some(vec![id, id]), filter: None, change: CustomersChange::deletion() };
        assert_eq!(body.checked().unwrap().0, Selection::Ids(vec![id]));
    }
}
