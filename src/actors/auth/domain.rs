//! The rules of users and sessions. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::messages::{Locale, NewUser, UserChanges};
use crate::actors::context::{Caller, Role};
use crate::actors::fields::{Faults, set};
use crate::actors::refusal::{Code, Refusal};
use crate::clock::Timestamp;
use crate::ids::Id;

/// NIST SP 800-63B §5.1.1.2: at least 8 characters, no rules of composition; the upper bound keeps hashing cheap.
const PASSWORD_MIN: usize = 8;
const PASSWORD_MAX: usize = 128;
const DEFAULT_TIME_ZONE: &str = "Asia/Tokyo";

/// A user as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub email: String,
    pub name: String,
    pub role: Role,
    #[schema(required)]
    pub manager_id: Option<Id>,
    pub locale: Locale,
    pub time_zone: String,
}

/// A user as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserState {
    #[serde(flatten)]
    pub user: User,
    pub deleted_at: Option<Timestamp>,
    pub password_hash: String,
    /// Changes with the password: sessions proven under another value are over…
    pub sessions_valid_from: Timestamp,
    /// …but for the one that changed the password.
    pub kept_session_id: Option<Id>,
}

impl UserState {
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }
}

/// What can be done to a user.
#[derive(Debug)]
pub enum UserCommand {
    Create(UserDraft),
    Change { changes: UserDraftChanges, other_admins: bool },
    ChangePassword { hash: String, keep: Id },
    Delete { leaving: Leaving, other_admins: bool },
}

/// What a deleted user leaves behind, and to whom.
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

