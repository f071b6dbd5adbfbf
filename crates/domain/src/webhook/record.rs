//! A webhook, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use kernel::clock::Timestamp;
use kernel::event::Versioned;
use kernel::ids::Id;

/// Why a webhook is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DisabledReason {
    /// An administrator disabled it.
    Admin,
    /// The endpoint answered 410 Gone.
    Gone,
}

/// An address to which the events of some types are sent. Its secrets are kept apart from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: Id,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Id,
    pub url: String,
    /// Sorted, each once.
    pub event_types: Vec<String>,
    /// `None` while it is enabled.
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<DisabledReason>,
    /// When its present secret was made.
    pub secret_made_at: Timestamp,
    /// Its number among the webhooks that there may be.
    pub place: i64,
    /// When it was deleted. Only the last event has it.
    #[serde(default, skip_serializing)]
    pub deleted_at: Option<Timestamp>,
}

impl Versioned for Webhook {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Webhook {
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// A webhook, as its readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    pub id: Id,
    /// Grows with each change.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub created_by: Id,
    #[schema(example = "https://example.com/hooks/kizuna")]
    pub url: String,
    /// `*`: all.
    pub event_types: Vec<String>,
    /// While it is not, no event becomes a delivery, and deliveries wait.
    pub enabled: bool,
    /// Null while it is enabled.
    #[schema(required)]
    pub disabled_at: Option<Timestamp>,
    /// Null while it is enabled.
    #[schema(required)]
    pub disabled_reason: Option<DisabledReason>,
    /// When its present secret was made. The one before it is valid for 24 hours more.
    pub secret_made_at: Timestamp,
    /// `whsec_…`. Only in the answer to the request that made it, and not in that answer's replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub secret: Option<String>,
}

impl From<&Webhook> for WebhookView {
    fn from(webhook: &Webhook) -> Self {
        Self {
            id: webhook.id,
            version: webhook.version,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            created_by: webhook.created_by,
            url: webhook.url.clone(),
            event_types: webhook.event_types.clone(),
            enabled: webhook.is_enabled(),
            disabled_at: webhook.disabled_at,
            disabled_reason: webhook.disabled_reason,
            secret_made_at: webhook.secret_made_at,
            secret: None,
        }
    }
}

/// `webhook.created`, `webhook.updated`, `webhook.disabled`, `webhook.deleted`: the webhook after it, without its secrets.
/// `webhook.pinged`: the webhook that is tested.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WebhookPayload {
    pub webhook: WebhookView,
    /// What was changed: `url`, `event_types`, `enabled`, `secret`.
    #[serde(default)]
    pub changed: Vec<String>,
}
