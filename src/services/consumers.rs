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
use crate::persistence::departures::{
    ANALYTICS_DEPARTURES, CUSTOMER_DEPARTURES, OPPORTUNITY_DEPARTURES, SALES_DEPARTURES,
};
use crate::persistence::table::Table;

impl Starter<'_> {
    /// Starts the feeds of all consumers.
    pub fn consumers(
        &mut self,
        customers: &CustomerClient,
        sales: &SalesClient,
        opportunity: &OpportunityClient,
        notifications: &Entities<NotificationAggregate>,
    ) {
        let parts = self.feed_parts();
        let clock = self.clock.clone();
        self.feed(&parts, SalesReplica);
        self.feed(&parts, OpportunityReplica);
        self.feed(&parts, MetricsConsumer);
        self.feed(&parts, ActivityConsumer);
        self.feed(&parts, NotificationsConsumer { clock: clock.clone() });
        let customer_departures = CustomerDepartures {
            gone: self.departures(&CUSTOMER_DEPARTURES),
            customers: customers.customers.clone(),
            clock: clock.clone(),
        };
        self.feed(&parts, customer_departures);
        let sales_departures = SalesDepartures {
            gone: self.departures(&SALES_DEPARTURES),
            meetings: sales.meetings.clone(),
            tasks: sales.tasks.clone(),
            clock: clock.clone(),
        };
        self.feed(&parts, sales_departures);
        let opportunity_departures = OpportunityDepartures {
            gone: self.departures(&OPPORTUNITY_DEPARTURES),
            approvals: opportunity.approvals.clone(),
            clock: clock.clone(),
        };
        self.feed(&parts, opportunity_departures);
        let analytics_departures = AnalyticsDepartures {
            gone: self.departures(&ANALYTICS_DEPARTURES),
            notifications: notifications.clone(),
            clock: clock.clone(),
        };
        self.feed(&parts, analytics_departures);
        self.feed(&parts, SagaProgress { clock });
    }

    fn departures(&self, table: &'static Table) -> Departures {
        Departures { db: self.db.clone(), journal: self.journal.clone(), table }
    }
}
