//! An import, what it found in its file, and the payload of its events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::changes::FieldChange;
use crate::saga::record::SagaKind;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::FieldError;
use kernel::event::Versioned;
use kernel::ids::Id;

/// The faults that an import keeps.
pub const FAULTS_MAX: usize = 1_000;
/// The rows of an outcome that an import keeps.
pub const ROWS_KEPT_MAX: usize = 1_000;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:tt),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name in the API and the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The one of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == name)
            }

            /// All names, for a message that says what is allowed.
            pub fn choices() -> String {
                Self::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
            }
        }
    };
}

words! {
    /// What the rows of a file are.
    ImportKind { Customers = "customers", Meetings = "meetings", Tasks = "tasks", Deals = "deals" }
}

words! {
    /// By what a row finds the record that is there already.
    MatchOn {
        /// The address of a customer.
        Email = "email",
        /// The record's id in the program that the file comes from.
        ExternalId = "external_id",
    }
}

words! {
    /// How far an import is.
    ImportStatus {
        /// Nothing is written yet.
        Previewed = "previewed",
        /// The saga is under way.
        Committing = "committing",
        Committed = "committed",
        Undone = "undone",
    }
}

words! {
    /// In which order a day is written that has neither a name of a month nor the year first.
    DateOrder {
        /// No such day is read: nobody knows what `4/5/2026` is.
        Ymd = "ymd",
        Dmy = "dmy",
        Mdy = "mdy",
    }
}

words! {
    /// What stands before the decimals of an amount.
    DecimalMark { Point = ".", Comma = "," }
}

words! {
    /// What becomes of a row.
    RowOutcome {
        /// It makes a record.
        New = "new",
        /// It changes the record that it names.
        Changed = "changed",
        /// Its record has the values already.
        Same = "same",
        /// It has faults, and makes and changes nothing.
        Wrong = "wrong",
    }
}

impl ImportKind {
    /// The saga that carries it out.
    pub const fn saga(self) -> SagaKind {
        match self {
            Self::Customers => SagaKind::CustomersImport,
            Self::Meetings => SagaKind::MeetingsImport,
            Self::Tasks => SagaKind::TasksImport,
            Self::Deals => SagaKind::DealsImport,
        }
    }
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The fields of the columns, by their headers; a column that is not named is passed over.
    pub mapping: BTreeMap<String, String>,
    pub match_on: MatchOn,
    pub date_order: DateOrder,
    pub decimal: DecimalMark,
    /// Of days and times without a zone.
    pub time_zone: String,
}

/// The rows of an import, by what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportCounts {
    pub new: i64,
    pub changed: i64,
    /// Those whose record has the values already.
    pub same: i64,
    pub wrong: i64,
}

impl ImportCounts {
    pub fn add(&mut self, outcome: RowOutcome) {
        *self.of_mut(outcome) += 1;
    }

    pub fn of(mut self, outcome: RowOutcome) -> i64 {
        *self.of_mut(outcome)
    }

    fn of_mut(&mut self, outcome: RowOutcome) -> &mut i64 {
        match outcome {
            RowOutcome::New => &mut self.new,
            RowOutcome::Changed => &mut self.changed,
            RowOutcome::Same => &mut self.same,
            RowOutcome::Wrong => &mut self.wrong,
        }
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFault {
    /// The row's number in the file; the headers mostly stand in row 1.
    pub row: i64,
    /// The header of the column; `None`: the fault is of the row, or the file has no column for the field.
    pub column: Option<String>,
    /// The field, if the fault is of one.
    pub field: Option<String>,
    pub code: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
}

impl RowFault {
    /// The fault of a field; `None`: of the whole row.
    pub fn of(row: i64, column: Option<&str>, error: FieldError) -> Self {
        let FieldError { field, code, limit, allowed } = error;
        let field = Some(field).filter(|field| !field.is_empty());
        Self { row, column: column.map(str::to_owned), field, code, limit, allowed }
    }

    /// The fault as that of a field of a body.
    pub fn error(&self) -> FieldError {
        let field = self.field.clone().unwrap_or_default();
        FieldError { field, code: self.code.clone(), limit: self.limit, allowed: self.allowed.clone() }
    }
}

/// A row, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportRow {
    pub row: i64,
    pub outcome: RowOutcome,
    /// The record that it makes or names.
    pub record_id: Option<Id>,
    pub changes: Vec<FieldChange>,
    pub faults: Vec<RowFault>,
}

/// What a preview has prepared for the commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// The saga that is not begun yet, under whose id the batches are.
    pub saga: Id,
    /// The number of batches.
    pub batches: i64,
    /// By whose rights the rows were checked.
    pub by: Caller,
}

/// An import as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Id,
    pub kind: ImportKind,
    pub file_name: String,
    /// `csv` or `xlsx`.
    pub format: String,
    /// The encoding of CSV.
    pub encoding: Option<String>,
    pub headers: Vec<String>,
    #[serde(flatten)]
    pub reading: Reading,
    pub status: ImportStatus,
    pub counts: ImportCounts,
    pub faults: Vec<RowFault>,
    /// The saga that carries it out, once it has begun.
    pub saga: Option<Id>,
    pub staged: Staged,
}

impl Import {
    /// Whether its rows were checked by the rights that the caller has now.
    pub fn is_previewed_by(&self, caller: &Caller) -> bool {
        (self.staged.by.user_id, self.staged.by.role) == (caller.user_id, caller.role)
    }
}

impl Versioned for Import {
    fn version(&self) -> i64 {
        self.version
    }
}

/// `import.committed`, `import.undone`: the import after it, without what its file held.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportPayload {
    pub import: CommittedImport,
}

/// An import whose saga is completed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CommittedImport {
    pub id: Id,
    pub kind: ImportKind,
    pub file_name: String,
    pub status: ImportStatus,
    /// What the preview found; what the saga did is in the saga.
    pub counts: ImportCounts,
    pub saga_id: Id,
    pub created_by: Id,
}
