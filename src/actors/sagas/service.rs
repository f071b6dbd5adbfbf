//! The saga service: starts deletions that concern several services, and shows their progress.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use futures_util::try_join;

use crate::actors::analytics::client::AnalyticsPeer;
use crate::actors::auth::client::AuthPeer;
use crate::actors::customer::client::CustomerPeer;
use crate::actors::opportunity::client::OpportunityPeer;
use domain::bulk::messages::{
    COUNTED_MAX, CountOfCustomers, PreviewCustomers, PreviewDeals, PreviewMeetings, PreviewTasks,
};
use domain::bulk::progress::{BulkFound, BulkPreview};
use domain::customer::merge::{MergePreview, PreviewMerge};
use domain::customer::messages::{CountByOwner, FindCustomer};
use domain::saga::messages::{
    CountReferring, DeleteUser, FindSaga, ListSagas, Preview, PreviewCustomerDeletion, PreviewUserDeletion,
};
use domain::saga::record::{Counts, Saga, SagaKind};
use domain::saga::rules::is_visible;
use domain::saga::user_deletion::choose_successors;
use domain::undo::messages::{PreviewUndo, UndoSaga};
use domain::undo::record::UndoPreview;
use domain::user::messages::{LiveUsers, RemoveUser, Successors};
use domain::user::rules::may_manage_users;
use kernel::caller::Caller;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::page::Page;
use runtime::serve;

use crate::actors::sales::client::SalesPeer;
use crate::persistence::sagas as queries;
use domain::service_name::ServiceName;
use kernel::ids::Id;
use store::Db;

/// How often successors are chosen again because one of them changed meanwhile.
const ATTEMPTS: usize = 3;

/// The logic of the service; it asks the other services through their circuit breakers.
pub struct SagaService {
    pub db: Db,
    pub clock: Clock,
    pub auth: AuthPeer,
    pub customers: CustomerPeer,
    pub sales: SalesPeer,
    pub opportunity: OpportunityPeer,
    pub analytics: AnalyticsPeer,
}

impl SagaService {
    /// Deletes a user; with `undoes`, to undo the saga that brought the user back.
    pub(super) async fn delete_user(&self, delete: DeleteUser, undoes: Option<Saga>) -> Result<Id, Error> {
        may_manage_users(&delete.context.caller)?;
        let mut attempt = 1;
        loop {
            let successors = self.successors(&delete.context.caller, delete.id, delete.reassign_to).await?;
            let undoes = undoes.clone().map(Box::new);
            let remove = RemoveUser { id: delete.id, successors, undoes, context: delete.context.clone() };
            match self.auth.ask(remove).await {
                Err(error) if error.is_passing() && attempt < ATTEMPTS => attempt += 1,
                answer => return answer,
            }
        }
    }

    async fn successors(&self, caller: &Caller, id: Id, wanted: Option<Id>) -> Result<Successors, Error> {
        let live = self.auth.ask(LiveUsers).await?;
        // Only the choice by fewest customers needs the customer service; a named successor does not.
        let customers = match wanted {
            Some(_) => HashMap::new(),
            None => self.customers.ask(CountByOwner).await?,
        };
        choose_successors(id, wanted, caller.user_id, &live, &customers)
    }

    async fn preview_user(&self, asked: PreviewUserDeletion) -> Result<Preview, Error> {
        may_manage_users(&asked.caller)?;
        let successors = self.successors(&asked.caller, asked.id, asked.reassign_to).await?;
        let counts = self.counts(SagaKind::UserDeletion, asked.id, asked.caller).await?;
        Ok(Preview {
            successor_id: Some(successors.successor.id),
            approver_id: successors.approver.map(|approver| approver.id),
            ..Preview::new(SagaKind::UserDeletion, asked.id, counts)
        })
    }

    async fn preview_customer(&self, asked: PreviewCustomerDeletion) -> Result<Preview, Error> {
        self.customers.ask(FindCustomer { id: asked.id, caller: asked.caller }).await?;
        let counts = self.counts(SagaKind::CustomerDeletion, asked.id, asked.caller).await?;
        Ok(Preview::new(SagaKind::CustomerDeletion, asked.id, counts))
    }

    /// Counts the records that refer to a user or customer and that the caller may see; asks all services that have a
    /// step at the same time.
    pub(super) async fn counts(&self, kind: SagaKind, id: Id, caller: Caller) -> Result<Counts, Error> {
        let mut services: Vec<ServiceName> = kind.plan().iter().map(|plan| plan.service).collect();
        services.dedup();
        let count = CountReferring { kind, id, caller };
        let answers =
            try_join_all(services.into_iter().map(|service| self.count(service, count.clone()))).await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn count(&self, service: ServiceName, count: CountReferring) -> Result<Counts, Error> {
        match service {
            // Auth has no step: it begins the saga.
            ServiceName::Auth => Ok(Counts::new()),
            ServiceName::Customer => self.customers.ask(count).await,
            ServiceName::Sales => self.sales.ask(count).await,
            ServiceName::Opportunity => self.opportunity.ask(count).await,
            ServiceName::Analytics => self.analytics.ask(count).await,
        }
    }

    /// What a change of customers would do. What goes with deleted ones is counted by the services that keep it.
    async fn preview_customers(&self, asked: PreviewCustomers) -> Result<BulkPreview, Error> {
        let caller = asked.caller;
        let BulkFound { would, deleted } = self.customers.ask(asked).await?;
        let mut with = Counts::new();
        for ids in deleted.chunks(COUNTED_MAX) {
            let count = || CountOfCustomers { ids: ids.to_vec(), caller };
            let (sales, opportunity, analytics) = try_join!(
                self.sales.ask(count()),
                self.opportunity.ask(count()),
                self.analytics.ask(count())
            )?;
            for (kind, number) in sales.into_iter().chain(opportunity).chain(analytics) {
                *with.entry(kind).or_insert(0) += number;
            }
        }
        Ok(BulkPreview { would, with })
    }

    async fn find(&self, find: FindSaga) -> Result<Saga, Error> {
        let saga = queries::find(&self.db, find.id).await?;
        saga.filter(|saga| is_visible(saga, &find.caller)).ok_or_else(|| Error::new(ErrorCode::NotFound))
    }
}

serve!(SagaService, {
    DeleteUser => |service, message| Id { service.delete_user(message, None).await },
    UndoSaga => |service, message| Id { service.undo(message).await },
    PreviewUndo => |service, message| UndoPreview { service.preview_undo(message).await },
    PreviewMerge => |service, message| MergePreview { service.preview_merge(message).await },
    PreviewUserDeletion => |service, message| Preview { service.preview_user(message).await },
    PreviewCustomerDeletion => |service, message| Preview { service.preview_customer(message).await },
    PreviewCustomers => |service, message| BulkPreview { service.preview_customers(message).await },
    PreviewMeetings => |service, message| BulkPreview {
        Ok(BulkPreview { would: service.sales.ask(message).await?.would, with: Counts::new() })
    },
    PreviewTasks => |service, message| BulkPreview {
        Ok(BulkPreview { would: service.sales.ask(message).await?.would, with: Counts::new() })
    },
    PreviewDeals => |service, message| BulkPreview {
        Ok(BulkPreview { would: service.opportunity.ask(message).await?.would, with: Counts::new() })
    },
    FindSaga => |service, message| Saga { service.find(message).await },
    ListSagas => |service, message| Page<Saga> { Ok(queries::list(&service.db, message.caller.only_owner(), &message.page).await?) },
});
