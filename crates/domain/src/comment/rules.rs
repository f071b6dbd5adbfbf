//! The rules of comments. Pure.

use serde_json::value::RawValue;

use crate::comment::mentions;
use crate::comment::record::{AboutRecord, Comment, CommentChanges, CommentPayload, NewComment};
use crate::events as catalogue;
use crate::user::messages::Mentionable;
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use kernel::scopes::Scopes;
use kernel::text_schemas::CommentText;
use kernel::validation::{Checked, Rules, Validator, faults_of};

/// The most people whom a comment mentions, and whom it has notified over all its edits.
pub const MENTIONS_MAX: usize = 20;
pub const NOTIFIED_MAX: usize = 100;

/// The commands of a comment; each knows the record as it is now.
#[derive(Debug)]
pub enum CommentCommand {
    Add { text: CheckedText, record: AboutRecord },
    Edit { text: CheckedText, record: AboutRecord },
    Delete { record: AboutRecord },
}

/// What happened to a comment, with the comment after it.
#[derive(Debug)]
pub struct CommentEvent {
    event_type: EventType,
    after: Comment,
    record: AboutRecord,
    notify: Vec<Id>,
}

/// A text whose mentions are resolved and allowed: what [`check_mentions`] makes, and what a comment has.
#[derive(Clone, Debug)]
pub struct CheckedText(String);

impl CheckedText {
    /// The text that a comment has already.
    pub fn of(comment: &Comment) -> Self {
        Self(comment.text.clone())
    }
}

/// Checks a new comment.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(mut new: NewComment) -> Result<Checked<NewComment>, Error> {
    let mut validator = Validator::default();
    validator.required::<CommentText>("text", &mut new.text);
    validator.ok(new)
}

/// Checks the change of a comment.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(mut changes: CommentChanges) -> Result<Checked<CommentChanges>, Error> {
    let mut validator = Validator::default();
    validator.required::<CommentText>("text", &mut changes.text);
    validator.ok(changes)
}

