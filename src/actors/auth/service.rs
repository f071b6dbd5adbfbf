//! The auth service: signs users in and out, manages users, and answers other services about them.

use domain::service_name::ServiceName;
use domain::session::record::Session;
use domain::session::rules as session_rules;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::auth::aggregate::{SessionAggregate, UserAggregate};
use crate::actors::auth::password::Passwords;
use crate::actors::auth::throttle::LoginThrottle;
use crate::actors::auth::token::{Keys, Use};
use crate::actors::sagas::start::start;
use crate::persistence::auth as queries;
use domain::saga::record::SagaKind;
use domain::session::rules::LoginFailed;
use domain::session::rules::SessionCommand;
use domain::user::messages::{
    ChangePassword, ChangeUser, CreateUser, FIND_USERS_MAX, FindSession, FindUser, FindUsers, FoundUser,
    ListUsers, LiveUser, LiveUsers, Login, Logout, RecallUser, Refresh, RemoveUser, SessionState, Successors,
    TokenType, Tokens, UserName,
};
use domain::user::record::{UserState, UserView};
use domain::user::rules;
use domain::user::rules::{Leaving, UserCommand};
use kernel::address::client_network;
use kernel::caller::{Caller, Role};
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::event::Event;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use runtime::entity::{Entities, Prepared};
use runtime::journal::Journal;
use runtime::serve;
use store::Db;
use store::unit_of_work::UnitOfWork;

/// How long tokens are valid.
#[derive(Clone, Copy, Debug)]
pub struct TokenLifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

/// The logic of the service, shared by its requests.
pub struct AuthService {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub keys: Arc<Keys>,
    pub passwords: Passwords,
    pub users: Entities<UserAggregate>,
    pub sessions: Entities<SessionAggregate>,
    pub lifetimes: TokenLifetimes,
    pub throttle: LoginThrottle,
}

/// How often a change that removes an ADMIN is decided again because the other ADMIN changed meanwhile.
const ATTEMPTS: usize = 5;

impl AuthService {
    async fn login(&self, login: Login) -> Result<Tokens, Error> {
        let email = login.email.trim().to_lowercase();
        let found = queries::user_by_email(&self.db, &email).await?;
        let hash = found.as_ref().map(|user| user.password_hash.as_str());
        let proven = self.prove(&email, login.address, login.password, hash).await?;
        match found {
            Some(user) if proven => {
                let context = Context { caller: caller_of(&user, Id::nil()), claim: None, ..login.context };
                self.open_session(&user, context).await
            }
            Some(user) => {
                self.record_failure(user.user.id, &login.context).await?;
                Err(Error::new(ErrorCode::InvalidCredentials))
            }
            None => Err(Error::new(ErrorCode::InvalidCredentials)),
        }
    }

    /// Checks a password; a wrong one is charged to the account and the address.
    async fn prove(
        &self,
        account: &str,
        address: Option<std::net::IpAddr>,
        password: String,
        hash: Option<&str>,
    ) -> Result<bool, Error> {
        let address = address.map(|address| client_network(address).to_string()).unwrap_or_default();
        let now = self.clock.now();
        let charged = self.throttle.charge(account, &address, now).await?;
        charged.map_err(|wait| Error::after(ErrorCode::TooManyAttempts, wait))?;
        let proven = self.passwords.verify(password, hash).await;
        // An overload is not a wrong password.
        if !matches!(proven, Ok(false)) {
            self.throttle.refund(account, &address, now).await?;
        }
        proven
    }

    async fn record_failure(&self, user: Id, context: &Context) -> Result<(), Error> {
        let event = Event::new(&LoginFailed(user), new_id(), 1, self.clock.now(), context);
        self.journal.commit(UnitOfWork { events: vec![event], ..UnitOfWork::default() }).await?;
        Ok(())
    }

    async fn open_session(&self, user: &UserState, context: Context) -> Result<Tokens, Error> {
        let open = SessionCommand::Open {
            user_id: user.user.id,
            valid_from: user.sessions_valid_from,
            lasts: self.lifetimes.refresh,
        };
        let session = self.sessions.create(new_id(), open, context).await?;
        self.tokens(user, &session)
    }

