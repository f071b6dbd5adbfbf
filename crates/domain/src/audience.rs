//! Who may see an event: SPEC §1, applied when the event is sent. Pure.

use serde_json::Value;

use crate::events::{SeenBy, row_of};
use kernel::caller::Role;
use kernel::event::LoggedEvent;
use kernel::ids::Id;

/// A user who may see an event, with their present role.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    pub user_id: Id,
    pub role: Role,
}

/// Who may see an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The event does not belong to the live feed.
    Nobody,
    /// Only the reader of a notification, whatever the role.
    Only(Id),
    /// MANAGER, ADMIN, and the SALES users who own the record, or owned it until this event.
    Managers { and: Vec<Id> },
}

impl Audience {
    /// The audience of an event, as its row of the catalogue says; `None` if the owner can't be read in its data.
    pub fn of(event: &LoggedEvent) -> Option<Self> {
        Some(match row_of(event.event.event_type).map(|row| row.seen_by) {
            None | Some(SeenBy::Nobody) => Self::Nobody,
            Some(SeenBy::Reader) => Self::Only(event.event.partition_key),
            Some(SeenBy::Managers) => Self::Managers { and: Vec::new() },
            Some(SeenBy::Owner { record, field, previous }) => {
                Self::Managers { and: owners(event, record, field, previous)? }
            }
        })
    }

    /// Whether `viewer` may see the event.
    pub fn includes(&self, viewer: &Viewer) -> bool {
        match self {
            Self::Nobody => false,
            Self::Only(reader) => *reader == viewer.user_id,
            Self::Managers { and } => viewer.role != Role::Sales || and.contains(&viewer.user_id),
        }
    }
}

/// The owner of the record, and the owner before this event; `None` if the data has another shape.
fn owners(event: &LoggedEvent, record: &str, field: &str, previous: Option<&str>) -> Option<Vec<Id>> {
    let data: Value = event.payload().ok()?;
    let id = |value: &Value| value.as_str().and_then(Id::parse);
    let now = id(data.get(record)?.get(field)?)?;
    let before = previous.and_then(|previous| data.get(previous)).and_then(id);
    Some([now].into_iter().chain(before).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::events::CATALOGUE;
    use kernel::clock::Timestamp;
    use kernel::context::Context;
    use kernel::event::{DomainEvent, Event, EventType, raw};
    use kernel::ids::new_id;

    struct Said(EventType, Value);

    impl DomainEvent for Said {
        fn event_type(&self) -> EventType {
            self.0
        }

        fn data(&self) -> Box<serde_json::value::RawValue> {
            raw(&self.1)
        }
    }

    fn audience(event_type: &str, data: Value) -> Audience {
        read(event_type, data).expect("data with an owner")
    }

    fn read(event_type: &str, data: Value) -> Option<Audience> {
        read_of(new_id(), event_type, data)
    }

    fn read_of(subject: Id, event_type: &str, data: Value) -> Option<Audience> {
        let said = Said(CATALOGUE.find(event_type).unwrap(), data);
        let time = Timestamp::from_micros(0);
        let event = Event::new(&said, subject, 1, time, &Context::system());
        Audience::of(&LoggedEvent { partition: 0, partition_seq: 1, log_seq: Some(1), event })
    }

    #[test]
    fn sales_see_the_events_of_their_own_records_and_managers_all() {
        let (mine, other) = (new_id(), new_id());
        for (event_type, data) in [
            ("customer.created", json!({"customer": {"owner_id": mine}})),
            ("customer.updated", json!({"customer": {"owner_id": other}, "previous_owner_id": mine})),
            ("meeting.deleted", json!({"meeting": {"owner_id": mine}})),
            ("task.due_soon", json!({"task": {"assignee_id": mine}})),
            ("approval.approved", json!({"approval": {"requester_id": mine, "approver_id": other}})),
            (
                "approval.reassigned",
                json!({"approval": {"requester_id": other}, "previous_requester_id": mine}),
            ),
            ("deal.won", json!({"deal": {"owner_id": mine}})),
            ("deal.updated", json!({"deal": {"owner_id": other}, "previous_owner_id": mine})),
            ("saga.started", json!({"saga": {"started_by": mine}})),
        ] {
            let audience = audience(event_type, data);
            let sees = |user_id, role| audience.includes(&Viewer { user_id, role });
            assert!(sees(mine, Role::Sales), "{event_type}");
            assert!(!sees(new_id(), Role::Sales), "{event_type}");
            assert!(sees(new_id(), Role::Manager) && sees(new_id(), Role::Admin), "{event_type}");
        }
    }

    #[test]
    fn an_approver_of_sales_is_no_requester() {
        let approver = new_id();
        let data = json!({"approval": {"requester_id": new_id(), "approver_id": approver}});
        let viewer = Viewer { user_id: approver, role: Role::Sales };
        assert!(!audience("approval.requested", data).includes(&viewer));
    }

    #[test]
    fn plural_types_are_for_managers_alone_and_users_for_nobody() {
        let mine = new_id();
        let plural = audience("customers.reassigned", json!({"successor_id": mine, "ids": []}));
        assert_eq!(plural, Audience::Managers { and: Vec::new() });
        assert_eq!(audience("user.login", json!({"user_id": mine})), Audience::Nobody);
    }

    #[test]
    fn what_a_reader_does_with_a_notification_is_for_the_reader_alone() {
        // Events of notifications have their reader as the key of their partition.
        let reader = new_id();
        for event_type in ["notification.created", "notification.read", "notifications.archived"] {
            assert_eq!(read_of(reader, event_type, json!({})), Some(Audience::Only(reader)), "{event_type}");
        }
    }

    #[test]
    fn data_of_another_shape_has_no_audience() {
        assert_eq!(read("customer.created", json!({"customer": "絆"})), None);
    }
}
