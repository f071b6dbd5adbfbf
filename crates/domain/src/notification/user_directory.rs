//! Copies of the users, which analytics makes from their events. Pure.

use kernel::event::EventType;
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::events::{USER_CREATED, USER_DELETED, USER_UPDATED};
use crate::notification::kinds::NotificationKind;
use crate::user::record::{Preferences, User};
use kernel::caller::Role;
use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::ids::Id;

/// The events from which the copies are made.
pub const TYPES: [EventType; 3] = [USER_CREATED, USER_UPDATED, USER_DELETED];

/// What analytics stores of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCopy {
    pub id: Id,
    pub version: i64,
    pub name: String,
    pub role: Role,
    pub manager_id: Option<Id>,
    pub muted_notifications: BTreeSet<NotificationKind>,
    pub deleted_at: Option<Timestamp>,
}

/// The users who may receive a notification.
#[derive(Debug, Default)]
pub struct UserDirectory(pub HashMap<Id, UserCopy>);

impl UserDirectory {
    /// Applies an event of [`TYPES`], unless a later state of the user is known.
    ///
    /// # Errors
    /// When its data has another shape.
    pub fn apply(&mut self, event: &LoggedEvent) -> Result<(), serde_json::Error> {
        /// The part that all these events have in common.
        #[derive(Deserialize)]
        struct OfUser {
            user: User,
            #[serde(default)]
            preferences: Preferences,
        }
        let OfUser { user, preferences } = event.payload()?;
        let is_deleted = event.event.event_type == USER_DELETED;
        let copy = UserCopy {
            id: user.id,
            version: user.version,
            name: user.name,
            role: user.role,
            manager_id: user.manager_id,
            muted_notifications: preferences.muted_notifications,
            deleted_at: is_deleted.then_some(event.event.time),
        };
        if self.0.get(&copy.id).is_none_or(|known| known.version < copy.version) {
            self.0.insert(copy.id, copy);
        }
        Ok(())
    }

    /// The user, unless deleted.
    pub fn live(&self, id: Id) -> Option<&UserCopy> {
        self.0.get(&id).filter(|copy| copy.deleted_at.is_none())
    }

    /// Whether the user wants notifications of this kind.
    pub fn wants(&self, id: Id, kind: NotificationKind) -> bool {
        self.0.get(&id).is_none_or(|copy| !copy.muted_notifications.contains(&kind))
    }

    /// Every live MANAGER.
    pub fn managers(&self) -> impl Iterator<Item = Id> {
        let live = self.0.values().filter(|copy| copy.deleted_at.is_none() && copy.role == Role::Manager);
        live.map(|copy| copy.id)
    }
}
