//! Makes a backup and restores it: what `kizuna backup` and `kizuna restore` do.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use crate::app::consumers::CONSUMERS;
use crate::persistence;
use crate::persistence::SCHEMA;
use crate::persistence::backups::CONTENTS;
use crate::persistence::tally_folds::fold_tallies;
use crate::persistence::text_folds::fold_texts;
use runtime::consumer::ConsumerSpec;
use store::backup::BackupError;
use store::backup::file::{BackupReader, Header};
use store::backup::load;
use store::progress;
use store::progress::{Counted, Integrity};
use store::{Db, StoreError};

/// What a restore ends with.
#[derive(Debug)]
pub struct Restored {
    pub rows: u64,
    /// The events of the log.
    pub events: i64,
    /// How each consumer stands to the log.
    pub consumers: Vec<(&'static str, Integrity)>,
}

impl Restored {
    /// Whether no event is lost, was applied twice or out of order.
    pub fn is_sound(&self) -> bool {
        let sound = |it: &Integrity| it.lost == 0 && it.duplicated == 0 && it.out_of_order == 0;
        self.consumers.iter().all(|(_, integrity)| sound(integrity))
    }
}

/// Reads a backup from its beginning to its end.
///
/// # Errors
/// When it is not whole, or was made by a newer program.
pub fn check(file: &mut File) -> Result<Header, BackupError> {
    file.seek(SeekFrom::Start(0))?;
    BackupReader::new(&*file)?.check_all()
}

/// Puts a backup that was checked into an empty database. If it is interrupted, the database stays marked as unfinished. Call in
/// a task that is never dropped.
///
/// # Errors
/// When the database is not empty, or its schema does not fit; those of the database.
pub async fn restore(db: &Db, file: &mut File) -> Result<Restored, BackupError> {
    file.seek(SeekFrom::Start(0))?;
    let backup = BackupReader::new(&*file)?;
    let header = backup.header().clone();
    load::check(db, SCHEMA, &CONTENTS, &header).await?;
    load::begin(db).await?;
    // The schema of the backup; its rows then pass through the later migrations as those of a database that is upgraded.
    db.migrate_to(&header.migrations).await?;
    let rows = load::load(db, &CONTENTS, backup).await?;
    persistence::migrate(db).await?;
    fold(db).await?;
    load::finish(db).await?;
    let mut counted = Counted::default();
    let mut consumers = Vec::with_capacity(CONSUMERS.len());
    for ConsumerSpec { name, types, .. } in CONSUMERS {
        consumers.push((name, progress::integrity(db, name, types, &mut counted).await?));
    }
    Ok(Restored { rows, events: progress::events(db).await?, consumers })
}

/// Counts all records, and brings the indexes of texts up to date.
async fn fold(db: &Db) -> Result<(), StoreError> {
    while fold_tallies(db.clone(), 1).await?.waiting > 0 {}
    while fold_texts(db.clone(), 1).await?.waiting > 0 {}
    Ok(())
}
