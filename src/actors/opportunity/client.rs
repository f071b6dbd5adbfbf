//! How the rest of Kizuna talks to the opportunity service.

use std::sync::Arc;

use super::aggregate::ApprovalAggregate;
use super::domain::{self, Approval};
use super::messages::FindApproval;
use super::service::OpportunityDesk;
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::Service;
use crate::ids::Id;

/// Sends messages to the service, and reads hot approvals from memory.
#[derive(Clone)]
pub struct OpportunityClient {
    pub service: Service<OpportunityDesk>,
    /// Where the service is hosted.
    pub approvals: Option<Entities<ApprovalAggregate>>,
}

impl OpportunityClient {
    /// An approval that the caller may see, without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Approval>, Refusal> {
        match self.approvals.as_ref().and_then(|approvals| approvals.cached(id)) {
            Some(approval) => domain::visible(Some(&approval), &caller).map(drop).map(|()| approval),
            None => self.service.ask(FindApproval { id, caller }).await,
        }
    }
}
