//! Which scopes it takes to read an event: in the live feed, by `/events`, from a subscription. Pure.

use crate::events::{EVENTS, SeenBy, row_of};
use crate::search::record::RecordType;
use crate::topic::Topic;
use kernel::event::{EventType, LoggedEvent};
use kernel::scopes::{Scope, Scopes};
use serde::Deserialize;

/// The scope to read records of this type.
pub const fn to_read(record: RecordType) -> Scope {
    match record {
        RecordType::Customer => Scope::CustomersRead,
        RecordType::Meeting => Scope::MeetingsRead,
        RecordType::Task => Scope::TasksRead,
        RecordType::Approval => Scope::ApprovalsRead,
        RecordType::Deal => Scope::DealsRead,
    }
}

/// The scope to change records of this type.
pub const fn to_write(record: RecordType) -> Scope {
    match record {
        RecordType::Customer => Scope::CustomersWrite,
        RecordType::Meeting => Scope::MeetingsWrite,
        RecordType::Task => Scope::TasksWrite,
        RecordType::Approval => Scope::ApprovalsWrite,
        RecordType::Deal => Scope::DealsWrite,
    }
}

/// The types of records that a holder of these scopes may read.
pub fn readable(scopes: Scopes) -> impl Iterator<Item = RecordType> {
    RecordType::ALL.into_iter().filter(move |record| scopes.contains(to_read(*record)))
}

/// The scope to follow a topic; `None` if that depends on the event.
pub const fn of_topic(topic: Topic) -> Option<Scope> {
    match topic {
        Topic::Customers => Some(Scope::CustomersRead),
        Topic::Meetings => Some(Scope::MeetingsRead),
        Topic::Tasks => Some(Scope::TasksRead),
        Topic::Approvals => Some(Scope::ApprovalsRead),
        Topic::Deals => Some(Scope::DealsRead),
        Topic::Sagas => Some(Scope::SagasRead),
        Topic::Comments | Topic::Attachments => None,
    }
}

/// The scopes to read events of a type, whatever record they are about.
pub fn of_type(event_type: EventType) -> Scopes {
    let scope = match row_of(event_type).and_then(|row| row.topic.map(of_topic)) {
        Some(Some(scope)) => scope,
        // The record says which.
        Some(None) => return Scopes::NONE,
        None => without_topic(event_type),
    };
    Scopes::of(&[scope])
}

fn without_topic(event_type: EventType) -> Scope {
    let is_of_reader = row_of(event_type).is_some_and(|row| row.seen_by == SeenBy::Reader);
    match event_type.name().split('.').next().unwrap_or_default() {
        _ if is_of_reader => Scope::NotificationsRead,
        "user" => Scope::UsersRead,
        "webhook" => Scope::WebhooksRead,
        _ => Scope::AdminRead,
    }
}

/// The scopes to read all events of these types, whatever records they are about; no types stand for every type.
pub fn of_types(types: &[EventType]) -> Scopes {
    let every: Vec<EventType> = EVENTS.iter().map(|row| row.event_type).collect();
    let types = if types.is_empty() { &every } else { types };
    types.iter().fold(Scopes::NONE, |all, event_type| {
        let own = of_type(*event_type);
        all.and(if is_about_another(*event_type) { own.and(of_every_record()) } else { own })
    })
}

/// The scopes to read records of every type.
fn of_every_record() -> Scopes {
    RecordType::ALL.into_iter().fold(Scopes::NONE, |all, record| all.and(Scopes::of(&[to_read(record)])))
}

/// Whether the events are about a comment, an attachment or a notification, which are about a record of any type.
fn is_about_another(event_type: EventType) -> bool {
    row_of(event_type).is_some_and(|row| {
        row.seen_by == SeenBy::Reader || matches!(row.topic, Some(Topic::Comments | Topic::Attachments))
    })
}

