//! A consumer's effect and its cursors' moves as one unit: that is all of exactly-once.

use std::sync::Arc;

use super::state::Feed;
use super::{Consumer, EffectError, Interrupted};
use crate::actors::event::LoggedEvent;
use crate::failpoint;
use crate::persistence::StoreError;
use crate::persistence::cursors::{CURSORS, Cursor, PARKED};
use crate::persistence::journal::Outcome;
use crate::persistence::unit::{Rejection, Unit, Write};

/// How often an effect is computed anew after losing to another writer of its rows.
const ATTEMPTS: usize = 5;

/// The feed's own tables: who loses here has lost to another feed of its consumer.
pub(super) const OWN: [&str; 2] = [CURSORS.name, PARKED.name];

/// How an effect ended.
pub(super) enum Attempt {
    Done,
    /// The events can't be applied, and why.
    AtFault(String),
    /// Another feed of this consumer was faster.
    Overtaken,
}

impl<C: Consumer> Feed<C> {
    /// Commits the effect of these events with their cursors' moves. Answers why not, if they are at fault.
    pub(super) async fn try_apply(
        &mut self,
        events: &[Arc<LoggedEvent>],
        all_seen: bool,
    ) -> Result<Option<String>, Interrupted> {
        let moved = self.moved(events, all_seen);
        let moves = self.moves(&moved);
        match self.attempt(events, &moves).await? {
            Attempt::Done => {
                self.keep(moved);
                Ok(None)
            }
            Attempt::AtFault(why) => Ok(Some(why)),
            Attempt::Overtaken => Err(Interrupted::Overtaken),
        }
    }

    /// Commits the effect of these events with `also`, which is the feed's own book-keeping.
    pub(super) async fn attempt(
        &self,
        events: &[Arc<LoggedEvent>],
        also: &[Write],
    ) -> Result<Attempt, StoreError> {
        let mut lost = String::new();
        for _ in 0..ATTEMPTS {
            let mut unit = match self.effect(events).await {
                Ok(unit) => unit,
                Err(EffectError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
                Err(error) => return Ok(Attempt::AtFault(error.to_string())),
            };
            unit.writes.extend_from_slice(also);
            match self.commit(unit).await {
                Ok(_) => return Ok(Attempt::Done),
                Err(why @ (Rejection::Duplicate(_) | Rejection::Refused(_))) => {
                    return Ok(Attempt::AtFault(why.to_string()));
                }
                Err(Rejection::Stale(table)) if OWN.contains(&table) => return Ok(Attempt::Overtaken),
                // A row of the service changed since the effect was computed: what it reads now is newer.
                Err(why @ Rejection::Stale(_)) => lost = why.to_string(),
                Err(why) => return Err(StoreError::Unavailable(why.to_string())),
            }
        }
        Ok(Attempt::AtFault(lost))
    }

    async fn effect(&self, events: &[Arc<LoggedEvent>]) -> Result<Unit, EffectError> {
        let holds = |text: &str| events.iter().any(|event| event.event.data.get().contains(text));
        if failpoint::fails(&self.failpoint, holds) {
            return Err(EffectError::Event(format!("failpoint {}", self.failpoint)));
        }
        self.consumer.effect(&self.parts.db, events).await
    }

    pub(super) async fn commit(&self, unit: Unit) -> Outcome {
        failpoint::hit("feed.before_effect");
        let outcome = self.parts.journal.commit(unit).await;
        if outcome.is_ok() {
            failpoint::hit("feed.after_effect");
        }
        outcome
    }

    /// Where the cursors of the events' slices stand after them.
    pub(super) fn moved(&self, events: &[Arc<LoggedEvent>], all_seen: bool) -> Vec<Cursor> {
        let mut moved: Vec<Cursor> = Vec::new();
        for event in events {
            let slice = event.slice as usize;
            let place = moved.iter().position(|cursor| cursor.slice == event.slice).unwrap_or_else(|| {
                moved.push(self.cursors[slice].clone());
                moved.len() - 1
            });
            let cursor = &mut moved[place];
            debug_assert!(event.slice_seq > self.cursors[slice].position, "no event comes again");
            cursor.applied += 1;
            cursor.position = if all_seen { self.seen.at(event.slice) } else { event.slice_seq };
        }
        moved
    }

    /// The writes that move the stored cursors to these.
    pub(super) fn moves(&self, moved: &[Cursor]) -> Vec<Write> {
        moved.iter().map(|cursor| cursor.moved_from(&self.cursors[cursor.slice as usize])).collect()
    }

    /// Takes note that these are stored.
    pub(super) fn keep(&mut self, moved: Vec<Cursor>) {
        for cursor in moved {
            let slice = cursor.slice as usize;
            self.cursors[slice] = cursor;
        }
    }

    /// Stores positions that moved over events of other types, so that a restart need not read them again.
    pub(super) async fn save_positions(&mut self) -> Result<(), Interrupted> {
        let moved: Vec<Cursor> = self
            .cursors
            .iter()
            .filter(|cursor| cursor.position < self.seen.at(cursor.slice))
            .map(|cursor| Cursor { position: self.seen.at(cursor.slice), ..cursor.clone() })
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let unit = Unit { writes: self.moves(&moved), ..Unit::default() };
        self.parts.journal.commit(unit).await?;
        self.keep(moved);
        Ok(())
    }
}
