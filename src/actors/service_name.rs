//! The five services of SPEC §1 by name: what a node hosts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A service. The gateway, the live feeds, the sagas and the operations are none: they run on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    Auth,
    Customer,
    Sales,
    Opportunity,
    Analytics,
}

impl ServiceName {
    /// All of them: what a node hosts unless it is told otherwise.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Customer, Self::Sales, Self::Opportunity, Self::Analytics];

    /// As flags, paths and consumers' names have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Customer => "customer",
            Self::Sales => "sales",
            Self::Opportunity => "opportunity",
            Self::Analytics => "analytics",
        }
    }

    /// The service that a consumer (`service.purpose`) belongs to; none for one that runs on every node.
    pub fn of_consumer(name: &str) -> Option<Self> {
        name.split('.').next()?.parse().ok()
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ServiceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|service| service.as_str() == text.trim());
        known.ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("there is no service {text:?}; there are {all}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_belongs_to_the_service_of_its_first_word() {
        assert_eq!(ServiceName::of_consumer("sales.customers"), Some(ServiceName::Sales));
        assert_eq!(ServiceName::of_consumer("sagas.progress"), None);
        assert!("analytic".parse::<ServiceName>().is_err());
    }
}
