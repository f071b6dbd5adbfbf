//! Starts deletions that need more than one service's word, and shows how they go on.

use std::collections::HashMap;

use futures_util::future::try_join_all;

use super::domain::{Counts, Saga, SagaKind, is_visible};
use super::messages::{
    CountReferring, DeleteUser, FindSaga, ListSagas, Preview, PreviewCustomerDeletion, PreviewUserDeletion,
};
use super::user_deletion::settle;
use crate::actors::analytics::service::AnalyticsDesk;
use crate::actors::auth::client::AuthClient;
use crate::actors::auth::messages::{Heirs, LiveUsers, RemoveUser};
use crate::actors::context::{Caller, Role};
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::messages::{CountByOwner, FindCustomer};
use crate::actors::guards::Guards;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::page::Page;
use crate::actors::refusal::{Code, Refusal};
use crate::actors::runtime::service::{Service, serve};
use crate::actors::sales::client::SalesClient;
use crate::ids::Id;
use crate::persistence::Db;
use crate::persistence::sagas as store;

/// How often heirs are settled anew when one of them changed meanwhile.
const ATTEMPTS: usize = 3;

/// What the sagas work with: every service, each through its breaker.
pub struct SagaDesk {
    pub db: Db,
    pub auth: AuthClient,
    pub customers: CustomerClient,
    pub sales: SalesClient,
    pub opportunity: OpportunityClient,
    pub analytics: Service<AnalyticsDesk>,
    pub guards: Guards,
}

impl SagaDesk {
    async fn delete_user(&self, delete: DeleteUser) -> Result<Id, Refusal> {
        delete.context.caller.require(&[Role::Admin])?;
        let mut attempt = 1;
        loop {
            let heirs = self.heirs(&delete.context.caller, delete.id, delete.reassign_to).await?;
            let remove = RemoveUser { id: delete.id, heirs, context: delete.context.clone() };
            match self.auth.service.ask(remove).await {
                Err(refusal) if refusal.is_passing() && attempt < ATTEMPTS => attempt += 1,
                answer => return answer,
            }
        }
    }

    async fn heirs(&self, caller: &Caller, id: Id, wanted: Option<Id>) -> Result<Heirs, Refusal> {
        let live = self.guards.auth.call_idempotent(|| self.auth.service.ask_once(LiveUsers)).await?;
        // Only the choice by fewest customers needs the customer service: a named successor does without.
        let customers = match wanted {
            Some(_) => HashMap::new(),
            None => {
                let ask = || self.customers.service.ask_once(CountByOwner);
                self.guards.customer.call_idempotent(ask).await?
            }
        };
        settle(id, wanted, caller.user_id, &live, &customers)
    }

    async fn preview_user(&self, asked: PreviewUserDeletion) -> Result<Preview, Refusal> {
        asked.caller.require(&[Role::Admin])?;
        let heirs = self.heirs(&asked.caller, asked.id, asked.reassign_to).await?;
        let counts = self.counts(SagaKind::UserDeletion, asked.id).await?;
        Ok(Preview {
            successor_id: Some(heirs.successor.id),
            approver_id: heirs.approver.map(|approver| approver.id),
            ..Preview::new(SagaKind::UserDeletion, asked.id, counts)
        })
    }

    async fn preview_customer(&self, asked: PreviewCustomerDeletion) -> Result<Preview, Refusal> {
        let find = FindCustomer { id: asked.id, caller: asked.caller };
        self.guards.customer.call_idempotent(|| self.customers.service.ask_once(find.clone())).await?;
        let counts = self.counts(SagaKind::CustomerDeletion, asked.id).await?;
        Ok(Preview::new(SagaKind::CustomerDeletion, asked.id, counts))
    }

    /// What refers to a user or customer, of all services that have a step, asked at the same time.
    async fn counts(&self, kind: SagaKind, id: Id) -> Result<Counts, Refusal> {
        let mut services: Vec<&str> = kind.plan().iter().map(|plan| plan.service).collect();
        services.dedup();
        let answers = try_join_all(services.into_iter().map(|service| self.count(service, kind, id))).await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn count(&self, service: &str, kind: SagaKind, id: Id) -> Result<Counts, Refusal> {
        let asked = CountReferring { kind, id };
        let guards = &self.guards;
        match service {
            "customer" => {
                guards.customer.call_idempotent(|| self.customers.service.ask_once(asked.clone())).await
            }
            "sales" => guards.sales.call_idempotent(|| self.sales.service.ask_once(asked.clone())).await,
            "opportunity" => {
                guards.opportunity.call_idempotent(|| self.opportunity.service.ask_once(asked.clone())).await
            }
            _ => guards.analytics.call_idempotent(|| self.analytics.ask_once(asked.clone())).await,
        }
    }

    async fn find(&self, find: FindSaga) -> Result<Saga, Refusal> {
        let saga = store::find(&self.db, find.id).await?;
        saga.filter(|saga| is_visible(saga, &find.caller)).ok_or_else(|| Refusal::new(Code::NotFound))
    }
}

serve!(SagaDesk, {
    DeleteUser => |desk, message| Id { desk.delete_user(message).await },
    PreviewUserDeletion => |desk, message| Preview { desk.preview_user(message).await },
    PreviewCustomerDeletion => |desk, message| Preview { desk.preview_customer(message).await },
    FindSaga => |desk, message| Saga { desk.find(message).await },
    ListSagas => |desk, message| Page<Saga> { Ok(store::list(&desk.db, &message.caller, &message.page).await?) },
});
