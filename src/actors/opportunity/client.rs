//! The client of the opportunity service.

use std::sync::Arc;

use crate::actors::opportunity::aggregate::ApprovalAggregate;
use crate::actors::opportunity::service::OpportunityService;
use domain::approval::messages::FindApproval;
use domain::approval::record::Approval;
use domain::approval::rules;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type OpportunityPeer = Peer<OpportunityService>;

/// Sends messages to the service, and reads approvals that are in memory.
#[derive(Clone)]
pub struct OpportunityClient {
    pub service: Service<OpportunityService>,
    /// The approvals, on a node that hosts the service.
    pub approvals: Option<Entities<ApprovalAggregate>>,
}

impl OpportunityClient {
    /// An approval that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Approval>, Error> {
        match self.approvals.as_ref().and_then(|approvals| approvals.cached(id)) {
            Some(approval) => rules::visible(Some(&approval), &caller).map(drop).map(|()| approval),
            None => self.service.ask(FindApproval { id, caller }).await,
        }
    }
}
