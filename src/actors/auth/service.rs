//! The auth service: signs in and out, keeps users, tells others who somebody is.

use std::sync::Arc;
use std::time::Duration;

use super::aggregate::{SessionAggregate, UserAggregate};
use super::domain::{self, Leaving, SessionCommand, User, UserCommand, UserState};
use super::events::LoginFailed;
use super::messages::{
    ChangePassword, ChangeUser, CreateUser, FindSession, FindUser, Heirs, ListUsers, LiveUser, LiveUsers,
    Login, Logout, Proof, RecallUser, Refresh, RemoveUser, TokenType, Tokens,
};
use super::password::Passwords;
use super::throttle::Guesses;
use super::token::{Keys, Use};
use crate::actors::context::{Caller, Context, Role};
use crate::actors::event::Event;
use crate::actors::page::Page;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::journal::Journal;
use crate::actors::runtime::service::serve;
use crate::actors::sagas::domain::SagaKind;
use crate::actors::sagas::messages::start;
use crate::clock::Clock;
use crate::ids::{Id, new_id};
use crate::persistence::unit::Unit;
use crate::persistence::{Db, auth as store};

/// How long tokens last.
#[derive(Clone, Copy, Debug)]
pub struct TokenLifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

/// What the service works with; shared by its requests.
pub struct AuthDesk {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub keys: Arc<Keys>,
    pub passwords: Passwords,
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
    pub lifetimes: TokenLifetimes,
    pub guesses: Guesses,
}

/// How often a change that may take an ADMIN away is decided anew when the other ADMIN changed meanwhile.
const ATTEMPTS: usize = 5;

impl AuthDesk {
    async fn login(&self, login: Login) -> Result<Tokens, Refusal> {
        let email = login.email.trim().to_lowercase();
        let found = store::user_by_email(&self.db, &email).await?;
        let hash = found.as_ref().map(|user| user.password_hash.as_str());
        let proven = self.prove(&email, login.address, login.password, hash).await?;
        match found {
            Some(user) if proven => {
                let context = Context { caller: caller_of(&user, Id::nil()), claim: None, ..login.context };
                self.open_session(&user, context).await
            }
            Some(user) => {
                self.record_failure(user.user.id, &login.context).await?;
                Err(Refusal::new(Code::InvalidCredentials))
            }
            None => Err(Refusal::new(Code::InvalidCredentials)),
        }
    }

    /// Checks a password, charging account and address for a wrong one.
    async fn prove(
        &self,
        account: &str,
        address: Option<std::net::IpAddr>,
        password: String,
        hash: Option<&str>,
    ) -> Result<bool, Refusal> {
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let now = self.clock.now();
        let charged = self.guesses.charge(account, &address, now).await?;
        charged.map_err(|wait| Refusal::after(Code::TooManyAttempts, wait))?;
        let proven = self.passwords.verify(password, hash).await;
        // An overload is nobody's guess.
        if !matches!(proven, Ok(false)) {
            self.guesses.refund(account, &address, now).await?;
        }
        proven
    }

    async fn record_failure(&self, user: Id, context: &Context) -> Result<(), Refusal> {
        let event = Event::new(&LoginFailed(user), new_id(), 1, self.clock.now(), context);
        self.journal.commit(Unit { events: vec![event], ..Unit::default() }).await?;
        Ok(())
    }

    async fn open_session(&self, user: &UserState, context: Context) -> Result<Tokens, Refusal> {
        let open = SessionCommand::Open {
            user_id: user.user.id,
            valid_from: user.sessions_valid_from,
            lasts: self.lifetimes.refresh,
        };
        let session = self.sessions.create(new_id(), open, context).await?;
        self.tokens(user, &session)
    }

