//! A client that records what the server acknowledged, across the server's deaths.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use testing::{Answer, Api};

/// A customer as the server last acknowledged it.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub id: String,
    pub version: i64,
}

/// Creates customers and changes every second one, one request after another.
pub struct Client {
    name: &'static str,
    /// Whether it repeats a request with its `Idempotency-Key` until it is acknowledged, or never.
    keyed: bool,
    orders: u32,
    /// The customer whose creation is not acknowledged yet.
    in_doubt: Option<String>,
    /// By the customer's name, which is unique.
    pub acknowledged: BTreeMap<String, Acknowledged>,
    /// Requests whose first answer was replayed at a later try.
    pub replayed: u32,
}

/// The server ended during a request.
pub struct Gone;

impl Client {
    pub fn new(name: &'static str, keyed: bool) -> Self {
        Self { name, keyed, orders: 0, in_doubt: None, acknowledged: BTreeMap::new(), replayed: 0 }
    }

    /// Sends requests until the server is gone.
    pub async fn work(&mut self, api: &Api) {
        while self.step(api).await.is_ok() {}
    }

    /// Repeats the request without an answer until it is acknowledged.
    pub async fn finish(&mut self, api: &Api) {
        while self.in_doubt.is_some() {
            assert!(self.create(api).await.is_ok(), "a server that is not killed answers");
        }
    }

    async fn step(&mut self, api: &Api) -> Result<(), Gone> {
        let Some(name) = self.create(api).await? else { return Ok(()) };
        if self.orders.is_multiple_of(2) { self.change(api, &name).await } else { Ok(()) }
    }

    /// Sends a creation; returns the customer's name if it is acknowledged.
    async fn create(&mut self, api: &Api) -> Result<Option<String>, Gone> {
        let name = self.next_order();
        let api = if self.keyed { api.idempotency_key(&name) } else { api.clone() };
        let body = json!({"name": name, "company": "株式会社絆"});
        let answer = send(&api, Method::POST, "/api/customers", body).await?;
        if answer.status == 503 {
            return Ok(None);
        }
        let id = answer.clone().expect(201).id();
        self.replayed += u32::from(answer.header("idempotency-replayed") == Some("true"));
        self.acknowledged.insert(name.clone(), Acknowledged { id, version: 1 });
        self.in_doubt = None;
        Ok(Some(name))
    }

    fn next_order(&mut self) -> String {
        let again = self.in_doubt.take().filter(|_| self.keyed);
        let name = again.unwrap_or_else(|| {
            self.orders += 1;
            format!("{} {}", self.name, self.orders)
        });
        self.in_doubt.insert(name).clone()
    }

    async fn change(&mut self, api: &Api, name: &str) -> Result<(), Gone> {
        let customer = self.acknowledged.get_mut(name).expect("an acknowledged customer");
        let path = format!("/api/customers/{}", customer.id);
        let answer = send(api, Method::PATCH, &path, json!({"phone": "03-1234-5678"})).await?;
        if answer.status != 503 {
            customer.version = answer.expect(200).version().expect("an ETag");
        }
        Ok(())
    }
}

async fn send(api: &Api, method: Method, path: &str, body: serde_json::Value) -> Result<Answer, Gone> {
    api.attempt(method, path, Some(body)).await.map_err(|_| Gone)
}
