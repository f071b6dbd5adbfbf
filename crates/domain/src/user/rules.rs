//! The rules of users and sessions. Pure.

use crate::events as catalogue;
use crate::user::passwords;
use crate::user::record::{
    Preferences, User, UserCard, UserDeletedPayload, UserPayload, UserRestoredPayload, UserState, UserView,
};
use kernel::event::{DomainEvent, EventType, StateAfter, raw};
use serde_json::value::RawValue;
use std::time::Duration;

use crate::user::record::{NewUser, PreferenceChanges, ProfileChanges, UserChanges};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode, FieldError};
use kernel::ids::Id;
use kernel::text_schemas::Name;
use kernel::validation::{Checked, Given, Rules, Validator, faults_of, set};

/// The time zone of a user who names none.
pub const DEFAULT_TIME_ZONE: &str = "Asia/Tokyo";

/// The commands of a user.
#[derive(Debug)]
pub enum UserCommand {
    Create { new: Checked<NewUser>, password_hash: String },
    Change { changes: Checked<UserChanges>, password_hash: Option<String>, other_admins: bool },
    ChangePassword { hash: String, keep: Id },
    ChangeProfile(Checked<ProfileChanges>),
    ChangePreferences(PreferenceChanges),
    Delete { leaving: Leaving, other_admins: bool },
    Restore { returning: Returning },
}

/// The saga of a user who is brought back, and the deletion that it undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returning {
    pub saga_id: Id,
    pub undoes: Id,
}

/// The saga and the successors of a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    pub successor_id: Id,
    pub approver_id: Option<Id>,
    pub saga_id: Id,
}

/// What happened to a user, with the user after it.
#[derive(Debug)]
pub enum UserEvent {
    Created(UserState),
    Updated { after: UserState, changed: Vec<&'static str> },
    Deleted { after: UserState, leaving: Leaving },
    Restored { after: UserState, returning: Returning },
}

/// The rules of the fields, for a new user and for changes alike. The password is taken out of the body: commands carry
/// its hash.
macro_rules! check_fields {
    ($body:expr) => {{
        let (mut validator, mut body) = (Validator::default(), $body);
        validator.email("email", &mut body.email);
        validator.required::<Name>("name", &mut body.name);
        let own = [body.email.given().cloned(), body.name.given().cloned()];
        let own: Vec<&str> = own.iter().flatten().map(String::as_str).collect();
        let mut password = std::mem::take(&mut body.password);
        passwords::check(&mut validator, "password", &mut password, &own);
        validator.time_zone("time_zone", &mut body.time_zone);
        validator.ok(body).map(|body| (body, password))
    }};
}

/// Checks a new user. Returns it without its password, and the password, which the service hashes: that takes long.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_new(new: NewUser) -> Result<(Checked<NewUser>, String), Error> {
    check_fields!(new)
}

/// Checks changes of a user. Returns them without the password, and the password.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_changes(changes: UserChanges) -> Result<(Checked<UserChanges>, Option<String>), Error> {
    check_fields!(changes)
}

impl Rules for NewUser {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_new(self))
    }
}

impl Rules for UserChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_changes(self))
    }
}

// Its fields are words of lists.
impl Rules for PreferenceChanges {}

impl Rules for ProfileChanges {
    fn faults(self) -> Vec<FieldError> {
        faults_of(check_profile(self))
    }
}

/// Checks changes of one's own profile.
///
/// # Errors
/// `invalid_fields` with every error.
pub fn check_profile(mut changes: ProfileChanges) -> Result<Checked<ProfileChanges>, Error> {
    let mut validator = Validator::default();
    validator.required::<Name>("name", &mut changes.name);
    validator.time_zone("time_zone", &mut changes.time_zone);
    validator.ok(changes)
}

/// Checks a new password without knowing whose it is.
///
/// # Errors
/// `invalid_fields` with the fault of `field`.
pub fn check_new_password(field: &str, password: &mut String) -> Result<(), Error> {
    let mut validator = Validator::default();
    passwords::check(&mut validator, field, password, &[]);
    validator.ok(()).map(|_| ())
}

