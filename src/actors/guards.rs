//! One breaker a callee, shared by all who call it (SPEC §7).

use super::runtime::call::Guard;

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
    pub fn all(&self) -> Vec<Guard> {
        [&self.auth, &self.customer, &self.sales, &self.opportunity, &self.analytics].map(Guard::clone).into()
    }
}
