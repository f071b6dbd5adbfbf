//! Commits a consumer's effect and the new positions of its cursors as one unit of work: this makes effects
//! exactly-once.

use std::sync::Arc;

use crate::consumer::effect_spans::EffectSpans;
use crate::consumer::runner::ConsumerRunner;
use crate::consumer::{Consumer, EffectError, Interrupted};
use crate::trace::Trace;
use kernel::event::LoggedEvent;
use kernel::failpoint;
use kernel::simulation::mutant;
use store::StoreError;
use store::cursors::{CURSORS, Cursor, PARKED};
use store::journal::Outcome;
use store::unit_of_work::{CommitError, UnitOfWork, Write};

/// How often an effect is computed again after another writer has changed its rows.
const ATTEMPTS: usize = 5;

/// The runner's own tables: a conflict there means that another runner of the consumer was faster.
pub(super) const OWN: [&str; 2] = [CURSORS.name, PARKED.name];

/// The result of an effect.
pub(super) enum Attempt {
    Done,
    /// The events can't be applied, for this reason.
    AtFault(String),
    /// Another runner of this consumer has moved its cursor.
    Overtaken,
}

impl<C: Consumer> ConsumerRunner<C> {
    /// Commits the effect of these events with the new positions of their cursors. Returns the reason if the events
    /// can't be applied.
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

    /// Commits the effect of these events together with `also`, the runner's own rows.
    pub(super) async fn attempt(
        &self,
        events: &[Arc<LoggedEvent>],
        also: &[Write],
    ) -> Result<Attempt, StoreError> {
        let spans = EffectSpans::begin(C::NAME, events);
        let outcome = Trace::current().under(spans.context()).run(self.attempts(events, also)).await;
        spans.end(match &outcome {
            Ok(Attempt::Done) => None,
            Ok(Attempt::AtFault(_)) => Some(("effect_failed", true)),
            Ok(Attempt::Overtaken) => Some(("overtaken", false)),
            Err(_) => Some(("unavailable", true)),
        });
        outcome
    }

    async fn attempts(&self, events: &[Arc<LoggedEvent>], also: &[Write]) -> Result<Attempt, StoreError> {
        let mut lost = String::new();
        for _ in 0..ATTEMPTS {
            let mut unit = match self.effect(events).await {
                Ok(unit) => unit,
                Err(EffectError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
                Err(error) => return Ok(Attempt::AtFault(error.to_string())),
            };
            if mutant("cursor-beside-effect") {
                let _ = self.commit(std::mem::take(&mut unit)).await;
            }
            unit.writes.extend_from_slice(also);
            match self.commit(unit).await {
                Ok(_) => return Ok(Attempt::Done),
                Err(why @ (CommitError::Duplicate(_) | CommitError::Refused(_))) => {
                    return Ok(Attempt::AtFault(why.to_string()));
                }
                Err(CommitError::Stale(table)) if OWN.contains(&table) => return Ok(Attempt::Overtaken),
                // A row of the service has changed since the effect was computed; it is computed again from the new
                // state.
                Err(why @ CommitError::Stale(_)) => lost = why.to_string(),
                Err(why) => return Err(StoreError::Unavailable(why.to_string())),
            }
        }
        Ok(Attempt::AtFault(lost))
    }

    async fn effect(&self, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let holds = |text: &str| events.iter().any(|event| event.event.data.get().contains(text));
        if failpoint::fails(&self.failpoint, holds) {
            return Err(EffectError::Event(format!("failpoint {}", self.failpoint)));
        }
        failpoint::pause(&self.failpoint).await;
        self.consumer.effect(&self.parts.db, events).await
    }

    pub(super) async fn commit(&self, unit: UnitOfWork) -> Outcome {
        failpoint::hit("feed.before_effect");
        let journal = &self.parts.journal;
        // Somebody may wait for the events: a socket for a notification, a saga for its next step.
        let is_awaited = !unit.events.is_empty();
        let outcome =
            if is_awaited { journal.commit(unit).await } else { journal.commit_gathered(unit).await };
        if outcome.is_ok() {
            failpoint::hit("feed.after_effect");
        }
        outcome
    }

    /// The positions of the cursors after these events.
    pub(super) fn moved(&self, events: &[Arc<LoggedEvent>], all_seen: bool) -> Vec<Cursor> {
        let mut moved: Vec<Cursor> = Vec::new();
        for event in events {
            let partition = event.partition as usize;
            let place =
                moved.iter().position(|cursor| cursor.partition == event.partition).unwrap_or_else(|| {
                    moved.push(self.cursors[partition].clone());
                    moved.len() - 1
                });
            let cursor = &mut moved[place];
            debug_assert!(event.partition_seq > self.cursors[partition].position, "no event comes again");
            cursor.applied += 1;
            cursor.position = if all_seen { self.seen.at(event.partition) } else { event.partition_seq };
        }
        moved
    }

    /// The writes that move the stored cursors to these positions.
    pub(super) fn moves(&self, moved: &[Cursor]) -> Vec<Write> {
        moved.iter().map(|cursor| cursor.moved_from(&self.cursors[cursor.partition as usize])).collect()
    }

    /// Records that these positions are stored.
    pub(super) fn keep(&mut self, moved: Vec<Cursor>) {
        for cursor in moved {
            let partition = cursor.partition as usize;
            self.cursors[partition] = cursor;
        }
    }

    /// Stores positions that advanced over events of other types, so that a restart does not read those again.
    pub(super) async fn save_positions(&mut self) -> Result<(), Interrupted> {
        let moved: Vec<Cursor> = self
            .cursors
            .iter()
            .filter(|cursor| cursor.position < self.seen.at(cursor.partition))
            .map(|cursor| Cursor { position: self.seen.at(cursor.partition), ..cursor.clone() })
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let unit = UnitOfWork { writes: self.moves(&moved), ..UnitOfWork::default() };
        self.parts.journal.commit_gathered(unit).await?;
        self.keep(moved);
        Ok(())
    }
}
