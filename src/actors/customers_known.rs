//! Whoever refers to a customer makes sure of it (SPEC §5, flows 3 and 4): the customer service is asked,
//! through its breaker.

use super::context::Caller;
use super::customer::client::CustomerClient;
use super::customer::messages::FindCustomer;
use super::refusal::{Code, Refusal};
use super::runtime::call::Guard;
use crate::ids::Id;
use crate::persistence::Db;
use crate::persistence::replicas;
use crate::persistence::table::Table;

/// One service's way to make sure of customers.
pub struct KnownCustomers {
    pub db: Db,
    /// The service's own copy of the customers.
    pub replica: &'static Table,
    pub client: CustomerClient,
    pub guard: Guard,
}

impl KnownCustomers {
    /// The customer exists and the caller may see it. While the customer service is away, our own copy of its
    /// customers answers; one it doesn't hold can't be vouched for.
    ///
    /// # Errors
    /// `customer_not_found`; `unavailable` if neither knows.
    pub async fn check(&self, caller: &Caller, id: Id) -> Result<(), Refusal> {
        let asked = FindCustomer { id, caller: *caller };
        match self.guard.call_idempotent(|| self.client.service.ask_once(asked.clone())).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.code == Code::NotFound => Err(Refusal::new(Code::CustomerNotFound)),
            Err(refusal) if refusal.is_passing() => {
                let replica = replicas::find(&self.db, self.replica, id).await?.ok_or(refusal)?;
                metrics::counter!("kizuna_fallbacks_total", "callee" => "customer").increment(1);
                let seen = replica.deleted_at.is_none() && caller.sees(replica.owner_id);
                if seen { Ok(()) } else { Err(Refusal::new(Code::CustomerNotFound)) }
            }
            Err(refusal) => Err(refusal),
        }
    }
}
