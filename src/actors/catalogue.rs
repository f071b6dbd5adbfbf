//! Every event type of SPEC §4; the log knows no other.

macro_rules! catalogue {
    ($($name:ident = $text:literal),* $(,)?) => {
        $(pub const $name: &str = $text;)*
        /// All types, as the audit log's filter accepts them.
        pub const ALL: &[&str] = &[$($text),*];
    };
}

catalogue! {
    USER_CREATED = "user.created",
    USER_UPDATED = "user.updated",
    USER_LOGIN = "user.login",
    USER_LOGIN_FAILED = "user.login_failed",
    USER_DELETED = "user.deleted",
    CUSTOMER_CREATED = "customer.created",
    CUSTOMER_UPDATED = "customer.updated",
    CUSTOMER_DELETED = "customer.deleted",
    CUSTOMERS_REASSIGNED = "customers.reassigned",
    MEETING_CREATED = "meeting.created",
    MEETING_UPDATED = "meeting.updated",
    MEETING_DELETED = "meeting.deleted",
    MEETINGS_DELETED = "meetings.deleted",
    MEETINGS_REASSIGNED = "meetings.reassigned",
    TASK_CREATED = "task.created",
    TASK_UPDATED = "task.updated",
    TASK_COMPLETED = "task.completed",
    TASK_DELETED = "task.deleted",
    TASKS_DELETED = "tasks.deleted",
    TASK_DUE_SOON = "task.due_soon",
    APPROVAL_REQUESTED = "approval.requested",
    APPROVAL_APPROVED = "approval.approved",
    APPROVAL_REJECTED = "approval.rejected",
    APPROVAL_CANCELLED = "approval.cancelled",
    APPROVAL_REASSIGNED = "approval.reassigned",
    APPROVALS_CANCELLED = "approvals.cancelled",
    APPROVALS_REASSIGNED = "approvals.reassigned",
    NOTIFICATION_CREATED = "notification.created",
    NOTIFICATION_READ = "notification.read",
    NOTIFICATIONS_ARCHIVED = "notifications.archived",
    SAGA_STARTED = "saga.started",
    SAGA_STEP_COMPLETED = "saga.step_completed",
    SAGA_COMPLETED = "saga.completed",
    SAGA_FAILED = "saga.failed",
}

/// The catalogue's own text for a type, if it is one.
pub fn intern(event_type: &str) -> Option<&'static str> {
    ALL.iter().copied().find(|known| *known == event_type)
}
