//! The messages about attachments, to the service of the record.

use serde::{Deserialize, Serialize};

use crate::comment::messages::RecordRef;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// The order of attachments: the newest first.
pub const ATTACHMENTS_NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Attaches a file that was received: the upload of this id becomes the attachment of this id.
#[derive(Clone, Serialize, Deserialize)]
pub struct AddAttachment {
    pub record: RecordRef,
    pub upload: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct RemoveAttachment {
    pub record: RecordRef,
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindAttachment {
    pub record: RecordRef,
    pub id: Id,
    pub caller: Caller,
}

/// Checks that the caller may attach files to a record, before the file is received.
#[derive(Clone, Serialize, Deserialize)]
pub struct CheckAttachable {
    pub record: RecordRef,
    pub caller: Caller,
}

/// Lists the attachments of a record that the caller may see, the newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListAttachments {
    pub record: RecordRef,
    pub caller: Caller,
    pub page: PageRequest,
}
