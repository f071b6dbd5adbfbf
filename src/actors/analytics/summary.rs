//! The sales summary (SPEC §5, flow 6). All services are asked at the same time. If a service does not answer, its
//! section shows earlier figures or none; the summary does not fail.

use std::future::Future;
use std::sync::Arc;

use moka::sync::Cache;

use crate::actors::customer::client::CustomerPeer;
use crate::actors::opportunity::client::OpportunityPeer;
use crate::actors::sales::client::SalesPeer;
use domain::approval::messages::ApprovalCounts;
use domain::approval::messages::ApprovalStats;
use domain::customer::messages::CustomerCounts;
use domain::customer::messages::CustomerStats;
use domain::meeting::messages::MeetingCounts;
use domain::meeting::messages::MeetingStats;
use domain::report::messages::ReadSummary;
use domain::report::messages::{SalesSummary, Section, Source};
use domain::task::messages::TaskCounts;
use domain::task::messages::TaskStats;
use kernel::clock::{Clock, Timestamp};
use kernel::error::Error;
use kernel::ids::Id;

/// Figures cached per section, each for a scope and a period.
const CACHED_FIGURES_MAX: u64 = 1_024;

/// A scope and a period. All callers who may ask for a scope see the same figures, so a kept answer never shows more
/// than the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// `None` for the figures of all users.
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
}

/// Figures, and when they were made.
type Good<T> = (Timestamp, Arc<T>);

/// The last good figures of a service.
struct LastGood<T: Send + Sync + 'static> {
    callee: &'static str,
    kept: Cache<Key, Good<T>>,
    clock: Clock,
}

impl<T: Send + Sync + 'static> LastGood<T> {
    fn new(callee: &'static str, clock: &Clock) -> Self {
        let kept = Cache::builder().max_capacity(CACHED_FIGURES_MAX).build();
        Self { callee, kept, clock: clock.clone() }
    }

    /// Asks once; without an answer it returns the last good figures of this key, and tells `fell_back`.
    async fn section(
        &self,
        key: Key,
        call: impl Future<Output = Result<T, Error>>,
        fell_back: impl FnOnce(&Error),
    ) -> Section<T> {
        match call.await {
            Ok(figures) => {
                let (now, figures) = (self.clock.now(), Arc::new(figures));
                self.kept.insert(key, (now, figures.clone()));
                Section { source: Source::Live, as_of: Some(now), figures: Some(figures) }
            }
            Err(error) => {
                tracing::warn!(callee = self.callee, %error, "a section of the summary is not live");
                self.kept.get(&key).map_or(
                    Section { source: Source::Unavailable, as_of: None, figures: None },
                    |(as_of, figures)| {
                        fell_back(&error);
                        Section { source: Source::Cached, as_of: Some(as_of), figures: Some(figures) }
                    },
                )
            }
        }
    }
}

/// Makes the sales summary.
pub struct Summaries {
    clock: Clock,
    customer: CustomerPeer,
    sales: SalesPeer,
    opportunity: OpportunityPeer,
    customers: LastGood<CustomerCounts>,
    meetings: LastGood<MeetingCounts>,
    tasks: LastGood<TaskCounts>,
    approvals: LastGood<ApprovalCounts>,
}

impl Summaries {
    pub fn new(
        clock: &Clock,
        customer: CustomerPeer,
        sales: SalesPeer,
        opportunity: OpportunityPeer,
    ) -> Self {
        Self {
            clock: clock.clone(),
            customers: LastGood::new("customer", clock),
            meetings: LastGood::new("sales", clock),
            tasks: LastGood::new("sales", clock),
            approvals: LastGood::new("opportunity", clock),
            customer,
            sales,
            opportunity,
        }
    }

    /// Makes four calls at the same time, each with a little less than the breaker's timeout, so that the summary is
    /// in time.
    pub(super) async fn read(&self, asked: ReadSummary) -> SalesSummary {
        let ReadSummary { caller, owner_id, from, to } = asked;
        let key = Key { owner: caller.only_owner().or(owner_id), from, to };
        let customers = self.customer.ask_in_time(CustomerStats { caller, owner_id, from, to });
        let meetings = self.sales.ask_in_time(MeetingStats { caller, owner_id, from, to });
        let tasks = self.sales.ask_in_time(TaskStats { caller, owner_id, from, to });
        let approvals = self.opportunity.ask_in_time(ApprovalStats { caller, owner_id, from, to });
        let (customers, meetings, tasks, approvals) = tokio::join!(
            self.customers.section(key, customers, |error| self.customer.fell_back(error)),
            self.meetings.section(key, meetings, |error| self.sales.fell_back(error)),
            self.tasks.section(key, tasks, |error| self.sales.fell_back(error)),
            self.approvals.section(key, approvals, |error| self.opportunity.fell_back(error)),
        );
        SalesSummary { generated_at: self.clock.now(), customers, meetings, tasks, approvals }
    }
}