    fn tokens(&self, user: &UserState, session: &domain::Session) -> Result<Tokens, Refusal> {
        let now = self.clock.now();
        let (user_id, until) = (user.user.id, now.plus(self.lifetimes.access));
        Ok(Tokens {
            access_token: self.keys.issue(Use::Access, user_id, session.id, 0, now, until)?,
            token_type: TokenType::Bearer,
            expires_in: self.lifetimes.access.as_secs() as i64,
            refresh_token: self.keys.issue(
                Use::Refresh,
                user_id,
                session.id,
                session.generation,
                now,
                session.expires_at,
            )?,
            user: user.user.clone(),
        })
    }

    async fn refresh(&self, refresh: Refresh) -> Result<Tokens, Refusal> {
        let now = self.clock.now();
        let claims = self.keys.check(Use::Refresh, &refresh.refresh_token, now)?;
        let (user, session) = (self.users.get(claims.sub).await?, self.sessions.get(claims.sid).await?);
        let (Some(user), Some(session)) = (user, session) else {
            return Err(Refusal::new(Code::SessionEnded));
        };
        if !domain::is_in_force(&session, &user, now) {
            return Err(Refusal::new(Code::SessionEnded));
        }
        let rotate = SessionCommand::Rotate {
            generation: claims.generation,
            lasts: self.lifetimes.refresh,
            with_grace: refresh.with_grace,
        };
        let context = Context { caller: caller_of(&user, session.id), claim: None, ..refresh.context };
        let session = self.sessions.execute(session.id, rotate, context).await?;
        if session.revoked_at.is_some() {
            tracing::warn!(session = %session.id, "a used refresh token came again: the session is ended");
            return Err(Refusal::new(Code::SessionEnded));
        }
        self.tokens(&user, &session)
    }

    async fn change_password(&self, change: ChangePassword) -> Result<(), Refusal> {
        let caller = change.context.caller;
        domain::check_new_password(&change.new_password)?;
        let user = self.users.get(caller.user_id).await?.ok_or_else(|| Refusal::new(Code::NotFound))?;
        let account = &user.user.email;
        if !self.prove(account, change.address, change.current_password, Some(&user.password_hash)).await? {
            return Err(Refusal::field("current_password", "wrong_password"));
        }
        let hash = self.passwords.hash(change.new_password).await?;
        let command = UserCommand::ChangePassword { hash, keep: caller.session_id };
        self.users.execute(caller.user_id, command, change.context).await?;
        Ok(())
    }

    async fn create_user(&self, create: CreateUser) -> Result<Arc<UserState>, Refusal> {
        create.context.caller.require(&[Role::Admin])?;
        let password = create.user.password.clone();
        let mut draft = domain::check_new(create.user)?;
        self.check_manager(draft.manager_id).await?;
        draft.password_hash = self.passwords.hash(password).await?;
        self.users.create(new_id(), UserCommand::Create(draft), create.context).await
    }

    async fn change_user(&self, change: ChangeUser) -> Result<Arc<UserState>, Refusal> {
        change.context.caller.require(&[Role::Admin])?;
        let mut changes = domain::check_changes(change.changes)?;
        self.check_manager(changes.fields.manager_id.flatten()).await?;
        if let Some(password) = changes.fields.password.take() {
            changes.password_hash = Some(self.passwords.hash(password).await?);
        }
        if changes.fields.role.is_none_or(|role| role == Role::Admin) {
            let command = UserCommand::Change { changes, other_admins: true };
            return self.users.execute(change.id, command, change.context).await;
        }
        let command = |other_admins| UserCommand::Change { changes: changes.clone(), other_admins };
        self.leaving_an_admin(change.id, command, change.context).await
    }