    fn tokens(&self, user: &UserState, session: &Session) -> Result<Tokens, Error> {
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

    async fn refresh(&self, refresh: Refresh) -> Result<Tokens, Error> {
        let now = self.clock.now();
        let claims = self.keys.check(Use::Refresh, &refresh.refresh_token, now)?;
        let (user, session) = (self.users.get(claims.sub).await?, self.sessions.get(claims.sid).await?);
        let (Some(user), Some(session)) = (user, session) else {
            return Err(Error::new(ErrorCode::SessionEnded));
        };
        if !session_rules::is_valid(&session, &user, now) {
            return Err(Error::new(ErrorCode::SessionEnded));
        }
        let rotate = SessionCommand::Rotate {
            generation: claims.generation,
            lasts: self.lifetimes.refresh,
            with_grace: refresh.with_grace,
        };
        let context = Context { caller: caller_of(&user, session.id), claim: None, ..refresh.context };
        let session = self.sessions.execute(session.id, rotate, context).await?;
        if session.revoked_at.is_some() {
            tracing::warn!(session = %session.id, "a used refresh token was used again: ending the session");
            return Err(Error::new(ErrorCode::SessionEnded));
        }
        self.tokens(&user, &session)
    }

    async fn change_password(&self, mut change: ChangePassword) -> Result<(), Error> {
        let caller = change.context.caller;
        rules::check_new_password(&mut change.new_password)?;
        let user = self.users.get(caller.user_id).await?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        let account = &user.user.email;
        if !self.prove(account, change.address, change.current_password, Some(&user.password_hash)).await? {
            return Err(Error::field("current_password", "wrong_password"));
        }
        let hash = self.passwords.hash(change.new_password).await?;
        let command = UserCommand::ChangePassword { hash, keep: caller.session_id };
        self.users.execute(caller.user_id, command, change.context).await?;
        Ok(())
    }

    async fn create_user(&self, create: CreateUser) -> Result<Arc<UserState>, Error> {
        rules::may_manage_users(&create.context.caller)?;
        let (new, password) = rules::check_new(create.user)?;
        self.check_manager(new.manager_id).await?;
        let password_hash = self.passwords.hash(password).await?;
        self.users.create(new_id(), UserCommand::Create { new, password_hash }, create.context).await
    }

    async fn change_user(&self, change: ChangeUser) -> Result<Arc<UserState>, Error> {
        rules::may_manage_users(&change.context.caller)?;
        let (changes, password) = rules::check_changes(change.changes)?;
        self.check_manager(changes.manager_id.flatten()).await?;
        let password_hash = match password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let may_leave_admins = changes.role.is_some_and(|role| role != Role::Admin);
        let command = |other_admins| UserCommand::Change {
            changes: changes.clone(),
            password_hash: password_hash.clone(),
            other_admins,
        };
        if may_leave_admins {
            self.leaving_an_admin(change.id, command, change.context).await
        } else {
            self.users.execute(change.id, command(true), change.context).await
        }
    }

    /// Executes a command that may remove an ADMIN, on condition that another ADMIN is unchanged since the decision.
    /// So, of two ADMINs who are demoted at the same time, on any nodes, one stays.
    async fn leaving_an_admin(
        &self,
        id: Id,
        command: impl Fn(bool) -> UserCommand,
        prepared: impl Into<Prepared>,
    ) -> Result<Arc<UserState>, Error> {
        let prepared = prepared.into();
        let mut other = queries::another_admin(&self.db, id).await?;
        for _ in 0..ATTEMPTS {
            let mut prepared = prepared.clone();
            prepared.with.writes.extend(other.iter().map(queries::unchanged));
            let answer = self.users.execute(id, command(other.is_some()), prepared).await;
            let Err(error) = &answer else { return answer };
            if !error.is_passing() {
                return answer;
            }
            let now = queries::another_admin(&self.db, id).await?;
            if now == other {
                return answer;
            }
            other = now;
        }
        Err(Error::overloaded().with_cause("the other ADMIN changed each time before this command did"))
    }

    /// Deletes the user on condition that the successors are unchanged since they were chosen. So two users who are
    /// each other's successor can't be deleted at the same time.
    async fn remove_user(&self, remove: RemoveUser) -> Result<Id, Error> {
        let (saga_id, with) = start(SagaKind::UserDeletion, remove.id, &remove.context, self.clock.now());
        let mut prepared = Prepared { context: remove.context, with };
        let Successors { successor, approver } = remove.successors;
        let mut successors = vec![successor];
        successors.extend(approver.filter(|approver| approver.id != successor.id));
        // A successor who is also the other ADMIN is checked twice.
        prepared.with.writes.extend(successors.iter().map(queries::unchanged));
        let leaving = Leaving {
            successor_id: successor.id,
            approver_id: approver.map(|approver| approver.id),
            saga_id,
        };
        let command = |other_admins| UserCommand::Delete { leaving, other_admins };
        self.leaving_an_admin(remove.id, command, prepared).await?;
        Ok(saga_id)
    }

    async fn check_manager(&self, manager: Option<Id>) -> Result<(), Error> {
        let Some(manager) = manager else { return Ok(()) };
        match self.users.get(manager).await? {
            Some(user) if user.is_live() && rules::can_be_manager(user.user.role) => Ok(()),
            _ => Err(Error::field("manager_id", "unknown_manager")),
        }
    }

    async fn find_session(&self, find: &FindSession) -> Result<SessionState, Error> {
        let (session, user) =
            (self.sessions.get(find.session_id).await?, self.users.get(find.user_id).await?);
        let (Some(session), Some(user)) = (session, user) else {
            return Err(Error::new(ErrorCode::SessionEnded));
        };
        Ok(SessionState { session: (*session).clone(), user })
    }

    async fn find_user(&self, find: FindUser) -> Result<FoundUser, Error> {
        let user = self.users.get(find.id).await?.filter(|user| user.is_live());
        let user = user.ok_or_else(|| Error::new(ErrorCode::NotFound))?.user.clone();
        Ok(FoundUser { version: user.version, user: rules::view(user, &find.caller) })
    }

    async fn find_users(&self, find: FindUsers) -> Result<Vec<UserName>, Error> {
        if find.ids.len() > FIND_USERS_MAX {
            return Err(Error::new(ErrorCode::Internal));
        }
        Ok(queries::user_names(&self.db, &find.ids).await?)
    }

    async fn list_users(&self, list: ListUsers) -> Result<Page<UserView>, Error> {
        let by_name_only = rules::searches_names_only(&list.caller);
        let users = queries::list_users(&self.db, &list.filter, by_name_only, &list.page).await?;
        Ok(users.map(|user| rules::view(user, &list.caller)))
    }
}

fn caller_of(user: &UserState, session_id: Id) -> Caller {
    Caller { user_id: user.user.id, role: user.user.role, session_id }
}

serve!(AuthService as ServiceName::Auth, {
    Login command => |service, message| Tokens { service.login(message).await },
    Refresh command => |service, message| Tokens { service.refresh(message).await },
    Logout command => |service, message| () {
        let session = message.context.caller.session_id;
        service.sessions.execute(session, SessionCommand::Revoke, message.context).await.map(drop)
    },
    ChangePassword command => |service, message| () { service.change_password(message).await },
    RemoveUser command => |service, message| Id { service.remove_user(message).await },
    LiveUsers read => |service, _message| Vec<LiveUser> { Ok(queries::live_users(&service.db).await?) },
    CreateUser command => |service, message| Arc<UserState> { service.create_user(message).await },
    ChangeUser command => |service, message| Arc<UserState> { service.change_user(message).await },
    FindSession read => |service, message| SessionState { service.find_session(&message).await },
    RecallUser read => |service, message| Option<Arc<UserState>> { service.users.get(message.id).await },
    FindUser read => |service, message| FoundUser { service.find_user(message).await },
    FindUsers read => |service, message| Vec<UserName> { service.find_users(message).await },
    ListUsers read => |service, message| Page<UserView> { service.list_users(message).await },
});
