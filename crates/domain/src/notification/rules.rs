//! The rules of notifications after their creation. Pure.

use crate::api_key::event_scopes::to_read;
use crate::events as catalogue;
use crate::notification::record::{ArchivedPayload, Notification, NotificationPayload};
use crate::search::record::RecordType;
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The commands of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotificationCommand {
    Read,
    Archive,
    /// It is archived with the customer whom it concerns, if it still does.
    ArchiveWith {
        customer_id: Id,
    },
    /// It concerns a merged customer: from now on the other one.
    Move {
        from: Id,
        to: Id,
    },
    /// Becomes again what it was before a cascade: it concerns this customer, and was archived or not.
    Revert {
        customer_id: Option<Id>,
        archived_at: Option<Timestamp>,
    },
}

/// What happened to a notification, with the notification after it.
#[derive(Debug)]
pub enum NotificationEvent {
    /// Made by the consumer of notifications; no command leads to it.
    Created(Notification),
    Read(Notification),
    Archived(Notification),
    Moved(Notification),
    Restored(Notification),
}

/// The events that a command leads to. A notification that is read or archived already stays as it is.
///
/// # Errors
/// `not_found`, also for a notification of another user, whatever the role (SPEC §1).
pub fn decide(
    state: Option<&Notification>,
    command: NotificationCommand,
    caller: &Caller,
    now: Timestamp,
) -> Result<Vec<NotificationEvent>, Error> {
    // Only its reader, or Kizuna itself when the customer is deleted.
    let own = state.filter(|told| told.user_id == caller.user_id || caller.actor_id().is_none());
    let about = |told: &&Notification| RecordType::parse(&told.subject_type);
    // Nor by a key that must not read what it is about.
    let own = own.filter(|told| about(told).is_none_or(|record| caller.scopes.contains(to_read(record))));
    let notification = own.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    let touched =
        || Notification { version: notification.version + 1, updated_at: now, ..notification.clone() };
    Ok(match command {
        NotificationCommand::Read if notification.read_at.is_none() => {
            vec![NotificationEvent::Read(Notification { read_at: Some(now), ..touched() })]
        }
        NotificationCommand::Archive if notification.archived_at.is_none() => {
            vec![NotificationEvent::Archived(Notification { archived_at: Some(now), ..touched() })]
        }
        NotificationCommand::ArchiveWith { customer_id }
            if notification.archived_at.is_none() && notification.customer_id == Some(customer_id) =>
        {
            vec![NotificationEvent::Archived(Notification { archived_at: Some(now), ..touched() })]
        }
        NotificationCommand::Move { from, to } if notification.customer_id == Some(from) => {
            vec![NotificationEvent::Moved(Notification { customer_id: Some(to), ..touched() })]
        }
        NotificationCommand::Revert { customer_id, archived_at } => {
            let after = Notification { customer_id, archived_at, ..touched() };
            match (notification.customer_id == customer_id, archived_at) {
                (false, _) => vec![NotificationEvent::Moved(after)],
                (true, None) if notification.archived_at.is_some() => {
                    vec![NotificationEvent::Restored(after)]
                }
                (true, Some(_)) if notification.archived_at.is_none() => {
                    vec![NotificationEvent::Archived(after)]
                }
                (true, _) => Vec::new(),
            }
        }
        NotificationCommand::Read
        | NotificationCommand::Archive
        | NotificationCommand::ArchiveWith { .. }
        | NotificationCommand::Move { .. } => Vec::new(),
    })
}

impl StateAfter for NotificationEvent {
    type State = Notification;

    fn after(&self) -> &Notification {
        let (Self::Created(after)
        | Self::Read(after)
        | Self::Archived(after)
        | Self::Moved(after)
        | Self::Restored(after)) = self;
        after
    }
}

impl DomainEvent for NotificationEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::NOTIFICATION_CREATED,
            Self::Read(_) => catalogue::NOTIFICATION_READ,
            Self::Archived(_) => catalogue::NOTIFICATIONS_ARCHIVED,
            Self::Moved(_) => catalogue::NOTIFICATION_MOVED,
            Self::Restored(_) => catalogue::NOTIFICATION_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        match self {
            Self::Created(after) | Self::Read(after) | Self::Moved(after) | Self::Restored(after) => {
                raw(&NotificationPayload { notification: after.clone() })
            }
            Self::Archived(Notification { user_id, id, read_at, .. }) => raw(&ArchivedPayload {
                user_id: *user_id,
                subject_id: *id,
                ids: vec![*id],
                count: 1,
                read_at: *read_at,
            }),
        }
    }

    // One reader's notifications have one order, so that a live feed and its resumption agree.
    fn partition_key(&self, _: Id) -> Id {
        self.after().user_id
    }
}

#[cfg(test)]
mod tests {
    use super::NotificationCommand::{Archive, Read};
    use super::*;
    use crate::notification::record::NotificationData;
    use kernel::caller::Role;
    use kernel::ids::new_id;
    use kernel::scopes::Scopes;

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
        Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
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
        let (one, other) = (new_id(), new_id());
        let state = Notification { customer_id: Some(one), ..told(new_id()) };
        let run = |command| decide(Some(&state), command, &Caller::system(), at(2)).unwrap();
        let archived = run(NotificationCommand::ArchiveWith { customer_id: one });
        assert!(
            matches!(&archived[..], [NotificationEvent::Archived(after)] if after.archived_at == Some(at(2)))
        );
        let moved = run(NotificationCommand::Move { from: one, to: other });
        assert!(matches!(&moved[..], [NotificationEvent::Moved(after)] if after.customer_id == Some(other)));
        assert!(
            run(NotificationCommand::ArchiveWith { customer_id: other }).is_empty(),
            "it concerns another"
        );
        assert!(run(NotificationCommand::Move { from: other, to: new_id() }).is_empty());
    }

    #[test]
    fn another_s_is_not_there_whatever_the_role() {
        let state = told(new_id());
        for role in [Role::Sales, Role::Manager, Role::Admin] {
            for command in [Read, Archive] {
                let other = caller(new_id(), role);
                assert_eq!(
                    decide(Some(&state), command, &other, at(2)).unwrap_err().code,
                    ErrorCode::NotFound
                );
                assert_eq!(decide(None, command, &other, at(2)).unwrap_err().code, ErrorCode::NotFound);
            }
        }
    }
}
