//! The states that contracts name, made by the API.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pact_models::provider_states::ProviderState;
use pact_verifier::callback_executors::ProviderStateExecutor;
use serde_json::{Value, json};

use testing::{Member, eventually};

/// What a state's values are put into paths under.
type Values = HashMap<String, Value>;

/// Makes states.
#[derive(Debug)]
pub struct States {
    admin: Member,
    /// Users are told apart by a number in their names.
    people: AtomicU32,
}

impl States {
    pub fn of(admin: &Member) -> Self {
        Self { admin: admin.clone(), people: AtomicU32::new(0) }
    }

    async fn make(&self, state: &str) -> Option<Values> {
        let admin = &self.admin;
        match state {
            "the administrator exists" => Some(Values::new()),
            "customers exist" => Some(id(admin.customer("Test").await.id())),
            "two customers exist" => {
                admin.customer("One").await;
                Some(id(admin.customer("Two").await.id()))
            }
            "a customer has changed once" => {
                let customer = admin.customer("Changed").await.id();
                admin.patch(&format!("/api/customers/{customer}"), json!({"notes": "n"})).await.expect(200);
                Some(id(customer))
            }
            "a notification is unread" => Some(self.notification().await),
            "an approval of another waits" => Some(id(self.approval().await)),
            "a customer is being deleted" => {
                let customer = admin.customer("Deleted").await.id();
                let deleted = admin.delete(&format!("/api/customers/{customer}")).await.expect(200);
                Some(id(deleted.text_at("/saga/id")))
            }
            _ => None,
        }
    }

    async fn hire(&self, role: &str) -> Member {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        self.admin.hire(role, &format!("person{number}"), None).await
    }

    async fn approval(&self) -> String {
        let sales = self.hire("SALES").await;
        let customer = sales.customer("Of another").await.id();
        sales.approval(&customer, "A discount").await.id()
    }

    async fn notification(&self) -> Values {
        let manager = self.hire("MANAGER").await;
        manager.create_customer(json!({"name": "Given", "owner_id": self.admin.id})).await;
        let unread = eventually(Duration::from_secs(10), async || {
            let unread = self.admin.get("/api/notifications/unread").await.expect(200);
            unread.items().first().map(|notification| notification["id"].clone())
        });
        Values::from([("id".to_owned(), unread.await)])
    }
}

fn id(id: String) -> Values {
    Values::from([("id".to_owned(), Value::from(id))])
}

#[async_trait]
impl ProviderStateExecutor for States {
    async fn call(
        self: Arc<Self>,
        _interaction: Option<String>,
        state: &ProviderState,
        setup: bool,
        _client: Option<&reqwest::Client>,
    ) -> Result<Values, anyhow::Error> {
        if !setup {
            return Ok(Values::new());
        }
        self.make(&state.name).await.ok_or_else(|| anyhow::anyhow!("no state {:?}", state.name))
    }

    fn teardown(&self) -> bool {
        false
    }
}
