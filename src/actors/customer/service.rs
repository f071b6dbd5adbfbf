//! The customer service: checks what lies outside the customer, then hands the command to the customer's child.

use domain::service_name::ServiceName;
use std::collections::HashMap;
use std::sync::Arc;

use crate::actors::attachments::Attachments;
use crate::actors::auth::client::AuthPeer;
use crate::actors::bulk::BulkParts;
use crate::actors::comments::Comments;
use crate::actors::customer::aggregate::CustomerAggregate;
use crate::actors::customer::bulk::Customers;
use crate::actors::customer::imports::{ImportAggregate, ImportedCustomers};
use crate::actors::importing::{ImportParts, drop_rows};
use crate::actors::sagas::start::start;
use crate::actors::user_check::check_owner_exists;
use crate::persistence::batches::OF_CUSTOMERS;
use crate::persistence::customers as queries;
use crate::persistence::deletions;
use crate::persistence::deletions::CUSTOMERS_OF_OWNER;
use crate::persistence::found;
use crate::persistence::saga_items::CUSTOMER_ITEMS;
use domain::api_key::event_scopes::to_read;
use domain::attachment::messages::{
    AddAttachment, CheckAttachable, FindAttachment, ListAttachments, RemoveAttachment,
};
use domain::attachment::record::Attachment;
use domain::bulk::messages::{ChangeCustomers, PreviewCustomers};
use domain::bulk::progress::BulkFound;
use domain::comment::messages::{AddComment, ChangeComment, DeleteComment, FindComment, ListComments};
use domain::comment::record::Comment;
use domain::customer::matching::{FindMatches, FindMatchesOf, ListMatches, MatchGroup, MatchingCustomer};
use domain::customer::merge::{FindMerged, MergeCustomers};
use domain::customer::messages::{
    ChangeCustomer, CountByOwner, CreateCustomer, CustomerFilter, CustomerStats, DeleteCustomer,
    FindCustomer, FindCustomers, ListCustomers, SORTS,
};
use domain::customer::messages::{CustomerCounts, CustomerName, FIND_CUSTOMERS_MAX};
use domain::customer::record::Customer;
use domain::customer::rules;
use domain::customer::rules::CustomerCommand;
use domain::import::messages::{
    ChangeImport, CheckRows, CheckedRow, CommitImport, CreateImport, DropRows, FindImport, ListImportRows,
    ListImports, MatchCustomers, MatchedCustomers, StageRows,
};
use domain::import::record::{Import, ImportRow};
use domain::saga::messages::CountReferring;
use domain::saga::record::{Counted, Counts, SagaKind};
use domain::search::messages::FindRecords;
use domain::search::record::{Candidate, Hit, RecordType};
use domain::search::rules::ranked;
use domain::undo::messages::{FindChanges, FindCreated, RevertCustomer, RevertMany};
use domain::undo::record::FoundChanges;
use kernel::clock::Clock;
use kernel::error::{Error, ErrorCode};
use kernel::failpoint;
use kernel::ids::{Id, new_id};
use kernel::page::{Page, PageRequest};
use kernel::rank::Query;
use kernel::search::Words;
use runtime::entity::Entities;
use runtime::prepared::Prepared;
use runtime::serve;
use store::{Db, StoreError};

/// The logic of the service, shared by its requests.
pub struct CustomerService {
    pub db: Db,
    pub clock: Clock,
    pub customers: Entities<CustomerAggregate>,
    pub comments: Comments<CustomerAggregate>,
    pub attachments: Attachments<CustomerAggregate>,
    pub auth: AuthPeer,
    pub bulk: BulkParts<Customers>,
    pub imports: Entities<ImportAggregate>,
    pub import: ImportParts<ImportedCustomers>,
}

