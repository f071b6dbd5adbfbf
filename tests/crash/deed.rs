//! What people ask of a server while one of its actors dies.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::UserDirectory;
use testing::app::PASSWORD;
use testing::{Answer, Api, Kizuna};

/// One kind of request; each touches other actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Looks at one's own name: auth's children.
    Me,
    /// Signs in: the auth service.
    Login,
    /// Creates an own customer: the customer service, a child, the journal, every consumer.
    Customer,
    /// Creates another's customer: auth is asked too, through its breaker.
    CustomerOfOther,
    /// Changes one customer: always the same child.
    Change,
    /// Records a meeting: the sales service, a child, and the customer service through its breaker.
    Meeting,
    /// Requests an approval: the opportunity service, a child, customer and auth through their breakers.
    Approval,
    /// Writes down a task: a child of its own kind.
    Task,
    /// Looks at what a customer's deletion would touch: the sagas, and every service through its breaker.
    Foresee,
    /// Reads the day's figures: the analytics service.
    Figures,
    /// Reads all notifications: the analytics service, a child of each.
    ReadAll,
    /// Looks at the actors: the operations service.
    Actors,
}

/// All of them, for when everything must work again.
pub const ALL: [Deed; 12] = [
    Deed::Me,
    Deed::Login,
    Deed::Customer,
    Deed::CustomerOfOther,
    Deed::Change,
    Deed::Meeting,
    Deed::Approval,
    Deed::Task,
    Deed::Foresee,
    Deed::Figures,
    Deed::ReadAll,
    Deed::Actors,
];

/// Does deeds on one server.
pub struct Doer<'a> {
    pub server: &'a Kizuna,
    pub people: &'a UserDirectory,
}

impl Doer<'_> {
    /// Does the deed once. What it makes is made once for each `key`, however often this is repeated.
    pub async fn attempt(&self, deed: Deed, key: &str) -> Answer {
        let (api, method, path, body) = self.request(deed, key);
        let api = if method == Method::POST { api.idempotency_key(key) } else { api };
        let sent = api.attempt(method, &path, body).await;
        sent.unwrap_or_else(|error| panic!("no answer to {deed:?}: {error:?}"))
    }

    fn request(&self, deed: Deed, key: &str) -> (Api, Method, String, Option<Value>) {
        let (sales, manager) = (self.people.sales.at(self.server), self.people.manager.at(self.server));
        match deed {
            Deed::Me => (sales, Method::GET, "/api/auth/me".into(), None),
            Deed::Figures => (manager, Method::GET, "/api/reports/metrics".into(), None),
            Deed::ReadAll => (manager, Method::POST, "/api/notifications/read-all".into(), Some(json!({}))),
            Deed::Actors => {
                let admin = self.people.admin.at(self.server);
                (admin, Method::GET, "/api/admin/actors".into(), None)
            }
            Deed::Foresee => {
                let path = format!("/api/customers/{}/deletion-preview", self.people.customer);
                (sales, Method::GET, path, None)
            }
            Deed::Login => {
                let login = json!({"email": "sales@example.com", "password": PASSWORD});
                (sales.anonymous(), Method::POST, "/api/auth/login".into(), Some(login))
            }
            Deed::Customer => {
                (sales, Method::POST, "/api/customers".into(), Some(json!({"name": format!("{key} 様")})))
            }
            Deed::CustomerOfOther => {
                let customer = json!({"name": format!("{key} 御中"), "owner_id": self.people.sales.id});
                (manager, Method::POST, "/api/customers".into(), Some(customer))
            }
            Deed::Change => {
                let path = format!("/api/customers/{}", self.people.customer);
                (sales, Method::PATCH, path, Some(json!({"notes": key})))
            }
            Deed::Meeting => {
                let meeting = json!({"customer_id": self.people.customer, "title": key, "met_at": "2026-03-01T10:00:00Z"});
                (sales, Method::POST, "/api/meetings".into(), Some(meeting))
            }
            Deed::Approval => {
                let approval = json!({"customer_id": self.people.customer, "title": key, "amount": 120_000});
                (sales, Method::POST, "/api/approvals".into(), Some(approval))
            }
            Deed::Task => {
                let task = json!({"title": key, "due_at": "2026-03-01T10:00:00Z"});
                (sales, Method::POST, "/api/tasks".into(), Some(task))
            }
        }
    }
}
