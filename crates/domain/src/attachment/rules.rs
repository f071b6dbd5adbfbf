//! The rules of attachments. Pure.

use serde_json::value::RawValue;

use crate::attachment::record::{Attachment, AttachmentPayload, Upload};
use crate::comment::record::AboutRecord;
use crate::events as catalogue;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;

/// The most bytes of a file.
pub const SIZE_MAX: i64 = 10 * 1024 * 1024;
/// The most attachments of a record.
pub const ATTACHMENTS_MAX: i64 = 50;

/// The commands of an attachment; each knows the record as it is now.
#[derive(Debug)]
pub enum AttachmentCommand {
    /// Takes over an upload. `place` is one that no other attachment of the record has.
    Add {
        upload: Upload,
        place: i64,
        record: AboutRecord,
    },
    Remove {
        record: AboutRecord,
    },
}

/// What happened to an attachment, with the attachment after it.
#[derive(Debug)]
pub struct AttachmentEvent {
    event_type: EventType,
    after: Attachment,
    record: AboutRecord,
}

/// The events that a command leads to. That the caller sees the record was checked.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn decide(
    state: Option<&Attachment>,
    command: &AttachmentCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<AttachmentEvent>, Error> {
    match (command, state) {
        (AttachmentCommand::Add { upload, place, record }, None) => {
            if (upload.record_id, upload.user_id) != (record.id, caller.user_id) {
                return Err(Error::new(ErrorCode::NotFound));
            }
            let after = attached(upload, *place, record, id, now);
            let record = record.clone();
            Ok(vec![AttachmentEvent { event_type: catalogue::ATTACHMENT_ADDED, after, record }])
        }
        (AttachmentCommand::Add { .. }, Some(_)) => {
            Err(Error::internal("a second creation of one attachment"))
        }
        (AttachmentCommand::Remove { record }, state) => {
            let attachment = on(state, record)?;
            if !may_remove(attachment, caller) {
                return Err(Error::new(ErrorCode::Forbidden));
            }
            let version = attachment.version + 1;
            let after = Attachment { version, updated_at: now, deleted_at: Some(now), ..attachment.clone() };
            let record = record.clone();
            Ok(vec![AttachmentEvent { event_type: catalogue::ATTACHMENT_REMOVED, after, record }])
        }
    }
}

/// Whether the caller may remove an attachment: whoever attached it, and every ADMIN.
pub fn may_remove(attachment: &Attachment, caller: &Caller) -> bool {
    attachment.author_id == caller.user_id || caller.role == Role::Admin
}

/// The attachment, if it is on this record.
///
/// # Errors
/// `not_found`.
pub fn on<'a>(state: Option<&'a Attachment>, record: &AboutRecord) -> Result<&'a Attachment, Error> {
    let found = state.filter(|it| record.has(it.record_id) && it.deleted_at.is_none());
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// The first place of a record that none of its attachments has.
///
/// # Errors
/// `too_many_attachments`.
pub fn free_place(taken: &[i64]) -> Result<i64, Error> {
    let free = (1..=ATTACHMENTS_MAX).find(|place| !taken.contains(place));
    free.ok_or_else(|| Error::new(ErrorCode::TooManyAttachments))
}

fn attached(upload: &Upload, place: i64, record: &AboutRecord, id: Id, now: Timestamp) -> Attachment {
    Attachment {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        record_type: record.r#type,
        record_id: record.id,
        author_id: upload.user_id,
        name: upload.name.clone(),
        media_type: upload.media_type.clone(),
        size: upload.size,
        sha256: upload.sha256.clone(),
        place,
        deleted_at: None,
    }
}

impl StateAfter for AttachmentEvent {
    type State = Attachment;

    fn after(&self) -> &Attachment {
        &self.after
    }
}

impl DomainEvent for AttachmentEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn data(&self) -> Box<RawValue> {
        raw(&AttachmentPayload { attachment: self.after.clone(), record: self.record.clone() })
    }

    // A record's attachments are in order with its own events.
    fn partition_key(&self, _: Id) -> Id {
        self.record.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::record::RecordType;
    use kernel::ids::new_id;
    use kernel::scopes::Scopes;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn caller(user_id: Id, role: Role) -> Caller {
        Caller { user_id, role, session_id: Id::nil(), scopes: Scopes::ALL }
    }

    fn record() -> AboutRecord {
        let (id, owner_id) = (new_id(), new_id());
        AboutRecord {
            r#type: RecordType::Task,
            id,
            title: "電話".into(),
            owner_id,
            customer_id: None,
            merged: Vec::new(),
        }
    }

    fn upload(user_id: Id, record_id: Id) -> Upload {
        let (name, media_type, sha256) = ("a.pdf".into(), "application/pdf".into(), "00".into());
        Upload { id: new_id(), record_id, user_id, created_at: at(0), name, media_type, size: 3, sha256 }
    }

    #[test]
    fn only_its_sender_attaches_an_upload_to_the_record_it_was_sent_for() {
        let (sender, record) = (new_id(), record());
        let add = |upload: Upload, by: Id| {
            let add = AttachmentCommand::Add { upload, place: 7, record: record.clone() };
            decide(None, &add, &caller(by, Role::Admin), new_id(), at(1))
        };
        let made = add(upload(sender, record.id), sender).expect("allowed").remove(0);
        assert_eq!((made.after.place, made.after.version, made.after.author_id), (7, 1, sender));
        assert_eq!(made.partition_key(made.after.id), record.id);
        assert!(!made.data().get().contains("place"), "that is the service's own");
        for refused in [add(upload(sender, new_id()), sender), add(upload(sender, record.id), new_id())] {
            assert_eq!(refused.unwrap_err().code, ErrorCode::NotFound);
        }
    }

    #[test]
    fn who_attached_it_and_an_admin_remove_it_once() {
        let (sender, record) = (new_id(), record());
        let attachment = attached(&upload(sender, record.id), 1, &record, new_id(), at(1));
        let remove = AttachmentCommand::Remove { record: record.clone() };
        let by = |state: &Attachment, who| decide(Some(state), &remove, &who, state.id, at(2));
        for role in [Role::Sales, Role::Manager] {
            let refused = by(&attachment, caller(new_id(), role)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::Forbidden);
        }
        assert!(by(&attachment, caller(new_id(), Role::Admin)).is_ok());
        let gone = by(&attachment, caller(sender, Role::Sales)).expect("allowed").remove(0);
        assert_eq!((gone.event_type(), gone.after.version), (catalogue::ATTACHMENT_REMOVED, 2));
        let twice = by(&gone.after, caller(sender, Role::Sales)).unwrap_err();
        assert_eq!(twice.code, ErrorCode::NotFound);
    }

    #[test]
    fn a_record_has_so_many_places() {
        assert_eq!(free_place(&[]), Ok(1));
        assert_eq!(free_place(&[1, 3]), Ok(2));
        let all: Vec<i64> = (1..=ATTACHMENTS_MAX).collect();
        assert_eq!(free_place(&all).unwrap_err().code, ErrorCode::TooManyAttachments);
        assert_eq!(free_place(&all[1..]), Ok(1));
    }
}
