//! Who may see an event: SPEC §1, applied at the moment of sending. Pure.

use serde::Deserialize;

use super::topics::Topic;
use crate::actors::catalogue::NOTIFICATION_CREATED;
use crate::actors::context::Role;
use crate::actors::event::LoggedEvent;
use crate::ids::Id;

/// Who looks, with their present role.
#[derive(Clone, Copy, Debug)]
pub struct Viewer {
    pub user_id: Id,
    pub role: Role,
}

/// Who may see an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// It is no matter of the live feed, or its data can't be read.
    Nobody,
    /// A notification is its reader's alone, whatever the role.
    Only(Id),
    /// MANAGER and ADMIN see all; SALES those whose record it is, or was until this event.
    Managers { and: Vec<Id> },
}

impl Audience {
    /// The audience of an event.
    pub fn of(event: &LoggedEvent) -> Self {
        let event_type = event.event.event_type;
        if event_type == NOTIFICATION_CREATED {
            // Its partition is its reader (analytics/notifications.rs).
            return Self::Only(event.event.partition);
        }
        let Some(topic) = Topic::of(event_type) else { return Self::Nobody };
        if is_plural(event_type) {
            return Self::Managers { and: Vec::new() };
        }
        match event.payload::<Data>() {
            Ok(data) => Self::Managers { and: data.people(topic) },
            Err(error) => {
                tracing::error!(id = %event.event.id, %error, "an event whose owner can't be read is shown to nobody");
                Self::Nobody
            }
        }
    }

    /// Whether `viewer` belongs to it.
    pub fn includes(&self, viewer: &Viewer) -> bool {
        match self {
            Self::Nobody => false,
            Self::Only(reader) => *reader == viewer.user_id,
            Self::Managers { and } => viewer.role != Role::Sales || and.contains(&viewer.user_id),
        }
    }
}

/// `customers.reassigned` closes a step that touched many people's records.
fn is_plural(event_type: &str) -> bool {
    event_type.split('.').next().is_some_and(|noun| noun.ends_with('s'))
}

/// What of the payloads says whose record it is; the rest is passed over, whatever the service adds.
#[derive(Deserialize)]
struct Data {
    customer: Option<Record>,
    meeting: Option<Record>,
    task: Option<Record>,
    approval: Option<Record>,
    saga: Option<Record>,
    previous_owner_id: Option<Id>,
    previous_assignee_id: Option<Id>,
    previous_requester_id: Option<Id>,
}

#[derive(Deserialize)]
struct Record {
    owner_id: Option<Id>,
    assignee_id: Option<Id>,
    requester_id: Option<Id>,
    started_by: Option<Id>,
}

impl Data {
    /// The SALES users whose record it is or was.
    fn people(self, topic: Topic) -> Vec<Id> {
        let now = match topic {
            Topic::Customers => self.customer.and_then(|record| record.owner_id),
            Topic::Meetings => self.meeting.and_then(|record| record.owner_id),
            Topic::Tasks => self.task.and_then(|record| record.assignee_id),
            Topic::Approvals => self.approval.and_then(|record| record.requester_id),
            Topic::Sagas => self.saga.and_then(|record| record.started_by),
        };
        let before = match topic {
            Topic::Customers | Topic::Meetings => self.previous_owner_id,
            Topic::Tasks => self.previous_assignee_id,
            Topic::Approvals => self.previous_requester_id,
            Topic::Sagas => None,
        };
        now.into_iter().chain(before).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::actors::catalogue::intern;
    use crate::actors::context::Context;
    use crate::actors::event::{DomainEvent, Event, raw};
    use crate::clock::Timestamp;
    use crate::ids::new_id;

    struct Said(&'static str, Value);

    impl DomainEvent for Said {
        fn event_type(&self) -> &'static str {
            self.0
        }

        fn data(&self) -> Box<serde_json::value::RawValue> {
            raw(&self.1)
        }
    }

    fn audience(event_type: &str, data: Value) -> Audience {
        let said = Said(intern(event_type).unwrap(), data);
        let time = Timestamp::from_micros(0);
        let event = Event::new(&said, new_id(), 1, time, &Context::system());
        Audience::of(&LoggedEvent { slice: 0, slice_seq: 1, event })
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
        assert_eq!(audience("notification.read", json!({})), Audience::Nobody);
    }

    #[test]
    fn data_of_another_shape_is_shown_to_nobody() {
        assert_eq!(audience("customer.created", json!({"customer": "絆"})), Audience::Nobody);
    }
}