/// Checks a new password of `user`, and brings it into the form that is hashed.
///
/// # Errors
/// `invalid_fields` with the fault of `field`.
pub fn check_password_of(user: &User, field: &str, password: &mut String) -> Result<(), Error> {
    let mut validator = Validator::default();
    passwords::check(&mut validator, field, password, &[&user.name, &user.email]);
    validator.ok(()).map(|_| ())
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

/// Checks that a profile is changed by its own user.
fn check_is_self(user: Id, caller: &Caller) -> Result<(), Error> {
    if user == caller.user_id { Ok(()) } else { Err(Error::new(ErrorCode::Forbidden)) }
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
        (UserCommand::Create { new, password_hash }, None) => {
            may_manage_users(caller)?;
            Ok(vec![UserEvent::Created(created(new, password_hash, id, now))])
        }
        (UserCommand::Change { changes, password_hash, other_admins }, Some(state)) if state.is_live() => {
            may_manage_users(caller)?;
            check_change(state, changes, caller, *other_admins)?;
            Ok(change(state, changes, password_hash.as_deref(), now).into_iter().collect())
        }
        (UserCommand::ChangePassword { hash, keep }, Some(state)) if state.is_live() => {
            let mut after = touched(state, now);
            after.password_hash = hash.clone();
            after.sessions_valid_from = next_validity(state, now);
            after.kept_session_id = Some(*keep);
            Ok(vec![UserEvent::Updated { after, changed: vec!["password"] }])
        }
        (UserCommand::ChangeProfile(changes), Some(state)) if state.is_live() => {
            check_is_self(id, caller)?;
            let ProfileChanges { name, locale, time_zone } = (**changes).clone();
            let changes = UserChanges { name, locale, time_zone, ..UserChanges::default() };
            Ok(change(state, &changes, None, now).into_iter().collect())
        }
        (UserCommand::ChangePreferences(changes), Some(state)) if state.is_live() => {
            check_is_self(id, caller)?;
            Ok(change_preferences(state, changes.clone(), now).into_iter().collect())
        }
        (UserCommand::Delete { leaving, other_admins }, Some(state)) if state.is_live() => {
            may_manage_users(caller)?;
            check_removal(state, caller, *other_admins)?;
            let after = UserState { deleted_at: Some(now), ..touched(state, now) };
            Ok(vec![UserEvent::Deleted { after, leaving: *leaving }])
        }
        (UserCommand::Restore { returning }, Some(state)) if !state.is_live() => {
            may_manage_users(caller)?;
            let mut after = UserState { deleted_at: None, ..touched(state, now) };
            // Sessions of before stay ended.
            after.sessions_valid_from = next_validity(state, now);
            after.kept_session_id = None;
            Ok(vec![UserEvent::Restored { after, returning: *returning }])
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

fn created(new: &NewUser, password_hash: &str, id: Id, now: Timestamp) -> UserState {
    UserState {
        user: User {
            id,
            version: 1,
            created_at: now,
            updated_at: now,
            email: new.email.clone(),
            name: new.name.clone(),
            role: new.role,
            manager_id: new.manager_id,
            locale: new.locale.unwrap_or_default(),
            time_zone: new.time_zone.clone().unwrap_or_else(|| DEFAULT_TIME_ZONE.to_owned()),
        },
        preferences: Preferences::default(),
        deleted_at: None,
        password_hash: password_hash.to_owned(),
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

fn check_change(
    state: &UserState,
    wanted: &UserChanges,
    caller: &Caller,
    other_admins: bool,
) -> Result<(), Error> {
    if wanted.role.is_some_and(|role| role != state.user.role) {
        check_removal(state, caller, other_admins)?;
    }
    if wanted.manager_id == Some(Some(state.user.id)) {
        return Err(Error::field("manager_id", "own_manager"));
    }
    Ok(())
}

/// Returns `None` if every field has its wanted value already.
fn change(
    state: &UserState,
    wanted: &UserChanges,
    password_hash: Option<&str>,
    now: Timestamp,
) -> Option<UserEvent> {
    let mut after = touched(state, now);
    let mut changed = Vec::new();
    let user = &mut after.user;
    set(&mut user.email, wanted.email.clone(), "email", &mut changed);
    set(&mut user.name, wanted.name.clone(), "name", &mut changed);
    set(&mut user.role, wanted.role, "role", &mut changed);
    set(&mut user.manager_id, wanted.manager_id, "manager_id", &mut changed);
    set(&mut user.locale, wanted.locale, "locale", &mut changed);
    set(&mut user.time_zone, wanted.time_zone.clone(), "time_zone", &mut changed);
    if let Some(hash) = password_hash {
        after.password_hash = hash.to_owned();
        after.sessions_valid_from = next_validity(state, now);
        after.kept_session_id = None;
        changed.push("password");
    }
    (!changed.is_empty()).then_some(UserEvent::Updated { after, changed })
}

/// Returns `None` if every preference has its wanted value already.
fn change_preferences(state: &UserState, wanted: PreferenceChanges, now: Timestamp) -> Option<UserEvent> {
    let mut after = touched(state, now);
    let mut changed = Vec::new();
    let mine = &mut after.preferences;
    set(&mut mine.theme, wanted.theme, "theme", &mut changed);
    set(&mut mine.muted_notifications, wanted.muted_notifications, "muted_notifications", &mut changed);
    (!changed.is_empty()).then_some(UserEvent::Updated { after, changed })
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
            Self::Created(after)
            | Self::Updated { after, .. }
            | Self::Deleted { after, .. }
            | Self::Restored { after, .. } => after,
        }
    }
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> EventType {
        match self {
            Self::Created(_) => catalogue::USER_CREATED,
            Self::Updated { .. } => catalogue::USER_UPDATED,
            Self::Deleted { .. } => catalogue::USER_DELETED,
            Self::Restored { .. } => catalogue::USER_RESTORED,
        }
    }

    fn data(&self) -> Box<RawValue> {
        let (state, changed): (_, &[&str]) = match self {
            Self::Created(state) => (state, &[]),
            Self::Updated { after, changed } => (after, changed),
            Self::Deleted { after, leaving } => return raw(&leaving.payload(&after.user)),
            Self::Restored { after, returning: Returning { saga_id, undoes } } => {
                return raw(&UserRestoredPayload {
                    user: after.user.clone(),
                    saga_id: *saga_id,
                    undoes: *undoes,
                });
            }
        };
        let changed = changed.iter().map(|name| (*name).to_owned()).collect();
        raw(&UserPayload { user: state.user.clone(), preferences: state.preferences.clone(), changed })
    }
}
