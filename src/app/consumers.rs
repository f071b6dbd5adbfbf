//! Every consumer of the event log, and which of them run on this node.

use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::deletions::AnalyticsDeletions;
use crate::actors::analytics::metrics::MetricsConsumer;
use crate::actors::analytics::notifications::NotificationsConsumer;
use crate::actors::attachments::AttachmentBytes;
use crate::actors::auth::client::AuthClient;
use crate::actors::customer::bulk::CustomerBatches;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::deletions::CustomerDeletions;
use crate::actors::customer_replicas::{OpportunityReplica, SalesReplica};
use crate::actors::deletions::Deletions;
use crate::actors::opportunity::bulk::OpportunityBatches;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::deletions::OpportunityDeletions;
use crate::actors::opportunity::progress::DealProgressConsumer;
use crate::actors::sagas::progress::SagaProgress;
use crate::actors::sales::bulk::SalesBatches;
use crate::actors::sales::client::SalesClient;
use crate::actors::sales::deletions::SalesDeletions;
use crate::app::builder::Builder;
use crate::persistence::deletions::{
    ANALYTICS_DELETIONS, CUSTOMER_DELETIONS, OPPORTUNITY_DELETIONS, SALES_DELETIONS,
};
use crate::persistence::saga_items::{
    ANALYTICS_ITEMS, CUSTOMER_ITEMS, Items, OPPORTUNITY_ITEMS, SALES_ITEMS,
};
use domain::service_name::ServiceName;
use runtime::consumer::ConsumerSpec;
use runtime::entity::Entities;
use store::table::Table;

/// Every consumer of the event log.
pub const CONSUMERS: [ConsumerSpec; 15] = [
    ConsumerSpec::of::<SalesReplica>(),
    ConsumerSpec::of::<OpportunityReplica>(),
    ConsumerSpec::of::<MetricsConsumer>(),
    ConsumerSpec::of::<ActivityConsumer>(),
    ConsumerSpec::of::<NotificationsConsumer>(),
    ConsumerSpec::of::<CustomerDeletions>(),
    ConsumerSpec::of::<SalesDeletions>(),
    ConsumerSpec::of::<OpportunityDeletions>(),
    ConsumerSpec::of::<AnalyticsDeletions>(),
    ConsumerSpec::of::<CustomerBatches>(),
    ConsumerSpec::of::<SalesBatches>(),
    ConsumerSpec::of::<OpportunityBatches>(),
    ConsumerSpec::of::<DealProgressConsumer>(),
    ConsumerSpec::of::<SagaProgress>(),
    ConsumerSpec::of::<AttachmentBytes>(),
];

impl Builder<'_> {
    /// Starts the consumers of the services that this node hosts, and those that run on every node.
    pub fn consumers(
        &mut self,
        auth: &AuthClient,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
        notifications: Option<&Entities<NotificationAggregate>>,
    ) {
        let parts = self.consumer_parts();
        let clock = self.clock.clone();
        let (sells, advises) = (self.hosts(ServiceName::Sales), self.hosts(ServiceName::Opportunity));
        let analyses = self.hosts(ServiceName::Analytics);
        self.feed(&parts, sells.then_some(SalesReplica));
        self.feed(&parts, advises.then_some(OpportunityReplica));
        self.feed(&parts, advises.then_some(DealProgressConsumer));
        self.feed(&parts, analyses.then_some(MetricsConsumer));
        self.feed(&parts, analyses.then_some(ActivityConsumer));
        let creates_notifications = notifications.map(|notifications| NotificationsConsumer {
            notifications: notifications.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, creates_notifications);
        let customer_deletions = customers.customers.as_ref().map(|customers| CustomerDeletions {
            gone: self.deletions(&CUSTOMER_DELETIONS, CUSTOMER_ITEMS),
            customers: customers.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, customer_deletions);
        let sales_deletions = sales.records.as_ref().map(|records| SalesDeletions {
            gone: self.deletions(&SALES_DELETIONS, SALES_ITEMS),
            meetings: records.meetings.clone(),
            tasks: records.tasks.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, sales_deletions);
        let opportunity_deletions = opportunity.records.as_ref().map(|records| OpportunityDeletions {
            gone: self.deletions(&OPPORTUNITY_DELETIONS, OPPORTUNITY_ITEMS),
            approvals: records.approvals.clone(),
            deals: records.deals.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, opportunity_deletions);
        let analytics_deletions = notifications.map(|notifications| AnalyticsDeletions {
            gone: self.deletions(&ANALYTICS_DELETIONS, ANALYTICS_ITEMS),
            notifications: notifications.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, analytics_deletions);
        let hosted = customers.customers.as_ref().zip(customers.imports.as_ref());
        let customer_batches = hosted.map(|(records, imports)| CustomerBatches {
            customers: self.bulk(records),
            imported: self.importing(records, auth, ()),
            imports: imports.clone(),
        });
        self.feed(&parts, customer_batches);
        let sales_batches = sales.records.as_ref().map(|records| SalesBatches {
            meetings: self.bulk(&records.meetings),
            tasks: self.bulk(&records.tasks),
            imported_meetings: self.importing(&records.meetings, auth, self.peer(&customers.service)),
            imported_tasks: self.importing(&records.tasks, auth, self.peer(&customers.service)),
        });
        self.feed(&parts, sales_batches);
        let opportunity_batches = opportunity.records.as_ref().map(|records| OpportunityBatches {
            deals: self.bulk(&records.deals),
            imported: self.importing(&records.deals, auth, self.peer(&customers.service)),
        });
        self.feed(&parts, opportunity_batches);
        self.feed(&parts, Some(SagaProgress { clock }));
        self.feed(&parts, Some(AttachmentBytes));
    }

    fn deletions(&self, table: &'static Table, items: Items) -> Deletions {
        Deletions { db: self.db.clone(), journal: self.journal.clone(), table, items }
    }
}
