//! The customer service: checks a request against what else exists, then hands it to the customer's child.

use std::collections::HashMap;
use std::sync::Arc;

use super::aggregate::CustomerAggregate;
use super::domain::{self, Customer, CustomerCommand};
use super::messages::{
    ChangeCustomer, CountByOwner, CreateCustomer, CustomerStats, DeleteCustomer, FindCustomer, ListCustomers,
    RecallCustomer,
};
use crate::actors::auth::client::AuthClient;
use crate::actors::owners::check_owner_exists;
use crate::actors::page::Page;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::Guard;
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::service::serve;
use crate::actors::sagas::domain::{Counted, Counts, SagaKind};
use crate::actors::sagas::messages::{CountReferring, start};
use crate::clock::Clock;
use crate::failpoint;
use crate::ids::{Id, new_id};
use crate::persistence::Db;
use crate::persistence::customers::{self as store, CustomerCounts};
use crate::persistence::departures::{self, CUSTOMERS_OF_OWNER};

/// What the service works with; shared by its requests.
pub struct CustomerDesk {
    pub db: Db,
    pub clock: Clock,
    pub customers: Entities<CustomerAggregate>,
    pub auth: AuthClient,
    pub auth_guard: Guard,
}

impl CustomerDesk {
    async fn create(&self, create: CreateCustomer) -> Result<Arc<Customer>, Refusal> {
        let mut context = create.context;
        let caller = context.caller;
        let draft = domain::check_new(create.customer)?;
        caller.may_set_owner(draft.owner_id)?;
        check_owner_exists(&self.auth, &self.auth_guard, &caller, draft.owner_id, "owner_id").await?;
        if let (Some(email), false) = (&draft.email, create.allow_duplicate) {
            context.with.absent.push(store::no_other_with_email(&caller, email, None));
        }
        self.customers.create(new_id(), CustomerCommand::Create(draft), context).await
    }

    async fn change(&self, change: ChangeCustomer) -> Result<Arc<Customer>, Refusal> {
        let mut context = change.context;
        let caller = context.caller;
        let edit = domain::check_changes(change.changes)?;
        let customer = self.find(&FindCustomer { id: change.id, caller }).await?;
        caller.may_set_owner(edit.owner_id)?;
        check_owner_exists(&self.auth, &self.auth_guard, &caller, edit.owner_id, "owner_id").await?;
        if let (Some(Some(email)), false) = (&edit.email, change.allow_duplicate)
            && customer.email.as_ref() != Some(email)
        {
            context.with.absent.push(store::no_other_with_email(&caller, email, Some(change.id)));
        }
        self.customers.execute(change.id, CustomerCommand::Change(edit), context).await
    }

    async fn delete(&self, delete: DeleteCustomer) -> Result<Id, Refusal> {
        let mut context = delete.context;
        let (saga_id, saga) = start(SagaKind::CustomerDeletion, delete.id, &context, self.clock.now());
        context.with.join(saga);
        self.customers.execute(delete.id, CustomerCommand::Delete { saga_id }, context).await?;
        Ok(saga_id)
    }

    async fn find(&self, find: &FindCustomer) -> Result<Arc<Customer>, Refusal> {
        let customer = self.customers.get(find.id).await?;
        domain::visible(customer.as_deref(), &find.caller)?;
        Ok(customer.expect("what is visible is there"))
    }

    async fn stats(&self, stats: CustomerStats) -> Result<CustomerCounts, Refusal> {
        failpoint::pause("stats.customers").await;
        let owner = stats.caller.only_owner().or(stats.owner_id);
        Ok(store::stats(&self.db, owner, stats.from, stats.to).await?)
    }
}

serve!(CustomerDesk as Customer, {
    CreateCustomer command => |desk, message| Arc<Customer> { desk.create(message).await },
    ChangeCustomer command => |desk, message| Arc<Customer> { desk.change(message).await },
    DeleteCustomer command => |desk, message| Id { desk.delete(message).await },
    CountByOwner read => |desk, _message| HashMap<Id, i64> { Ok(store::by_owner(&desk.db).await?) },
    CountReferring read => |desk, message| Counts {
        let customers = departures::count(&desk.db, CUSTOMERS_OF_OWNER, message.id).await?;
        Ok(Counts::from([(Counted::Customers, customers)]))
    },
    FindCustomer read => |desk, message| Arc<Customer> { desk.find(&message).await },
    RecallCustomer read => |desk, message| Option<Arc<Customer>> {
        let customer = desk.customers.get(message.id).await?;
        Ok(customer.filter(|customer| message.caller.sees(customer.owner_id)))
    },
    ListCustomers read => |desk, message| Page<Customer> {
        Ok(store::list(&desk.db, &message.caller, &message.filter, &message.sort, &message.page).await?)
    },
    CustomerStats read => |desk, message| CustomerCounts { desk.stats(message).await },
});
