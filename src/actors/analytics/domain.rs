//! The rules of notifications, once they are there. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actors::context::Caller;
use crate::actors::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::Id;

/// A notification as it is stored: a kind and its parameters, rendered in the reader's language by the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notification {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Whose it is.
    pub user_id: Id,
    /// The event's type; its text stands in `locales/` under this name.
    pub kind: String,
    pub subject_type: String,
    pub subject_id: Id,
    /// The customer it has to do with: its deletion archives the notification.
    pub customer_id: Option<Id>,
    pub data: NotificationData,
    pub read_at: Option<Timestamp>,
    pub archived_at: Option<Timestamp>,
}

/// What the text of a notification names; which of it there is depends on the kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationData {
    /// Of customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub customer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner_id: Option<Id>,
    /// Of approvals and tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// Of approvals, in the currency's minor unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub amount: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requester_id: Option<Id>,
    /// What the requester was called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub requester_name: Option<String>,
    /// Of approvals that are decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_by: Option<Id>,
    /// What they were called then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub decided_by_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub comment: Option<String>,
    /// Of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due_at: Option<Timestamp>,
}

/// What its reader does with a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotificationCommand {
    Read,
    Archive,
}

/// What happened to a notification, with the notification after it.
#[derive(Debug)]
pub enum NotificationEvent {
    /// By `notifications.rs`; no command leads to it.
    Created(Notification),
    Read(Notification),
    Archived(Notification),
}

impl NotificationEvent {
    /// The notification after it.
    pub fn after(&self) -> &Notification {
        let (Self::Created(after) | Self::Read(after) | Self::Archived(after)) = self;
        after
    }
}

/// What a command leads to: what is read or archived already stays as it is.
///
/// # Errors
/// `not_found` also for another's, whatever the role (SPEC §1).
pub fn decide(
    state: Option<&Notification>,
    command: NotificationCommand,
    caller: &Caller,
    now: Timestamp,
) -> Result<Vec<NotificationEvent>, Refusal> {
    // Nobody but its reader, or Kizuna itself when the customer is gone.
    let own = state.filter(|told| told.user_id == caller.user_id || caller.actor_id().is_none());
    let notification = own.ok_or_else(|| Refusal::new(Code::NotFound))?;
    let touched =
        || Notification { version: notification.version + 1, updated_at: now, ..notification.clone() };
    Ok(match command {
        NotificationCommand::Read if notification.read_at.is_none() => {
            vec![NotificationEvent::Read(Notification { read_at: Some(now), ..touched() })]
        }
        NotificationCommand::Archive if notification.archived_at.is_none() => {
            vec![NotificationEvent::Archived(Notification { archived_at: Some(now), ..touched() })]
        }
        NotificationCommand::Read | NotificationCommand::Archive => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::NotificationCommand::{Archive, Read};
    use super::*;
    use crate::actors::context::Role;
    use crate::ids::new_id;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn told(user_id: Id) -> Notification {
        Notification {
            id: new_id(),
            version: 1,
            created_at: at(1),
            updated_at: at(1),
            user_id,
            kind: "customer.created".into(),
            subject_type: "customer".into(),
            subject_id: new_id(),
            customer_id: None,
            data: NotificationData::default(),
            read_at: None,
            archived_at: None,
        }
    }

    fn caller(user_id: Id, role: Role) -> Caller {
        Caller { user_id, role, session_id: Id::nil() }
    }

    #[test]
    fn it_is_read_once_and_archived_once_in_either_order() {
        let reader = caller(new_id(), Role::Sales);
        for commands in [[Read, Archive], [Archive, Read]] {
            let mut state = told(reader.user_id);
            for (n, command) in commands.into_iter().enumerate() {
                let now = at(2 + n as i64);
                let events = decide(Some(&state), command, &reader, now).unwrap();
                let [event] = events.as_slice() else { panic!("one event: {events:?}") };
                state = event.after().clone();
                assert_eq!((state.version, state.updated_at), (2 + n as i64, now));
                let mark = if command == Read { state.read_at } else { state.archived_at };
                assert_eq!(mark, Some(now));
                assert!(decide(Some(&state), command, &reader, at(9)).unwrap().is_empty(), "once");
            }
        }
    }

    #[test]
    fn kizuna_itself_archives_what_a_deleted_customer_leaves() {
        let state = told(new_id());
        let events = decide(Some(&state), Archive, &Caller::system(), at(2)).unwrap();
        assert!(
            matches!(&events[..], [NotificationEvent::Archived(after)] if after.archived_at == Some(at(2)))
        );
    }

    #[test]
    fn another_s_is_not_there_whatever_the_role() {
        let state = told(new_id());
        for role in [Role::Sales, Role::Manager, Role::Admin] {
            for command in [Read, Archive] {
                let other = caller(new_id(), role);
                assert_eq!(decide(Some(&state), command, &other, at(2)).unwrap_err().code, Code::NotFound);
                assert_eq!(decide(None, command, &other, at(2)).unwrap_err().code, Code::NotFound);
            }
        }
    }
}
