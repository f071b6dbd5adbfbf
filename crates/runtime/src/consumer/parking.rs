//! Parks the events that a consumer could not apply. They are retried at growing intervals and become dead letters
//! after the last retry, always in order per aggregate. Events of other aggregates are applied meanwhile.
//!
//! Only the first parked event of an aggregate is tried. The others wait behind it, also while it is a dead letter,
//! until it is redriven.

use std::collections::{BTreeMap, VecDeque};

use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::ids::{Id, new_id};
use kernel::simulation::mutant;
use store::cursors;
use store::cursors::{PARKED, Parked, ParkedStatus};
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

use crate::cluster::placement::PartitionSet;
use crate::retry::Backoff;

/// The parked events of a consumer, of this node's partitions.
#[derive(Debug)]
pub struct Parking {
    consumer: &'static str,
    limit: usize,
    /// The count of parked events, other nodes' included as of the time of loading.
    parked: usize,
    /// Whether more were parked than were loaded: several nodes may park at once, and the limit may have been lowered.
    is_cut: bool,
    /// The events per aggregate, in the order of their positions.
    queues: BTreeMap<Id, VecDeque<Parked>>,
}

impl Parking {
    /// Loads the parked events of these partitions; `limit` is the most events that the consumer may park, on all nodes
    /// together.
    ///
    /// # Errors
    /// The errors of the database.
    pub async fn load(
        db: &Db,
        consumer: &'static str,
        limit: usize,
        partitions: PartitionSet,
    ) -> Result<Self, StoreError> {
        // One more than the limit, which tells whether there are more.
        let rows = cursors::parked(db, consumer, i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1).await?;
        let is_cut = rows.len() > limit;
        let (mine, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| partitions.contains(row.partition));
        let mut parking = Self { consumer, limit, parked: others.len(), is_cut, queues: BTreeMap::new() };
        mine.into_iter().for_each(|parked| parking.add(parked));
        Ok(parking)
    }

    /// Whether one more event may be parked. If not, the consumer must pause, because a skipped event would be
    /// overtaken by later ones, and so would one that is parked and was not loaded.
    pub fn has_room(&self) -> bool {
        self.parked < self.limit && !self.is_cut
    }

    /// Whether nothing of this node is parked.
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Whether an earlier event of the aggregate is parked.
    pub fn blocks(&self, event: &LoggedEvent) -> bool {
        self.queues.contains_key(&event.event.subject) && !mutant("parked-overtaken")
    }

    /// The unit of work that parks an event, behind the earlier ones of its aggregate.
    ///
    /// # Errors
    /// `Unavailable` when there is no room.
    pub fn park(
        &self,
        event: &LoggedEvent,
        error: String,
        now: Timestamp,
        retry: &Backoff,
    ) -> Result<(UnitOfWork, Parked), StoreError> {
        if !self.has_room() {
            let full = format!("{} events of {} are parked, and no more may be", self.parked, self.consumer);
            return Err(StoreError::Unavailable(full));
        }
        let behind = self.blocks(event);
        let parked = Parked {
            id: new_id(),
            consumer: self.consumer.to_owned(),
            event_id: event.event.id,
            subject: event.event.subject,
            partition: event.partition,
            partition_seq: event.partition_seq,
            version: 1,
            status: if behind { ParkedStatus::Waiting } else { ParkedStatus::Retrying },
            attempts: 0,
            next_attempt_at: now.plus(retry.jittered(0)),
            error: if behind { String::new() } else { error },
            parked_at: now,
        };
        let writes = vec![Write::put(&PARKED, parked.id, &parked).expecting(0)];
        Ok((UnitOfWork { writes, ..UnitOfWork::default() }, parked))
    }

    /// Records that an event was parked.
    pub fn add(&mut self, parked: Parked) {
        self.parked += 1;
        self.queues.entry(parked.subject).or_default().push_back(parked);
    }

    fn heads(&self) -> impl Iterator<Item = &Parked> {
        self.queues.values().filter_map(VecDeque::front)
    }

    /// Whether an event is to be retried, now or later.
    pub fn is_retrying(&self) -> bool {
        self.heads().any(|parked| parked.status != ParkedStatus::Dead)
    }

    /// The event to retry at `now`: of several the one that has waited longest.
    pub fn due(&self, now: Timestamp) -> Option<Parked> {
        let due = |parked: &&Parked| match parked.status {
            ParkedStatus::Retrying => parked.next_attempt_at <= now,
            // The event before it was applied, so it is due.
            ParkedStatus::Waiting => true,
            ParkedStatus::Dead => false,
        };
        self.heads().filter(due).min_by_key(|parked| (parked.next_attempt_at, parked.partition_seq)).cloned()
    }

    /// Records that the first event of its aggregate was applied.
    pub fn released(&mut self, parked: &Parked) {
        let Some(queue) = self.queues.get_mut(&parked.subject) else { return };
        if queue.pop_front().is_some() {
            self.parked -= 1;
        }
        if queue.is_empty() {
            self.queues.remove(&parked.subject);
        }
    }

    /// The unit of work after another failure of an event: the next retry, or a dead letter.
    pub fn postpone(
        &self,
        parked: &Parked,
        error: String,
        now: Timestamp,
        retry: &Backoff,
    ) -> (UnitOfWork, Parked) {
        let attempts = parked.attempts + 1;
        let retries = u32::try_from(attempts).unwrap_or(u32::MAX);
        let again = Parked {
            version: parked.version + 1,
            status: if retry.allows(retries) { ParkedStatus::Retrying } else { ParkedStatus::Dead },
            attempts,
            next_attempt_at: now.plus(retry.jittered(retries)),
            error,
            ..parked.clone()
        };
        (UnitOfWork { writes: vec![replacing(parked, &again)], ..UnitOfWork::default() }, again)
    }

    /// Records that the first event of its aggregate has failed again.
    pub fn postponed(&mut self, again: Parked) {
        if again.status == ParkedStatus::Dead {
            let Parked { event_id: event, error, .. } = &again;
            tracing::error!(consumer = self.consumer, %event, error, "an event became a dead letter");
            metrics::counter!("kizuna_dead_letters_total", "consumer" => self.consumer).increment(1);
        }
        if let Some(head) = self.queues.get_mut(&again.subject).and_then(VecDeque::front_mut) {
            *head = again;
        }
    }
}

/// The write that removes an applied event, unless it was removed already.
pub fn release(parked: &Parked) -> Write {
    Write::delete(&PARKED, parked.id).expecting(parked.version)
}

/// A dead letter after its redrive: due now, with a new count of retries (SPEC §7). `None` if it is not a dead letter.
pub fn redriven(parked: &Parked, now: Timestamp) -> Option<Parked> {
    (parked.status == ParkedStatus::Dead).then(|| Parked {
        version: parked.version + 1,
        status: ParkedStatus::Retrying,
        attempts: 0,
        next_attempt_at: now,
        ..parked.clone()
    })
}

/// The write that replaces `before` by `after`, unless it was changed meanwhile.
pub fn replacing(before: &Parked, after: &Parked) -> Write {
    Write::put(&PARKED, before.id, after).expecting(before.version)
}
