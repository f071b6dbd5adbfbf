//! Who hears of what: every consumer of the event log.

use super::starter::Starter;
use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::departures::AnalyticsDepartures;
use crate::actors::analytics::metrics::MetricsConsumer;
use crate::actors::analytics::notifications::NotificationsConsumer;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::departures::CustomerDepartures;
use crate::actors::departures::Departures;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::departures::OpportunityDepartures;
use crate::actors::replica::{OpportunityReplica, SalesReplica};
use crate::actors::runtime::entity::Entities;
use crate::actors::sagas::progress::SagaProgress;
use crate::actors::sales::client::SalesClient;
use crate::actors::sales::departures::SalesDepartures;
use crate::actors::service_name::ServiceName;
use crate::persistence::departures::{
    ANALYTICS_DEPARTURES, CUSTOMER_DEPARTURES, OPPORTUNITY_DEPARTURES, SALES_DEPARTURES,
};
use crate::persistence::table::Table;

impl Starter<'_> {
    /// Starts the feeds of the services that this node hosts, and of what runs on every node.
    pub fn consumers(
        &mut self,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
        notifications: Option<&Entities<NotificationAggregate>>,
    ) {
        let parts = self.feed_parts();
        let clock = self.clock.clone();
        let (sells, advises) = (self.hosts(ServiceName::Sales), self.hosts(ServiceName::Opportunity));
        let analyses = self.hosts(ServiceName::Analytics);
        self.feed(&parts, sells.then_some(SalesReplica));
        self.feed(&parts, advises.then_some(OpportunityReplica));
        self.feed(&parts, analyses.then_some(MetricsConsumer));
        self.feed(&parts, analyses.then_some(ActivityConsumer));
        self.feed(&parts, analyses.then(|| NotificationsConsumer { clock: clock.clone() }));
        let customer_departures = customers.customers.as_ref().map(|customers| CustomerDepartures {
            gone: self.departures(&CUSTOMER_DEPARTURES),
            customers: customers.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, customer_departures);
        let sales_departures = sales.records.as_ref().map(|records| SalesDepartures {
            gone: self.departures(&SALES_DEPARTURES),
            meetings: records.meetings.clone(),
            tasks: records.tasks.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, sales_departures);
        let opportunity_departures = opportunity.approvals.as_ref().map(|approvals| OpportunityDepartures {
            gone: self.departures(&OPPORTUNITY_DEPARTURES),
            approvals: approvals.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, opportunity_departures);
        let analytics_departures = notifications.map(|notifications| AnalyticsDepartures {
            gone: self.departures(&ANALYTICS_DEPARTURES),
            notifications: notifications.clone(),
            clock: clock.clone(),
        });
        self.feed(&parts, analytics_departures);
        self.feed(&parts, Some(SagaProgress { clock }));
    }

    fn departures(&self, table: &'static Table) -> Departures {
        Departures { db: self.db.clone(), journal: self.journal.clone(), table }
    }
}
