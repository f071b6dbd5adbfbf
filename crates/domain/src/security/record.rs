//! An entry of the security log.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::ids::Id;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum SecurityKind {
            $($(#[$doc])* $name),*
        }

        impl SecurityKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in the API and in the log.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

kinds! {
    SignedIn = "signed_in",
    /// A wrong password, or an address that nobody has.
    SignInRefused = "sign_in_refused",
    /// Too many failures before: the password was not checked.
    SignInThrottled = "sign_in_throttled",
    /// A signed-in user gave a wrong current password.
    PasswordRefused = "password_refused",
    /// By the user; the other sessions have ended.
    PasswordChanged = "password_changed",
    /// By an ADMIN; every session has ended.
    PasswordSet = "password_set",
    /// A used refresh token came again: its session has ended.
    TokenReused = "token_reused",
    /// A refresh token of the API came as the console's, or the other way round.
    TokenMisplaced = "token_misplaced",
    /// The user signed out.
    SignedOut = "signed_out",
    /// The user ended the session from another one.
    SessionEnded = "session_ended",
    /// The user signed in again in the same browser.
    SessionReplaced = "session_replaced",
    /// The user had too many sessions.
    SessionEvicted = "session_evicted",
}

/// An entry of the security log. Refusals of one kind, account and address within an hour are one entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecurityEntry {
    pub id: Id,
    pub kind: SecurityKind,
    /// When it happened, for the first time.
    pub at: Timestamp,
    /// When it happened last.
    pub last_at: Timestamp,
    /// How often it happened; of `sign_in_throttled`, at least.
    pub count: i64,
    /// The user whom it concerns; null if nobody has the address that was given.
    #[schema(required)]
    pub user_id: Option<Id>,
    #[schema(required)]
    pub session_id: Option<Id>,
    /// Who did it; null if nobody was signed in.
    #[schema(required)]
    pub actor_id: Option<Id>,
    #[schema(required, value_type = Option<String>, example = "192.0.2.1")]
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`.
    #[schema(required)]
    pub agent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_name() {
        for kind in SecurityKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("a name"), kind.as_str());
        }
    }
}
