//! The rules of users and sessions. Pure.

use crate::domain::events as catalogue;
use crate::domain::user::record::{User, UserCard, UserDeletedPayload, UserPayload, UserState, UserView};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;
use std::time::Duration;

use crate::domain::user::messages::{NewUser, UserChanges};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use kernel::locale::Locale;
use kernel::validation::{Validator, set};

/// NIST SP 800-63B §5.1.1.2: at least 8 characters, no rules of composition; the upper bound keeps hashing cheap.
const PASSWORD_MIN: usize = 8;
const PASSWORD_MAX: usize = 128;
/// The time zone of a user who names none.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Tokyo";

/// The commands of a user.
#[derive(Debug)]
pub enum UserCommand {
    Create(UserDraft),
    Change { changes: UserDraftChanges, other_admins: bool },
    ChangePassword { hash: String, keep: Id },
    Delete { leaving: Leaving, other_admins: bool },
}

/// The saga and the successors of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    pub successor_id: Id,
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}

/// A new user, checked.
#[derive(Debug)]
pub struct UserDraft {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub manager_id: Option<Id>,
    pub locale: Locale,
    pub time_zone: String,
    pub password_hash: String,
}

/// Changes of a user, checked.
#[derive(Clone, Debug, Default)]
pub struct UserDraftChanges {
    pub fields: UserChanges,
    pub password_hash: Option<String>,
}

/// What happened to a user, with the user after it.
#[derive(Debug)]
pub enum UserEvent {
    Created(UserState),
    Updated { after: UserState, changed: Vec<&'static str> },
    Deleted { after: UserState, leaving: Leaving },
}

/// Checks a new user. The service adds the password's hash, because hashing takes long.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewUser) -> Result<UserDraft, Error> {
    let mut validator = Validator::default();
    let email = validator.email("email", &new.email);
    let name = validator.required("name", &new.name, 200);
    check_password(&mut validator, "password", &new.password);
    let time_zone = new.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE).to_owned();
    check_time_zone(&mut validator, &time_zone);
    validator.ok(UserDraft {
        email,
        name,
        role: new.role,
        manager_id: new.manager_id,
        locale: new.locale.unwrap_or_default(),
        time_zone,
        password_hash: String::new(),
    })
}

/// Checks changes of a user.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(mut changes: UserChanges) -> Result<UserDraftChanges, Error> {
    let mut validator = Validator::default();
    changes.email = changes.email.map(|email| validator.email("email", &email));
    changes.name = changes.name.map(|name| validator.required("name", &name, 200));
    if let Some(password) = &changes.password {
        check_password(&mut validator, "password", password);
    }
    if let Some(zone) = &changes.time_zone {
        check_time_zone(&mut validator, zone);
    }
    validator.ok(UserDraftChanges { fields: changes, password_hash: None })
}

/// Checks a new password alone.
///
/// # Errors
/// `invalid_fields`.
pub fn check_new_password(password: &str) -> Result<(), Error> {
    let mut validator = Validator::default();
    check_password(&mut validator, "new_password", password);
    validator.ok(())
}

fn check_password(validator: &mut Validator, field: &str, password: &str) {
    let length = password.chars().count() as i64;
    validator.range(field, length, PASSWORD_MIN as i64, PASSWORD_MAX as i64);
    if password.contains('\0') {
        validator.add(field, "nul_character");
    }
}

fn check_time_zone(validator: &mut Validator, zone: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+/-".contains(&byte);
    let shaped = zone.bytes().all(plain) && zone.starts_with(|c: char| c.is_ascii_alphabetic());
    if !shaped || zone.len() > 64 {
        validator.add("time_zone", "invalid_time_zone");
    }
}

/// What the caller may see of a user (SPEC §1): SALES see id, name and role.
pub fn view(user: User, caller: &Caller) -> UserView {
    match caller.role {
        Role::Sales => UserView::Card(UserCard { id: user.id, name: user.name, role: user.role }),
        Role::Manager | Role::Admin => UserView::Full(user),
    }
}

/// Whether the caller's searches look at names alone: SALES must not learn addresses by guessing.
pub fn searches_names_only(caller: &Caller) -> bool {
    caller.role == Role::Sales
}

/// Only ADMIN create, change and delete users (SPEC §1).
///
/// # Errors
/// `forbidden`.
pub fn may_manage_users(caller: &Caller) -> Result<(), Error> {
    caller.require(&[Role::Admin])
}

/// Whether a user of this role may be a manager.
pub fn can_be_manager(role: Role) -> bool {
    role != Role::Sales
}

/// Whether `manager`, a user of this role, may be the manager of `user`; nobody is their own.
pub fn may_be_manager_of(manager: Id, role: Role, user: Id) -> bool {
    can_be_manager(role) && manager != user
}

/// Checks that nobody deletes or demotes themselves (SPEC §1).
///
/// # Errors
/// `own_account`.
pub fn check_not_self(user: Id, caller: &Caller) -> Result<(), Error> {
    if user == caller.user_id { Err(Error::new(ErrorCode::OwnAccount)) } else { Ok(()) }
}

