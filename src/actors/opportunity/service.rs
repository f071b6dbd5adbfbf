//! The opportunity service: makes sure of customer and approver, then hands an approval to its child.

use std::sync::Arc;

use super::aggregate::ApprovalAggregate;
use super::domain::{self, Action, Approval, ApprovalCommand};
use super::intake;
use super::messages::{ApprovalStats, DecideApproval, FindApproval, ListApprovals, RequestApproval};
use crate::actors::auth::client::AuthClient;
use crate::actors::context::{Caller, Context};
use crate::actors::customers_known::KnownCustomers;
use crate::actors::owners::find_user;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::Guard;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::serve;
use crate::actors::sagas::domain::{Counted, Counts, SagaKind};
use crate::actors::sagas::messages::CountReferring;
use crate::failpoint;
use crate::ids::{Id, new_id};
use crate::persistence::Db;
use crate::persistence::approvals::{self as store, ApprovalCounts};
use crate::persistence::departures::{self, APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER};

/// What the service works with; shared by its requests.
pub struct OpportunityDesk {
    pub db: Db,
    pub approvals: Entities<ApprovalAggregate>,
    pub customers: KnownCustomers,
    pub auth: AuthClient,
    pub auth_guard: Guard,
}

impl OpportunityDesk {
    async fn request(&self, request: RequestApproval) -> Result<Arc<Approval>, Refusal> {
        let caller = request.context.caller;
        let mut draft = intake::check_new(request.approval)?;
        self.customers.check(&caller, draft.customer_id).await?;
        match draft.approver_id {
            Some(named) => self.check_approver(named, caller.user_id).await?,
            None => draft.approver_id = self.approver_by_default(caller.user_id).await?,
        }
        self.approvals.create(new_id(), ApprovalCommand::Request(draft), request.context).await
    }

    async fn decide(&self, decide: DecideApproval) -> Result<Arc<Approval>, Refusal> {
        let command = intake::check_decision(decide.decision)?;
        if let ApprovalCommand::Reassign { approver_id } = command {
            self.check_reassignment(decide.id, approver_id, &decide.context).await?;
        }
        self.approvals.execute(decide.id, command, decide.context).await
    }

    /// What the child would refuse comes first: who may not reassign learns nothing of other users.
    async fn check_reassignment(&self, id: Id, approver: Id, context: &Context) -> Result<(), Refusal> {
        let approval = self.approvals.get(id).await?;
        let (approval, _) = domain::permitted(approval.as_deref(), Action::Reassign, &context.caller)?;
        context.check_version(approval.version)?;
        self.check_approver(approver, approval.requester_id).await
    }

    /// A named approver is somebody who may approve, and not the requester.
    async fn check_approver(&self, approver: Id, requester: Id) -> Result<(), Refusal> {
        domain::check_approver(Some(approver), requester)?;
        match find_user(&self.auth, &self.auth_guard, approver).await? {
            Some(user) if domain::can_approve(user.user.role) => Ok(()),
            _ => Err(Refusal::field("approver_id", "unknown_approver")),
        }
    }

    /// The requester's manager, if they may approve; else nobody in particular.
    async fn approver_by_default(&self, requester: Id) -> Result<Option<Id>, Refusal> {
        let user = find_user(&self.auth, &self.auth_guard, requester).await?;
        let manager = user.and_then(|user| user.user.manager_id).filter(|manager| *manager != requester);
        let Some(manager) = manager else { return Ok(None) };
        let manager = find_user(&self.auth, &self.auth_guard, manager).await?;
        Ok(manager.filter(|user| domain::can_approve(user.user.role)).map(|user| user.user.id))
    }

    async fn find(&self, caller: &Caller, id: Id) -> Result<Arc<Approval>, Refusal> {
        let approval = self.approvals.get(id).await?;
        domain::visible(approval.as_deref(), caller)?;
        Ok(approval.expect("what is visible is there"))
    }

    async fn stats(&self, stats: ApprovalStats) -> Result<ApprovalCounts, Refusal> {
        failpoint::pause("stats.approvals").await;
        let requester = stats.caller.only_owner().or(stats.owner_id);
        Ok(store::stats(&self.db, requester, stats.from, stats.to).await?)
    }
}

serve!(OpportunityDesk as Opportunity, {
    RequestApproval command => |desk, message| Arc<Approval> { desk.request(message).await },
    DecideApproval command => |desk, message| Arc<Approval> { desk.decide(message).await },
    FindApproval read => |desk, message| Arc<Approval> { desk.find(&message.caller, message.id).await },
    ListApprovals read => |desk, message| Page<Approval> {
        Ok(store::list(&desk.db, &message.caller, &message.filter, &message.page).await?)
    },
    CountReferring read => |desk, message| Counts {
        let to = match message.kind {
            SagaKind::UserDeletion => APPROVALS_OF_USER,
            SagaKind::CustomerDeletion => APPROVALS_OF_CUSTOMER,
        };
        Ok(Counts::from([(Counted::Approvals, departures::count(&desk.db, to, message.id).await?)]))
    },
    ApprovalStats read => |desk, message| ApprovalCounts { desk.stats(message).await },
});