impl CustomerService {
    async fn create(&self, create: CreateCustomer) -> Result<Arc<Customer>, Error> {
        let mut prepared = Prepared::from(create.context);
        let caller = prepared.context.caller;
        let new = rules::check_new(create.customer)?;
        caller.may_set_owner(new.owner_id)?;
        check_owner_exists(&self.auth, &caller, new.owner_id, "owner_id").await?;
        if let (Some(email), false) = (&new.email, create.allow_duplicate) {
            prepared.with.unique_checks.push(queries::no_other_with_email(caller.only_owner(), email, None));
        }
        self.customers.create(new_id(), CustomerCommand::Create(new), prepared).await
    }

    async fn change(&self, change: ChangeCustomer) -> Result<Arc<Customer>, Error> {
        let mut prepared = Prepared::from(change.context);
        let caller = prepared.context.caller;
        let changes = rules::check_changes(change.changes)?;
        let customer = self.find(&FindCustomer { id: change.id, caller }).await?;
        caller.may_set_owner(changes.owner_id)?;
        check_owner_exists(&self.auth, &caller, changes.owner_id, "owner_id").await?;
        if let (Some(Some(email)), false) = (&changes.email, change.allow_duplicate)
            && customer.email.as_ref() != Some(email)
        {
            prepared.with.unique_checks.push(queries::no_other_with_email(
                caller.only_owner(),
                email,
                Some(change.id),
            ));
        }
        self.customers.execute(change.id, CustomerCommand::Change(changes), prepared).await
    }

    async fn delete(&self, delete: DeleteCustomer) -> Result<Id, Error> {
        let (saga_id, with) = start(SagaKind::CustomerDeletion, delete.id, &delete.context, self.clock.now());
        let noting = CUSTOMER_ITEMS.in_cascade(saga_id, Counted::Customers, delete.id);
        let prepared = Prepared::new(delete.context, with).noting(noting);
        self.customers.execute(delete.id, CustomerCommand::Delete { saga_id }, prepared).await?;
        Ok(saga_id)
    }

    pub(super) async fn find(&self, find: &FindCustomer) -> Result<Arc<Customer>, Error> {
        self.customers.visible(find.id, |customer| rules::visible(customer, &find.caller)).await
    }

    async fn find_many(&self, find: &FindCustomers) -> Result<Vec<CustomerName>, Error> {
        if find.ids.len() > FIND_CUSTOMERS_MAX {
            return Err(Error::new(ErrorCode::Internal));
        }
        Ok(queries::names(&self.db, find.caller.only_owner(), &find.ids).await?)
    }

    pub(super) async fn list(&self, list: &ListCustomers) -> Result<Page<Customer>, Error> {
        let (owner, words) = (list.caller.only_owner(), Words::parse(list.filter.q.as_deref())?);
        Ok(queries::list(&self.db, owner, &list.filter, &words, &list.sort, &list.page).await?)
    }

    /// The customers for `/search`.
    async fn find_records(&self, asked: &FindRecords) -> Result<Vec<Hit>, Error> {
        failpoint::pause("search.customers").await;
        let (owner, query) = (asked.caller.only_owner(), Query::parse(&asked.q)?);
        let may_read = asked.caller.scopes.contains(to_read(RecordType::Customer));
        if query.words().is_empty() || !may_read {
            return Ok(Vec::new());
        }
        let (newest, beginning) = futures_util::join!(
            self.newest(owner, &query),
            found::customers_beginning(&self.db, owner, &query)
        );
        let candidates = newest?.into_iter().chain(beginning?).collect();
        Ok(ranked(RecordType::Customer, &query, candidates, asked.limit))
    }

    async fn newest(&self, owner: Option<Id>, query: &Query) -> Result<Vec<Candidate>, StoreError> {
        if let Some(newest) = found::customers_among_newest(&self.db, owner, query).await? {
            return Ok(newest);
        }
        let page = PageRequest::first(found::NEWEST_MAX);
        let (filter, newest_first) = (CustomerFilter::default(), &SORTS[0]);
        let found = queries::list(&self.db, owner, &filter, query.words(), newest_first, &page).await?;
        Ok(found.items.into_iter().map(Candidate::from).collect())
    }

