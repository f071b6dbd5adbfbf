//! The auth service: signs users in and out, manages users, and answers other services about them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::to_raw_value;

use crate::actors::auth::aggregate::{SessionAggregate, UserAggregate};
use crate::actors::auth::api_keys::ApiKeyAggregate;
use crate::actors::auth::password::Passwords;
use crate::actors::auth::security::{Concerned, SecurityLog};
use crate::actors::auth::throttle::LoginThrottle;
use crate::actors::auth::token::Keys;
use crate::actors::auth::views::ViewsAggregate;
use crate::actors::sagas::start::{start, start_undo};
use crate::persistence::auth as queries;
use crate::persistence::discarded;
use domain::api_key::messages::{
    ApiKeyState, CreateApiKey, FindApiKey, ListApiKeys, NoteKeyUse, RevokeApiKey,
};
use domain::api_key::record::{ApiKeyView, CreatedKey};
use domain::saga::record::SagaKind;
use domain::saved_view::messages::{ChangeView, ListViews, RemoveView, SaveView};
use domain::saved_view::record::SavedView;
use domain::security::messages::ReadSecurityLog;
use domain::security::record::{SecurityEntry, SecurityKind};
use domain::service_name::ServiceName;
use domain::session::record::{ClientInfo, SessionView};
use domain::session::rules::SessionLifetimes;
use domain::undo::messages::RestoreUser;
use domain::user::messages::{
    ChangePassword, ChangePreferences, ChangeProfile, ChangeUser, CreateUser, EndSession,
    FIND_BY_ADDRESS_MAX, FIND_MENTIONED_MAX, FIND_USERS_MAX, FindMentioned, FindSession, FindUser, FindUsers,
    FindUsersByAddress, FoundUser, ListSessions, ListUsers, LiveUser, LiveUsers, Login, Logout, Mentionable,
    RecallUser, Refresh, RemoveUser, SessionState, SignedIn, Successors, Tokens, UserName,
};
use domain::user::record::{UserState, UserView};
use domain::user::rules;
use domain::user::rules::{Leaving, Returning, UserCommand};
use kernel::caller::Role;
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use kernel::search::Words;
use runtime::entity::Entities;
use runtime::journal::Journal;
use runtime::prepared::Prepared;
use runtime::serve;
use store::Db;
use store::idempotency::FirstAnswer;

/// How long tokens and sessions are valid, and how many sessions a user has.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// How long an access token is valid.
    pub access: Duration,
    pub lifetimes: SessionLifetimes,
    /// The most open sessions of a user: a sign-in ends those that were not used for the longest time.
    pub per_user: u32,
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
    pub views: Entities<ViewsAggregate>,
    pub api_keys: Entities<ApiKeyAggregate>,
    pub limits: SessionLimits,
    pub throttle: LoginThrottle,
    pub security: SecurityLog,
}

/// How often a change that removes an ADMIN is decided again because the other ADMIN changed meanwhile.
const ATTEMPTS: usize = 5;

impl AuthService {
    async fn change_profile(&self, change: ChangeProfile) -> Result<Arc<UserState>, Error> {
        let changes = rules::check_profile(change.changes)?;
        let user = change.context.caller.user_id;
        self.users.execute(user, UserCommand::ChangeProfile(changes), change.context).await
    }

    async fn change_preferences(&self, change: ChangePreferences) -> Result<Arc<UserState>, Error> {
        let ChangePreferences { changes, context } = change;
        self.users.execute(context.caller.user_id, UserCommand::ChangePreferences(changes), context).await
    }

    async fn create_user(&self, create: CreateUser) -> Result<Arc<UserState>, Error> {
        rules::may_manage_users(&create.context.caller)?;
        let (new, password) = rules::check_new(create.user)?;
        self.check_manager(new.manager_id).await?;
        let password_hash = self.passwords.hash(password).await?;
        self.users.create(new_id(), UserCommand::Create { new, password_hash }, create.context).await
    }

