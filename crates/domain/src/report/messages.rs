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
use kernel::context::Context;
use kernel::event::EventRecord;
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
    pub deals_created: i64,
    pub deals_won: i64,
    pub deals_lost: i64,
}

/// The timeline of a customer whom the caller may see, newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadActivity {
    pub caller: Caller,
    pub customer_id: Id,
    pub page: PageRequest,
}

/// Reads what others have changed in the caller's records since [`MarkNewsSeen`]: the events of the timelines of customers
/// whose record is or was the caller's, without those that the caller caused. The newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadNews {
    pub caller: Caller,
    /// The most events to answer.
    pub limit: i64,
}

/// The answer to [`ReadNews`].
#[derive(Debug, Serialize, Deserialize)]
pub struct News {
    pub events: Vec<EventRecord>,
    /// Whether there are older ones.
    pub more: bool,
    /// The position of the log up to which these are all.
    pub position: i64,
}

/// The caller has seen the news up to this position of the log. The answer is the position, which is never beyond the end
/// of the log; one that was seen before stays seen.
#[derive(Clone, Serialize, Deserialize)]
pub struct MarkNewsSeen {
    pub position: i64,
    pub context: Context,
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
