//! What each consumer needs of the events it takes: the fields that its code reads, and no other.
//!
//! The rest of an event may change without anybody's asking. A field that is not always there stands apart: no event
//! must have it, but of each type that names it some must, or nobody would notice that it is gone.

use domain::events::*;
use kernel::event::EventType;
use serde_json::{Value, json};

/// The ids of examples: a user, who inherits from them, and one of everything else.
pub const USER: &str = "0198c0de-0000-7000-8000-000000000001";
const HEIR: &str = "0198c0de-0000-7000-8000-000000000002";
const RECORD: &str = "0198c0de-0000-7000-8000-000000000003";
const CUSTOMER: &str = "0198c0de-0000-7000-8000-000000000004";
const SAGA: &str = "0198c0de-0000-7000-8000-000000000005";
const TIME: &str = "2026-03-02T09:00:00Z";

/// Everybody who reads the log itself: the audit trail, the live feed, webhooks.
pub const READERS: &str = "readers of the log";

/// What a consumer needs of a type's `data`.
pub struct Need {
    /// In every event.
    pub always: Value,
    /// In addition to that, in some.
    pub sometimes: Value,
}

impl Need {
    fn of(always: Value) -> Self {
        Self { always, sometimes: json!({}) }
    }

    fn or(self, sometimes: Value) -> Self {
        Self { sometimes, ..self }
    }