    async fn change_user(&self, change: ChangeUser) -> Result<Arc<UserState>, Error> {
        let caller = change.context.caller;
        rules::may_manage_users(&caller)?;
        let (changes, password) = rules::check_changes(change.changes)?;
        self.check_manager(changes.manager_id.flatten()).await?;
        let password_hash = match password {
            Some(mut password) => {
                if let Some(user) = self.users.get(change.id).await? {
                    rules::check_password_of(&user.user, "password", &mut password)?;
                }
                Some(self.passwords.hash(password).await?)
            }
            None => None,
        };
        let may_leave_admins = changes.role.is_some_and(|role| role != Role::Admin);
        let prepared = match &password_hash {
            Some(_) => {
                let of = Concerned { user: Some(change.id), actor: caller.actor_id(), session: None };
                self.security.beside(change.context, SecurityKind::PasswordSet, of, &ClientInfo::default())
            }
            None => change.context.into(),
        };
        let command = |other_admins| UserCommand::Change {
            changes: changes.clone(),
            password_hash: password_hash.clone(),
            other_admins,
        };
        if may_leave_admins {
            self.leaving_an_admin(change.id, command, prepared).await
        } else {
            self.users.execute(change.id, command(true), prepared).await
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
        let (kind, now) = ((SagaKind::UserDeletion, remove.id), self.clock.now());
        let (saga_id, with) = match &remove.undoes {
            Some(original) => start_undo(kind, original, &remove.context, now),
            None => start(kind.0, kind.1, &remove.context, now),
        };
        let mut prepared = Prepared::new(remove.context, with);
        prepared.with.writes.push(discarded::note(&queries::USERS, remove.id, now));
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

    /// Brings a deleted user back. Sessions and tokens of before stay ended.
    async fn restore_user(&self, restore: RestoreUser) -> Result<Id, Error> {
        let RestoreUser { saga, context } = restore;
        let (id, now) = (saga.subject_id, self.clock.now());
        let (saga_id, mut with) = start_undo((SagaKind::UserRestoration, id), &saga, &context, now);
        if let Some(claim) = &context.claim {
            let body = to_raw_value(&saga_id).map_err(Error::internal)?;
            with.writes.push(FirstAnswer::new(claim, saga_id, None, body, now).write());
        }
        with.writes.push(discarded::forget(id));
        let context = Context { claim: None, correlation_id: saga_id.to_string().into(), ..context };
        let returning = Returning { saga_id, undoes: saga.id };
        let command = UserCommand::Restore { returning };
        self.users.execute(id, command, Prepared::new(context, with)).await?;
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

    async fn find_mentioned(&self, find: &FindMentioned) -> Result<Vec<Mentionable>, Error> {
        if find.ids.len() + find.addresses.len() > FIND_MENTIONED_MAX {
            return Err(Error::new(ErrorCode::Internal));
        }
        Ok(queries::mentioned(&self.db, &find.ids, &find.addresses).await?)
    }

    async fn find_by_address(&self, find: &FindUsersByAddress) -> Result<Vec<Mentionable>, Error> {
        if find.addresses.len() > FIND_BY_ADDRESS_MAX {
            return Err(Error::new(ErrorCode::Internal));
        }
        Ok(queries::mentioned(&self.db, &[], &find.addresses).await?)
    }

    async fn list_users(&self, list: ListUsers) -> Result<Page<UserView>, Error> {
        let by_name_only = rules::searches_names_only(&list.caller);
        let words = Words::parse(list.filter.q.as_deref())?;
        let users = queries::list_users(&self.db, list.filter.role, &words, by_name_only, &list.page).await?;
        Ok(users.map(|user| rules::view(user, &list.caller)))
    }
}

serve!(AuthService as ServiceName::Auth, {
    Login command => |service, message| SignedIn { service.login(message).await },
    Refresh command => |service, message| Tokens { service.refresh(message).await },
    Logout command => |service, message| () { service.logout(message).await },
    ChangePassword command => |service, message| () { service.change_password(message).await },
    ChangeProfile command => |service, message| Arc<UserState> { service.change_profile(message).await },
    ChangePreferences command => |service, message| Arc<UserState> {
        service.change_preferences(message).await
    },
    ListSessions read => |service, message| Page<SessionView> { service.list_sessions(message).await },
    ReadSecurityLog read => |service, message| Page<SecurityEntry> { service.security.read(message).await },
    EndSession command => |service, message| () { service.end_own_session(message).await },
    RestoreUser command => |service, message| Id { service.restore_user(message).await },
    RemoveUser command => |service, message| Id { service.remove_user(message).await },
    LiveUsers read => |service, _message| Vec<LiveUser> { Ok(queries::live_users(&service.db).await?) },
    CreateUser command => |service, message| Arc<UserState> { service.create_user(message).await },
    ChangeUser command => |service, message| Arc<UserState> { service.change_user(message).await },
    FindSession read => |service, message| SessionState { service.find_session(&message).await },
    RecallUser read => |service, message| Option<Arc<UserState>> { service.users.get(message.id).await },
    FindUser read => |service, message| FoundUser { service.find_user(message).await },
    FindMentioned read => |service, message| Vec<Mentionable> { service.find_mentioned(&message).await },
    FindUsersByAddress read => |service, message| Vec<Mentionable> { service.find_by_address(&message).await },
    FindUsers read => |service, message| Vec<UserName> { service.find_users(message).await },
    ListViews read => |service, message| Vec<SavedView> { service.list_views(message).await },
    SaveView command => |service, message| SavedView { service.save_view(message).await },
    ChangeView command => |service, message| SavedView { service.change_view(message).await },
    RemoveView command => |service, message| () { service.remove_view(message).await },
    CreateApiKey command => |service, message| CreatedKey { service.create_api_key(message).await },
    RevokeApiKey command => |service, message| () { service.revoke_api_key(message).await },
    ListApiKeys read => |service, message| Page<ApiKeyView> { service.list_api_keys(message).await },
    FindApiKey read => |service, message| ApiKeyState { service.find_api_key(message).await },
    NoteKeyUse read => |service, message| () { service.note_key_use(message).await },
    ListUsers read => |service, message| Page<UserView> { service.list_users(message).await },
});