    async fn stats(&self, stats: CustomerStats) -> Result<CustomerCounts, Error> {
        failpoint::pause("stats.customers").await;
        let owner = stats.caller.only_owner().or(stats.owner_id);
        Ok(queries::stats(&self.db, owner, stats.from, stats.to).await?)
    }
}

serve!(CustomerService as ServiceName::Customer, {
    CreateCustomer command => |service, message| Arc<Customer> { service.create(message).await },
    ChangeCustomer command => |service, message| Arc<Customer> { service.change(message).await },
    DeleteCustomer command => |service, message| Id { service.delete(message).await },
    MergeCustomers command => |service, message| Id { service.merge(message).await },
    FindMatches read => |service, message| Vec<MatchingCustomer> { service.matches(&message).await },
    FindMatchesOf read => |service, message| Vec<MatchingCustomer> { service.matches_of(message).await },
    ListMatches read => |service, message| Vec<MatchGroup> { service.match_groups(&message).await },
    FindMerged read => |service, message| (Customer, Customer) { service.merged_pair(&message).await },
    RevertCustomer command => |service, message| Id { service.revert(message).await },
    RevertMany command => |service, message| Id { service.bulk.begin_undo(message).await },
    FindChanges read => |service, message| FoundChanges { service.find_changes(&message).await },
    FindCreated read => |service, message| Vec<Id> { service.find_created(message.saga).await },
    ChangeCustomers command => |service, message| Id { service.change_many(message).await },
    PreviewCustomers read => |service, message| BulkFound { service.preview_many(message).await },
    CreateImport command => |service, message| Arc<Import> { service.create_import(message).await },
    ChangeImport command => |service, message| Arc<Import> { service.change_import(message).await },
    CommitImport command => |service, message| Id { service.commit_import(message).await },
    FindImport read => |service, message| Arc<Import> { service.find_import(&message).await },
    ListImports read => |service, message| Page<Import> { service.list_imports(&message).await },
    ListImportRows read => |service, message| Vec<ImportRow> { service.import_rows(&message).await },
    MatchCustomers read => |service, message| MatchedCustomers { service.match_customers(message).await },
    CheckRows read => |service, message| Vec<CheckedRow> { service.import.check(message).await },
    StageRows command => |service, message| () { service.import.stage(message).await },
    DropRows command => |service, message| () { drop_rows(&service.db, OF_CUSTOMERS, message).await },
    CountByOwner read => |service, _message| HashMap<Id, i64> { Ok(queries::by_owner(&service.db).await?) },
    CountReferring read => |service, message| Counts {
        let viewer = message.caller.only_owner();
        let customers = deletions::count(&service.db, CUSTOMERS_OF_OWNER, message.id, viewer).await?;
        Ok(Counts::from([(Counted::Customers, customers)]))
    },
    FindCustomer read => |service, message| Arc<Customer> { service.find(&message).await },
    FindCustomers read => |service, message| Vec<CustomerName> { service.find_many(&message).await },
    ListCustomers read => |service, message| Page<Customer> {
        service.list(&message).await
    },
    FindRecords read => |service, message| Vec<Hit> { service.find_records(&message).await },
    CustomerStats read => |service, message| CustomerCounts { service.stats(message).await },
    AddComment command => |service, message| Arc<Comment> { service.comments.add(message).await },
    ChangeComment command => |service, message| Arc<Comment> { service.comments.change(message).await },
    DeleteComment command => |service, message| Id { service.comments.delete(message).await },
    FindComment read => |service, message| Arc<Comment> { service.comments.find(message).await },
    ListComments read => |service, message| Page<Comment> { service.comments.list(message).await },
    AddAttachment command => |service, message| Arc<Attachment> { service.attachments.add(message).await },
    RemoveAttachment command => |service, message| Id { service.attachments.remove(message).await },
    FindAttachment read => |service, message| Arc<Attachment> { service.attachments.find(message).await },
    CheckAttachable read => |service, message| () { service.attachments.check(message).await },
    ListAttachments read => |service, message| Page<Attachment> { service.attachments.list(message).await },
});
