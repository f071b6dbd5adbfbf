//! What others may ask of analytics.

use actix::Message;
use chrono::NaiveDate;

use super::notifications::Notification;
use crate::actors::context::Caller;
use crate::actors::event::LoggedEvent;
use crate::actors::page::{Page, PageRequest};
use crate::actors::refusal::Refusal;
use crate::ids::Id;
use crate::persistence::analytics::DayMetrics;

/// The figures of each day from `from` to `to`, both included, oldest first.
#[derive(Message)]
#[rtype(result = "Result<Vec<DayMetrics>, Refusal>")]
pub struct ReadMetrics {
    pub caller: Caller,
    pub owner_id: Option<Id>,
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// A customer's timeline, newest first. Whether the caller may see the customer is asked before.
#[derive(Message)]
#[rtype(result = "Result<Page<LoggedEvent>, Refusal>")]
pub struct ReadActivity {
    pub customer_id: Id,
    pub page: PageRequest,
}

/// One's own notifications, newest first.
#[derive(Message)]
#[rtype(result = "Result<Page<Notification>, Refusal>")]
pub struct ListNotifications {
    pub caller: Caller,
    pub unread_only: bool,
    pub page: PageRequest,
}
