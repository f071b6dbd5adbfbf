//! How far a change of many records is: in the saga, in the events that close its steps, and in its preview.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::event::{DomainEvent, EventType, raw};
use kernel::ids::Id;
use serde_json::value::RawValue;

use crate::saga::record::Counts;

/// The records of a step.
pub const BATCH: usize = 200;
/// The refused records that a saga and a preview name.
pub const NAMED_MAX: usize = 1_000;

/// What a change of many records has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkProgress {
    /// Whether the records are deleted.
    pub delete: bool,
    /// All records.
    pub total: i64,
    pub changed: i64,
    /// Those that had the values already.
    pub unchanged: i64,
    /// Those that are missing, or not the caller's to change.
    pub refused: i64,
    /// The first 1,000 of them.
    pub refused_ids: Vec<Id>,
    /// Of an import, the numbers of their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub refused_rows: Vec<i64>,
}

impl BulkProgress {
    /// Adds what a step did.
    pub fn add(&mut self, changed: i64, unchanged: i64, refused: &[Id], rows: &[i64]) {
        self.changed += changed;
        self.unchanged += unchanged;
        self.refused += refused.len() as i64;
        let room = NAMED_MAX.saturating_sub(self.refused_ids.len());
        self.refused_ids.extend(refused.iter().take(room));
        let room = NAMED_MAX.saturating_sub(self.refused_rows.len());
        self.refused_rows.extend(rows.iter().take(room));
    }
}

/// What a change of many records would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkPreview {
    #[serde(flatten)]
    pub would: BulkProgress,
    /// What would go with the records that are deleted, as far as the caller may see it, by kind.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub with: Counts,
}

/// What a preview found: what the change would do, and which records would be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkFound {
    pub would: BulkProgress,
    pub deleted: Vec<Id>,
}

/// `customers.changed`, `customers.imported` and their like: the sum of a step; the events of single records come before.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BulkPayload {
    pub saga_id: Id,
    /// Which step of the saga it was, from 0 on.
    pub number: i64,
    /// Whether a step follows.
    pub more: bool,
    /// Whether the records were deleted.
    pub delete: bool,
    /// The records that were changed.
    pub ids: Vec<Id>,
    /// Their number.
    pub count: i64,
    /// How many had the values already.
    pub unchanged: i64,
    /// Those that were missing, or not the caller's to change.
    pub refused: Vec<Id>,
    /// Of an import, the numbers of their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub refused_rows: Vec<i64>,
}

/// A step that is done.
#[derive(Debug)]
pub struct BatchClosed {
    pub closed_by: EventType,
    pub payload: BulkPayload,
}

impl DomainEvent for BatchClosed {
    fn event_type(&self) -> EventType {
        self.closed_by
    }

    fn data(&self) -> Box<RawValue> {
        raw(&self.payload)
    }

    // The steps of a saga are ordered.
    fn partition_key(&self, _: Id) -> Id {
        self.payload.saga_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn refused_records_are_counted_all_and_named_as_far_as_there_is_room() {
        let mut progress = BulkProgress::default();
        let refused: Vec<Id> = (0..700).map(|_| new_id()).collect();
        progress.add(3, 2, &refused, &[7]);
        progress.add(1, 0, &refused, &[]);
        assert_eq!((progress.changed, progress.unchanged, progress.refused), (4, 2, 1_400));
        assert_eq!(progress.refused_ids.len(), NAMED_MAX);
    }
}