/// Checks a new user; the password's hash is filled in by the service, hashing takes long.
///
/// # Errors
/// `invalid_fields` with every fault.
pub fn check_new(new: NewUser) -> Result<UserDraft, Refusal> {
    let mut faults = Faults::default();
    let email = faults.email("email", &new.email);
    let name = faults.required("name", &new.name, 200);
    check_password(&mut faults, "password", &new.password);
    let time_zone = new.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE).to_owned();
    check_time_zone(&mut faults, &time_zone);
    faults.ok(UserDraft {
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
/// `invalid_fields` with every fault.
pub fn check_changes(mut changes: UserChanges) -> Result<UserDraftChanges, Refusal> {
    let mut faults = Faults::default();
    changes.email = changes.email.map(|email| faults.email("email", &email));
    changes.name = changes.name.map(|name| faults.required("name", &name, 200));
    if let Some(password) = &changes.password {
        check_password(&mut faults, "password", password);
    }
    if let Some(zone) = &changes.time_zone {
        check_time_zone(&mut faults, zone);
    }
    faults.ok(UserDraftChanges { fields: changes, password_hash: None })
}

/// Checks a new password by itself.
///
/// # Errors
/// `invalid_fields`.
pub fn check_new_password(password: &str) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    check_password(&mut faults, "new_password", password);
    faults.ok(())
}

fn check_password(faults: &mut Faults, field: &str, password: &str) {
    let length = password.chars().count() as i64;
    faults.range(field, length, PASSWORD_MIN as i64, PASSWORD_MAX as i64);
    if password.contains('\0') {
        faults.add(field, "nul_character");
    }
}

fn check_time_zone(faults: &mut Faults, zone: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+/-".contains(&byte);
    let shaped = zone.bytes().all(plain) && zone.starts_with(|c: char| c.is_ascii_alphabetic());
    if !shaped || zone.len() > 64 {
        faults.add("time_zone", "invalid_time_zone");
    }
}

/// SPEC §1 for users: who may do what, and that an ADMIN is always left.
///
/// # Errors
/// `forbidden`, `not_found`, `last_admin`, `own_account`.
pub fn decide_user(
    state: Option<&UserState>,
    command: &UserCommand,
    caller: &Caller,
    id: Id,
    now: Timestamp,
) -> Result<Vec<UserEvent>, Refusal> {
    match (command, state) {
        (UserCommand::Create(draft), None) => {
            caller.require(&[Role::Admin])?;
            Ok(vec![UserEvent::Created(created(draft, id, now))])
        }
        (UserCommand::Change { changes, other_admins }, Some(state)) if state.is_live() => {
            caller.require(&[Role::Admin])?;
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
            caller.require(&[Role::Admin])?;
            check_removal(state, caller, *other_admins)?;
            let after = UserState { deleted_at: Some(now), ..touched(state, now) };
            Ok(vec![UserEvent::Deleted { after, leaving: *leaving }])
        }
        _ => Err(Refusal::new(Code::NotFound)),
    }
}

/// SPEC §1: neither oneself nor the last ADMIN goes away, or becomes less.
fn check_removal(state: &UserState, caller: &Caller, other_admins: bool) -> Result<(), Refusal> {
    if state.user.id == caller.user_id {
        return Err(Refusal::new(Code::OwnAccount));
    }
    if state.user.role == Role::Admin && !other_admins {
        return Err(Refusal::new(Code::LastAdmin));
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

/// Always another one, however close two changes are.
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
) -> Result<Vec<UserEvent>, Refusal> {
    let wanted = &changes.fields;
    if wanted.role.is_some_and(|role| role != state.user.role) {
        check_removal(state, caller, other_admins)?;
    }
    if wanted.manager_id == Some(Some(state.user.id)) {
        return Err(Refusal::field("manager_id", "own_manager"));
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

/// A signed-in device: the family of its refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub user_id: Id,
    /// Which refresh token is the valid one; all before it are used up.
    pub generation: i64,
    pub expires_at: Timestamp,
    /// The user's `sessions_valid_from` when the password was proven.
    pub valid_from: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What can be done to a session.
#[derive(Clone, Debug)]
pub enum SessionCommand {
    Open {
        user_id: Id,
        valid_from: Timestamp,
        lasts: Duration,
    },
    /// Exchanges the refresh token of this generation.
    Rotate {
        generation: i64,
        lasts: Duration,
        /// A token that was exchanged a moment ago stands for the one it was exchanged for.
        with_grace: bool,
    },
    Revoke,
}

/// What happened to a session; only its opening (`user.login`) goes to the log.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    Opened(Session),
    Rotated(Session),
    Revoked(Session),
}

/// How long a used refresh token is taken for the present one where grace is asked for: requests of one browser that
/// were on their way together. RFC 9700 §4.14.2 knows of no such time; 30 s is what a slow page takes.
const GRACE: Duration = Duration::from_secs(30);

/// Refresh tokens rotate; the use of an old one ends the session, for one of its two holders is a thief
/// (RFC 9700 §4.14.2).
///
/// # Errors
/// `session_ended` when there is none to act on.
pub fn decide_session(
    state: Option<&Session>,
    command: &SessionCommand,
    id: Id,
    now: Timestamp,
) -> Result<Vec<SessionEvent>, Refusal> {
    let step =
        |session: &Session| Session { version: session.version + 1, updated_at: now, ..session.clone() };
    match (command, state) {
        (SessionCommand::Open { user_id, valid_from, lasts }, None) => {
            Ok(vec![SessionEvent::Opened(Session {
                id,
                version: 1,
                created_at: now,
                updated_at: now,
                user_id: *user_id,
                generation: 1,
                expires_at: now.plus(*lasts),
                valid_from: *valid_from,
                revoked_at: None,
            })])
        }
        (SessionCommand::Rotate { generation, with_grace: true, .. }, Some(session))
            if is_open(session, now) && was_just_exchanged(*generation, session, now) =>
        {
            Ok(Vec::new())
        }
        (SessionCommand::Rotate { generation, lasts, .. }, Some(session)) if is_open(session, now) => {
            let mut after = step(session);
            if *generation != session.generation {
                after.revoked_at = Some(now);
                return Ok(vec![SessionEvent::Revoked(after)]);
            }
            after.generation += 1;
            after.expires_at = now.plus(*lasts);
            Ok(vec![SessionEvent::Rotated(after)])
        }
        (SessionCommand::Revoke, Some(session)) if is_open(session, now) => {
            let after = Session { revoked_at: Some(now), ..step(session) };
            Ok(vec![SessionEvent::Revoked(after)])
        }
        _ => Err(Refusal::new(Code::SessionEnded)),
    }
}

/// Whether this was the valid generation until a moment ago. An open session's last change is its last rotation.
fn was_just_exchanged(generation: i64, session: &Session, now: Timestamp) -> bool {
    generation + 1 == session.generation && now.since(session.updated_at) < GRACE
}

fn is_open(session: &Session, now: Timestamp) -> bool {
    session.revoked_at.is_none() && now < session.expires_at
}

/// Whether a session still speaks for its user (SPEC §8.6).
pub fn is_in_force(session: &Session, user: &UserState, now: Timestamp) -> bool {
    let after_change =
        session.valid_from == user.sessions_valid_from || user.kept_session_id == Some(session.id);
    is_open(session, now) && session.user_id == user.user.id && user.is_live() && after_change
}
