//! Backups: a file with the rows of all tables at one moment, which either kind of database takes (docs/decisions/0052).
//!
//! `file` has the format, `tables` the SQL that reads and writes any table, [`save`] makes a backup beside running servers, and
//! [`load`] puts it into an empty database.

pub mod file;
pub mod load;
pub mod save;
mod tables;

use std::io;

pub(crate) use crate::backup::tables::UNFINISHED;
use crate::error::StoreError;

/// What a backup has of a schema. The tables are found in the database itself, so that a new one is in every backup.
#[derive(Clone, Copy, Debug)]
pub struct Contents {
    /// Tables that are not in a backup: they are made again from others, or hold only for the running servers.
    pub left_out: &'static [&'static str],
    /// Columns that only one kind of database has, and fills by itself: `table.column`.
    pub of_one_kind: &'static [&'static str],
    /// A database with a row in one of these tables is in use.
    pub in_use: &'static [&'static str],
}

/// Why a backup could not be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("it is no backup of Kizuna")]
    Foreign,
    #[error("it is damaged or cut off ({0}); nothing was restored")]
    Damaged(String),
    #[error(
        "it has the format {found} and this program reads {known}: restore it with the program that made it"
    )]
    NewerFormat { found: u32, known: u32 },
    #[error(
        "it was made with a newer schema (migration {0:04}), which this program does not know: restore it with a program that is as new"
    )]
    NewerSchema(i64),
    #[error(
        "the database has a newer schema (migration {0:04}) than this program knows: use a program that is as new"
    )]
    NewerDatabase(i64),
    #[error("the database is in use ({0} has rows): a backup is restored into an empty database only")]
    InUse(String),
    #[error("the database has another schema than the backup: restore into a database without tables")]
    OtherSchema,
    #[error("the table {0} of the backup does not fit this schema")]
    Unfit(String),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<serde_json::Error> for BackupError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