    /// An event that has all of it.
    pub fn whole(&self) -> Value {
        let mut whole = self.always.clone();
        merge(&mut whole, &self.sometimes);
        whole
    }
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// What the consumer needs of the type; none if it has no contract.
pub fn need(consumer: &str, event_type: EventType) -> Option<Need> {
    match consumer {
        "sales.customers" | "opportunity.customers" => replica(event_type),
        "analytics.metrics" => metrics(event_type),
        "analytics.activity" => activity(event_type),
        "analytics.notifications" => notifications(event_type),
        "analytics.departures" => analytics_deletions(event_type),
        "customer.departures" => customer_deletions(event_type),
        "sales.departures" => sales_deletions(event_type),
        "opportunity.departures" => opportunity_deletions(event_type),
        "customer.batches" | "sales.batches" | "opportunity.batches" => batches(event_type),
        "opportunity.progress" => deal_progress(event_type),
        "sagas.progress" => progress(event_type),
        // Whom or what it is about is in the envelope.
        "attachments.bytes" => Some(Need::of(json!({}))),
        READERS => readers(event_type),
        _ => None,
    }
}

fn replica(event_type: EventType) -> Option<Need> {
    match event_type {
        CUSTOMER_CREATED | CUSTOMER_UPDATED | CUSTOMER_RESTORED => Some(Need::of(customer())),
        CUSTOMER_DELETED | CUSTOMER_MERGED => {
            Some(Need::of(with(customer(), "customer", "deleted_at", TIME)))
        }
        _ => None,
    }
}

fn metrics(event_type: EventType) -> Option<Need> {
    match event_type {
        USER_LOGIN => Some(Need::of(json!({"user_id": USER}))),
        CUSTOMER_CREATED | CUSTOMER_DELETED | CUSTOMER_MERGED => Some(Need::of(customer())),
        MEETING_CREATED => Some(Need::of(meeting())),
        TASK_COMPLETED => Some(Need::of(task())),
        APPROVAL_REQUESTED | APPROVAL_APPROVED | APPROVAL_REJECTED => Some(Need::of(approval())),
        DEAL_CREATED | DEAL_WON | DEAL_LOST => Some(Need::of(deal())),
        _ => None,
    }
}

fn deal_progress(event_type: EventType) -> Option<Need> {
    match event_type {
        DEAL_CREATED => Some(Need::of(deal())),
        DEAL_UPDATED | DEAL_WON | DEAL_LOST => {
            Some(Need::of(deal()).or(json!({"previous_stage": "QUALIFY"})))
        }
        _ => None,
    }
}

fn activity(event_type: EventType) -> Option<Need> {
    match event_type {
        CUSTOMER_CREATED | CUSTOMER_UPDATED | CUSTOMER_DELETED | CUSTOMER_MERGED | CUSTOMER_RESTORED => {
            Some(Need::of(customer()))
        }
        MEETING_CREATED | MEETING_UPDATED | MEETING_DELETED | MEETING_RESTORED => Some(Need::of(meeting())),
        TASK_CREATED | TASK_UPDATED | TASK_COMPLETED | TASK_DELETED | TASK_RESTORED | TASK_DUE_SOON => {
            Some(Need::of(task()).or(json!({"task": {"customer_id": CUSTOMER}})))
        }
        APPROVAL_REQUESTED | APPROVAL_APPROVED | APPROVAL_REJECTED | APPROVAL_CANCELLED
        | APPROVAL_REASSIGNED | APPROVAL_MOVED | APPROVAL_RESTORED => Some(Need::of(approval())),
        DEAL_CREATED | DEAL_UPDATED | DEAL_WON | DEAL_LOST | DEAL_DELETED | DEAL_RESTORED => {
            Some(Need::of(deal()))
        }
        COMMENT_CREATED | COMMENT_UPDATED | COMMENT_DELETED => Some(Need::of(comment())),
        ATTACHMENT_ADDED | ATTACHMENT_REMOVED => Some(Need::of(attachment())),
        _ => None,
    }
}

fn notifications(event_type: EventType) -> Option<Need> {
    match event_type {
        USER_CREATED | USER_UPDATED => {
            Some(Need::of(changed_user()).or(json!({"user": {"manager_id": HEIR}})))
        }
        USER_DELETED => Some(Need::of(json!({"user": user()["user"]}))),
        CUSTOMER_CREATED => Some(Need::of(customer())),
        APPROVAL_REQUESTED => Some(Need::of(approval()).or(json!({"approval": {"approver_id": USER}}))),
        APPROVAL_REASSIGNED => Some(Need::of(approval()).or(json!({"changed": ["approver_id"]}))),
        APPROVAL_APPROVED | APPROVAL_REJECTED => {
            Some(Need::of(with(approval(), "approval", "decided_by", USER)))
        }
        TASK_DUE_SOON => Some(Need::of(task()).or(json!({"task": {"customer_id": CUSTOMER}}))),
        COMMENT_CREATED | COMMENT_UPDATED => Some(Need::of(comment())),
        DEAL_CREATED => Some(Need::of(deal())),
        DEAL_UPDATED => Some(Need::of(deal()).or(json!({"previous_owner_id": HEIR}))),
        _ => None,
    }
}

fn analytics_deletions(event_type: EventType) -> Option<Need> {
    match event_type {
        CUSTOMER_DELETED | CUSTOMER_MERGED | CUSTOMER_RESTORED => Some(gone_or_back(event_type)),
        NOTIFICATION_CREATED | NOTIFICATION_MOVED | NOTIFICATION_RESTORED => {
            Some(Need::of(notification()).or(json!({"notification": {"customer_id": CUSTOMER}})))
        }
        _ => None,
    }
}

fn customer_deletions(event_type: EventType) -> Option<Need> {
    match event_type {
        USER_DELETED => Some(Need::of(departed_user())),
        USER_RESTORED => Some(Need::of(returned_user())),
        CUSTOMER_MERGED | CUSTOMER_RESTORED => Some(gone_or_back(event_type)),
        CUSTOMER_CREATED | CUSTOMER_UPDATED => Some(Need::of(customer())),
        _ => None,
    }
}

fn sales_deletions(event_type: EventType) -> Option<Need> {
    match event_type {
        USER_DELETED => Some(Need::of(departed_user())),
        USER_RESTORED => Some(Need::of(returned_user())),
        CUSTOMER_DELETED | CUSTOMER_MERGED | CUSTOMER_RESTORED => Some(gone_or_back(event_type)),
        MEETING_CREATED | MEETING_UPDATED | MEETING_RESTORED => Some(Need::of(meeting())),
        TASK_CREATED | TASK_UPDATED | TASK_COMPLETED | TASK_RESTORED => {
            Some(Need::of(task()).or(json!({"task": {"customer_id": CUSTOMER}})))
        }
        _ => None,
    }
}

fn opportunity_deletions(event_type: EventType) -> Option<Need> {
    match event_type {
        USER_DELETED => Some(Need::of(departed_user()).or(json!({"approver_id": HEIR}))),
        USER_RESTORED => Some(Need::of(returned_user())),
        CUSTOMER_DELETED | CUSTOMER_MERGED | CUSTOMER_RESTORED => Some(gone_or_back(event_type)),
        APPROVAL_REQUESTED | APPROVAL_REASSIGNED | APPROVAL_MOVED | APPROVAL_RESTORED => {
            Some(Need::of(approval()).or(json!({"approval": {"approver_id": USER}})))
        }
        DEAL_CREATED | DEAL_UPDATED | DEAL_WON | DEAL_LOST | DEAL_RESTORED => Some(Need::of(deal())),
        _ => None,
    }
}

fn batches(event_type: EventType) -> Option<Need> {
    match event_type {
        // Of another kind than it carries out: there is no batch.
        SAGA_STARTED => Some(Need::of(json!({"saga": {"id": SAGA, "kind": "customer_deletion"}}))),
        SAGA_COMPLETED => {
            Some(Need::of(json!({"saga": {"id": SAGA, "kind": "customer_deletion", "subject_id": CUSTOMER}})))
        }
        _ => closed_batch(event_type),
    }
}

fn is_batch(event_type: EventType) -> bool {
    let changed = matches!(event_type, CUSTOMERS_CHANGED | MEETINGS_CHANGED | TASKS_CHANGED | DEALS_CHANGED);
    changed || matches!(event_type, CUSTOMERS_IMPORTED | MEETINGS_IMPORTED | TASKS_IMPORTED | DEALS_IMPORTED)
}

fn closed_batch(event_type: EventType) -> Option<Need> {
    let closed = json!({
        "saga_id": SAGA, "number": 0, "more": false, "delete": false, "ids": [RECORD], "count": 1, "unchanged": 0,
        "refused": [],
    });
    is_batch(event_type).then(|| Need::of(closed))
}

fn progress(event_type: EventType) -> Option<Need> {
    match event_type {
        closed if is_batch(closed) => closed_batch(event_type),
        CUSTOMERS_REASSIGNED
        | MEETINGS_DELETED
        | MEETINGS_REASSIGNED
        | TASKS_DELETED
        | APPROVALS_CANCELLED
        | APPROVALS_REASSIGNED
        | DEALS_CLOSED
        | DEALS_REASSIGNED
        | NOTIFICATIONS_ARCHIVED
        | MEETINGS_MOVED
        | TASKS_MOVED
        | APPROVALS_MOVED
        | DEALS_MOVED
        | NOTIFICATIONS_MOVED
        | CUSTOMERS_RESTORED
        | MEETINGS_RESTORED
        | TASKS_RESTORED
        | APPROVALS_RESTORED
        | DEALS_RESTORED
        | NOTIFICATIONS_RESTORED => {
            let closed = json!({"subject_id": RECORD, "ids": [RECORD], "count": 1});
            Some(Need::of(closed).or(json!({"saga_id": SAGA})))
        }
        _ => None,
    }
}

/// Whom or what each type is about, by which a reader finds the record, and whose it is.
fn readers(event_type: EventType) -> Option<Need> {
    let (noun, _) = event_type.name().split_once('.')?;
    Some(Need::of(match (noun, event_type) {
        (_, USER_LOGIN | USER_LOGIN_FAILED) => json!({"user_id": USER}),
        ("user", _) => json!({"user": {"id": USER, "name": "n"}}),
        ("customer", _) => json!({"customer": {"id": CUSTOMER, "owner_id": USER}}),
        ("meeting", _) => json!({"meeting": {"id": RECORD, "customer_id": CUSTOMER, "owner_id": USER}}),
        ("task", _) => json!({"task": {"id": RECORD, "assignee_id": USER}}),
        ("approval", _) => json!({"approval": {"id": RECORD, "customer_id": CUSTOMER, "requester_id": USER}}),
        ("deal", _) => json!({"deal": {"id": RECORD, "customer_id": CUSTOMER, "owner_id": USER}}),
        ("attachment", _) => json!({
            "attachment": {"id": RECORD, "name": "n", "media_type": "m", "size": 1, "sha256": "s"},
            "record": {"type": "customer", "id": CUSTOMER, "owner_id": USER},
        }),
        ("comment", _) => json!({
            "comment": {"id": RECORD, "author_id": USER},
            "record": {"type": "customer", "id": CUSTOMER, "owner_id": USER},
        }),
        ("api_key", _) => json!({"api_key": {"id": RECORD, "name": "n", "user_id": USER}}),
        ("webhook", _) => {
            json!({"webhook": {"id": RECORD, "url": "https://example.com/", "created_by": USER}})
        }
        ("notification", _) => json!({"notification": {"id": RECORD, "user_id": USER}}),
        ("saga", SAGA_STEP_COMPLETED) => json!({"saga": saga(), "step": "s"}),
        ("saga", SAGA_FAILED) => json!({"saga": saga(), "step": "s", "error": "e"}),
        ("saga", _) => json!({"saga": saga()}),
        (_, closed) if is_batch(closed) => json!({"saga_id": SAGA, "ids": [RECORD], "count": 1}),
        ("import", _) => json!({"import": {"id": RECORD, "created_by": USER}}),
        ("customers" | "meetings" | "tasks" | "approvals" | "deals" | "notifications", _) => {
            json!({"subject_id": RECORD, "ids": [RECORD], "count": 1})
        }
        _ => return None,
    }))
}

fn saga() -> Value {
    json!({"id": SAGA, "kind": "user_deletion", "subject_id": USER, "status": "running"})
}

fn with(mut data: Value, record: &str, field: &str, value: impl Into<Value>) -> Value {
    data[record][field] = value.into();
    data
}

/// A record with what all have.
fn record(id: &str, more: Value) -> Value {
    let mut record = json!({"id": id, "version": 1, "created_at": TIME, "updated_at": TIME});
    merge(&mut record, &more);
    record
}

fn user() -> Value {
    let more =
        json!({"email": "a@example.com", "name": "n", "role": "SALES", "locale": "ja", "time_zone": "UTC"});
    json!({"user": record(USER, more)})
}

fn changed_user() -> Value {
    let mut user = user();
    user["changed"] = json!([]);
    user
}

fn departed_user() -> Value {
    let mut user = user();
    merge(&mut user, &json!({"successor_id": HEIR, "saga_id": SAGA}));
    user
}

fn customer() -> Value {
    json!({"customer": record(CUSTOMER, json!({"name": "n", "status": "LEAD", "owner_id": USER}))})
}

fn returned_user() -> Value {
    let mut user = user();
    merge(&mut user, &json!({"saga_id": SAGA, "undoes": HEIR}));
    user
}

/// A customer that is deleted, merged into another one, or back.
fn gone_or_back(event_type: EventType) -> Need {
    let mut customer = customer();
    customer["saga_id"] = SAGA.into();
    match event_type {
        CUSTOMER_MERGED => customer["merged_into"] = HEIR.into(),
        CUSTOMER_RESTORED => customer["undoes"] = HEIR.into(),
        _ => {}
    }
    Need::of(customer)
}

fn meeting() -> Value {
    let more = json!({"customer_id": CUSTOMER, "title": "t", "met_at": TIME, "owner_id": USER});
    json!({"meeting": record(RECORD, more)})
}

fn task() -> Value {
    let more = json!({"title": "t", "due_at": TIME, "status": "OPEN", "assignee_id": USER});
    json!({"task": record(RECORD, more)})
}

fn approval() -> Value {
    let more = json!({
        "customer_id": CUSTOMER, "title": "t", "amount": 1, "currency": "JPY", "status": "PENDING",
        "requester_id": USER,
    });
    json!({"approval": record(RECORD, more)})
}

fn deal() -> Value {
    let more = json!({
        "customer_id": CUSTOMER, "title": "t", "amount": 1, "currency": "JPY", "stage": "QUALIFY",
        "probability": 10, "owner_id": USER,
    });
    json!({"deal": record(RECORD, more)})
}

fn attachment() -> Value {
    let more = json!({
        "record_type": "customer", "record_id": CUSTOMER, "author_id": USER, "name": "n",
        "media_type": "text/plain", "size": 1, "sha256": "s",
    });
    json!({"attachment": record(RECORD, more), "record": about()})
}

fn about() -> Value {
    json!({"type": "customer", "id": CUSTOMER, "title": "t", "owner_id": USER, "customer_id": CUSTOMER})
}

fn comment() -> Value {
    let more = json!({
        "record_type": "customer", "record_id": CUSTOMER, "author_id": USER, "text": "t", "mentions": [],
    });
    json!({"comment": record(RECORD, more), "record": about(), "notify": []})
}

fn notification() -> Value {
    let more = json!({
        "user_id": USER, "kind": "customer.created", "subject_type": "customer", "subject_id": CUSTOMER, "data": {},
    });
    json!({"notification": record(RECORD, more)})
}
