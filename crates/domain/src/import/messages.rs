//! The messages about imports: of the customer service, which keeps them, and of each service whose records they make.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::changes::FieldChange;
use crate::import::record::{ImportKind, ImportRow, MatchOn, RowOutcome};
use crate::import::row::ParsedRow;
use crate::import::rules::Found;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::FieldError;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};

/// The most rows of one [`CheckRows`].
pub const ROWS_CHECKED_MAX: usize = 200;
/// Imports of a user that are previewed and not carried out, at most: a further one takes the place of the oldest.
pub const OPEN_MAX: i64 = 20;

/// The one order of imports: the newest first.
pub const IMPORTS_NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Keeps a new import, whose file was received and read.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateImport {
    /// The upload, whose id becomes the import's.
    pub upload: Id,
    pub kind: ImportKind,
    pub file_name: String,
    pub found: Found,
    pub rows: Vec<ImportRow>,
    pub context: Context,
}

/// Keeps what reading the file of an import again has found.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChangeImport {
    pub id: Id,
    pub found: Found,
    pub rows: Vec<ImportRow>,
    pub context: Context,
}

/// Begins the saga that carries out an import.
#[derive(Clone, Serialize, Deserialize)]
pub struct CommitImport {
    pub id: Id,
    pub context: Context,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct FindImport {
    pub id: Id,
    pub caller: Caller,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct ListImports {
    pub caller: Caller,
    pub page: PageRequest,
}

/// The rows of an outcome that an import keeps: the first ones.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListImportRows {
    pub id: Id,
    pub outcome: RowOutcome,
    pub caller: Caller,
}

/// Finds the customers that the caller may see and that have these addresses (in lower case) or external ids.
#[derive(Clone, Serialize, Deserialize)]
pub struct MatchCustomers {
    pub emails: BTreeSet<String>,
    pub external_ids: BTreeSet<String>,
    pub caller: Caller,
}

/// The customers that were found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MatchedCustomers {
    pub by_email: Vec<(String, Id)>,
    pub by_external_id: Vec<(String, Id)>,
}

/// Says what would become of rows. Nothing is written.
#[derive(Clone, Serialize, Deserialize)]
pub struct CheckRows {
    pub kind: ImportKind,
    pub match_on: MatchOn,
    pub rows: Vec<ParsedRow>,
    pub caller: Caller,
}

/// What would become of a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckedRow {
    pub row: i64,
    pub outcome: RowOutcome,
    pub record_id: Option<Id>,
    pub changes: Vec<FieldChange>,
    pub faults: Vec<FieldError>,
    /// What the commit is to do, for a row that is new or changed.
    pub work: Option<RowWork>,
}

/// What the commit does for a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowWork {
    pub row: i64,
    /// The record; that of a new one is chosen here.
    pub id: Id,
    pub is_new: bool,
    /// The fields that are set.
    pub fields: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// Stores a batch of a saga that is not begun yet.
#[derive(Clone, Serialize, Deserialize)]
pub struct StageRows {
    pub kind: ImportKind,
    pub saga: Id,
    pub number: i64,
    pub rows: Vec<RowWork>,
    pub context: Context,
}

/// Drops the batches of a saga that never began: another preview has taken its place.
#[derive(Clone, Serialize, Deserialize)]
pub struct DropRows {
    pub saga: Id,
    pub context: Context,
}