/// The scopes to read this event. Those about comments, attachments and notifications need the scope of the record, too.
pub fn of_event(event: &LoggedEvent) -> Scopes {
    let own = of_type(event.event.event_type);
    let is_beside = row_of(event.event.event_type)
        .is_some_and(|row| matches!(row.topic, Some(Topic::Comments | Topic::Attachments)));
    match record_of(event) {
        Some(record) => own.and(Scopes::of(&[to_read(record)])),
        // Data of another shape is shown to nobody with a key that lacks the one or the other.
        None if is_beside => own.and(of_every_record()),
        None => own,
    }
}

/// The type of the record that a comment, an attachment or a notification is about.
fn record_of(event: &LoggedEvent) -> Option<RecordType> {
    #[derive(Deserialize)]
    struct Record {
        r#type: String,
    }
    #[derive(Deserialize)]
    struct About {
        subject_type: String,
    }
    #[derive(Deserialize)]
    struct Data {
        record: Option<Record>,
        notification: Option<About>,
    }
    if !is_about_another(event.event.event_type) {
        return None;
    }
    let data: Data = event.payload().ok()?;
    let name = data.record.map(|record| record.r#type).or(data.notification.map(|about| about.subject_type));
    RecordType::parse(&name?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{COMMENT_CREATED, NOTIFICATION_CREATED, SAGA_STARTED, TASK_CREATED};
    use kernel::clock::Timestamp;
    use kernel::context::Context;
    use kernel::event::{DomainEvent, Event, raw};
    use kernel::ids::new_id;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    struct Said(EventType, Value);

    impl DomainEvent for Said {
        fn event_type(&self) -> EventType {
            self.0
        }

        fn data(&self) -> Box<RawValue> {
            raw(&self.1)
        }
    }

    fn needed(event_type: EventType, data: Value) -> Scopes {
        let said = Said(event_type, data);
        let event = Event::new(&said, new_id(), 1, Timestamp::from_micros(0), &Context::system());
        of_event(&LoggedEvent { partition: 0, partition_seq: 1, log_seq: Some(1), event })
    }

    #[test]
    fn no_event_can_be_read_without_a_scope() {
        for row in EVENTS {
            let needed = needed(row.event_type, json!({}));
            assert_ne!(needed, Scopes::NONE, "{}", row.event_type);
            assert!(Scopes::of(Scope::ALL).covers(needed), "{}", row.event_type);
        }
    }

    #[test]
    fn an_event_needs_the_scope_of_its_record() {
        let task = Scopes::of(&[Scope::TasksRead]);
        assert_eq!(needed(TASK_CREATED, json!({"task": {}})), task);
        assert_eq!(needed(COMMENT_CREATED, json!({"record": {"type": "task"}})), task);
        assert_eq!(needed(SAGA_STARTED, json!({"saga": {}})), Scopes::of(&[Scope::SagasRead]));
        let notified = needed(NOTIFICATION_CREATED, json!({"notification": {"subject_type": "task"}}));
        assert_eq!(notified, Scopes::of(&[Scope::NotificationsRead, Scope::TasksRead]));
    }

    #[test]
    fn a_comment_on_nobody_knows_what_needs_every_record() {
        let needed = needed(COMMENT_CREATED, json!({"record": 1}));
        for record in RecordType::ALL {
            assert!(needed.contains(to_read(record)), "{record:?}");
        }
    }

    #[test]
    fn types_are_read_whole() {
        let task = Scopes::of(&[Scope::TasksRead]);
        assert_eq!(of_types(&[TASK_CREATED]), task);
        let comments = of_types(&[COMMENT_CREATED]);
        assert!(RecordType::ALL.into_iter().all(|record| comments.contains(to_read(record))));
        let all = of_types(&[]);
        assert!(EVENTS.iter().all(|row| all.covers(of_type(row.event_type))));
        assert!(all.contains(Scope::AdminRead) && !all.contains(Scope::EventsRead));
    }

    #[test]
    fn a_key_reads_the_records_of_its_scopes() {
        let read: Vec<_> = readable(Scopes::of(&[Scope::DealsWrite, Scope::TasksRead])).collect();
        assert_eq!(read, [RecordType::Task, RecordType::Deal]);
        assert_eq!(readable(Scopes::ALL).count(), RecordType::ALL.len());
    }
}
