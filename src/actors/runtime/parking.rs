//! Where events wait that a consumer could not apply: retried with growing spaces, a dead letter after the
//! last, and always in order per aggregate. Everything else flows on past them.

use crate::actors::event::LoggedEvent;
use crate::clock::Timestamp;
use crate::persistence::cursors::{self, PARKED, Parked, ParkedStatus};
use crate::persistence::unit::{Unit, Write};
use crate::persistence::{Db, StoreError};

use super::backoff::Backoff;

/// As many parked events as one consumer keeps in mind.
const LIMIT: i64 = 10_000;

/// A consumer's parked events, in the order of their positions.
#[derive(Debug)]
pub struct Parking {
    consumer: &'static str,
    parked: Vec<Parked>,
}

impl Parking {
    pub async fn load(db: &Db, consumer: &'static str) -> Result<Self, StoreError> {
        Ok(Self { consumer, parked: cursors::parked(db, consumer, LIMIT).await? })
    }

    /// Whether an earlier event of its aggregate is parked.
    pub fn blocks(&self, event: &LoggedEvent) -> bool {
        self.parked.iter().any(|parked| parked.subject == event.event.subject)
    }

    /// The unit that parks an event; it waits if an earlier one of its aggregate does.
    pub fn park(
        &self,
        event: &LoggedEvent,
        error: String,
        now: Timestamp,
        retry: &Backoff,
    ) -> (Unit, Parked) {
        let behind = self.blocks(event);
        let parked = Parked {
            id: format!("{}/{}", self.consumer, event.event.id),
            consumer: self.consumer.to_owned(),
            event_id: event.event.id,
            subject: event.event.subject,
            slice: event.slice,
            slice_seq: event.slice_seq,
            version: 1,
            status: if behind { ParkedStatus::Waiting } else { ParkedStatus::Retrying },
            attempts: 0,
            next_attempt_at: now.plus(retry.jittered(0)),
            error: if behind { String::new() } else { error },
            parked_at: now,
        };
        let writes = vec![Write::put(&PARKED, &parked.id, &parked).expecting(0)];
        (Unit { writes, ..Unit::default() }, parked)
    }

    pub fn add(&mut self, parked: Parked) {
        self.parked.push(parked);
    }

    /// Whether anything is to be tried again, now or later.
    pub fn is_retrying(&self) -> bool {
        self.parked.iter().any(|parked| parked.status == ParkedStatus::Retrying)
    }

    /// What is to be tried at `now`.
    pub fn due(&self, now: Timestamp) -> Vec<Parked> {
        let due = |parked: &&Parked| parked.status == ParkedStatus::Retrying && parked.next_attempt_at <= now;
        self.parked.iter().filter(due).cloned().collect()
    }

    /// `effect` with the release of its event and the turn of the next one of the aggregate, if any.
    pub fn release(&self, parked: &Parked, mut effect: Unit, now: Timestamp) -> (Unit, Option<Parked>) {
        effect.writes.push(Write::delete(&PARKED, &parked.id).expecting(parked.version));
        let next = self.parked.iter().find(|other| other.subject == parked.subject && other.id != parked.id);
        let next = next.map(|next| Parked {
            version: next.version + 1,
            status: ParkedStatus::Retrying,
            next_attempt_at: now,
            ..next.clone()
        });
        if let Some(next) = &next {
            effect.writes.push(Write::put(&PARKED, &next.id, next).expecting(next.version - 1));
        }
        (effect, next)
    }

    pub fn released(&mut self, parked: &Parked, next: Option<Parked>) {
        self.parked.retain(|other| other.id != parked.id);
        if let Some(next) = next {
            self.replace(next);
        }
    }

    /// The unit that puts an event off after another failure: for a while, or as a dead letter.
    pub fn postpone(
        &self,
        parked: &Parked,
        error: String,
        now: Timestamp,
        retry: &Backoff,
    ) -> (Unit, Parked) {
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
        if again.status == ParkedStatus::Dead {
            tracing::error!(consumer = self.consumer, event = %again.event_id, error = again.error, "a dead letter");
            metrics::counter!("kizuna_dead_letters_total", "consumer" => self.consumer).increment(1);
        }
        let writes = vec![Write::put(&PARKED, &again.id, &again).expecting(parked.version)];
        (Unit { writes, ..Unit::default() }, again)
    }

    pub fn replace(&mut self, parked: Parked) {
        if let Some(place) = self.parked.iter_mut().find(|other| other.id == parked.id) {
            *place = parked;
        }
    }
}
