//! Checks that a customer exists before a record refers to it (SPEC §5, flows 3 and 4): asks the customer service
//! through its circuit breaker.

use crate::actors::customer::client::CustomerPeer;
use crate::persistence::customer_replicas as replicas;
use domain::customer::messages::FindCustomer;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use store::Db;
use store::table::Table;

/// Checks customers for a service.
pub struct CustomerCheck {
    pub db: Db,
    /// The service's replica of the customers.
    pub replica: &'static Table,
    pub customers: CustomerPeer,
}

impl CustomerCheck {
    /// Checks that the customer exists and the caller may see it. While the customer service is away, the replica
    /// answers; for a customer that it does not hold there is no answer.
    ///
    /// # Errors
    /// `customer_not_found`; `unavailable` if neither of them can tell.
    pub async fn check(&self, caller: &Caller, id: Id) -> Result<(), Error> {
        match self.customers.ask(FindCustomer { id, caller: *caller }).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == ErrorCode::NotFound => Err(Error::new(ErrorCode::CustomerNotFound)),
            Err(error) if error.is_passing() => {
                let Some(replica) = replicas::find(&self.db, self.replica, id).await? else {
                    return Err(error);
                };
                self.customers.fell_back(&error);
                let seen = replica.deleted_at.is_none() && caller.sees(replica.owner_id);
                if seen { Ok(()) } else { Err(Error::new(ErrorCode::CustomerNotFound)) }
            }
            Err(error) => Err(error),
        }
    }
}
