//! Files that are received, and the bytes of attachments. Bytes are written outside the journal, part by part: a commit with
//! a whole file would keep every other commit waiting.

use domain::attachment::record::Upload;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use serde::Deserialize;
use store::db::{Db, StoreError};
use store::sql::Sql;
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::Write;

/// Parts deleted by one statement: some 16 MiB.
const PARTS_AT_ONCE: i64 = 64;
/// Uploads that were given up and are swept at a time.
const SWEPT_AT_ONCE: i64 = 256;

pub static UPLOADS: Table = Table {
    name: "uploads",
    columns: &[
        ("id", Kind::Id),
        ("version", Kind::Int),
        ("created_at", Kind::Time),
        ("record_id", Kind::Id),
        ("user_id", Kind::Id),
        ("name", Kind::Text),
        ("media_type", Kind::Text),
        ("size", Kind::Int),
        ("sha256", Kind::Text),
    ],
    on_conflict: OnConflict::Fail,
    fence: "version",
};

/// Stores that a file begins to be received.
pub async fn begin(
    db: &Db,
    (id, record, user): (Id, Id, Id),
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert =
        "INSERT INTO uploads (id, version, created_at, record_id, user_id, name) VALUES (?, ?, ?, ?, ?, ?)";
    let values = [id.into(), 1.into(), now.into(), record.into(), user.into(), name.into()];
    db.execute(Sql::default().push(insert, values)).await.map(drop)
}

/// Stores the next part of a file.
pub async fn put_part(db: &Db, upload: Id, record: Id, part: i64, bytes: Vec<u8>) -> Result<(), StoreError> {
    let insert = "INSERT INTO attachment_parts (upload_id, part, record_id, bytes) VALUES (?, ?, ?, ?)";
    let values = [upload.into(), part.into(), record.into(), bytes.into()];
    db.execute(Sql::default().push(insert, values)).await.map(drop)
}

/// Stores that a file is whole, and what it is.
pub async fn finish(db: &Db, upload: &Upload) -> Result<(), StoreError> {
    let update = "UPDATE uploads SET media_type = ?, size = ?, sha256 = ? WHERE id = ?";
    let values = [
        upload.media_type.as_str().into(),
        upload.size.into(),
        upload.sha256.as_str().into(),
        upload.id.into(),
    ];
    db.execute(Sql::default().push(update, values)).await.map(drop)
}

/// A whole upload.
pub async fn find(db: &Db, id: Id) -> Result<Option<Upload>, StoreError> {
    let tail = Sql::default().filter("id = ?", [id.into()]).filter("media_type IS NOT NULL", []);
    Ok(db.rows(&UPLOADS, tail).await?.into_iter().next())
}

/// Takes an upload over, on condition that nobody has and that it was not swept.
pub fn take_over(id: Id) -> Write {
    Write::delete(&UPLOADS, id).expecting(1)
}

/// A part of a file; `None` if it is not there.
pub async fn part(db: &Db, upload: Id, part: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = Sql::new("SELECT bytes FROM attachment_parts");
    db.bytes(sql.filter("upload_id = ?", [upload.into()]).filter("part = ?", [part.into()])).await
}

/// Deletes the bytes of a file.
pub async fn delete_parts(db: &Db, upload: Id) -> Result<(), StoreError> {
    delete_where(db, "upload_id", upload).await
}

/// Deletes the bytes of all files of a record.
pub async fn delete_parts_of(db: &Db, record: Id) -> Result<(), StoreError> {
    delete_where(db, "record_id", record).await
}

/// In steps, so that commits come between.
async fn delete_where(db: &Db, column: &str, id: Id) -> Result<(), StoreError> {
    loop {
        let some = format!(
            "DELETE FROM attachment_parts WHERE (upload_id, part) IN \
             (SELECT upload_id, part FROM attachment_parts WHERE {column} = ?"
        );
        let delete = Sql::default().push(&some, [id.into()]).limit(PARTS_AT_ONCE).push(")", []);
        if db.execute(delete).await? < PARTS_AT_ONCE as u64 {
            return Ok(());
        }
    }
}

/// Gives an upload up.
pub async fn discard(db: &Db, upload: Id) -> Result<(), StoreError> {
    delete_parts(db, upload).await?;
    db.execute(Sql::default().push("DELETE FROM uploads WHERE id = ?", [upload.into()])).await.map(drop)
}

/// Gives up uploads that began before `before` and were never taken over, some at a time; returns how many.
pub async fn sweep(db: &Db, before: Timestamp) -> Result<u64, StoreError> {
    #[derive(Deserialize)]
    struct Row {
        id: Id,
    }
    static SHAPE: Table =
        Table { name: "swept", columns: &[("id", Kind::Id)], on_conflict: OnConflict::Fail, fence: "id" };
    let old = Sql::new("SELECT id FROM uploads").filter("created_at < ?", [before.into()]);
    let old: Vec<Row> =
        db.rows_of(&SHAPE, old.push(" ORDER BY created_at, id", []).limit(SWEPT_AT_ONCE)).await?;
    let swept = old.len() as u64;
    for Row { id } in old {
        // So old an upload is attached no more. The row goes last: what is interrupted is found again.
        discard(db, id).await?;
    }
    Ok(swept)
}
