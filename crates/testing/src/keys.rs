//! API keys of a test.

use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::team::Member;

/// An API key, and the API as a program with it sees it.
#[derive(Clone, Debug)]
pub struct Key {
    pub api: Api,
    pub id: String,
    /// The key itself.
    pub text: String,
}

impl Key {
    /// Makes a key of an ADMIN, which may do what the ADMIN may within these scopes.
    pub async fn of(admin: &Member, scopes: &[&str]) -> Self {
        Self::with(admin, json!({"name": "連携", "scopes": scopes, "role": "ADMIN"})).await
    }

    /// Makes a key from this body.
    pub async fn with(admin: &Member, body: Value) -> Self {
        Self::from(admin, &admin.post("/api/api-keys", body).await.expect(201))
    }

    /// The key of an answer.
    pub fn from(admin: &Api, answer: &Answer) -> Self {
        let text = answer.text_at("/key");
        Self { api: admin.token(&text), id: answer.id(), text }
    }

    /// The API of another server with this key.
    pub fn at(&self, nobody: &Api) -> Api {
        nobody.token(&self.text)
    }
}
