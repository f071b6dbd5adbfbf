//! What an API key may be used for: a set of scopes. Sessions have all of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, ErrorCode, FieldError};

macro_rules! scopes {
    ($($name:ident = $text:tt $(implies $implied:ident)?),* $(,)?) => {
        /// A scope of an API key. One to write implies the one to read of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum Scope {
            $(#[serde(rename = $text)] $name),*
        }

        impl Scope {
            /// Every scope, in the order in which they are listed.
            pub const ALL: &'static [Scope] = &[$(Scope::$name),*];

            /// Its name in the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The scope that comes with it.
            pub const fn implied(self) -> Option<Scope> {
                match self { $(Self::$name => scopes!(@implied $($implied)?)),* }
            }
        }
    };
    (@implied) => { None };
    (@implied $name:ident) => { Some(Scope::$name) };
}

scopes! {
    CustomersRead = "customers:read",
    CustomersWrite = "customers:write" implies CustomersRead,
    MeetingsRead = "meetings:read",
    MeetingsWrite = "meetings:write" implies MeetingsRead,
    TasksRead = "tasks:read",
    TasksWrite = "tasks:write" implies TasksRead,
    DealsRead = "deals:read",
    DealsWrite = "deals:write" implies DealsRead,
    ApprovalsRead = "approvals:read",
    ApprovalsWrite = "approvals:write" implies ApprovalsRead,
    NotificationsRead = "notifications:read",
    NotificationsWrite = "notifications:write" implies NotificationsRead,
    UsersRead = "users:read",
    UsersWrite = "users:write" implies UsersRead,
    ReportsRead = "reports:read",
    SagasRead = "sagas:read",
    SagasWrite = "sagas:write" implies SagasRead,
    ImportsRead = "imports:read",
    ImportsWrite = "imports:write" implies ImportsRead,
    AuditRead = "audit:read",
    EventsRead = "events:read",
    WebhooksRead = "webhooks:read",
    WebhooksWrite = "webhooks:write" implies WebhooksRead,
    AdminRead = "admin:read",
    AdminWrite = "admin:write" implies AdminRead,
}

impl Scope {
    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == name)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scopes(u32);

/// The bit that no key has: what only somebody who has signed in may do, as changing a password or making a key.
const SIGNED_IN: u32 = 1 << 31;

impl Scopes {
    /// What needs no scope.
    pub const NONE: Self = Self(0);
    /// What a session has, and Kizuna itself. Nodes of a version without scopes send no set, which is read as this one.
    pub const ALL: Self = Self(u32::MAX);
    /// What needs a session.
    pub const SESSION: Self = Self(SIGNED_IN);

    /// The set of these scopes and of those that they imply.
    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut place) = (0, 0);
        while place < scopes.len() {
            bits |= 1 << scopes[place] as u32;
            if let Some(implied) = scopes[place].implied() {
                bits |= 1 << implied as u32;
            }
            place += 1;
        }
        Self(bits)
    }

    /// The scopes of either set.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether every scope of `needed` is in this set.
    pub const fn covers(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Whether it is the set of an API key.
    pub const fn is_of_key(self) -> bool {
        self.0 & SIGNED_IN == 0
    }

    /// The set of a service that asks another on behalf of this set's caller, after it has checked what the caller asked
    /// for. What a key may never do stays refused.
    #[must_use]
    pub const fn of_peer(self) -> Self {
        if self.is_of_key() { Self(!SIGNED_IN) } else { Self::ALL }
    }

    /// Checks that every scope of `needed` is in this set.
    ///
    /// # Errors
    /// `missing_scope`, which names the first one that is missing; `session_required` for what no key may do.
    pub fn check(self, needed: Self) -> Result<(), Error> {
        if self.covers(needed) {
            return Ok(());
        }
        if needed.0 & SIGNED_IN & !self.0 != 0 {
            return Err(Error::new(ErrorCode::SessionRequired));
        }
        let is_missing = |scope: &Scope| needed.contains(*scope) && !self.contains(*scope);
        // The scope that brings the others with it.
        let brings = |scope: &Scope| Scope::ALL.iter().find(|other| other.implied() == Some(*scope));
        let missing = Scope::ALL.iter().find(|scope| is_missing(scope));
        let missing = missing.map(|scope| brings(scope).filter(|other| is_missing(other)).unwrap_or(scope));
        Err(missing.map_or_else(|| Error::new(ErrorCode::Forbidden), |scope| missing_scope(*scope)))
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self::ALL
    }
}

/// The error of a key without this scope.
pub fn missing_scope(scope: Scope) -> Error {
    let fields = vec![FieldError::new("Authorization", "missing_scope").allowing(scope.as_str())];
    Error { fields, ..Error::new(ErrorCode::MissingScope) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_write_implies_to_read_the_same_and_nothing_else() {
        for scope in Scope::ALL {
            let set = Scopes::of(&[*scope]);
            let name = scope.as_str();
            let (noun, _) = name.split_once(':').expect("noun:verb");
            for other in Scope::ALL {
                let is_same = scope == other;
                let is_implied = name.ends_with(":write") && other.as_str() == format!("{noun}:read");
                assert_eq!(set.contains(*other), is_same || is_implied, "{name} and {}", other.as_str());
            }
            assert!(set.is_of_key(), "{name}");
            assert_eq!(Scope::parse(name), Some(*scope));
        }
        assert_eq!(Scope::parse("everything:read"), None);
    }

    #[test]
    fn every_scope_has_a_bit_of_its_own_and_a_key_with_all_of_them_is_no_session() {
        assert!(Scope::ALL.len() < 31);
        let all = Scopes::of(Scope::ALL);
        assert!(all.is_of_key() && !all.covers(Scopes::SESSION) && !all.of_peer().covers(Scopes::SESSION));
        assert!(all.of_peer().covers(all) && Scopes::NONE.of_peer().covers(all));
        assert_eq!(Scopes::ALL.of_peer(), Scopes::ALL);
        assert_eq!(all.check(Scopes::SESSION).unwrap_err().code, ErrorCode::SessionRequired);
        assert_eq!(Scopes::ALL.check(all.and(Scopes::SESSION)), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_first_scope_that_is_missing() {
        let set = Scopes::of(&[Scope::CustomersRead]);
        let error = set.check(Scopes::of(&[Scope::CustomersWrite])).unwrap_err();
        assert_eq!(error.code, ErrorCode::MissingScope);
        assert_eq!(error.fields[0].allowed.as_deref(), Some("customers:write"));
        assert_eq!(set.check(Scopes::of(&[Scope::CustomersRead])), Ok(()));
        assert_eq!(set.check(Scopes::NONE), Ok(()));
        // Of the two that a write needs, the one that brings the other.
        let error = set.check(Scopes::of(&[Scope::TasksWrite])).unwrap_err();
        assert_eq!(error.missing_scope(), Some("tasks:write"));
    }

    #[test]
    fn a_message_of_an_older_node_has_every_scope() {
        #[derive(Deserialize)]
        struct Message {
            #[serde(default)]
            scopes: Scopes,
        }
        let read = |text: &str| serde_json::from_str::<Message>(text).expect("a message").scopes;
        assert_eq!(read("{}"), Scopes::ALL);
        let some = Scopes::of(&[Scope::TasksRead]);
        assert_eq!(read(&format!("{{\"scopes\":{}}}", serde_json::to_string(&some).unwrap())), some);
    }
}
