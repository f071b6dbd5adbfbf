//! The messages about comments, to the service of the record.

use serde::{Deserialize, Serialize};

use crate::comment::record::{CommentChanges, NewComment};
use crate::search::record::RecordType;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// The order of comments: the newest first.
pub const COMMENTS_NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// A record that has comments and attachments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRef {
    pub r#type: RecordType,
    pub id: Id,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct AddComment {
    pub record: RecordRef,
    pub comment: NewComment,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeComment {
    pub record: RecordRef,
    pub id: Id,
    pub changes: CommentChanges,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DeleteComment {
    pub record: RecordRef,
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindComment {
    pub record: RecordRef,
    pub id: Id,
    pub caller: Caller,
}

/// Lists the comments on a record that the caller may see, the newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListComments {
    pub record: RecordRef,
    pub caller: Caller,
    pub page: PageRequest,
}