impl Rules for NewComment {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for CommentChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

/// How many mentions a text asks to look up, if they are not too many.
///
/// # Errors
/// `too_many_mentions`.
pub fn check_number(text: &str) -> Result<(Vec<Id>, Vec<String>), Error> {
    let (ids, addresses) = (mentions::mentioned(text), mentions::addresses(text));
    if ids.len() + addresses.len() > MENTIONS_MAX {
        return Err(too_many(MENTIONS_MAX));
    }
    Ok((ids, addresses))
}

fn too_many(limit: usize) -> Error {
    Error::fields(vec![FieldError::limit("text", "too_many_mentions", limit as i64)])
}

/// Resolves the mentions of a text: everybody must be one of the live users `found`, and must see the record. Whom the
/// comment has mentioned `before` may stay.
///
/// # Errors
/// `unknown_mention`, `mention_cannot_read` (both name whom they are about), `too_long`.
pub fn check_mentions(
    text: &str,
    found: &[Mentionable],
    owner: Id,
    before: &[Id],
) -> Result<CheckedText, Error> {
    let users = found.iter().map(|user| (user.email.clone(), user.id)).collect();
    let resolved = mentions::resolved(text, &users);
    let live = |id: &Id| found.iter().find(|user| user.id == *id);
    let mut ids = mentions::mentioned(&resolved);
    ids.retain(|id| !before.contains(id));
    let unknown = ids.iter().filter(|id| live(id).is_none()).map(|id| mentions::stored(*id));
    let unknown: Vec<_> =
        unknown.chain(mentions::addresses(&resolved).into_iter().map(|it| format!("@{it}"))).collect();
    let blind = ids.iter().filter_map(live).filter(|user| !may_read(user.id, user.role, owner));
    let blind: Vec<_> = blind.map(|user| user.name.clone()).collect();
    let named = |code, names: Vec<String>| {
        (!names.is_empty()).then(|| FieldError::new("text", code).allowing(names.join(", ")))
    };
    let faults = [named("unknown_mention", unknown), named("mention_cannot_read", blind)];
    let faults: Vec<FieldError> = faults.into_iter().flatten().collect();
    if !faults.is_empty() {
        return Err(Error::fields(faults));
    }
    // An id is longer than some addresses.
    check_new(NewComment { text: resolved }).map(|checked| CheckedText(checked.text.clone()))
}

/// Whether a user may read a record of this owner, and so be mentioned on it.
pub fn may_read(user: Id, role: Role, owner: Id) -> bool {
    Caller { user_id: user, role, session_id: Id::nil(), scopes: Scopes::ALL }.sees(owner)
}

/// The events that a command leads to. That the caller sees the record was checked.
///
/// # Errors
/// `not_found`, `forbidden`, `too_many_mentions`.
pub fn decide(
    state: Option<&Comment>,
    command: &CommentCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<CommentEvent>, Error> {
    let (CommentCommand::Add { record, .. }
    | CommentCommand::Edit { record, .. }
    | CommentCommand::Delete { record }) = command;
    let of = |event_type, after, notify| CommentEvent { event_type, after, record: record.clone(), notify };
    if let (CommentCommand::Add { text, .. }, None) = (command, state) {
        let mut comment = blank(caller.user_id, record, id, now);
        let notify = say(&mut comment, text, [record.owner_id])?;
        return Ok(vec![of(catalogue::COMMENT_CREATED, comment, notify)]);
    }
    let comment = on(state, record)?;
    let mut after = Comment { version: comment.version + 1, updated_at: now, ..comment.clone() };
    match command {
        CommentCommand::Add { .. } => Err(Error::internal("a second creation of one comment")),
        CommentCommand::Edit { .. } if comment.author_id != caller.user_id => {
            Err(Error::new(ErrorCode::Forbidden))
        }
        CommentCommand::Edit { text, .. } if text.0 == comment.text => Ok(Vec::new()),
        CommentCommand::Edit { text, .. } => {
            let notify = say(&mut after, text, [])?;
            Ok(vec![of(catalogue::COMMENT_UPDATED, after, notify)])
        }
        CommentCommand::Delete { .. } if !may_delete(comment, caller) => {
            Err(Error::new(ErrorCode::Forbidden))
        }
        CommentCommand::Delete { .. } => {
            after.deleted_at = Some(now);
            Ok(vec![of(catalogue::COMMENT_DELETED, after, Vec::new())])
        }
    }
}

/// Whether the caller may edit a comment.
pub fn may_edit(comment: &Comment, caller: &Caller) -> bool {
    comment.author_id == caller.user_id
}

/// Whether the caller may delete a comment: its author, and every ADMIN.
pub fn may_delete(comment: &Comment, caller: &Caller) -> bool {
    may_edit(comment, caller) || caller.role == Role::Admin
}

/// The comment, if it is on this record.
///
/// # Errors
/// `not_found`.
pub fn on<'a>(state: Option<&'a Comment>, record: &AboutRecord) -> Result<&'a Comment, Error> {
    let found = state.filter(|comment| record.has(comment.record_id) && comment.deleted_at.is_none());
    found.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

fn blank(author_id: Id, record: &AboutRecord, id: Id, now: Timestamp) -> Comment {
    Comment {
        id,
        version: 1,
        created_at: now,
        updated_at: now,
        record_type: record.r#type,
        record_id: record.id,
        author_id,
        text: String::new(),
        mentions: Vec::new(),
        notified: Vec::new(),
        deleted_at: None,
    }
}

/// Gives the comment its text. Returns whom to notify: the mentioned and `others`, each once in the comment's life, never
/// its author.
fn say(
    comment: &mut Comment,
    text: &CheckedText,
    others: impl IntoIterator<Item = Id>,
) -> Result<Vec<Id>, Error> {
    comment.text.clone_from(&text.0);
    comment.mentions = mentions::mentioned(&text.0);
    let mut notify = Vec::new();
    for id in comment.mentions.iter().copied().chain(others) {
        if id != comment.author_id && !comment.notified.contains(&id) {
            comment.notified.push(id);
            notify.push(id);
        }
    }
    if comment.notified.len() > NOTIFIED_MAX { Err(too_many(NOTIFIED_MAX)) } else { Ok(notify) }
}

impl StateAfter for CommentEvent {
    type State = Comment;

    fn after(&self) -> &Comment {
        &self.after
    }
}

impl DomainEvent for CommentEvent {
    fn event_type(&self) -> EventType {
        self.event_type
    }

    fn data(&self) -> Box<RawValue> {
        let (comment, record) = (self.after.clone(), self.record.clone());
        raw(&CommentPayload { comment, record, notify: self.notify.clone() })
    }

    // A record's comments are in order with its own events.
    fn partition_key(&self, _: Id) -> Id {
        self.record.id
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
