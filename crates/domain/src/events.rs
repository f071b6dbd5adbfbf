//! The catalogue: one row for each type of event (SPEC §4). The log knows no other type.
//!
//! A row says what the type is called, who produces it, which topic of the live feed it belongs to, who may see it,
//! and what its data looks like. The constants, `/asyncapi.json`, the topics and the audiences are all made from it.

use kernel::event::{Catalogue, EventType};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::api_key::record::ApiKeyPayload;
use crate::approval::record::ApprovalPayload;
use crate::attachment::record::AttachmentPayload;
use crate::bulk::progress::BulkPayload;
use crate::comment::record::CommentPayload;
use crate::customer::record::CustomerPayload;
use crate::deal::record::DealPayload;
use crate::import::record::ImportPayload;
use crate::meeting::record::MeetingPayload;
use crate::notification::record::{ArchivedPayload, NotificationPayload};
use crate::saga::record::{SagaPayload, StepPayload};
use crate::session::record::{LoginFailedPayload, LoginPayload};
use crate::task::record::TaskPayload;
use crate::topic::Topic;
use crate::user::record::{UserDeletedPayload, UserPayload, UserRestoredPayload};
use crate::webhook::record::WebhookPayload;

/// Who may see the events of a type, besides the audit log's readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenBy {
    /// Nobody: the type does not belong to the live feed.
    Nobody,
    /// The user whose id is the partition key, whatever the role: the reader of a notification. (An event that closes a
    /// step has another key, and so no reader.)
    Reader,
    /// MANAGER and ADMIN.
    Managers,
    /// MANAGER, ADMIN, and the SALES user who owns the record, or owned it until this event.
    Owner {
        /// The field of the data that holds the record.
        record: &'static str,
        /// The record's field that names its owner.
        field: &'static str,
        /// The field of the data that names the owner before this event.
        previous: Option<&'static str>,
    },
}

/// Adds the schema of a payload and the schemas it refers to; returns its name.
pub type AddSchema = fn(&mut Vec<(String, RefOr<Schema>)>) -> String;

/// What the events of a type have in common.
#[derive(Debug)]
pub struct EventRow {
    pub event_type: EventType,
    pub topic: Option<Topic>,
    pub seen_by: SeenBy,
    /// The data has one of these shapes.
    pub payloads: &'static [AddSchema],
}

fn schema_of<T: ToSchema>(all: &mut Vec<(String, RefOr<Schema>)>) -> String {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
    T::name().into_owned()
}

macro_rules! events {
    ($($name:ident = $text:literal from $source:ident, $topic:expr, $seen_by:expr, [$($payload:ty),+];)*) => {
        $(pub const $name: EventType = EventType::new($text, $source);)*

        /// Every row, in the order of SPEC §4.
        pub static EVENTS: &[EventRow] = &[$(EventRow {
            event_type: $name,
            topic: $topic,
            seen_by: $seen_by,
            payloads: &[$(schema_of::<$payload>),+],
        }),*];

        /// Every type, as the log reads them.
        pub const CATALOGUE: Catalogue = Catalogue(&[$($name),*]);
    };
}

const AUTH: &str = "/services/auth";
const CUSTOMER: &str = "/services/customer";
const SALES: &str = "/services/sales";
const OPPORTUNITY: &str = "/services/opportunity";
const ANALYTICS: &str = "/services/analytics";
/// What stands beside a record is written by the service of the record.
const COMMENTS: &str = "/services/comments";
const ATTACHMENTS: &str = "/services/attachments";
const GATEWAY: &str = "/services/gateway";
const SAGAS: &str = "/services/sagas";

use SeenBy::{Managers, Nobody, Reader};
use Topic::{Approvals, Attachments, Comments, Customers, Deals, Meetings, Sagas, Tasks};

const CUSTOMER_OWNER: SeenBy =
    SeenBy::Owner { record: "customer", field: "owner_id", previous: Some("previous_owner_id") };
const MEETING_OWNER: SeenBy =
    SeenBy::Owner { record: "meeting", field: "owner_id", previous: Some("previous_owner_id") };
const ASSIGNEE: SeenBy =
    SeenBy::Owner { record: "task", field: "assignee_id", previous: Some("previous_assignee_id") };
const REQUESTER: SeenBy =
    SeenBy::Owner { record: "approval", field: "requester_id", previous: Some("previous_requester_id") };
const DEAL_OWNER: SeenBy =
    SeenBy::Owner { record: "deal", field: "owner_id", previous: Some("previous_owner_id") };
const RECORD_OWNER: SeenBy = SeenBy::Owner { record: "record", field: "owner_id", previous: None };
const IMPORTER: SeenBy = SeenBy::Owner { record: "import", field: "created_by", previous: None };
const STARTER: SeenBy = SeenBy::Owner { record: "saga", field: "started_by", previous: None };

