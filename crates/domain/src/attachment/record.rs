//! An attachment and the payload of its events. Its bytes are in neither.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::comment::record::AboutRecord;
use crate::search::record::RecordType;
use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// A file beside a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attachment {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub record_type: RecordType,
    pub record_id: Id,
    /// Who attached it.
    pub author_id: Id,
    #[schema(example = "見積書.pdf")]
    pub name: String,
    /// What its content is, as it is served.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    /// In bytes.
    pub size: i64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its place among the record's, from 1: stored, but not part of the API.
    #[serde(default, skip_serializing)]
    #[schema(ignore)]
    pub place: i64,
    /// When it was removed. Only events have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub deleted_at: Option<Timestamp>,
}

/// A file that was received and belongs to no record yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub id: Id,
    pub record_id: Id,
    pub user_id: Id,
    pub created_at: Timestamp,
    pub name: String,
    pub media_type: String,
    pub size: i64,
    pub sha256: String,
}

/// `attachment.added`, `attachment.removed`: the attachment after it, without its bytes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AttachmentPayload {
    pub attachment: Attachment,
    pub record: AboutRecord,
}

impl Versioned for Attachment {
    fn version(&self) -> i64 {
        self.version
    }
}
