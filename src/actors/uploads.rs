//! Receives files: writes their bytes part by part on the node that receives them, and remembers of each file no more than a
//! part and its beginning. A small command then attaches the file to its record, so that no file crosses a mailbox or a node.

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use kernel::caller::Caller;
use kernel::clock::{Clock, Timestamp};
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use sha2::{Digest, Sha256};
use store::{Db, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::persistence::uploads as queries;
use domain::attachment::content::Content;
use domain::attachment::file_name;
use domain::attachment::record::{Attachment, Upload};
use domain::attachment::rules::SIZE_MAX;

/// Bytes of a part.
const PART: usize = 256 * 1024;
/// Files that a node receives at the same time: as many parts are in memory.
const AT_ONCE: usize = 16;
/// The type of a file that only its reader can tell.
const ANY_TYPE: &str = "application/octet-stream";
/// How long an upload may wait for the command that attaches it.
pub const TAKEN_WITHIN: Duration = Duration::from_mins(30);
/// When an upload is swept that was never attached.
const SWEPT_AFTER: Duration = Duration::from_hours(1);

/// What a file is received for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is attached to a record: its content tells its type, which must be allowed.
    Attachment,
    /// Its rows are imported: whoever reads them says what is wrong.
    Import,
}

impl Purpose {
    /// The most bytes of such a file.
    pub const fn size_max(self) -> i64 {
        match self {
            Self::Attachment => SIZE_MAX,
            Self::Import => sheets::FILE_MAX as i64,
        }
    }

    /// The error of a longer one.
    pub const fn too_large(self) -> ErrorCode {
        match self {
            Self::Attachment => ErrorCode::AttachmentTooLarge,
            Self::Import => ErrorCode::ImportTooLarge,
        }
    }
}

/// Receives the files of a node, and reads those of attachments.
pub struct Uploads {
    db: Db,
    clock: Clock,
    places: Arc<Semaphore>,
}

impl Uploads {
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Begins to receive a file for a record, or for an import, which is no record yet.
    ///
    /// # Errors
    /// `invalid_fields` for its name; `overloaded` while too many are being received; `unavailable`.
    pub async fn begin(
        &self,
        caller: &Caller,
        (purpose, record): (Purpose, Id),
        sent_name: &str,
    ) -> Result<Receiving, Error> {
        let name = file_name::cleaned(sent_name)?;
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            Error::overloaded().with_cause(format_args!("{AT_ONCE} files are being received"))
        })?;
        let (id, now) = (new_id(), self.clock.now());
        queries::begin(&self.db, (id, record, caller.user_id), &name, now).await?;
        let upload = Upload {
            id,
            record_id: record,
            user_id: caller.user_id,
            created_at: now,
            name,
            media_type: String::new(),
            size: 0,
            sha256: String::new(),
        };
        Ok(Receiving {
            db: self.db.clone(),
            purpose,
            upload,
            part: Vec::new(),
            parts: 0,
            hash: Sha256::new(),
            content: Content::default(),
            _place: place,
        })
    }

    /// Gives a file up that was received and is not needed.
    ///
    /// # Errors
    /// The database's; the sweep finds it later.
    pub async fn discard(&self, upload: Id) -> Result<(), Error> {
        Ok(queries::discard(&self.db, upload).await?)
    }

    /// All bytes of a file of this size.
    ///
    /// # Errors
    /// `not_found` if they are not there any more; the database's.
    pub async fn bytes(&self, upload: Id, most: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        for part in 0.. {
            match queries::part(&self.db, upload, part).await? {
                Some(more) if bytes.len() + more.len() <= most => bytes.extend(more),
                Some(_) => return Err(Error::internal("a file is longer than it was")),
                None => break,
            }
        }
        if bytes.is_empty() { Err(Error::new(ErrorCode::NotFound)) } else { Ok(bytes) }
    }

    /// The content of an attachment, part by part as it is read.
    pub fn content(&self, attachment: &Attachment) -> impl Stream<Item = Result<Vec<u8>, Error>> + use<> {
        let (db, id, size) = (self.db.clone(), attachment.id, attachment.size);
        try_unfold((0, 0), move |(part, sent)| {
            let db = db.clone();
            async move {
                if sent >= size {
                    return Ok(None);
                }
                let bytes = queries::part(&db, id, part).await?;
                // Its record was deleted meanwhile.
                let bytes = bytes.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
                let sent = sent + bytes.len() as i64;
                Ok(Some((bytes, (part + 1, sent))))
            }
        })
    }
}

/// Gives up what was received long ago and never attached.
///
/// # Errors
/// The database's.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    queries::sweep(db, now.minus(SWEPT_AFTER)).await
}

/// A file that is being received.
pub struct Receiving {
    db: Db,
    purpose: Purpose,
    upload: Upload,
    part: Vec<u8>,
    parts: i64,
    hash: Sha256,
    content: Content,
    _place: OwnedSemaphorePermit,
}

impl Receiving {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// `attachment_too_large` or `import_too_large`, `unavailable`.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.upload.size += bytes.len() as i64;
        if self.upload.size > self.purpose.size_max() {
            return Err(Error::new(self.purpose.too_large()));
        }
        self.hash.update(bytes);
        self.content.feed(bytes);
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(PART - self.part.len()));
            self.part.extend_from_slice(taken);
            bytes = rest;
            if self.part.len() == PART {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let (bytes, part) = (std::mem::take(&mut self.part), self.parts);
        self.parts += 1;
        Ok(queries::put_part(&self.db, self.upload.id, self.upload.record_id, part, bytes).await?)
    }

    /// The file is whole.
    ///
    /// # Errors
    /// `invalid_fields` if it is empty, or of a type that is not allowed; `unavailable`.
    pub async fn finish(mut self) -> Result<Upload, Error> {
        let finished = self.finish_as_it_is().await;
        if finished.is_err() {
            self.discard().await;
        }
        finished
    }

    async fn finish_as_it_is(&mut self) -> Result<Upload, Error> {
        if self.upload.size == 0 {
            return Err(Error::field("file", "file_empty"));
        }
        let media_type = match self.purpose {
            Purpose::Attachment => self.content.media_type(&self.upload.name),
            Purpose::Import => Some(ANY_TYPE.to_owned()),
        };
        let media_type = media_type.ok_or_else(|| Error::field("file", "file_type_not_allowed"))?;
        if !self.part.is_empty() {
            self.flush().await?;
        }
        let sha256 = self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let upload = Upload { media_type, sha256, ..self.upload.clone() };
        queries::finish(&self.db, &upload).await?;
        Ok(upload)
    }

    /// Gives the file up. What can't be deleted now is swept later.
    pub async fn discard(self) {
        if let Err(error) = queries::discard(&self.db, self.upload.id).await {
            tracing::warn!(%error, upload = %self.upload.id, "an upload that was given up is swept later");
        }
    }
}