events! {
    USER_CREATED = "user.created" from AUTH, None, Nobody, [UserPayload];
    USER_UPDATED = "user.updated" from AUTH, None, Nobody, [UserPayload];
    USER_LOGIN = "user.login" from AUTH, None, Nobody, [LoginPayload];
    USER_LOGIN_FAILED = "user.login_failed" from AUTH, None, Nobody, [LoginFailedPayload];
    USER_DELETED = "user.deleted" from AUTH, None, Nobody, [UserDeletedPayload];
    USER_RESTORED = "user.restored" from AUTH, None, Nobody, [UserRestoredPayload];
    CUSTOMER_CREATED = "customer.created" from CUSTOMER, Some(Customers), CUSTOMER_OWNER, [CustomerPayload];
    CUSTOMER_UPDATED = "customer.updated" from CUSTOMER, Some(Customers), CUSTOMER_OWNER, [CustomerPayload];
    CUSTOMER_DELETED = "customer.deleted" from CUSTOMER, Some(Customers), CUSTOMER_OWNER, [CustomerPayload];
    CUSTOMER_MERGED = "customer.merged" from CUSTOMER, Some(Customers), CUSTOMER_OWNER, [CustomerPayload];
    CUSTOMER_RESTORED = "customer.restored" from CUSTOMER, Some(Customers), CUSTOMER_OWNER, [CustomerPayload];
    CUSTOMERS_REASSIGNED = "customers.reassigned" from CUSTOMER, Some(Customers), Managers, [StepPayload];
    CUSTOMERS_CHANGED = "customers.changed" from CUSTOMER, Some(Customers), Managers, [BulkPayload];
    CUSTOMERS_RESTORED = "customers.restored" from CUSTOMER, Some(Customers), Managers, [StepPayload];
    CUSTOMERS_IMPORTED = "customers.imported" from CUSTOMER, Some(Customers), Managers, [BulkPayload];
    IMPORT_COMMITTED = "import.committed" from CUSTOMER, Some(Sagas), IMPORTER, [ImportPayload];
    IMPORT_UNDONE = "import.undone" from CUSTOMER, Some(Sagas), IMPORTER, [ImportPayload];
    MEETING_CREATED = "meeting.created" from SALES, Some(Meetings), MEETING_OWNER, [MeetingPayload];
    MEETING_UPDATED = "meeting.updated" from SALES, Some(Meetings), MEETING_OWNER, [MeetingPayload];
    MEETING_DELETED = "meeting.deleted" from SALES, Some(Meetings), MEETING_OWNER, [MeetingPayload];
    MEETING_RESTORED = "meeting.restored" from SALES, Some(Meetings), MEETING_OWNER, [MeetingPayload];
    MEETINGS_DELETED = "meetings.deleted" from SALES, Some(Meetings), Managers, [StepPayload];
    MEETINGS_REASSIGNED = "meetings.reassigned" from SALES, Some(Meetings), Managers, [StepPayload];
    MEETINGS_CHANGED = "meetings.changed" from SALES, Some(Meetings), Managers, [BulkPayload];
    MEETINGS_MOVED = "meetings.moved" from SALES, Some(Meetings), Managers, [StepPayload];
    MEETINGS_RESTORED = "meetings.restored" from SALES, Some(Meetings), Managers, [StepPayload];
    MEETINGS_IMPORTED = "meetings.imported" from SALES, Some(Meetings), Managers, [BulkPayload];
    TASK_CREATED = "task.created" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    TASK_UPDATED = "task.updated" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    TASK_COMPLETED = "task.completed" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    TASK_DELETED = "task.deleted" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    TASK_RESTORED = "task.restored" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    TASKS_DELETED = "tasks.deleted" from SALES, Some(Tasks), Managers, [StepPayload];
    TASKS_CHANGED = "tasks.changed" from SALES, Some(Tasks), Managers, [BulkPayload];
    TASKS_MOVED = "tasks.moved" from SALES, Some(Tasks), Managers, [StepPayload];
    TASKS_RESTORED = "tasks.restored" from SALES, Some(Tasks), Managers, [StepPayload];
    TASKS_IMPORTED = "tasks.imported" from SALES, Some(Tasks), Managers, [BulkPayload];
    TASK_DUE_SOON = "task.due_soon" from SALES, Some(Tasks), ASSIGNEE, [TaskPayload];
    APPROVAL_REQUESTED = "approval.requested" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_APPROVED = "approval.approved" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_REJECTED = "approval.rejected" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_CANCELLED = "approval.cancelled" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_REASSIGNED = "approval.reassigned" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_MOVED = "approval.moved" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVAL_RESTORED = "approval.restored" from OPPORTUNITY, Some(Approvals), REQUESTER, [ApprovalPayload];
    APPROVALS_CANCELLED = "approvals.cancelled" from OPPORTUNITY, Some(Approvals), Managers, [StepPayload];
    APPROVALS_REASSIGNED = "approvals.reassigned" from OPPORTUNITY, Some(Approvals), Managers, [StepPayload];
    APPROVALS_MOVED = "approvals.moved" from OPPORTUNITY, Some(Approvals), Managers, [StepPayload];
    APPROVALS_RESTORED = "approvals.restored" from OPPORTUNITY, Some(Approvals), Managers, [StepPayload];
    DEAL_CREATED = "deal.created" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEAL_UPDATED = "deal.updated" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEAL_WON = "deal.won" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEAL_LOST = "deal.lost" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEAL_DELETED = "deal.deleted" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEAL_RESTORED = "deal.restored" from OPPORTUNITY, Some(Deals), DEAL_OWNER, [DealPayload];
    DEALS_CLOSED = "deals.closed" from OPPORTUNITY, Some(Deals), Managers, [StepPayload];
    DEALS_REASSIGNED = "deals.reassigned" from OPPORTUNITY, Some(Deals), Managers, [StepPayload];
    DEALS_CHANGED = "deals.changed" from OPPORTUNITY, Some(Deals), Managers, [BulkPayload];
    DEALS_MOVED = "deals.moved" from OPPORTUNITY, Some(Deals), Managers, [StepPayload];
    DEALS_RESTORED = "deals.restored" from OPPORTUNITY, Some(Deals), Managers, [StepPayload];
    DEALS_IMPORTED = "deals.imported" from OPPORTUNITY, Some(Deals), Managers, [BulkPayload];
    COMMENT_CREATED = "comment.created" from COMMENTS, Some(Comments), RECORD_OWNER, [CommentPayload];
    COMMENT_UPDATED = "comment.updated" from COMMENTS, Some(Comments), RECORD_OWNER, [CommentPayload];
    COMMENT_DELETED = "comment.deleted" from COMMENTS, Some(Comments), RECORD_OWNER, [CommentPayload];
    ATTACHMENT_ADDED = "attachment.added" from ATTACHMENTS, Some(Attachments), RECORD_OWNER, [AttachmentPayload];
    ATTACHMENT_REMOVED = "attachment.removed" from ATTACHMENTS, Some(Attachments), RECORD_OWNER, [AttachmentPayload];
    NOTIFICATION_CREATED = "notification.created" from ANALYTICS, None, Reader, [NotificationPayload];
    NOTIFICATION_READ = "notification.read" from ANALYTICS, None, Reader, [NotificationPayload];
    NOTIFICATIONS_ARCHIVED = "notifications.archived" from ANALYTICS, None, Reader, [ArchivedPayload, StepPayload];
    NOTIFICATION_MOVED = "notification.moved" from ANALYTICS, None, Reader, [NotificationPayload];
    NOTIFICATIONS_MOVED = "notifications.moved" from ANALYTICS, None, Reader, [StepPayload];
    NOTIFICATION_RESTORED = "notification.restored" from ANALYTICS, None, Reader, [NotificationPayload];
    NOTIFICATIONS_RESTORED = "notifications.restored" from ANALYTICS, None, Reader, [StepPayload];
    API_KEY_CREATED = "api_key.created" from GATEWAY, None, Nobody, [ApiKeyPayload];
    API_KEY_REVOKED = "api_key.revoked" from GATEWAY, None, Nobody, [ApiKeyPayload];
    WEBHOOK_CREATED = "webhook.created" from GATEWAY, None, Nobody, [WebhookPayload];
    WEBHOOK_UPDATED = "webhook.updated" from GATEWAY, None, Nobody, [WebhookPayload];
    WEBHOOK_DISABLED = "webhook.disabled" from GATEWAY, None, Nobody, [WebhookPayload];
    WEBHOOK_DELETED = "webhook.deleted" from GATEWAY, None, Nobody, [WebhookPayload];
    WEBHOOK_PINGED = "webhook.pinged" from GATEWAY, None, Nobody, [WebhookPayload];
    SAGA_STARTED = "saga.started" from SAGAS, Some(Sagas), STARTER, [SagaPayload];
    SAGA_STEP_COMPLETED = "saga.step_completed" from SAGAS, Some(Sagas), STARTER, [SagaPayload];
    SAGA_COMPLETED = "saga.completed" from SAGAS, Some(Sagas), STARTER, [SagaPayload];
    SAGA_FAILED = "saga.failed" from SAGAS, Some(Sagas), STARTER, [SagaPayload];
    SAGA_UNDONE = "saga.undone" from SAGAS, Some(Sagas), STARTER, [SagaPayload];
}

/// The row of a type; `None` if it is not in the catalogue.
pub fn row_of(event_type: EventType) -> Option<&'static EventRow> {
    EVENTS.iter().find(|row| row.event_type == event_type)
}

/// The topic of the live feed that the events of a type belong to.
pub fn topic_of(event_type: EventType) -> Option<Topic> {
    row_of(event_type)?.topic
}
