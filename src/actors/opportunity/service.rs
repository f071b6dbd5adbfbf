//! The opportunity service: checks customer and approver, then hands the command to the approval's child. Its part for deals
//! is in `deal_service.rs`.

use domain::service_name::ServiceName;
use std::sync::Arc;

use crate::actors::attachments::Attachments;
use crate::actors::auth::client::AuthPeer;
use crate::actors::bulk::BulkParts;
use crate::actors::comments::{Comments, on_record};
use crate::actors::customer_check::CustomerCheck;
use crate::actors::importing::{ImportParts, drop_rows};
use crate::actors::opportunity::approval_aggregate::ApprovalAggregate;
use crate::actors::opportunity::bulk::Deals;
use crate::actors::opportunity::deal_aggregate::DealAggregate;
use crate::actors::opportunity::imports::ImportedDeals;
use crate::actors::undo::find_changes;
use crate::actors::user_check::find_user;
use crate::persistence::approvals as queries;
use crate::persistence::batches::OF_OPPORTUNITY;
use crate::persistence::deletions;
use crate::persistence::deletions::{
    APPROVALS_OF_CUSTOMER, APPROVALS_OF_USER, DEALS_OF_CUSTOMER, DEALS_OF_OWNER, OPEN_DEALS_OF_CUSTOMER,
    PENDING_APPROVALS_OF_CUSTOMER,
};
use crate::persistence::found;
use crate::persistence::record_activity;
use crate::persistence::saga_items::{Group, OPPORTUNITY_ITEMS};
use domain::api_key::event_scopes::to_read;
use domain::approval::messages::ApprovalCounts;
use domain::approval::messages::{
    ApprovalStats, DecideApproval, FindApproval, ListApprovals, ReadApprovalActivity, RequestApproval,
};
use domain::approval::record::Approval;
use domain::approval::rules;
use domain::approval::rules::{Action, ApprovalCommand};
use domain::approval::validation;
use domain::attachment::messages::{
    AddAttachment, CheckAttachable, FindAttachment, ListAttachments, RemoveAttachment,
};
use domain::attachment::record::Attachment;
use domain::bulk::messages::{ChangeDeals, CountOfCustomers, PreviewDeals};
use domain::bulk::progress::BulkFound;
use domain::comment::messages::{AddComment, ChangeComment, DeleteComment, FindComment, ListComments};
use domain::comment::record::Comment;
use domain::deal::messages::{
    ChangeDeal, CreateDeal, DealCounts, DealStats, DeleteDeal, FindDeal, ListDeals, ReadDealActivity,
};
use domain::deal::record::Deal;
use domain::deal::reports::{
    DealOutcomes, ForecastMonth, FunnelStage, ReadDealForecast, ReadDealFunnel, ReadDealOutcomes,
};
use domain::deal::rules::DealCommand;
use domain::events::APPROVAL_REQUESTED;
use domain::import::messages::{CheckRows, CheckedRow, DropRows, StageRows};
use domain::saga::messages::CountReferring;
use domain::saga::record::{Counted, Counts, Saga, SagaKind};
use domain::search::messages::FindRecords;
use domain::search::record::{Hit, RecordType};
use domain::search::rules::{merged, ranked};
use domain::undo::messages::{FindChanges, FindInUse, RevertMany};
use domain::undo::record::FoundChanges;
use kernel::caller::Caller;
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::EventRecord;
use kernel::failpoint;
use kernel::ids::{Id, new_id};
use kernel::page::Page;
use kernel::rank::Query;
use kernel::search::Words;
use runtime::entity::Entities;
use runtime::serve;
use store::Db;

/// The logic of the service, shared by its requests.
pub struct OpportunityService {
    pub db: Db,
    pub approvals: Entities<ApprovalAggregate>,
    pub deals: Entities<DealAggregate>,
    pub customers: CustomerCheck,
    pub approval_comments: Comments<ApprovalAggregate>,
    pub deal_comments: Comments<DealAggregate>,
    pub approval_attachments: Attachments<ApprovalAggregate>,
    pub deal_attachments: Attachments<DealAggregate>,
    pub auth: AuthPeer,
    pub deals_bulk: BulkParts<Deals>,
    pub clock: Clock,
    pub deals_import: ImportParts<ImportedDeals>,
}

impl OpportunityService {
    async fn request(&self, request: RequestApproval) -> Result<Arc<Approval>, Error> {
        let caller = request.context.caller;
        let new = validation::check_new(request.approval)?;
        self.customers.check(&caller, new.customer_id).await?;
        if let Some(deal) = new.deal_id {
            self.check_deal(&caller, new.customer_id, deal).await?;
        }
        let approver_id = match new.approver_id {
            Some(named) => self.check_approver(named, caller.user_id).await.map(|()| Some(named))?,
            None => self.approver_by_default(caller.user_id).await?,
        };
        let command = ApprovalCommand::Request { new, approver_id };
        self.approvals.create(new_id(), command, request.context).await
    }

