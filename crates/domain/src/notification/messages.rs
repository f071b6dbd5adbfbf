//! The messages of analytics about notifications.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::notification::rules::NotificationCommand;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{Keyset, PageRequest, Sort};

/// The order of notifications: the newest first.
pub const NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Which notifications a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    All,
    /// Neither read nor archived.
    Unread,
    /// Read or not, but not archived.
    Kept,
    Archived,
    /// Unread ones about this record.
    About(Id),
}

/// Lists the caller's notifications, newest first.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListNotifications {
    pub caller: Caller,
    pub which: Which,
    pub page: PageRequest,
}

/// Marks a notification of the caller.
#[derive(Clone, Serialize, Deserialize)]
pub struct MarkNotification {
    pub id: Id,
    pub mark: NotificationCommand,
    pub context: Context,
}

/// Marks the next batch of the caller's unread notifications as read: those after `after`, if there was a batch before.
/// Earlier batches have marked `so_far`.
#[derive(Clone, Serialize, Deserialize)]
pub struct ReadAllNotifications {
    pub after: Option<Keyset>,
    pub so_far: u64,
    pub context: Context,
}

/// The answer to [`ReadAllNotifications`].
#[derive(Debug, Serialize, Deserialize)]
pub struct ReadProgress {
    pub count: u64,
    /// Where the next batch begins, if there are more.
    pub next: Option<Keyset>,
}

/// How many notifications were marked as read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadCount {
    pub count: u64,
}
