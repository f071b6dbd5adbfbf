//! The attachments on a record's page: one part for the pages of all records.

use crate::http::beside;
use crate::http::console::kit::frame::Frame;
use crate::http::console::kit::lookups;
use crate::http::console::kit::lookups::References;
use crate::http::console::kit::session_user::SessionUser;
use domain::attachment::messages::ListAttachments;
use domain::attachment::record::Attachment;
use domain::attachment::rules::{ATTACHMENTS_MAX, SIZE_MAX, may_remove};
use domain::comment::messages::RecordRef;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// An attachment.
pub struct AttachmentRow {
    pub id: Id,
    pub name: String,
    pub size: String,
    pub author: String,
    pub created_at: Timestamp,
    pub may_remove: bool,
}

/// The part of a page with the attachments of a record; templates call it `attachments`.
pub struct AttachmentsView {
    /// The address of the attachments.
    pub path: String,
    pub rows: Vec<AttachmentRow>,
    /// Why a file was not attached.
    pub problem: Option<String>,
    /// Tells the newest attachment from the one before it.
    pub state: String,
    /// The page to come back to.
    pub back: String,
    /// The most bytes of a file.
    pub most: i64,
}

impl AttachmentsView {
    /// All attachments of a record.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn of(me: &SessionUser, f: &Frame, record: RecordRef) -> Result<Self, Error> {
        let page = PageRequest::first(ATTACHMENTS_MAX);
        let list = ListAttachments { record, caller: me.caller(), page };
        let found = beside::ask(&me.gateway, record, list).await?.items;
        let references = References::default().users(found.iter().map(|it| it.author_id));
        let names = lookups::load(&me.gateway, me.caller(), references).await?;
        let row = |it: &Attachment| AttachmentRow {
            id: it.id,
            name: it.name.clone(),
            size: size(it.size),
            author: names.user(f, it.author_id),
            created_at: it.created_at,
            may_remove: may_remove(it, &me.caller()),
        };
        Ok(Self {
            state: found.first().map(|newest| newest.id.to_string()).unwrap_or_default(),
            rows: found.iter().map(row).collect(),
            problem: None,
            path: format!("{}/attachments", beside::path(record)),
            back: me.request.path().to_owned(),
            most: SIZE_MAX,
        })
    }
}

/// A number of bytes, as people read it.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 2] = ["KiB", "MiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let unit = usize::from(bytes >= 1024 * 1024);
    let tenths = bytes * 10 / [1024, 1024 * 1024][unit];
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if whole >= 10 || tenth == 0 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenth} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_their_unit() {
        for (bytes, shown) in [
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (20 * 1024 + 900, "20 KiB"),
            (SIZE_MAX, "10 MiB"),
            (3 * 1024 * 1024 / 2, "1.5 MiB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
