//! The rules of imports as records: who sees one, and when it is changed and carried out. Pure.

use serde_json::value::RawValue;

use crate::events as catalogue;
use crate::import::record::{
    CommittedImport, Import, ImportCounts, ImportKind, ImportPayload, ImportStatus, Reading, RowFault, Staged,
};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use kernel::ids::Id;
use serde::{Deserialize, Serialize};

/// What reading a file has found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// `csv` or `xlsx`.
    pub format: String,
    pub encoding: Option<String>,
    pub headers: Vec<String>,
    pub reading: Reading,
    pub counts: ImportCounts,
    pub faults: Vec<RowFault>,
    pub staged: Staged,
}

/// The commands of an import.
#[derive(Debug)]
pub enum ImportCommand {
    Create {
        kind: ImportKind,
        file_name: String,
        found: Box<Found>,
    },
    /// The file was read again.
    Preview(Box<Found>),
    /// Its saga begins.
    Commit,
    /// Its saga is completed.
    Finish {
        saga: Id,
    },
    /// Its saga is undone.
    Undo {
        saga: Id,
    },
    /// The undo of its saga is undone.
    Redo {
        saga: Id,
    },
}

/// What happened to an import, with the import after it. Previews are not part of the log.
#[derive(Debug)]
pub enum ImportEvent {
    Previewed(Import),
    Begun(Import),
    Committed(Import),
    Undone(Import),
}

/// The import, if the caller may see it: its creator, and MANAGER and ADMIN.
///
/// # Errors
/// `not_found`.
pub fn visible<'a>(state: Option<&'a Import>, caller: &Caller) -> Result<&'a Import, Error> {
    let seen = state.filter(|import| caller.sees(import.created_by));
    seen.ok_or_else(|| Error::new(ErrorCode::NotFound))
}

/// Checks that an import may be previewed again.
///
/// # Errors
/// `import_not_previewed`.
pub fn check_open(import: &Import) -> Result<(), Error> {
    match import.status {
        ImportStatus::Previewed => Ok(()),
        _ => Err(Error::new(ErrorCode::ImportNotPreviewed)),
    }
}

