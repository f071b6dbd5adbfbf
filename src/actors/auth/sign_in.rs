//! Passwords: signing in with one, and changing it.

use std::time::Duration;

use crate::actors::auth::security::Concerned;
use crate::actors::auth::service::AuthService;
use crate::actors::auth::throttle::{Attempt, KnownBy};
use crate::actors::auth::token::Use;
use crate::persistence::auth as queries;
use domain::security::record::SecurityKind;
use domain::session::record::ClientInfo;
use domain::user::messages::{ChangePassword, Login, SignedIn};
use domain::user::record::UserState;
use domain::user::rules;
use domain::user::rules::UserCommand;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kernel::scopes::Scopes;
use kernel::text_key::key;

/// How long a device is remembered after the last sign-in on it.
const DEVICE_KEPT: Duration = Duration::from_hours(365 * 24);

impl AuthService {
    /// Signs in. For an address that nobody has it does the same, in the same time.
    pub(super) async fn login(&self, login: Login) -> Result<SignedIn, Error> {
        let email = key(&login.email);
        // No address has a NUL, of which a key makes a blank.
        let wanted = if login.email.contains('\0') { "" } else { email.as_str() };
        let found = queries::user_by_email(&self.db, wanted).await?;
        let user_id = found.as_ref().map(|user| user.user.id);
        let device = self.device_of(user_id, login.device.as_deref());
        let known = self.known_by(user_id, device, &login.client).await?;
        let attempt = self.throttle.sign_in(&email, user_id, login.client.address, known);
        let hash = found.as_ref().map(|user| user.password_hash.as_str());
        let proven = self.prove(attempt, login.password, hash).await;
        if proven.as_ref().is_err_and(|error| error.code == ErrorCode::TooManyAttempts) {
            self.security.throttled(&email, user_id, &login.client).await?;
        }
        let proven = proven?;
        let Some(user) = found.filter(|_| proven) else {
            self.security.sign_in_refused(&email, user_id, &login.client, &login.context).await?;
            return Err(Error::new(ErrorCode::InvalidCredentials));
        };
        let context = Context { caller: caller_of(&user, Id::nil()), claim: None, ..login.context };
        self.make_room(user.user.id, login.replaces, &login.client, &context).await?;
        let tokens = self.open_session(&user, login.kind, login.client, context).await?;
        Ok(SignedIn { tokens, device: self.device_token(user.user.id, device.unwrap_or_else(new_id))? })
    }

    /// The device that a token names, if it was made for this user.
    fn device_of(&self, user: Option<Id>, token: Option<&str>) -> Option<Id> {
        let claims = self.keys.check(Use::Device, token?, self.clock.now()).ok()?;
        (Some(claims.sub) == user).then_some(claims.sid)
    }

    fn device_token(&self, user: Id, device: Id) -> Result<String, Error> {
        let now = self.clock.now();
        self.keys.issue(Use::Device, user, device, 0, now, now.plus(DEVICE_KEPT))
    }

    /// Whether whoever signs in is no stranger. It takes as long for an address that nobody has.
    async fn known_by(
        &self,
        user: Option<Id>,
        device: Option<Id>,
        client: &ClientInfo,
    ) -> Result<KnownBy, Error> {
        let is_known = self.throttle.is_known(user, client.address).await?;
        Ok(match device {
            Some(device) => KnownBy::Device(device),
            None if is_known => KnownBy::Address,
            None => KnownBy::Nothing,
        })
    }

    /// Checks a password; a wrong one is charged.
    async fn prove(&self, attempt: Attempt, password: String, hash: Option<&str>) -> Result<bool, Error> {
        let now = self.clock.now();
        let charged = self.throttle.charge(attempt, now).await?;
        let proven = self.passwords.verify(password, hash).await;
        match proven {
            Ok(true) => self.throttle.right(charged, now).await?,
            Ok(false) => self.throttle.wrong(charged, now).await?,
            // An overload is not a wrong password.
            Err(_) => self.throttle.refund(charged, now).await?,
        }
        proven
    }

    pub(super) async fn change_password(&self, mut change: ChangePassword) -> Result<(), Error> {
        let caller = change.context.caller;
        let user = self.users.get(caller.user_id).await?.ok_or_else(|| Error::new(ErrorCode::NotFound))?;
        rules::check_password_of(&user.user, "new_password", &mut change.new_password)?;
        let attempt = self.throttle.in_session(caller.session_id);
        let of = concerned(&caller, caller.session_id);
        if !self.prove(attempt, change.current_password, Some(&user.password_hash)).await? {
            let session = caller.session_id.to_string();
            self.security.refused(SecurityKind::PasswordRefused, &session, of, &change.client).await?;
            return Err(Error::field("current_password", "wrong_password"));
        }
        let hash = self.passwords.hash(change.new_password).await?;
        let command = UserCommand::ChangePassword { hash, keep: caller.session_id };
        let prepared =
            self.security.beside(change.context, SecurityKind::PasswordChanged, of, &change.client);
        self.users.execute(caller.user_id, command, prepared).await?;
        Ok(())
    }
}

pub(super) fn caller_of(user: &UserState, session_id: Id) -> Caller {
    Caller { user_id: user.user.id, role: user.user.role, session_id, scopes: Scopes::ALL }
}

/// Whom an entry of the security log concerns that is about a session of the caller.
pub(super) fn concerned(caller: &Caller, session: Id) -> Concerned {
    Concerned { user: Some(caller.user_id), session: Some(session), actor: caller.actor_id() }
}
