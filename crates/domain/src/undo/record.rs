//! What an undo would do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::saga::record::{Counted, Counts, SagaKind};
use kernel::ids::Id;

/// The most records that a preview, and a step of a saga, name as left.
pub const LEFT_MAX: usize = 1_000;

/// What an undo would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndoPreview {
    pub saga_id: Id,
    pub kind: SagaKind,
    /// How many records would become what they were, by kind.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub counts: Counts,
    /// The first 1,000 of the records that would be left as they are: somebody has changed them since.
    pub left: Vec<LeftRecord>,
    /// How many these are.
    pub left_count: i64,
}

/// A record that an undo leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftRecord {
    pub kind: Counted,
    pub id: Id,
}

/// What a service would take back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundChanges {
    pub counts: Counts,
    pub left: Vec<LeftRecord>,
    pub left_count: i64,
}

impl FoundChanges {
    /// Adds a record that would become what it was.
    pub fn add(&mut self, kind: Counted) {
        *self.counts.entry(kind).or_insert(0) += 1;
    }

    /// Adds a record that would be left.
    pub fn leave(&mut self, record: LeftRecord) {
        self.left_count += 1;
        if self.left.len() < LEFT_MAX {
            self.left.push(record);
        }
    }

    /// Adds what another service found.
    pub fn join(&mut self, other: Self) {
        for (kind, count) in other.counts {
            *self.counts.entry(kind).or_insert(0) += count;
        }
        self.left_count += other.left_count;
        let room = LEFT_MAX.saturating_sub(self.left.len());
        self.left.extend(other.left.into_iter().take(room));
    }
}
