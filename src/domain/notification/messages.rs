//! What others may ask of analytics.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::notification::rules::NotificationCommand;
use kernel::caller::Caller;
use kernel::context::Context;
use kernel::ids::Id;
use kernel::page::{Keyset, PageRequest, Sort};

/// The order of notifications: ids grow with time.
pub const NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// One's own notifications, newest first; read and archived ones too, unless only unread ones are wanted.
#[derive(Clone, Serialize, Deserialize)]
pub struct ListNotifications {
    pub caller: Caller,
    pub unread_only: bool,
    pub page: PageRequest,
}

/// What their reader does with a notification.
#[derive(Clone, Serialize, Deserialize)]
pub struct MarkNotification {
    pub id: Id,
    pub mark: NotificationCommand,
    pub context: Context,
}

/// Marks the next batch of the caller's unread notifications as read, after this one if there was a batch before,
/// which had marked `so_far`.
#[derive(Clone, Serialize, Deserialize)]
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
