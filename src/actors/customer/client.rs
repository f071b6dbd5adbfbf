//! The client of the customer service.

use std::sync::Arc;

use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::imports::ImportAggregate;
use crate::actors::customer::service::CustomerService;
use crate::actors::importing::CustomerLookup;
use domain::customer::messages::{CustomerName, FindCustomer, FindCustomers};
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::import::messages::{MatchCustomers, MatchedCustomers};
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::scoped::Scoped;
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type CustomerPeer = Peer<CustomerService>;

/// Sends messages to the service, and reads customers that are in memory.
#[derive(Clone)]
pub struct CustomerClient {
    pub service: Service<CustomerService>,
    /// The customers, on a node that hosts the service.
    pub customers: Option<Entities<CustomerAggregate>>,
    /// The imports, on a node that hosts the service.
    pub imports: Option<Entities<ImportAggregate>>,
}

impl CustomerClient {
    /// A customer that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `missing_scope`, `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Customer>, Error> {
        let find = FindCustomer { id, caller };
        find.check_scopes()?;
        match self.customers.as_ref().and_then(|customers| customers.cached(id)) {
            Some(customer) => rules::visible(Some(&customer), &caller).map(drop).map(|()| customer),
            None => self.service.ask(find).await,
        }
    }
}

/// Imports of other records find the customers whom rows name through the peer.
impl CustomerLookup for CustomerPeer {
    const IS_NEEDED: bool = true;

    async fn matching(&self, asked: MatchCustomers) -> Result<MatchedCustomers, Error> {
        self.ask(asked).await
    }

    async fn named(&self, asked: FindCustomers) -> Result<Vec<CustomerName>, Error> {
        self.ask(asked).await
    }
}
