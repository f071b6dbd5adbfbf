//! How the rest of Kizuna talks to the customer service.

use std::sync::Arc;

use super::aggregate::CustomerAggregate;
use super::domain::{self, Customer};
use super::messages::{FindCustomer, RecallCustomer};
use super::service::CustomerDesk;
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::ids::Id;

/// Sends messages to the service, and reads hot customers from memory.
#[derive(Clone)]
pub struct CustomerClient {
    pub service: Service<CustomerDesk>,
    /// Where the service is hosted.
    pub customers: Option<Entities<CustomerAggregate>>,
}

impl CustomerClient {
    /// A customer that the caller may see, without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Customer>, Refusal> {
        match self.customers.as_ref().and_then(|customers| customers.cached(id)) {
            Some(customer) => domain::visible(Some(&customer), &caller).map(drop).map(|()| customer),
            None => self.service.ask(FindCustomer { id, caller }).await,
        }
    }

    /// The same, also of one that is gone.
    ///
    /// # Errors
    /// `unavailable`, `overloaded`.
    pub async fn recall(&self, caller: Caller, id: Id) -> Result<Option<Arc<Customer>>, Refusal> {
        self.service.ask(RecallCustomer { id, caller }).await
    }
}
