//! One breaker a callee, shared by all who call it (SPEC §7).

use super::runtime::call::Guard;
use super::service_name::ServiceName;

/// The way to each service through its breaker.
#[derive(Clone)]
pub struct Guards {
    pub auth: Guard,
    pub customer: Guard,
    pub sales: Guard,
    pub opportunity: Guard,
    pub analytics: Guard,
}

impl Guards {
    /// The way to this service.
    pub fn of(&self, service: ServiceName) -> &Guard {
        match service {
            ServiceName::Auth => &self.auth,
            ServiceName::Customer => &self.customer,
            ServiceName::Sales => &self.sales,
            ServiceName::Opportunity => &self.opportunity,
            ServiceName::Analytics => &self.analytics,
        }
    }

    pub fn all(&self) -> Vec<Guard> {
        [&self.auth, &self.customer, &self.sales, &self.opportunity, &self.analytics].map(Guard::clone).into()
    }
}
