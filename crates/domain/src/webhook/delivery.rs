//! A delivery: an event on its way to a webhook.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::events::WEBHOOK_PINGED;
use crate::webhook::schedule::{Failure, Outcome, Tried};
use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::ids::Id;

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It waits for its first or its next try, or behind an earlier one of its aggregate.
    Pending,
    /// The endpoint answered 2xx.
    Delivered,
    /// Its tries are used up.
    Dead,
}

impl DeliveryState {
    /// Its name in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// An event on its way to a webhook. What is sent is made of the event, which the log keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The `webhook-id`: always the same for an event and a webhook.
    pub id: Id,
    pub version: i64,
    pub webhook_id: Id,
    pub event_id: Id,
    pub event_type: String,
    /// Deliveries with the same key go one after another.
    pub partition_key: Id,
    #[serde(rename = "slice")]
    pub partition: i64,
    #[serde(rename = "slice_seq")]
    pub partition_seq: i64,
    pub created_at: Timestamp,
    pub state: DeliveryState,
    /// How often it was tried since it was made, redelivered or replayed.
    pub tries: i64,
    /// `None` when it has ended.
    pub next_try_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When the last try began, and how long it took.
    #[serde(default)]
    pub tried_at: Option<Timestamp>,
    #[serde(default)]
    pub took_ms: Option<i64>,
    /// The headers of the last try.
    #[serde(default)]
    pub signature: Option<String>,
    /// The last answer.
    #[serde(default)]
    pub status: Option<i64>,
    #[serde(default)]
    pub answer: Option<String>,
    /// Why the last try failed.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// The id of an event's delivery to a webhook.
pub fn delivery_id(webhook: Id, event: Id) -> Id {
    let mut hash = Sha256::new();
    hash.update(webhook.bits().to_be_bytes());
    hash.update(event.bits().to_be_bytes());
    let hash = hash.finalize();
    let mixed: [u8; 16] = hash[..16].try_into().expect("16 bytes");
    Id::derived(event, u128::from_be_bytes(mixed))
}

impl Delivery {
    /// The delivery of an event, due now.
    pub fn new(webhook: Id, event: &LoggedEvent, now: Timestamp) -> Self {
        Self {
            id: delivery_id(webhook, event.event.id),
            version: 1,
            webhook_id: webhook,
            event_id: event.event.id,
            event_type: event.event.event_type.name().to_owned(),
            partition_key: event.event.partition_key,
            partition: event.partition,
            partition_seq: event.partition_seq,
            created_at: now,
            state: DeliveryState::Pending,
            tries: 0,
            next_try_at: Some(now),
            ended_at: None,
            tried_at: None,
            took_ms: None,
            signature: None,
            status: None,
            answer: None,
            failure: None,
        }
    }

    /// This delivery again, due now, with all its tries; it keeps its id.
    pub fn again(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            created_at: now,
            state: DeliveryState::Pending,
            tries: 0,
            next_try_at: Some(now),
            ended_at: None,
            ..self.clone()
        }
    }

    /// Whether it is of a ping, which is tried once.
    pub fn is_ping(&self) -> bool {
        self.event_type == WEBHOOK_PINGED.name()
    }

    /// The delivery after a try; `wait` says after how many failures it waits how long, `None`: it is tried no more.
    pub fn after(&self, tried: &Tried, wait: impl FnOnce(u32) -> Option<std::time::Duration>) -> Self {
        let ended_at = tried.began_at.plus(tried.took);
        let tries = self.tries + 1;
        let after = Self {
            version: self.version + 1,
            tries,
            next_try_at: None,
            tried_at: Some(tried.began_at),
            took_ms: i64::try_from(tried.took.as_millis()).ok(),
            signature: Some(tried.signature.clone()),
            status: tried.status.map(i64::from),
            answer: tried.answer.clone(),
            failure: tried.outcome.failure(),
            ..self.clone()
        };
        let ended = |state| Self { state, ended_at: Some(ended_at), ..after.clone() };
        if tried.outcome == Outcome::Delivered {
            return ended(DeliveryState::Delivered);
        }
        let wait = if self.is_ping() { None } else { wait(u32::try_from(tries).unwrap_or(u32::MAX)) };
        match wait {
            None => ended(DeliveryState::Dead),
            Some(wait) => {
                let wait = wait.max(tried.hold.unwrap_or_default());
                Self { next_try_at: Some(ended_at.plus(wait)), ..after }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn an_event_has_one_id_for_each_webhook_and_it_has_the_event_s_time() {
        let (webhook, event) = (new_id(), new_id());
        let id = delivery_id(webhook, event);
        assert_eq!(id, delivery_id(webhook, event));
        assert_ne!(id, delivery_id(new_id(), event));
        assert_ne!(id, delivery_id(webhook, new_id()));
        assert_eq!(id.bits() >> 80, event.bits() >> 80);
        assert_eq!(id.to_string().as_bytes()[14], b'7', "a UUIDv7");
    }
}
