//! What others may ask of analytics.

use std::sync::Arc;

use actix::Message;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::domain::{Notification, NotificationCommand};
use super::summary::SalesSummary;
use crate::actors::context::{Caller, Context};
use crate::actors::event::LoggedEvent;
use crate::actors::page::{Keyset, Page, PageRequest};
use crate::actors::refusal::Refusal;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::analytics::DayMetrics;

/// The figures of each day from `from` to `to`, both included, oldest first.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Vec<DayMetrics>, Refusal>")]
pub struct ReadMetrics {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// A customer's timeline, newest first. Whether the caller may see the customer is asked before.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Page<LoggedEvent>, Refusal>")]
pub struct ReadActivity {
    pub customer_id: Id,
    pub page: PageRequest,
}

/// One's own notifications, newest first; read and archived ones too, unless only unread ones are wanted.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Page<Notification>, Refusal>")]
pub struct ListNotifications {
    pub caller: Caller,
    pub unread_only: bool,
    pub page: PageRequest,
}

/// What their reader does with a notification.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<Arc<Notification>, Refusal>")]
pub struct MarkNotification {
    pub id: Id,
    pub mark: NotificationCommand,
    pub context: Context,
}

/// Marks the next batch of the caller's unread notifications as read, after this one if there was a batch before,
/// which had marked `so_far`.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "Result<ReadProgress, Refusal>")]
pub struct ReadAllNotifications {
    pub after: Option<Keyset>,
    pub so_far: u64,
    pub context: Context,
}

/// How far that is.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadProgress {
    pub count: u64,
    /// Where the next batch begins, if there is more.
    pub next: Option<Keyset>,
}

/// How many notifications were marked as read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadCount {
    pub count: u64,
}

/// The figures of all services from `from` to `to`, which is not within: those the caller may see, or one owner's.
#[derive(Clone, Copy, Message, Serialize, Deserialize)]
#[rtype(result = "Result<SalesSummary, Refusal>")]
pub struct ReadSummary {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: Timestamp,
    pub to: Timestamp,
}