    async fn decide(&self, decide: DecideApproval) -> Result<Arc<Approval>, Error> {
        let command = validation::check_decision(decide.decision)?;
        if let ApprovalCommand::Reassign { approver_id } = command {
            self.check_reassignment(decide.id, approver_id, &decide.context).await?;
        }
        self.approvals.execute(decide.id, command, decide.context).await
    }

    /// Checks first what the child would refuse, so that a caller who may not reassign learns nothing of other users.
    async fn check_reassignment(&self, id: Id, approver: Id, context: &Context) -> Result<(), Error> {
        let approval = self.approvals.get(id).await?;
        let (approval, _) = rules::permitted(approval.as_deref(), Action::Reassign, &context.caller)?;
        context.check_version(approval.version)?;
        self.check_approver(approver, approval.requester_id).await
    }

    /// Checks that an approver may approve and is not the requester.
    async fn check_approver(&self, approver: Id, requester: Id) -> Result<(), Error> {
        rules::check_approver(Some(approver), requester)?;
        match find_user(&self.auth, approver).await? {
            Some(user) if rules::can_approve(user.role) => Ok(()),
            _ => Err(Error::field("approver_id", "unknown_approver")),
        }
    }

    /// The requester's manager, if the manager may approve; else `None`.
    async fn approver_by_default(&self, requester: Id) -> Result<Option<Id>, Error> {
        let user = find_user(&self.auth, requester).await?;
        let manager = user.and_then(|user| user.manager_id).filter(|manager| *manager != requester);
        let Some(manager) = manager else { return Ok(None) };
        let manager = find_user(&self.auth, manager).await?;
        Ok(manager.filter(|user| rules::can_approve(user.role)).map(|user| user.id))
    }

    async fn find(&self, caller: &Caller, id: Id) -> Result<Arc<Approval>, Error> {
        self.approvals.visible(id, |approval| rules::visible(approval, caller)).await
    }

    async fn list(&self, list: ListApprovals) -> Result<Page<Approval>, Error> {
        let (owner, words) = (list.caller.only_owner(), Words::parse(list.filter.q.as_deref())?);
        Ok(queries::list(&self.db, owner, &list.filter, &words, &list.sort, &list.page).await?)
    }

    /// The approvals and deals for `/search`.
    async fn find_records(&self, asked: &FindRecords) -> Result<Vec<Hit>, Error> {
        failpoint::pause("search.approvals").await;
        let (owner, query) = (asked.caller.only_owner(), Query::parse(&asked.q)?);
        if query.words().is_empty() {
            return Ok(Vec::new());
        }
        let candidates = async |of: RecordType, searched| match asked.caller.scopes.contains(to_read(of)) {
            true => found::candidates(&self.db, searched, owner, &query).await,
            false => Ok(Vec::new()),
        };
        let (approvals, deals) = futures_util::join!(
            candidates(RecordType::Approval, &found::APPROVALS),
            candidates(RecordType::Deal, &found::DEALS)
        );
        let mut hits = ranked(RecordType::Approval, &query, approvals?, asked.limit);
        hits.extend(ranked(RecordType::Deal, &query, deals?, asked.limit));
        Ok(merged(hits, asked.limit))
    }

    async fn activity(&self, read: ReadApprovalActivity) -> Result<Page<EventRecord>, Error> {
        let ReadApprovalActivity { id, caller, page } = read;
        self.find(&caller, id).await?;
        Ok(record_activity::page(&self.db, id, APPROVAL_REQUESTED, caller.only_owner(), &page).await?)
    }

    async fn stats(&self, stats: ApprovalStats) -> Result<ApprovalCounts, Error> {
        failpoint::pause("stats.approvals").await;
        let requester = stats.caller.only_owner().or(stats.owner_id);
        Ok(queries::stats(&self.db, requester, stats.from, stats.to).await?)
    }

    async fn count_referring(&self, asked: CountReferring) -> Result<Counts, Error> {
        let (approvals, deals) = match asked.kind {
            SagaKind::UserDeletion => (APPROVALS_OF_USER, DEALS_OF_OWNER),
            SagaKind::CustomerMerge => (APPROVALS_OF_CUSTOMER, DEALS_OF_CUSTOMER),
            _ => (PENDING_APPROVALS_OF_CUSTOMER, OPEN_DEALS_OF_CUSTOMER),
        };
        let viewer = asked.caller.only_owner();
        let approvals = deletions::count(&self.db, approvals, asked.id, viewer).await?;
        let deals = deletions::count(&self.db, deals, asked.id, viewer).await?;
        Ok(Counts::from([(Counted::Approvals, approvals), (Counted::Deals, deals)]))
    }

    /// Which approvals and deals the undo of a saga would take back.
    async fn find_changes(&self, saga: &Saga) -> Result<FoundChanges, Error> {
        let (db, items) = (&self.db, OPPORTUNITY_ITEMS);
        if matches!(saga.kind, SagaKind::DealsChange | SagaKind::DealsImport) {
            return find_changes::<DealAggregate>(db, items, (saga.id, Group::All)).await;
        }
        let approvals = (saga.id, Group::Kind(Counted::Approvals));
        let mut found = find_changes::<ApprovalAggregate>(db, items, approvals).await?;
        let deals = (saga.id, Group::Kind(Counted::Deals));
        found.join(find_changes::<DealAggregate>(db, items, deals).await?);
        Ok(found)
    }