/// The events that a command leads to.
///
/// # Errors
/// `not_found`; `import_not_previewed` if the saga has begun; `import_previewed_by_another` if the rows were checked by the rights of
/// another user, or of another role of the caller.
pub fn decide(
    state: Option<&Import>,
    command: &ImportCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<ImportEvent>, Error> {
    if let (ImportCommand::Create { kind, file_name, found }, None) = (command, state) {
        let Found { format, encoding, headers, reading, counts, faults, staged } = (**found).clone();
        return Ok(vec![ImportEvent::Previewed(Import {
            id,
            version: 1,
            created_at: now,
            updated_at: now,
            created_by: caller.user_id,
            kind: *kind,
            file_name: file_name.clone(),
            format,
            encoding,
            headers,
            reading,
            status: ImportStatus::Previewed,
            counts,
            faults,
            saga: None,
            staged,
        })]);
    }
    let import = visible(state, caller)?;
    let after = || Import { version: import.version + 1, updated_at: now, ..import.clone() };
    match command {
        ImportCommand::Create { .. } => Err(Error::internal("a second creation of one import")),
        ImportCommand::Preview(found) => {
            check_open(import)?;
            let Found { format, encoding, headers, reading, counts, faults, staged } = (**found).clone();
            let after = Import { format, encoding, headers, reading, counts, faults, staged, ..after() };
            Ok(vec![ImportEvent::Previewed(after)])
        }
        ImportCommand::Commit => {
            check_open(import)?;
            if !import.is_previewed_by(caller) {
                return Err(Error::new(ErrorCode::ImportPreviewedByAnother));
            }
            let saga = Some(import.staged.saga);
            Ok(vec![ImportEvent::Begun(Import { status: ImportStatus::Committing, saga, ..after() })])
        }
        ImportCommand::Finish { saga } => {
            let is_due = import.status == ImportStatus::Committing && import.saga == Some(*saga);
            let event = || ImportEvent::Committed(Import { status: ImportStatus::Committed, ..after() });
            Ok(is_due.then(event).into_iter().collect())
        }
        ImportCommand::Undo { saga } => {
            let is_due = import.status == ImportStatus::Committed && import.saga == Some(*saga);
            let event = || ImportEvent::Undone(Import { status: ImportStatus::Undone, ..after() });
            Ok(is_due.then(event).into_iter().collect())
        }
        ImportCommand::Redo { saga } => {
            let is_due = import.status == ImportStatus::Undone && import.saga == Some(*saga);
            let event = || ImportEvent::Committed(Import { status: ImportStatus::Committed, ..after() });
            Ok(is_due.then(event).into_iter().collect())
        }
    }
}

impl StateAfter for ImportEvent {
    type State = Import;

    fn after(&self) -> &Import {
        match self {
            Self::Previewed(after) | Self::Begun(after) | Self::Committed(after) | Self::Undone(after) => {
                after
            }
        }
    }
}

impl ImportEvent {
    /// Whether it is part of the log.
    pub fn is_logged(&self) -> bool {
        matches!(self, Self::Committed(_) | Self::Undone(_))
    }
}

impl DomainEvent for ImportEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Undone(_) => catalogue::IMPORT_UNDONE,
            _ => catalogue::IMPORT_COMMITTED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let import = self.after();
        raw(&ImportPayload {
            import: CommittedImport {
                id: import.id,
                kind: import.kind,
                file_name: import.file_name.clone(),
                status: import.status,
                counts: import.counts,
                saga_id: import.staged.saga,
                created_by: import.created_by,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::import::record::{DateOrder, DecimalMark, MatchOn};
    use kernel::caller::Role;
    use kernel::ids::new_id;
    use kernel::scopes::Scopes;

    fn caller(role: Role) -> Caller {
        Caller { user_id: new_id(), role, session_id: new_id(), scopes: Scopes::ALL }
    }

    fn found(by: Caller) -> Box<Found> {
        Box::new(Found {
            format: "csv".into(),
            encoding: None,
            headers: vec![],
            reading: Reading {
                mapping: BTreeMap::new(),
                match_on: MatchOn::Email,
                date_order: DateOrder::Ymd,
                decimal: DecimalMark::Point,
                time_zone: "UTC".into(),
            },
            counts: ImportCounts::default(),
            faults: vec![],
            staged: Staged { saga: new_id(), batches: 1, by },
        })
    }

    fn after(
        state: Option<&Import>,
        command: &ImportCommand,
        by: &Caller,
    ) -> Result<Option<Import>, ErrorCode> {
        let events =
            decide(state, command, by, new_id(), Timestamp::from_micros(0)).map_err(|error| error.code)?;
        Ok(events.first().map(|event| event.after().clone()))
    }

    fn created(by: Caller) -> Import {
        let create = ImportCommand::Create {
            kind: ImportKind::Customers,
            file_name: "a.csv".into(),
            found: found(by),
        };
        after(None, &create, &by).unwrap().unwrap()
    }

    #[test]
    fn it_is_carried_out_once_and_finished_by_its_own_saga() {
        let ann = caller(Role::Sales);
        let import = created(ann);
        let begun = after(Some(&import), &ImportCommand::Commit, &ann).unwrap().unwrap();
        assert_eq!((begun.status, begun.saga), (ImportStatus::Committing, Some(import.staged.saga)));
        let again = after(Some(&begun), &ImportCommand::Commit, &ann);
        assert_eq!(again, Err(ErrorCode::ImportNotPreviewed));
        assert_eq!(
            after(Some(&begun), &ImportCommand::Preview(found(ann)), &ann),
            Err(ErrorCode::ImportNotPreviewed)
        );
        let finish = |saga| ImportCommand::Finish { saga };
        assert_eq!(after(Some(&begun), &finish(new_id()), &Caller::system()), Ok(None));
        let finish = finish(import.staged.saga);
        let done = after(Some(&begun), &finish, &Caller::system()).unwrap().unwrap();
        assert_eq!(done.status, ImportStatus::Committed);
        assert_eq!(after(Some(&done), &finish, &Caller::system()), Ok(None), "once");
    }

    #[test]
    fn rows_are_written_by_the_rights_by_which_they_were_checked() {
        let (ann, manager) = (caller(Role::Sales), caller(Role::Manager));
        let import = created(ann);
        let commit = |import: &Import, by: &Caller| after(Some(import), &ImportCommand::Commit, by);
        assert_eq!(commit(&import, &manager), Err(ErrorCode::ImportPreviewedByAnother));
        assert_eq!(
            commit(&import, &Caller { role: Role::Admin, ..ann }),
            Err(ErrorCode::ImportPreviewedByAnother)
        );
        assert_eq!(commit(&import, &caller(Role::Sales)), Err(ErrorCode::NotFound));
        let again = after(Some(&import), &ImportCommand::Preview(found(manager)), &manager).unwrap().unwrap();
        assert!(commit(&again, &manager).is_ok());
        assert_eq!(commit(&again, &ann), Err(ErrorCode::ImportPreviewedByAnother));
    }
}
