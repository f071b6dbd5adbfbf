//! The users of a cluster. Their tokens are valid on every node.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{ADMIN, PASSWORD};
use crate::{Answer, Api, Member};

/// One of each role; the SALES users are under the MANAGER.
pub struct Staff {
    pub admin: Known,
    pub manager: Known,
    pub sales: Known,
}

/// A user who is signed in, with an API client per node.
#[derive(Clone)]
pub struct Known {
    pub id: String,
    pub email: String,
    apis: Vec<Api>,
}

impl Known {
    /// The user of this token.
    pub fn new(id: &str, email: &str, token: &str, nodes: &[String]) -> Self {
        let apis = nodes.iter().map(|url| Api::new(url).token(token)).collect();
        Self { id: id.to_owned(), email: email.to_owned(), apis }
    }

    /// The API of this node as they see it.
    pub fn at(&self, node: usize) -> &Api {
        &self.apis[node]
    }

    pub fn nodes(&self) -> usize {
        self.apis.len()
    }

    /// Signs in through the first node.
    pub async fn sign_in(nodes: &[String], email: &str) -> Self {
        let member = Member::sign_in(&Api::new(&nodes[0]), email, PASSWORD).await;
        Self::new(&member.id, email, member.access_token().expect("a member has one"), nodes)
    }

    /// Creates a user, as an ADMIN, and signs them in.
    pub async fn hire(&self, nodes: &[String], role: &str, name: &str, manager: Option<&Self>) -> Self {
        let email = format!("{name}@example.com");
        let manager = manager.map(|manager| &manager.id);
        let user =
            json!({"email": email, "name": name, "role": role, "manager_id": manager, "password": PASSWORD});
        self.at(0).post("/api/auth/users", user).await.expect(201);
        Self::sign_in(nodes, &email).await
    }

    /// Creates a customer of the caller through this node.
    pub async fn customer(&self, node: usize, name: &str) -> Answer {
        self.at(node).post("/api/customers", json!({"name": name})).await.expect(201)
    }
}

impl Staff {
    pub async fn hire(nodes: &[String]) -> Self {
        let admin = Known::sign_in(nodes, ADMIN).await;
        let manager = admin.hire(nodes, "MANAGER", "manager", None).await;
        let sales = admin.hire(nodes, "SALES", "sales", Some(&manager)).await;
        Self { admin, manager, sales }
    }
}

/// A meeting's body.
pub fn meeting(customer_id: &str, title: &str) -> Value {
    json!({"customer_id": customer_id, "title": title, "met_at": "2026-03-01T10:00:00Z"})
}

/// An approval's body.
pub fn approval(customer_id: &str, title: &str) -> Value {
    json!({"customer_id": customer_id, "title": title, "amount": 120_000})
}

/// A task's body, due in years, so that there is no alert.
pub fn task(title: &str) -> Value {
    json!({"title": title, "due_at": "2099-01-01T00:00:00Z"})
}

/// Awaits a future; returns its result and its duration.
pub async fn timed<T>(what: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    let done = what.await;
    (done, began.elapsed())
}
