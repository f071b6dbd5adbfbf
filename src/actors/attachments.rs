//! Attachments, for every service that has records: one code, generic over the record, as for comments.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::actors::comments::{Annotated, beside};
use crate::actors::uploads::TAKEN_WITHIN;
use crate::persistence::attachments as queries;
use crate::persistence::comments;
use crate::persistence::uploads;
use domain::attachment::messages::{
    AddAttachment, CheckAttachable, FindAttachment, ListAttachments, RemoveAttachment,
};
use domain::attachment::record::{Attachment, Upload};
use domain::attachment::rules;
use domain::attachment::rules::{AttachmentCommand, AttachmentEvent};
use domain::comment::record::AboutRecord;
use domain::events::{ATTACHMENT_REMOVED, IMPORT_COMMITTED};
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use kernel::page::Page;
use kernel::service_id::ServiceId;
use runtime::consumer::{Consumer, EffectError};
use runtime::entity::{Aggregate, Entities};
use store::Db;
use store::table::Table;
use store::unit_of_work::UnitOfWork;

/// How often a place is chosen again that another attachment took meanwhile.
const RACES_MAX: i64 = rules::ATTACHMENTS_MAX;

/// An attachment of a record of kind `R`, as an aggregate.
pub struct AttachmentAggregate<R>(PhantomData<fn() -> R>);

impl<R: Annotated> Aggregate for AttachmentAggregate<R> {
    const KIND: &'static str = R::ATTACHMENT_KIND;
    type State = Attachment;
    type Command = AttachmentCommand;
    type Event = AttachmentEvent;

    const TABLE: &'static Table = R::ATTACHMENTS;

    fn decide(
        state: Option<&Attachment>,
        command: &AttachmentCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<AttachmentEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Attachment) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Attachment,
            place: i64,
        }
        serde_json::to_string(&Row { state, place: state.place }).expect("states are plain structs")
    }

    fn is_kept(state: &Attachment) -> bool {
        state.deleted_at.is_none()
    }

    // Another one took the place.
    fn duplicate() -> ErrorCode {
        ErrorCode::TooManyAttachments
    }
}

/// The attachments of the records of one kind.
pub struct Attachments<R: Annotated> {
    pub db: Db,
    pub clock: Clock,
    pub records: Entities<R>,
    pub attachments: Entities<AttachmentAggregate<R>>,
}

impl<R: Annotated> Attachments<R> {
    /// Attaches a file that was received.
    ///
    /// # Errors
    /// `not_found`, `too_many_attachments`, `unavailable`, `overloaded`.
    pub async fn add(&self, add: AddAttachment) -> Result<Arc<Attachment>, Error> {
        let record = self.record(add.record.id, &add.context.caller).await?;
        let upload = self.upload(add.upload).await?;
        let mut races = 0;
        loop {
            let place = rules::free_place(&queries::places(&self.db, R::ATTACHMENTS, record.id).await?)?;
            let mut prepared = beside::<R>(add.context.clone(), record.id);
            prepared.with.writes.push(uploads::take_over(upload.id));
            let command = AttachmentCommand::Add { upload: upload.clone(), place, record: record.clone() };
            match self.attachments.create(upload.id, command, prepared).await {
                Err(error) if error.code == ErrorCode::TooManyAttachments && races < RACES_MAX => races += 1,
                done => return done,
            }
        }
    }

    /// An upload that may still be attached.
    async fn upload(&self, id: Id) -> Result<Upload, Error> {
        let upload = uploads::find(&self.db, id).await?;
        let earliest = self.clock.now().minus(TAKEN_WITHIN);
        upload.filter(|it| it.created_at >= earliest).ok_or_else(|| Error::new(ErrorCode::NotFound))
    }

    /// Removes an attachment.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `stale_version`, `unavailable`, `overloaded`.
    pub async fn remove(&self, remove: RemoveAttachment) -> Result<Id, Error> {
        let record = self.record(remove.record.id, &remove.context.caller).await?;
        let prepared = beside::<R>(remove.context, record.id);
        self.attachments.execute(remove.id, AttachmentCommand::Remove { record }, prepared).await?;
        Ok(remove.id)
    }

    /// One attachment.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, find: FindAttachment) -> Result<Arc<Attachment>, Error> {
        let record = self.record(find.record.id, &find.caller).await?;
        self.attachments.visible(find.id, |attachment| rules::on(attachment, &record)).await
    }

    /// Checks that the caller may attach files to a record, and that it has room.
    ///
    /// # Errors
    /// `not_found`, `too_many_attachments`, `unavailable`, `overloaded`.
    pub async fn check(&self, check: CheckAttachable) -> Result<(), Error> {
        let record = self.record(check.record.id, &check.caller).await?;
        rules::free_place(&queries::places(&self.db, R::ATTACHMENTS, record.id).await?).map(drop)
    }

    /// The attachments of a record, the newest first.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn list(&self, list: ListAttachments) -> Result<Page<Attachment>, Error> {
        let record = self.record(list.record.id, &list.caller).await?;
        Ok(queries::list(&self.db, R::ATTACHMENTS, &record.ids(), &list.page).await?)
    }

    /// The record, if the caller may see it: whoever may, may attach files to it.
    async fn record(&self, id: Id, caller: &Caller) -> Result<AboutRecord, Error> {
        let record = R::about(&*self.records.visible(id, |record| R::visible(record, caller)).await?);
        Ok(AboutRecord { merged: comments::merged_into(&self.db, R::TABLE, id).await?, ..record })
    }
}

/// The consumer that deletes the bytes of what was removed, and of files that were imported. Nothing leads to them any more, and a commit that deleted them
/// itself would take long. To delete them again changes nothing.
pub struct AttachmentBytes;

impl Consumer for AttachmentBytes {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "attachments.bytes";
    const TYPES: &'static [EventType] = &[ATTACHMENT_REMOVED, IMPORT_COMMITTED];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        for event in events {
            uploads::delete_parts(db, event.event.subject).await?;
        }
        Ok(UnitOfWork::default())
    }
}
