//! The messages of analytics about figures and history.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::approval::messages::ApprovalCounts;
use crate::customer::messages::CustomerCounts;
use crate::meeting::messages::MeetingCounts;
use crate::task::messages::TaskCounts;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::ids::Id;
use kernel::page::PageRequest;

/// A day of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportDay {
    pub date: NaiveDate,
    pub begin: Timestamp,
    /// Where the next day begins.
    pub end: Timestamp,
}

/// The figures of each of these days, in their order.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadMetrics {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub days: Vec<ReportDay>,
}

/// A day's figures. The day is one of the time zone that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayMetrics {
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    pub logins: i64,
    pub customers_created: i64,
    pub customers_deleted: i64,
    pub meetings_created: i64,
    pub tasks_completed: i64,
    pub approvals_requested: i64,
    pub approvals_approved: i64,
    pub approvals_rejected: i64,
}

/// The timeline of a customer whom the caller may see, newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadActivity {
    pub caller: Caller,
    pub customer_id: Id,
    pub page: PageRequest,
}

/// The figures of all services from `from` up to, but not including, `to`: those that the caller may see, or one
/// owner's.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ReadSummary {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Where a section's figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The service has just answered.
    Live,
    /// The service is away: these are the last figures it gave.
    Cached,
    /// The service is away, and there are no earlier figures.
    Unavailable,
}

/// The part of a service in the summary.
#[derive(Debug, Serialize, Deserialize)]
pub struct Section<T> {
    pub source: Source,
    /// When the figures were made.
    pub as_of: Option<Timestamp>,
    /// Null if unavailable.
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
