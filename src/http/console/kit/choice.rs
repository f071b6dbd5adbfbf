//! What a field of a form chooses from.

use domain::approval::rules::may_be_approver;
use domain::comment::rules::may_read;
use domain::user::record::UserView;
use domain::user::rules::{can_be_manager, may_be_manager_of};
use kernel::ids::Id;

/// One of the values to choose from.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

/// Whom a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The caller's customers.
    Customers,
    People,
    /// Those who may approve a request of this user.
    ApproversOf(Id),
    /// Those who may be the manager of this user, or of a new one.
    ManagersOf(Option<Id>),
    /// Everybody but this user.
    OthersThan(Id),
    /// Those who may read a record of this user.
    ReadersOf(Id),
}

/// A field's search.
pub struct Search {
    pub source: Source,
    /// What is chosen, by name.
    pub chosen: Option<Choice>,
    /// What a name without scripts found.
    pub found: Vec<Choice>,
    /// The name that was typed.
    pub typed: String,
    /// Why it chose nothing.
    pub fault: Option<&'static str>,
}

impl Source {
    /// The source of an address that [`address`](Self::address) made.
    pub fn parse(kind: &str, of: Option<Id>) -> Option<Self> {
        match (kind, of) {
            ("customers", None) => Some(Self::Customers),
            ("people", None) => Some(Self::People),
            ("approvers", Some(requester)) => Some(Self::ApproversOf(requester)),
            ("managers", of) => Some(Self::ManagersOf(of)),
            ("others", Some(user)) => Some(Self::OthersThan(user)),
            ("readers", Some(owner)) => Some(Self::ReadersOf(owner)),
            _ => None,
        }
    }

    /// Where a page's script searches.
    pub fn address(self) -> String {
        let (kind, of) = match self {
            Self::Customers => ("customers", None),
            Self::People => ("people", None),
            Self::ApproversOf(requester) => ("approvers", Some(requester)),
            Self::ManagersOf(user) => ("managers", user),
            Self::OthersThan(user) => ("others", Some(user)),
            Self::ReadersOf(owner) => ("readers", Some(owner)),
        };
        of.map_or_else(|| format!("/choices/{kind}"), |of| format!("/choices/{kind}?of={of}"))
    }

    /// Whether a user may be chosen.
    pub fn takes(self, user: &UserView) -> bool {
        match self {
            Self::Customers => false,
            Self::People => true,
            Self::ApproversOf(requester) => may_be_approver(user.id(), user.role(), requester),
            Self::ManagersOf(None) => can_be_manager(user.role()),
            Self::ManagersOf(Some(of)) => may_be_manager_of(user.id(), user.role(), of),
            Self::OthersThan(of) => user.id() != of,
            Self::ReadersOf(owner) => may_read(user.id(), user.role(), owner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::ids::new_id;

    #[test]
    fn an_address_leads_to_its_source() {
        let id = new_id();
        for source in [
            Source::Customers,
            Source::People,
            Source::ApproversOf(id),
            Source::ManagersOf(None),
            Source::ManagersOf(Some(id)),
            Source::OthersThan(id),
            Source::ReadersOf(id),
        ] {
            let address = source.address();
            let (path, query) = address.split_once('?').unwrap_or((&address, ""));
            let of = query.strip_prefix("of=").and_then(Id::parse);
            assert_eq!(Source::parse(path.trim_start_matches("/choices/"), of), Some(source));
        }
        assert_eq!(Source::parse("passwords", None), None);
    }
}
