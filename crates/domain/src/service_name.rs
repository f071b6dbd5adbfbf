//! The five services of SPEC §1, by name.

use std::fmt;
use std::str::FromStr;

use kernel::service_id::ServiceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A service that a node may host or not. Gateway, live feed, sagas and operations are not among them: they run on
/// every node.
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
    /// All of them: the default of `--services`.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Customer, Self::Sales, Self::Opportunity, Self::Analytics];

    /// Its name in flags, paths and the names of consumers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Customer => "customer",
            Self::Sales => "sales",
            Self::Opportunity => "opportunity",
            Self::Analytics => "analytics",
        }
    }

    /// The name of its circuit breaker.
    pub const fn breaker_name(self) -> &'static str {
        match self {
            Self::Auth => "breaker.auth",
            Self::Customer => "breaker.customer",
            Self::Sales => "breaker.sales",
            Self::Opportunity => "breaker.opportunity",
            Self::Analytics => "breaker.analytics",
        }
    }

    /// Its name for the runtime.
    pub const fn id(self) -> ServiceId {
        ServiceId(self.as_str())
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
    fn a_service_is_read_by_its_name() {
        assert_eq!(" sales ".parse(), Ok(ServiceName::Sales));
        assert!("analytic".parse::<ServiceName>().is_err());
    }
}
