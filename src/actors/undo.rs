//! Taking back what a saga did, for every service that keeps records: one code, generic over the record.
//!
//! Each command of a saga is committed together with an item: the record, and its versions before and after. The undo sends
//! each record a command on condition that it still has the version after, so what somebody has changed since is left. The
//! state before is in the event that led to it. The undo's commands have items of their own: so it may begin again after a
//! crash, and can be undone itself.

use std::collections::HashMap;

use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::persistence::batches;
use crate::persistence::saga_items::{Group, Item, Items, events_at};
use domain::saga::record::Counted;
use domain::undo::record::{FoundChanges, LEFT_MAX, LeftRecord};
use kernel::context::{Context, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::event::{LoggedEvent, Versioned};
use kernel::ids::Id;
use runtime::consumer::EffectError;
use runtime::entity::{Aggregate, Entities};
use runtime::prepared::Prepared;
use store::{Db, StoreError};

/// Items read at a time, and commands under way at the same time.
const PAGE: i64 = 256;
const AT_ONCE: usize = 32;

/// Records that can become again what they were.
pub trait Revert: Aggregate {
    /// What sagas count them as.
    const COUNTED: Counted;

    /// The record after an event of its own.
    ///
    /// # Errors
    /// When the event does not have it.
    fn of_event(event: &LoggedEvent) -> Result<Self::State, EffectError>;

    /// The command that takes it back to `to`; `None` if it did not exist.
    fn revert(to: Option<Self::State>, undo: Undo) -> Self::Command;
}

/// An undo, and what it undoes.
#[derive(Clone, Copy, Debug)]
pub struct Undo {
    pub saga_id: Id,
    pub undoes: Id,
}

/// What became of the records of a kind.
#[derive(Debug, Default)]
pub struct Reverted {
    /// The first of those that became what they were, and how many there are.
    pub ids: Vec<Id>,
    pub count: i64,
    /// The first of those that were left, and how many there are.
    pub left: Vec<Id>,
    pub left_count: i64,
}

/// Whether an error says that the record is no longer as the saga left it, or not the caller's to change.
pub fn is_left(error: &Error) -> bool {
    matches!(error.code, ErrorCode::StaleVersion | ErrorCode::NotFound | ErrorCode::Forbidden)
}

/// The states of records before a saga, by record; one whose event does not have it is missing.
///
/// # Errors
/// The database's.
pub async fn before<A: Revert>(db: &Db, items: &[Item]) -> Result<HashMap<Id, A::State>, StoreError> {
    let mut wanted = Vec::new();
    for item in items {
        if item.version > 0 {
            wanted.push((item.record_id, item.version));
        }
    }
    let events = events_at(db, &wanted).await?;
    Ok(events
        .into_iter()
        .filter_map(|event| A::of_event(&event).ok().map(|state| (event.event.subject, state)))
        .collect())
}

/// Takes back what a saga did with the records of a kind, page by page.
///
/// # Errors
/// As a consumer's.
pub async fn revert_all<A: Revert>(
    db: &Db,
    items: Items,
    entities: &Entities<A>,
    undo: Undo,
    context: &Context,
) -> Result<Reverted, EffectError> {
    let (mut reverted, mut after): (Reverted, Option<String>) = (Reverted::default(), None);
    let group = Group::Kind(A::COUNTED);
    loop {
        let page = items.page(db, undo.undoes, group, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        let left = revert_page(db, items, entities, undo, context, &page).await?;
        reverted.left_count += left.len() as i64;
        let room = LEFT_MAX.saturating_sub(reverted.left.len());
        reverted.left.extend(left.into_iter().take(room));
    }
    let first = items.page(db, undo.saga_id, group, None, LEFT_MAX as i64).await?;
    reverted.ids = first.into_iter().map(|item| item.record_id).collect();
    reverted.count = items.count(db, undo.saga_id, group).await?;
    Ok(reverted)
}

/// The records of a page that were left.
async fn revert_page<A: Revert>(
    db: &Db,
    items: Items,
    entities: &Entities<A>,
    undo: Undo,
    context: &Context,
    page: &[Item],
) -> Result<Vec<Id>, EffectError> {
    let records: Vec<Id> = page.iter().map(|item| item.record_id).collect();
    let done = items.among(db, undo.saga_id, Group::Kind(A::COUNTED), &records).await?;
    let mut before = before::<A>(db, page).await?;
    let (mut left, mut sent) = (Vec::new(), Vec::new());
    for item in page {
        let id = item.record_id;
        let to = before.remove(&id);
        match done.contains(&id) {
            true => {}
            false if item.version > 0 && to.is_none() => left.push(id),
            false => {
                let if_match = Some(Versions::from(item.after()));
                let prepared = Prepared::from(Context { if_match, ..context.clone() });
                let prepared = prepared.noting(items.in_cascade(undo.saga_id, A::COUNTED, id));
                sent.push(revert_one(entities, id, A::revert(to, undo), prepared));
            }
        }
    }
    let mut sent = iter(sent).buffer_unordered(AT_ONCE);
    while let Some(outcome) = sent.next().await {
        left.extend(outcome?);
    }
    // What another node that carries out the same undo has taken back meanwhile is not left.
    let done = items.among(db, undo.saga_id, Group::Kind(A::COUNTED), &left).await?;
    left.retain(|id| !done.contains(id));
    left.sort_unstable();
    Ok(left)
}

/// The record, if it was left.
async fn revert_one<A: Revert>(
    entities: &Entities<A>,
    id: Id,
    command: A::Command,
    prepared: Prepared,
) -> Result<Option<Id>, Error> {
    match entities.execute(id, command, prepared).await {
        Ok(_) => Ok(None),
        Err(error) if is_left(&error) => Ok(Some(id)),
        Err(error) => Err(error),
    }
}

/// What the undo of a saga would take back of the records of a kind.
///
/// # Errors
/// `unavailable`.
pub async fn find_changes<A: Revert>(
    db: &Db,
    items: Items,
    (saga, group): (Id, Group),
) -> Result<FoundChanges, Error> {
    let (mut found, mut after): (FoundChanges, Option<String>) = (FoundChanges::default(), None);
    loop {
        let page = items.page(db, saga, group, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id.clone());
        let ids: Vec<Id> = page.iter().map(|item| item.record_id).collect();
        let records = batches::records::<A::State>(db, A::TABLE, &ids).await?;
        for (item, (id, record)) in page.iter().zip(records) {
            match record {
                Some(record) if record.version() == item.after() => found.add(A::COUNTED),
                _ => found.leave(LeftRecord { kind: A::COUNTED, id }),
            }
        }
    }
}
