//! Where events wait that a consumer could not apply: retried with growing spaces, a dead letter after the
//! last, and always in order per aggregate. Everything else flows on past them.
//!
//! Only the first event of an aggregate is ever tried; the others wait behind it, whatever it is: being
//! retried, or a dead letter until somebody has it redriven.

use std::collections::{HashMap, VecDeque};

use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::ids::{Id, new_id};
use store::cursors;
use store::cursors::{PARKED, Parked, ParkedStatus};
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

use crate::cluster::placement::PartitionSet;
use crate::retry::Backoff;

/// A consumer's parked events, as far as they are this node's.
#[derive(Debug)]
pub struct Parking {
    consumer: &'static str,
    limit: usize,
    /// Those of other nodes' partitions are counted as they were when this was loaded.
    parked: usize,
    /// By aggregate, each in the order of its positions.
    queues: HashMap<Id, VecDeque<Parked>>,
}

impl Parking {
    /// What is parked of these partitions; `limit` is how many events of the consumer may be, on all nodes together.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load(
        db: &Db,
        consumer: &'static str,
        limit: usize,
        partitions: PartitionSet,
    ) -> Result<Self, StoreError> {
        // One more than fits, should the limit have been lowered: that is full, too.
        let rows = cursors::parked(db, consumer, i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1).await?;
        let (mine, others): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| partitions.contains(row.partition));
        let mut parking = Self { consumer, limit, parked: others.len(), queues: HashMap::new() };
        mine.into_iter().for_each(|parked| parking.add(parked));
        Ok(parking)
    }

    /// Whether one more event may be parked. If not, the consumer must stand still: an event it forgot
    /// would be overtaken.
    pub fn has_room(&self) -> bool {
        self.parked < self.limit
    }

    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// Whether an earlier event of its aggregate is parked.
    pub fn blocks(&self, event: &LoggedEvent) -> bool {
        self.queues.contains_key(&event.event.subject)
    }

    /// The unit that parks an event; it waits if an earlier one of its aggregate does.
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

    /// Takes note of an event that was parked.
    pub fn add(&mut self, parked: Parked) {
        self.parked += 1;
        self.queues.entry(parked.subject).or_default().push_back(parked);
    }

    fn heads(&self) -> impl Iterator<Item = &Parked> {
        self.queues.values().filter_map(VecDeque::front)
    }

    /// Whether anything is to be tried again, now or later.
    pub fn is_retrying(&self) -> bool {
        self.heads().any(|parked| parked.status != ParkedStatus::Dead)
    }

    /// What is to be tried at `now`: of several the one that has waited longest.
    pub fn due(&self, now: Timestamp) -> Option<Parked> {
        let due = |parked: &&Parked| match parked.status {
            ParkedStatus::Retrying => parked.next_attempt_at <= now,
            // Its predecessor has gone: its turn has come.
            ParkedStatus::Waiting => true,
            ParkedStatus::Dead => false,
        };
        self.heads().filter(due).min_by_key(|parked| (parked.next_attempt_at, parked.partition_seq)).cloned()
    }

    /// Takes note that the first event of its aggregate was applied.
    pub fn released(&mut self, parked: &Parked) {
        let Some(queue) = self.queues.get_mut(&parked.subject) else { return };
        if queue.pop_front().is_some() {
            self.parked -= 1;
        }
        if queue.is_empty() {
            self.queues.remove(&parked.subject);
        }
    }

    /// The unit that puts an event off after another failure: for a while, or as a dead letter.
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

    /// Takes note that the first event of its aggregate was put off.
    pub fn postponed(&mut self, again: Parked) {
        if again.status == ParkedStatus::Dead {
            tracing::error!(consumer = self.consumer, event = %again.event_id, error = again.error, "a dead letter");
            metrics::counter!("kizuna_dead_letters_total", "consumer" => self.consumer).increment(1);
        }
        if let Some(head) = self.queues.get_mut(&again.subject).and_then(VecDeque::front_mut) {
            *head = again;
        }
    }
}

/// The write that takes an applied event out, if nobody else did.
pub fn release(parked: &Parked) -> Write {
    Write::delete(&PARKED, parked.id).expecting(parked.version)
}

/// A dead letter as it is once it is redriven: due now, with a fresh count of retries (SPEC §7). Nothing for
/// what is none.
pub fn redriven(parked: &Parked, now: Timestamp) -> Option<Parked> {
    (parked.status == ParkedStatus::Dead).then(|| Parked {
        version: parked.version + 1,
        status: ParkedStatus::Retrying,
        attempts: 0,
        next_attempt_at: now,
        ..parked.clone()
    })
}

/// The write that puts `after` in the place of `before`, if nobody else changed it.
pub fn replacing(before: &Parked, after: &Parked) -> Write {
    Write::put(&PARKED, before.id, after).expecting(before.version)
}
