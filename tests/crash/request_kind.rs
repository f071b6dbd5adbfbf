//! The kinds of requests that tests send while an actor or a database fails.

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixture::Staff;
use testing::app::PASSWORD;
use testing::{Answer, Api, Kizuna};

/// A kind of request. Each kind uses other actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Reads the caller's own user: auth's children.
    Me,
    /// Signs in: the auth service.
    Login,
    /// Creates a customer of the caller: the customer service, a child, the journal, every consumer.
    Customer,
    /// Creates a customer of another user: also auth, through its breaker.
    CustomerOfOther,
    /// Changes one customer: always the same child.
    Change,
    /// Records a meeting: the sales service, a child, and the customer service through its breaker.
    Meeting,
    /// Requests an approval: the opportunity service, a child, customer and auth through their breakers.
    Approval,
    /// Comments on a customer and mentions the manager: the customer service, a child of another aggregate, and auth.
    Comment,
    /// Creates a task: a child of another aggregate.
    Task,
    /// Reads the preview of a customer's deletion: the sagas, and every service through its breaker.
    Foresee,
    /// Reads the day's figures: the analytics service.
    Figures,
    /// Marks all notifications as read: the analytics service, a child per notification.
    ReadAll,
    /// Lists the actors: the operations service.
    Actors,
}

/// Every kind, to check that everything works again.
pub const ALL: [RequestKind; 13] = [
    RequestKind::Me,
    RequestKind::Login,
    RequestKind::Customer,
    RequestKind::CustomerOfOther,
    RequestKind::Change,
    RequestKind::Meeting,
    RequestKind::Approval,
    RequestKind::Comment,
    RequestKind::Task,
    RequestKind::Foresee,
    RequestKind::Figures,
    RequestKind::ReadAll,
    RequestKind::Actors,
];

/// Sends requests to one server.
pub struct Sender<'a> {
    pub server: &'a Kizuna,
    pub staff: &'a Staff,
}

impl Sender<'_> {
    /// Sends one request. `key` is its idempotency key: repeating the call creates nothing new.
    pub async fn attempt(&self, kind: RequestKind, key: &str) -> Answer {
        let (api, method, path, body) = self.request(kind, key);
        let api = if method == Method::POST { api.idempotency_key(key) } else { api };
        let sent = api.attempt(method, &path, body).await;
        sent.unwrap_or_else(|error| panic!("no answer to {kind:?}: {error:?}"))
    }

    fn request(&self, kind: RequestKind, key: &str) -> (Api, Method, String, Option<Value>) {
        let (sales, manager) = (self.staff.sales.at(self.server), self.staff.manager.at(self.server));
        match kind {
            RequestKind::Me => (sales, Method::GET, "/api/auth/me".into(), None),
            RequestKind::Figures => (manager, Method::GET, "/api/reports/metrics".into(), None),
            RequestKind::ReadAll => {
                (manager, Method::POST, "/api/notifications/read-all".into(), Some(json!({})))
            }
            RequestKind::Actors => {
                let admin = self.staff.admin.at(self.server);
                (admin, Method::GET, "/api/admin/actors".into(), None)
            }
            RequestKind::Foresee => {
                let path = format!("/api/customers/{}/deletion-preview", self.staff.customer);
                (sales, Method::GET, path, None)
            }
            RequestKind::Login => {
                let login = json!({"email": "sales@example.com", "password": PASSWORD});
                (sales.anonymous(), Method::POST, "/api/auth/login".into(), Some(login))
            }
            RequestKind::Customer => {
                (sales, Method::POST, "/api/customers".into(), Some(json!({"name": format!("{key} 様")})))
            }
            RequestKind::CustomerOfOther => {
                let customer = json!({"name": format!("{key} 御中"), "owner_id": self.staff.sales.id});
                (manager, Method::POST, "/api/customers".into(), Some(customer))
            }
            RequestKind::Change => {
                let path = format!("/api/customers/{}", self.staff.customer);
                (sales, Method::PATCH, path, Some(json!({"notes": key})))
            }
            RequestKind::Meeting => {
                let meeting = json!({"customer_id": self.staff.customer, "title": key, "met_at": "2026-03-01T10:00:00Z"});
                (sales, Method::POST, "/api/meetings".into(), Some(meeting))
            }
            RequestKind::Approval => {
                let approval = json!({"customer_id": self.staff.customer, "title": key, "amount": 120_000});
                (sales, Method::POST, "/api/approvals".into(), Some(approval))
            }
            RequestKind::Comment => {
                let path = format!("/api/customers/{}/comments", self.staff.customer);
                let comment = json!({"text": format!("@manager@example.com {key}")});
                (sales, Method::POST, path, Some(comment))
            }
            RequestKind::Task => {
                let task = json!({"title": key, "due_at": "2026-03-01T10:00:00Z"});
                (sales, Method::POST, "/api/tasks".into(), Some(task))
            }
        }
    }
}
