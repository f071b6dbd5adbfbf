//! Comments, for every service that has records: one code, generic over the record.
//!
//! A comment is an aggregate of its own, so that it does not change the version of its record. Each of its commits has the
//! condition that the record lives. The comments of a deleted record are kept as long as the deletion can be undone; nobody can
//! read them meanwhile.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;

use crate::actors::auth::client::AuthPeer;
use crate::persistence::comments as queries;
use crate::persistence::discarded;
use domain::comment::messages::{AddComment, ChangeComment, DeleteComment, FindComment, ListComments};
use domain::comment::record::{AboutRecord, Comment};
use domain::comment::rules;
use domain::comment::rules::{CheckedText, CommentCommand, CommentEvent};
use domain::user::messages::FindMentioned;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::Error;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::entity::{Aggregate, Entities};
use runtime::prepared::Prepared;
use store::Db;
use store::table::Table;
use store::unit_of_work::{UnitOfWork, Write};

/// A kind of record that people comment on and attach files to.
pub trait Annotated: Aggregate {
    /// The kind of its comments, for example `sales.meeting_comment`.
    const COMMENT_KIND: &'static str;
    /// Where its comments are stored.
    const COMMENTS: &'static Table;
    /// The kind of its attachments, for example `sales.meeting_attachment`.
    const ATTACHMENT_KIND: &'static str;
    /// Where its attachments are stored.
    const ATTACHMENTS: &'static Table;

    /// The record, if it is there and the caller may see it.
    ///
    /// # Errors
    /// `not_found`.
    fn visible<'a>(state: Option<&'a Self::State>, caller: &Caller) -> Result<&'a Self::State, Error>;

    /// The record, as its comments and attachments name it.
    fn about(state: &Self::State) -> AboutRecord;
}

/// Hands a message about what stands beside a record to the service's part for records of its type.
macro_rules! on_record {
    ($service:ident, $message:ident, $method:ident, $($type:ident => $part:ident),+) => {
        match $message.record.r#type {
            $(domain::search::record::RecordType::$type => $service.$part.$method($message).await,)+
            _ => Err(kernel::error::Error::new(kernel::error::ErrorCode::NotFound)),
        }
    };
}
pub(super) use on_record;

/// What is committed with the deletion of a record of this kind: its comments and files are kept as long as it can come back.
pub fn kept_with<R: Annotated>(record: Id, deleted_at: Timestamp) -> Vec<Write> {
    vec![discarded::note(R::TABLE, record, deleted_at)]
}

/// What is committed when a record is back.
pub fn back_with(record: Id) -> Vec<Write> {
    vec![discarded::forget(record)]
}

/// A comment on a record of kind `R`, as an aggregate.
pub struct CommentAggregate<R>(PhantomData<fn() -> R>);

impl<R: Annotated> Aggregate for CommentAggregate<R> {
    const KIND: &'static str = R::COMMENT_KIND;
    type State = Comment;
    type Command = CommentCommand;
    type Event = CommentEvent;

    const TABLE: &'static Table = R::COMMENTS;

    fn decide(
        state: Option<&Comment>,
        command: &CommentCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<CommentEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    fn row(state: &Comment) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            state: &'a Comment,
            notified: &'a [Id],
        }
        serde_json::to_string(&Row { state, notified: &state.notified }).expect("states are plain structs")
    }

    fn is_kept(state: &Comment) -> bool {
        state.deleted_at.is_none()
    }
}

/// The comments on the records of one kind.
pub struct Comments<R: Annotated> {
    pub db: Db,
    pub records: Entities<R>,
    pub comments: Entities<CommentAggregate<R>>,
    pub auth: AuthPeer,
}

impl<R: Annotated> Comments<R> {
    /// Adds a comment, and notifies whom it concerns.
    ///
    /// # Errors
    /// `not_found`, `invalid_fields`, `unavailable`, `overloaded`.
    pub async fn add(&self, add: AddComment) -> Result<Arc<Comment>, Error> {
        let new = rules::check_new(add.comment)?;
        let record = self.record(add.record.id, &add.context.caller).await?;
        let text = self.checked(&new.text, &record, &[]).await?;
        let prepared = beside::<R>(add.context, record.id);
        self.comments.create(new_id(), CommentCommand::Add { text, record }, prepared).await
    }

    /// Changes a comment of the caller's.
    ///
    /// # Errors
    /// As [`Comments::add`], and `forbidden`, `stale_version`.
    pub async fn change(&self, change: ChangeComment) -> Result<Arc<Comment>, Error> {
        let changes = rules::check_changes(change.changes)?;
        let caller = change.context.caller;
        let record = self.record(change.record.id, &caller).await?;
        let comment = self.comments.visible(change.id, |comment| rules::on(comment, &record)).await?;
        let text = match &changes.text {
            // Whoever may not edit it learns nothing of whom it mentions.
            Some(text) if rules::may_edit(&comment, &caller) => {
                self.checked(text, &record, &comment.mentions).await?
            }
            _ => CheckedText::of(&comment),
        };
        let prepared = beside::<R>(change.context, record.id);
        self.comments.execute(change.id, CommentCommand::Edit { text, record }, prepared).await
    }

    /// Deletes a comment.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `stale_version`, `unavailable`, `overloaded`.
    pub async fn delete(&self, delete: DeleteComment) -> Result<Id, Error> {
        let record = self.record(delete.record.id, &delete.context.caller).await?;
        let prepared = beside::<R>(delete.context, record.id);
        self.comments.execute(delete.id, CommentCommand::Delete { record }, prepared).await?;
        Ok(delete.id)
    }

    /// One comment.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, find: FindComment) -> Result<Arc<Comment>, Error> {
        let record = self.record(find.record.id, &find.caller).await?;
        self.comments.visible(find.id, |comment| rules::on(comment, &record)).await
    }

    /// The comments on a record, the newest first.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn list(&self, list: ListComments) -> Result<Page<Comment>, Error> {
        let record = self.record(list.record.id, &list.caller).await?;
        Ok(queries::list(&self.db, R::COMMENTS, &record.ids(), &list.page).await?)
    }

    /// The record, if the caller may see it: whoever may, may comment.
    async fn record(&self, id: Id, caller: &Caller) -> Result<AboutRecord, Error> {
        let record = R::about(&*self.records.visible(id, |record| R::visible(record, caller)).await?);
        Ok(AboutRecord { merged: queries::merged_into(&self.db, R::TABLE, id).await?, ..record })
    }

    /// The text with its mentions resolved. Auth is asked only if there are any.
    async fn checked(&self, text: &str, record: &AboutRecord, before: &[Id]) -> Result<CheckedText, Error> {
        let (ids, addresses) = rules::check_number(text)?;
        let found = match ids.is_empty() && addresses.is_empty() {
            true => Vec::new(),
            false => self.auth.ask(FindMentioned { ids, addresses }).await?,
        };
        rules::check_mentions(text, &found, record.owner_id, before)
    }
}

/// A command on what stands beside a record, on condition that the record lives.
pub fn beside<R: Annotated>(context: Context, record: Id) -> Prepared {
    let live_checks = queries::lives(R::TABLE, record).into_iter().collect();
    Prepared::new(context, UnitOfWork { live_checks, ..UnitOfWork::default() })
}
