//! Which sagas can be undone, by whom, and by which kind of saga. Pure.

use crate::saga::record::{Saga, SagaKind, SagaStatus};
use crate::saga::rules::is_visible;
use crate::user::rules::may_manage_users;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;

/// The kind of the saga that undoes one of this kind.
pub fn inverse(saga: &Saga, was_merge: bool) -> SagaKind {
    match saga.kind {
        SagaKind::UserDeletion => SagaKind::UserRestoration,
        SagaKind::UserRestoration => SagaKind::UserDeletion,
        SagaKind::CustomerDeletion | SagaKind::CustomerMerge => SagaKind::CustomerRestoration,
        SagaKind::CustomerRestoration if was_merge => SagaKind::CustomerMerge,
        SagaKind::CustomerRestoration => SagaKind::CustomerDeletion,
        SagaKind::CustomersChange | SagaKind::CustomersImport => SagaKind::CustomersChange,
        SagaKind::MeetingsChange | SagaKind::MeetingsImport => SagaKind::MeetingsChange,
        SagaKind::TasksChange | SagaKind::TasksImport => SagaKind::TasksChange,
        SagaKind::DealsChange | SagaKind::DealsImport => SagaKind::DealsChange,
    }
}

/// Checks that the caller may undo the saga now.
///
/// # Errors
/// `not_found` if the caller may not see it; `forbidden`: only ADMINs bring users back or delete them; `already_undone`;
/// `saga_not_completed`; `not_undoable`: it is too old.
pub fn check_undo(saga: Option<&Saga>, caller: &Caller, now: Timestamp) -> Result<(), Error> {
    let saga = saga.filter(|saga| is_visible(saga, caller));
    let saga = saga.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
    if matches!(saga.kind, SagaKind::UserDeletion | SagaKind::UserRestoration) {
        may_manage_users(caller)?;
    }
    if saga.undone_by.is_some() {
        return Err(Error::new(ErrorCode::AlreadyUndone));
    }
    if saga.status != SagaStatus::Completed {
        return Err(Error::new(ErrorCode::SagaNotCompleted));
    }
    match saga.undo_until {
        Some(until) if now < until => Ok(()),
        _ => Err(Error::new(ErrorCode::NotUndoable)),
    }
}

/// The saga once another one undoes it.
pub fn undone(saga: &Saga, by: Id) -> Saga {
    Saga { version: saga.version + 1, undone_by: Some(by), ..saga.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saga::rules::begin;
    use kernel::caller::Role;
    use kernel::ids::new_id;
    use kernel::scopes::Scopes;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn completed(kind: SagaKind, by: &Caller) -> Saga {
        Saga { status: SagaStatus::Completed, ..begin(kind, new_id(), new_id(), by, at(0)) }
    }

    fn refused(saga: &Saga, caller: &Caller, now: Timestamp) -> ErrorCode {
        check_undo(Some(saga), caller, now).unwrap_err().code
    }

    #[test]
    fn a_completed_saga_is_undone_once_and_not_after_ninety_days() {
        let sales =
            Caller { user_id: new_id(), role: Role::Sales, session_id: Id::nil(), scopes: Scopes::ALL };
        let saga = completed(SagaKind::CustomerDeletion, &sales);
        assert_eq!(check_undo(Some(&saga), &sales, at(9)), Ok(()));
        let days = 24 * 3_600;
        assert_eq!(check_undo(Some(&saga), &sales, at(90 * days - 1)), Ok(()));
        assert_eq!(refused(&saga, &sales, at(90 * days)), ErrorCode::NotUndoable);
        assert_eq!(refused(&undone(&saga, new_id()), &sales, at(9)), ErrorCode::AlreadyUndone);
        let running = Saga { status: SagaStatus::Running, ..saga.clone() };
        assert_eq!(refused(&running, &sales, at(9)), ErrorCode::SagaNotCompleted);
        let old = Saga { undo_until: None, ..saga };
        assert_eq!(refused(&old, &sales, at(9)), ErrorCode::NotUndoable);
    }

    #[test]
    fn others_sagas_are_for_managers_and_users_for_admins() {
        let caller = |role| Caller { user_id: new_id(), role, session_id: Id::nil(), scopes: Scopes::ALL };
        let (sales, manager, admin) = (caller(Role::Sales), caller(Role::Manager), caller(Role::Admin));
        let change = completed(SagaKind::TasksChange, &manager);
        assert_eq!(refused(&change, &sales, at(9)), ErrorCode::NotFound);
        assert_eq!(check_undo(Some(&change), &admin, at(9)), Ok(()));
        let deletion = completed(SagaKind::UserDeletion, &admin);
        assert_eq!(refused(&deletion, &manager, at(9)), ErrorCode::Forbidden);
        assert_eq!(check_undo(None, &admin, at(9)).unwrap_err().code, ErrorCode::NotFound);
    }

    #[test]
    fn the_undo_of_an_undo_is_of_the_first_kind() {
        let by = Caller::system();
        // An import is undone as a change of many records is, and so is that undo.
        for kind in SagaKind::ALL.into_iter().filter(|kind| !kind.is_import()) {
            let was_merge = kind == SagaKind::CustomerMerge;
            let undo = completed(inverse(&completed(kind, &by), was_merge), &by);
            assert_eq!(inverse(&undo, was_merge), kind);
        }
    }
}