/// The events that a command leads to (SPEC §1): who may do what, and that an ADMIN always remains.
///
/// # Errors
/// `forbidden`, `not_found`, `last_admin`, `own_account`.
pub fn decide_user(
    state: Option<&UserState>,
    command: &UserCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<UserEvent>, Error> {
    match (command, state) {
        (UserCommand::Create(draft), None) => {
            may_manage_users(caller)?;
            Ok(vec![UserEvent::Created(created(draft, id, now))])
        }
        (UserCommand::Change { changes, other_admins }, Some(state)) if state.is_live() => {
            may_manage_users(caller)?;
            change(state, changes, caller, *other_admins, now)
        }
        (UserCommand::ChangePassword { hash, keep }, Some(state)) if state.is_live() => {
            let mut after = touched(state, now);
            after.password_hash = hash.clone();
            after.sessions_valid_from = next_validity(state, now);
            after.kept_session_id = Some(*keep);
            Ok(vec![UserEvent::Updated { after, changed: vec!["password"] }])
        }
        (UserCommand::Delete { leaving, other_admins }, Some(state)) if state.is_live() => {
            may_manage_users(caller)?;
            check_removal(state, caller, *other_admins)?;
            let after = UserState { deleted_at: Some(now), ..touched(state, now) };
            Ok(vec![UserEvent::Deleted { after, leaving: *leaving }])
        }
        _ => Err(Error::new(ErrorCode::NotFound)),
    }
}

/// Checks that neither the caller nor the last ADMIN is deleted or demoted (SPEC §1).
fn check_removal(state: &UserState, caller: &Caller, other_admins: bool) -> Result<(), Error> {
    check_not_self(state.user.id, caller)?;
    if state.user.role == Role::Admin && !other_admins {
        return Err(Error::new(ErrorCode::LastAdmin));
    }
    Ok(())
}

fn created(draft: &UserDraft, id: Id, now: Timestamp) -> UserState {
    UserState {
        user: User {
            id,
            version: 1,
            created_at: now,
            updated_at: now,
            email: draft.email.clone(),
            name: draft.name.clone(),
            role: draft.role,
            manager_id: draft.manager_id,
            locale: draft.locale,
            time_zone: draft.time_zone.clone(),
        },
        deleted_at: None,
        password_hash: draft.password_hash.clone(),
        sessions_valid_from: now,
        kept_session_id: None,
    }
}

/// A value that differs from the one before, however close two changes are.
fn next_validity(state: &UserState, now: Timestamp) -> Timestamp {
    now.max(state.sessions_valid_from.plus(Duration::from_micros(1)))
}

fn touched(state: &UserState, now: Timestamp) -> UserState {
    let mut after = state.clone();
    after.user.version += 1;
    after.user.updated_at = now;
    after
}

fn change(
    state: &UserState,
    changes: &UserDraftChanges,
    caller: &Caller,
    other_admins: bool,
    now: Timestamp,
) -> Result<Vec<UserEvent>, Error> {
    let wanted = &changes.fields;
    if wanted.role.is_some_and(|role| role != state.user.role) {
        check_removal(state, caller, other_admins)?;
    }
    if wanted.manager_id == Some(Some(state.user.id)) {
        return Err(Error::field("manager_id", "own_manager"));
    }
    let mut after = touched(state, now);
    let mut changed = Vec::new();
    let user = &mut after.user;
    set(&mut user.email, wanted.email.clone(), "email", &mut changed);
    set(&mut user.name, wanted.name.clone(), "name", &mut changed);
    set(&mut user.role, wanted.role, "role", &mut changed);
    set(&mut user.manager_id, wanted.manager_id, "manager_id", &mut changed);
    set(&mut user.locale, wanted.locale, "locale", &mut changed);
    set(&mut user.time_zone, wanted.time_zone.clone(), "time_zone", &mut changed);
    if let Some(hash) = &changes.password_hash {
        after.password_hash = hash.clone();
        after.sessions_valid_from = next_validity(state, now);
        after.kept_session_id = None;
        changed.push("password");
    }
    Ok(if changed.is_empty() { Vec::new() } else { vec![UserEvent::Updated { after, changed }] })
}

impl Leaving {
    fn payload(&self, user: &User) -> UserDeletedPayload {
        UserDeletedPayload {
            user: user.clone(),
            successor_id: self.successor_id,
            approver_id: self.approver_id,
            saga_id: self.saga_id,
        }
    }
}

impl StateAfter for UserEvent {
    type State = UserState;

    fn after(&self) -> &UserState {
        match self {
            Self::Created(after) | Self::Updated { after, .. } | Self::Deleted { after, .. } => after,
        }
    }
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::USER_CREATED,
            Self::Updated { .. } => catalogue::USER_UPDATED,
            Self::Deleted { .. } => catalogue::USER_DELETED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (state, changed): (_, &[&str]) = match self {
            Self::Created(state) => (state, &[]),
            Self::Updated { after, changed } => (after, changed),
            Self::Deleted { after, leaving } => return raw(&leaving.payload(&after.user)),
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&UserPayload { user: state.user.clone(), changed })
    }
}
