//! Whoever refers to a customer makes sure of it (SPEC §5, flows 3 and 4): the customer service is asked,
//! through its breaker.

use crate::actors::customer::client::CustomerPeer;
use crate::domain::customer::messages::FindCustomer;
use crate::persistence::customer_replicas as replicas;
use kernel::caller::Caller;
use kernel::error::{Error, ErrorCode};
use kernel::ids::Id;
use store::Db;
use store::table::Table;

/// One service's way to make sure of customers.
pub struct CustomerCheck {
    pub db: Db,
    /// The service's own copy of the customers.
    pub replica: &'static Table,
    pub customers: CustomerPeer,
}

impl CustomerCheck {
    /// The customer exists and the caller may see it. While the customer service is away, our own copy of its
    /// customers answers; one it doesn't hold can't be vouched for.
    ///
    /// # Errors
    /// `customer_not_found`; `unavailable` if neither knows.
    pub async fn check(&self, caller: &Caller, id: Id) -> Result<(), Error> {
        match self.customers.ask(FindCustomer { id, caller: *caller }).await {
            Ok(_) => Ok(()),
            Err(error) if error.code == ErrorCode::NotFound => Err(Error::new(ErrorCode::CustomerNotFound)),
            Err(error) if error.is_passing() => {
                let replica = replicas::find(&self.db, self.replica, id).await?.ok_or(error)?;
                metrics::counter!("kizuna_fallbacks_total", "callee" => "customer").increment(1);
                let seen = replica.deleted_at.is_none() && caller.sees(replica.owner_id);
                if seen { Ok(()) } else { Err(Error::new(ErrorCode::CustomerNotFound)) }
            }
            Err(error) => Err(error),
        }
    }
}
