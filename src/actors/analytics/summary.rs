//! The sales summary (SPEC §5, flow 6): every service is asked at the same time, and one that doesn't answer makes its
//! own section old or empty, never the whole an error.

use std::future::Future;
use std::sync::Arc;

use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::messages::ReadSummary;
use crate::actors::customer::client::CustomerClient;
use crate::actors::customer::messages::CustomerStats;
use crate::actors::guards::Guards;
use crate::actors::opportunity::client::OpportunityClient;
use crate::actors::opportunity::messages::ApprovalStats;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::call::Guard;
use crate::actors::sales::client::SalesClient;
use crate::actors::sales::messages::MeetingStats;
use crate::actors::sales::tasks::messages::TaskStats;
use crate::clock::{Clock, Timestamp};
use crate::ids::Id;
use crate::persistence::approvals::ApprovalCounts;
use crate::persistence::customers::CustomerCounts;
use crate::persistence::meetings::MeetingCounts;
use crate::persistence::tasks::TaskCounts;

/// Good figures kept of a section: each is one scope's of one period.
const KEPT: u64 = 1_024;

/// Where a section's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The service has just said so.
    Live,
    /// The service is away: these are the last good ones.
    Cached,
    /// The service is away, and there are none.
    Unavailable,
}

/// One service's part of the summary.
#[derive(Debug, Serialize, Deserialize)]
pub struct Section<T> {
    pub source: Source,
    /// When the figures were made.
    pub as_of: Option<Timestamp>,
    /// None if unavailable.
    pub figures: Option<Arc<T>>,
}

/// The answer to [`ReadSummary`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SalesSummary {
    pub generated_at: Timestamp,
    pub customers: Section<CustomerCounts>,
    pub meetings: Section<MeetingCounts>,
    pub tasks: Section<TaskCounts>,
    pub approvals: Section<ApprovalCounts>,
}

/// Whose figures of which period. Whoever may ask for a scope sees the same figures, so no answer of one scope shows
/// somebody what only others may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// None for everybody's.
    owner: Option<Id>,
    from: Timestamp,
    to: Timestamp,
}

/// Figures and when they were made.
type Good<T> = (Timestamp, Arc<T>);

/// One service's figures: the way to them, and the last good ones.
struct Desk<T: Send + Sync + 'static> {
    callee: &'static str,
    guard: Guard,
    kept: Cache<Key, Good<T>>,
    clock: Clock,
}

impl<T: Send + Sync + 'static> Desk<T> {
    /// The summary must answer within the time that one call may take, so a call has a little less.
    fn new(callee: &'static str, guard: &Guard, clock: &Clock) -> Self {
        let kept = Cache::builder().max_capacity(KEPT).build();
        Self { callee, guard: guard.with_time_to_answer(), kept, clock: clock.clone() }
    }

    /// Asks once; goes by the last good figures of this key while there is no answer.
    async fn section(&self, key: Key, call: impl Future<Output = Result<T, Refusal>>) -> Section<T> {
        match self.guard.call(call).await {
            Ok(figures) => {
                let (now, figures) = (self.clock.now(), Arc::new(figures));
                self.kept.insert(key, (now, figures.clone()));
                Section { source: Source::Live, as_of: Some(now), figures: Some(figures) }
            }
            Err(refusal) => {
                tracing::warn!(callee = self.callee, %refusal, "a section of the summary is not live");
                self.kept.get(&key).map_or(
                    Section { source: Source::Unavailable, as_of: None, figures: None },
                    |(as_of, figures)| {
                        metrics::counter!("kizuna_fallbacks_total", "callee" => self.callee).increment(1);
                        Section { source: Source::Cached, as_of: Some(as_of), figures: Some(figures) }
                    },
                )
            }
        }
    }
}

/// Asks the services.
pub struct Summaries {
    clock: Clock,
    customer: CustomerClient,
    sales: SalesClient,
    opportunity: OpportunityClient,
    customers: Desk<CustomerCounts>,
    meetings: Desk<MeetingCounts>,
    tasks: Desk<TaskCounts>,
    approvals: Desk<ApprovalCounts>,
}

impl Summaries {
    pub fn new(
        clock: &Clock,
        customer: CustomerClient,
        sales: SalesClient,
        opportunity: OpportunityClient,
        guards: &Guards,
    ) -> Self {
        Self {
            clock: clock.clone(),
            customers: Desk::new("customer", &guards.customer, clock),
            meetings: Desk::new("sales", &guards.sales, clock),
            tasks: Desk::new("sales", &guards.sales, clock),
            approvals: Desk::new("opportunity", &guards.opportunity, clock),
            customer,
            sales,
            opportunity,
        }
    }

    /// Four calls at the same time: the slowest decides how long it takes.
    pub(super) async fn read(&self, asked: ReadSummary) -> SalesSummary {
        let ReadSummary { caller, owner_id, from, to } = asked;
        let key = Key { owner: caller.only_owner().or(owner_id), from, to };
        let customers = self.customer.service.ask_once(CustomerStats { caller, owner_id, from, to });
        let meetings = self.sales.service.ask_once(MeetingStats { caller, owner_id, from, to });
        let tasks = self.sales.service.ask_once(TaskStats { caller, owner_id, from, to });
        let approvals = self.opportunity.service.ask_once(ApprovalStats { caller, owner_id, from, to });
        let (customers, meetings, tasks, approvals) = tokio::join!(
            self.customers.section(key, customers),
            self.meetings.section(key, meetings),
            self.tasks.section(key, tasks),
            self.approvals.section(key, approvals),
        );
        SalesSummary { generated_at: self.clock.now(), customers, meetings, tasks, approvals }
    }
}
