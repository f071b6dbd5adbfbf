//! The payloads of the analytics service's events (SPEC §4).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::domain::{Notification, NotificationEvent};
use crate::actors::catalogue;
use crate::actors::event::{DomainEvent, raw};
use crate::ids::Id;

/// `notification.created`, `notification.read`: the notification after it.
#[derive(Debug, Serialize, Deserialize)]
pub struct NotificationPayload {
    pub notification: Notification,
}

/// `notifications.archived`: which of a user's notifications were, by their reader or for what became of a customer.
#[derive(Debug, Serialize, Deserialize)]
pub struct ArchivedPayload {
    pub user_id: Id,
    /// What it is the event of: the notification, where its reader archived it.
    pub subject_id: Id,
    pub ids: Vec<Id>,
    pub count: usize,
}

impl DomainEvent for NotificationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created(_) => catalogue::NOTIFICATION_CREATED,
            Self::Read(_) => catalogue::NOTIFICATION_READ,
            Self::Archived(_) => catalogue::NOTIFICATIONS_ARCHIVED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        match self {
            Self::Created(after) | Self::Read(after) => {
                raw(&NotificationPayload { notification: after.clone() })
            }
            Self::Archived(Notification { user_id, id, .. }) => {
                raw(&ArchivedPayload { user_id: *user_id, subject_id: *id, ids: vec![*id], count: 1 })
            }
        }
    }

    // One reader's notifications have one order, so that a live feed and its resumption agree.
    fn partition(&self, _: Id) -> Id {
        self.after().user_id
    }
}
