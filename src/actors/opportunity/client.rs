//! The client of the opportunity service.

use std::sync::Arc;

use crate::actors::opportunity::approval_aggregate::ApprovalAggregate;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::actors::opportunity::service::OpportunityService;
use domain::approval::messages::FindApproval;
use domain::approval::record::Approval;
use domain::approval::rules;
use domain::deal::messages::FindDeal;
use domain::deal::record::Deal;
use domain::deal::rules as deal_rules;
use kernel::caller::Caller;
use kernel::error::Error;
use kernel::ids::Id;
use kernel::scoped::Scoped;
use runtime::entity::Entities;
use runtime::service::{Peer, Service};

/// The handle of other services to this one, with its circuit breaker.
pub type OpportunityPeer = Peer<OpportunityService>;

/// The records of the service, on a node that hosts it.
#[derive(Clone)]
pub struct OpportunityRecords {
    pub approvals: Entities<ApprovalAggregate>,
    pub deals: Entities<DealAggregate>,
}

/// Sends messages to the service, and reads approvals and deals that are in memory.
#[derive(Clone)]
pub struct OpportunityClient {
    pub service: Service<OpportunityService>,
    /// The records, on a node that hosts the service.
    pub records: Option<OpportunityRecords>,
}

impl OpportunityClient {
    /// An approval that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `missing_scope`, `not_found`, `unavailable`, `overloaded`.
    pub async fn find(&self, caller: Caller, id: Id) -> Result<Arc<Approval>, Error> {
        let find = FindApproval { id, caller };
        find.check_scopes()?;
        match self.records.as_ref().and_then(|records| records.approvals.cached(id)) {
            Some(approval) => rules::visible(Some(&approval), &caller).map(drop).map(|()| approval),
            None => self.service.ask(find).await,
        }
    }

    /// A deal that the caller may see. It is read without a hop to another thread while it is in memory.
    ///
    /// # Errors
    /// `missing_scope`, `not_found`, `unavailable`, `overloaded`.
    pub async fn find_deal(&self, caller: Caller, id: Id) -> Result<Arc<Deal>, Error> {
        let find = FindDeal { id, caller };
        find.check_scopes()?;
        match self.records.as_ref().and_then(|records| records.deals.cached(id)) {
            Some(deal) => deal_rules::visible(Some(&deal), &caller).map(drop).map(|()| deal),
            None => self.service.ask(find).await,
        }
    }
}
