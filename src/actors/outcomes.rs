//! What became of the records of a batch: of a change of many, or of an import.
//!
//! A batch may be carried out by two nodes at once, for a moment: by one that has lost its partition without knowing it, and by
//! the one that has it now. To the second, a record that the first has changed is unchanged, or in no state for the command. The
//! items tell what the batch did, whoever did it: each is committed with its change.

use std::collections::HashSet;

use domain::bulk::progress::BulkPayload;
use kernel::ids::Id;
use store::{Db, StoreError};

use crate::persistence::saga_items::{Group, Items};

/// What became of a record, for the node that sent it a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Changed,
    Unchanged,
    Refused,
}

/// A record of a batch, the row of an import's file that it comes from, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    pub(super) id: Id,
    pub(super) row: Option<i64>,
    pub(super) outcome: Outcome,
}

/// The sum of a batch of which `tried` were sent commands; `before` had items already.
///
/// # Errors
/// `Unavailable`, `Failed`.
pub(super) async fn sum(
    db: &Db,
    items: Items,
    (saga_id, number): (Id, i64),
    before: &HashSet<Id>,
    tried: &[Tried],
) -> Result<BulkPayload, StoreError> {
    let (own, others): (Vec<&Tried>, Vec<&Tried>) =
        tried.iter().partition(|tried| tried.outcome == Outcome::Changed);
    let others: Vec<Id> = others.into_iter().map(|tried| tried.id).collect();
    let mut changed = items.among(db, saga_id, Group::Batch(number), &others).await?;
    changed.extend(before.iter().copied().chain(own.into_iter().map(|tried| tried.id)));
    let mut payload = BulkPayload {
        saga_id,
        number,
        more: false,
        delete: false,
        ids: changed.iter().copied().collect(),
        count: changed.len() as i64,
        unchanged: 0,
        refused: Vec::new(),
        refused_rows: Vec::new(),
    };
    for Tried { id, row, outcome } in tried.iter().filter(|tried| !changed.contains(&tried.id)) {
        match outcome {
            Outcome::Refused => {
                payload.refused.push(*id);
                payload.refused_rows.extend(row);
            }
            Outcome::Changed | Outcome::Unchanged => payload.unchanged += 1,
        }
    }
    payload.ids.sort_unstable();
    payload.refused.sort_unstable();
    payload.refused_rows.sort_unstable();
    Ok(payload)
}