    async fn count_of_customers(&self, asked: &CountOfCustomers) -> Result<Counts, Error> {
        let viewer = asked.caller.only_owner();
        let approvals =
            deletions::count_all(&self.db, PENDING_APPROVALS_OF_CUSTOMER, &asked.ids, viewer).await?;
        let deals = deletions::count_all(&self.db, OPEN_DEALS_OF_CUSTOMER, &asked.ids, viewer).await?;
        Ok(Counts::from([(Counted::Approvals, approvals), (Counted::Deals, deals)]))
    }
}

serve!(OpportunityService as ServiceName::Opportunity, {
    RequestApproval command => |service, message| Arc<Approval> { service.request(message).await },
    DecideApproval command => |service, message| Arc<Approval> { service.decide(message).await },
    FindApproval read => |service, message| Arc<Approval> { service.find(&message.caller, message.id).await },
    ListApprovals read => |service, message| Page<Approval> { service.list(message).await },
    FindRecords read => |service, message| Vec<Hit> { service.find_records(&message).await },
    ReadApprovalActivity read => |service, message| Page<EventRecord> { service.activity(message).await },
    CountReferring read => |service, message| Counts { service.count_referring(message).await },
    RevertMany command => |service, message| Id { service.deals_bulk.begin_undo(message).await },
    FindChanges read => |service, message| FoundChanges { service.find_changes(&message.saga).await },
    FindInUse read => |service, message| Vec<Id> {
        Ok(deletions::in_use(&service.db, &[APPROVALS_OF_CUSTOMER, DEALS_OF_CUSTOMER], &message.ids).await?)
    },
    CountOfCustomers read => |service, message| Counts { service.count_of_customers(&message).await },
    ApprovalStats read => |service, message| ApprovalCounts { service.stats(message).await },
    CreateDeal command => |service, message| Arc<Deal> { service.create_deal(message).await },
    ChangeDeal command => |service, message| Arc<Deal> { service.change_deal(message).await },
    DeleteDeal command => |service, message| Arc<Deal> {
        service.deals.execute(message.id, DealCommand::Delete, message.context).await
    },
    FindDeal read => |service, message| Arc<Deal> { service.find_deal(&message.caller, message.id).await },
    ListDeals read => |service, message| Page<Deal> { service.list_deals(message).await },
    ReadDealActivity read => |service, message| Page<EventRecord> { service.deal_activity(message).await },
    DealStats read => |service, message| DealCounts { service.deal_stats(message).await },
    ReadDealFunnel read => |service, message| Vec<FunnelStage> { service.deal_funnel(message).await },
    ReadDealForecast read => |service, message| Vec<ForecastMonth> { service.deal_forecast(message).await },
    ReadDealOutcomes read => |service, message| DealOutcomes { service.deal_outcomes(message).await },
    ChangeDeals command => |service, message| Id { service.change_deals(message).await },
    CheckRows read => |service, message| Vec<CheckedRow> { service.deals_import.check(message).await },
    StageRows command => |service, message| () { service.deals_import.stage(message).await },
    DropRows command => |service, message| () { drop_rows(&service.db, OF_OPPORTUNITY, message).await },
    PreviewDeals read => |service, message| BulkFound { service.preview_deals(message).await },
    AddComment command => |service, message| Arc<Comment> {
        on_record!(service, message, add, Approval => approval_comments, Deal => deal_comments)
    },
    ChangeComment command => |service, message| Arc<Comment> {
        on_record!(service, message, change, Approval => approval_comments, Deal => deal_comments)
    },
    DeleteComment command => |service, message| Id {
        on_record!(service, message, delete, Approval => approval_comments, Deal => deal_comments)
    },
    FindComment read => |service, message| Arc<Comment> {
        on_record!(service, message, find, Approval => approval_comments, Deal => deal_comments)
    },
    ListComments read => |service, message| Page<Comment> {
        on_record!(service, message, list, Approval => approval_comments, Deal => deal_comments)
    },
    AddAttachment command => |service, message| Arc<Attachment> {
        on_record!(service, message, add, Approval => approval_attachments, Deal => deal_attachments)
    },
    RemoveAttachment command => |service, message| Id {
        on_record!(service, message, remove, Approval => approval_attachments, Deal => deal_attachments)
    },
    FindAttachment read => |service, message| Arc<Attachment> {
        on_record!(service, message, find, Approval => approval_attachments, Deal => deal_attachments)
    },
    CheckAttachable read => |service, message| () {
        on_record!(service, message, check, Approval => approval_attachments, Deal => deal_attachments)
    },
    ListAttachments read => |service, message| Page<Attachment> {
        on_record!(service, message, list, Approval => approval_attachments, Deal => deal_attachments)
    },
});