    /// Executes what may take an ADMIN away, if another one is still as they were when it was decided: of two ADMINs
    /// who are made less at once, on whichever nodes, one stays.
    async fn leaving_an_admin(
        &self,
        id: Id,
        command: impl Fn(bool) -> UserCommand,
        context: Context,
    ) -> Result<Arc<UserState>, Refusal> {
        let mut other = store::another_admin(&self.db, id).await?;
        for _ in 0..ATTEMPTS {
            let mut context = context.clone();
            context.with.writes.extend(other.iter().map(store::unchanged));
            let answer = self.users.execute(id, command(other.is_some()), context).await;
            let Err(refusal) = &answer else { return answer };
            if !refusal.is_passing() {
                return answer;
            }
            let now = store::another_admin(&self.db, id).await?;
            if now == other {
                return answer;
            }
            other = now;
        }
        Err(Refusal::overloaded())
    }

    /// Deletes the user if the heirs are still as they were when they were settled: two users who are deleted at
    /// once, each the other's heir, can't both go.
    async fn remove_user(&self, remove: RemoveUser) -> Result<Id, Refusal> {
        let mut context = remove.context;
        let (saga_id, saga) = start(SagaKind::UserDeletion, remove.id, &context, self.clock.now());
        context.with.join(saga);
        let Heirs { successor, approver } = remove.heirs;
        let mut heirs = vec![successor];
        heirs.extend(approver.filter(|approver| approver.id != successor.id));
        // One who is the other ADMIN, too, is looked at twice.
        context.with.writes.extend(heirs.iter().map(store::unchanged));
        let leaving = Leaving {
            successor_id: successor.id,
            approver_id: approver.map(|approver| approver.id),
            saga_id,
        };
        let command = |other_admins| UserCommand::Delete { leaving, other_admins };
        self.leaving_an_admin(remove.id, command, context).await?;
        Ok(saga_id)
    }

    async fn check_manager(&self, manager: Option<Id>) -> Result<(), Refusal> {
        let Some(manager) = manager else { return Ok(()) };
        match self.users.get(manager).await? {
            Some(user) if user.is_live() && user.user.role != Role::Sales => Ok(()),
            _ => Err(Refusal::field("manager_id", "unknown_manager")),
        }
    }

    async fn find_session(&self, find: &FindSession) -> Result<Proof, Refusal> {
        let (session, user) =
            (self.sessions.get(find.session_id).await?, self.users.get(find.user_id).await?);
        let (Some(session), Some(user)) = (session, user) else {
            return Err(Refusal::new(Code::SessionEnded));
        };
        Ok(Proof { session: (*session).clone(), user })
    }

    async fn find_user(&self, id: Id) -> Result<Arc<UserState>, Refusal> {
        let user = self.users.get(id).await?.filter(|user| user.is_live());
        user.ok_or_else(|| Refusal::new(Code::NotFound))
    }
}

fn caller_of(user: &UserState, session_id: Id) -> Caller {
    Caller { user_id: user.user.id, role: user.user.role, session_id }
}

serve!(AuthDesk as Auth, {
    Login command => |desk, message| Tokens { desk.login(message).await },
    Refresh command => |desk, message| Tokens { desk.refresh(message).await },
    Logout command => |desk, message| () {
        let session = message.context.caller.session_id;
        desk.sessions.execute(session, SessionCommand::Revoke, message.context).await.map(drop)
    },
    ChangePassword command => |desk, message| () { desk.change_password(message).await },
    RemoveUser command => |desk, message| Id { desk.remove_user(message).await },
    LiveUsers read => |desk, _message| Vec<LiveUser> { Ok(store::live_users(&desk.db).await?) },
    CreateUser command => |desk, message| Arc<UserState> { desk.create_user(message).await },
    ChangeUser command => |desk, message| Arc<UserState> { desk.change_user(message).await },
    FindSession read => |desk, message| Proof { desk.find_session(&message).await },
    RecallUser read => |desk, message| Option<Arc<UserState>> { desk.users.get(message.id).await },
    FindUser read => |desk, message| Arc<UserState> { desk.find_user(message.id).await },
    ListUsers read => |desk, message| Page<User> { Ok(store::list_users(&desk.db, &message.filter, &message.page).await?) },
});
