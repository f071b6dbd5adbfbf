//! A comment, the record that it is about, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::search::record::RecordType;
use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;
use kernel::patch::some;
use kernel::text_schemas::CommentText;

/// A comment on a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Comment {
    pub id: Id,
    /// 2 or more: its author has edited it.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub record_type: RecordType,
    pub record_id: Id,
    pub author_id: Id,
    /// Plain text. A person is mentioned as `@[user id]`.
    #[schema(example = "@[0198c0de-0000-7000-8000-000000000000] 見積もりを確認してください。")]
    pub text: String,
    /// The people whom the text mentions, in the order of the text.
    pub mentions: Vec<Id>,
    /// Everybody who was notified of this comment: stored, but not part of the API.
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub notified: Vec<Id>,
    /// When it was deleted. Only events have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// The record that a comment or an attachment is about, as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AboutRecord {
    pub r#type: RecordType,
    pub id: Id,
    /// What it is called.
    pub title: String,
    /// The user who sees it, whatever the role: its owner, assignee or requester.
    pub owner_id: Id,
    /// The customer whom it concerns; a task may have none.
    #[schema(required)]
    pub customer_id: Option<Id>,
    /// The customers that have gone into it: what stands beside them stands beside it.
    #[serde(skip)]
    pub merged: Vec<Id>,
}

impl AboutRecord {
    /// Whether what stands beside a record of this id stands beside this one.
    pub fn has(&self, record: Id) -> bool {
        self.id == record || self.merged.contains(&record)
    }

    /// Its id, and those of the customers that have gone into it.
    pub fn ids(&self) -> Vec<Id> {
        [self.id].into_iter().chain(self.merged.iter().copied()).collect()
    }
}

/// A new comment.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// A person is mentioned as `@[user id]`, or by `@` and their whole address, which is stored as the former.
    #[schema(value_type = CommentText)]
    pub text: String,
}

/// The change of a comment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentChanges {
    #[schema(value_type = CommentText, required = false)]
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    pub text: Option<String>,
}

/// `comment.created`, `comment.updated`, `comment.deleted`: the comment after it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CommentPayload {
    pub comment: Comment,
    pub record: AboutRecord,
    /// Who is notified of it: the people newly mentioned and, of a new comment, the record's owner.
    #[serde(default)]
    pub notify: Vec<Id>,
}

impl Versioned for Comment {
    fn version(&self) -> i64 {
        self.version
    }
}
