//! Users of the API: each is an [`Api`] with a token and the user's id and address.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::app::{ADMIN, PASSWORD, TestApp};

/// A user who is signed in.
#[derive(Clone, Debug)]
pub struct Member {
    api: Api,
    pub id: String,
    pub email: String,
    pub refresh_token: String,
}

impl Deref for Member {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Member {
    /// The ADMIN of the first start.
    pub async fn first(app: &TestApp) -> Self {
        Self::sign_in(&app.nobody(), ADMIN, PASSWORD).await
    }

    /// Signs in. Hashing makes this the slowest request.
    pub async fn sign_in(nobody: &Api, email: &str, password: &str) -> Self {
        let body = json!({"email": email, "password": password});
        Self::of(nobody, &nobody.post("/api/auth/login", body).await.expect(200))
    }

    /// The user of an answer to a login or refresh.
    pub fn of(api: &Api, answer: &Answer) -> Self {
        Self {
            api: api.token(answer.text_at("/access_token")),
            id: answer.text_at("/user/id"),
            email: answer.text_at("/user/email"),
            refresh_token: answer.text_at("/refresh_token"),
        }
    }

    /// Creates a user, as an ADMIN, without signing them in.
    pub async fn make_user(&self, role: &str, name: &str, manager: Option<&Member>) -> Answer {
        let email = format!("{name}@example.com");
        let manager = manager.map(|manager| &manager.id);
        let user =
            json!({"email": email, "name": name, "role": role, "manager_id": manager, "password": PASSWORD});
        self.post("/api/auth/users", user).await.expect(201)
    }

    /// Creates a user, as an ADMIN, and signs them in.
    pub async fn hire(&self, role: &str, name: &str, manager: Option<&Member>) -> Self {
        let email = self.make_user(role, name, manager).await.text_at("/email");
        Self::sign_in(&self.anonymous(), &email, PASSWORD).await
    }

    /// Creates a customer of the caller.
    pub async fn customer(&self, name: &str) -> Answer {
        self.create_customer(json!({"name": name})).await
    }

    pub async fn create_customer(&self, body: Value) -> Answer {
        self.post("/api/customers", body).await.expect(201)
    }

    /// Records a meeting of the caller.
    pub async fn meeting(&self, customer_id: &str, title: &str) -> Answer {
        let meeting = json!({"customer_id": customer_id, "title": title, "met_at": "2026-03-01T10:00:00Z"});
        self.post("/api/meetings", meeting).await.expect(201)
    }

    /// Requests an approval.
    pub async fn approval(&self, customer_id: &str, title: &str) -> Answer {
        let approval = json!({"customer_id": customer_id, "title": title, "amount": 120_000});
        self.post("/api/approvals", approval).await.expect(201)
    }

    /// Creates a deal of the caller.
    pub async fn deal(&self, customer_id: &str, title: &str) -> Answer {
        let deal = json!({"customer_id": customer_id, "title": title, "amount": 500_000});
        self.post("/api/deals", deal).await.expect(201)
    }

    /// Creates a task of the caller.
    pub async fn task(&self, title: &str, due_at: &str) -> Answer {
        self.post("/api/tasks", json!({"title": title, "due_at": due_at})).await.expect(201)
    }
}

/// One user of each role, and a second SALES user; both SALES users have the manager. All effects of their creation are
/// applied.
pub struct Team {
    pub admin: Member,
    pub manager: Member,
    pub sales: Member,
    pub colleague: Member,
}

impl Team {
    pub async fn of(app: &TestApp) -> Self {
        let admin = Member::first(app).await;
        let manager = admin.hire("MANAGER", "manager", None).await;
        let (sales, colleague) = tokio::join!(
            admin.hire("SALES", "sales", Some(&manager)),
            admin.hire("SALES", "colleague", Some(&manager)),
        );
        app.settle().await;
        Self { admin, manager, sales, colleague }
    }
}
