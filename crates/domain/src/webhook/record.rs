//! A webhook, what a client sets of it, and the payload of its events.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::events::{CATALOGUE, WEBHOOK_PINGED};
use kernel::clock::Timestamp;
use kernel::event::{EventType, LoggedEvent, Versioned};
use kernel::ids::Id;
use kernel::patch::some;

/// The type that stands for all of them, those of later versions included.
pub const ALL_TYPES: &str = "*";

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

    /// The types that it wants, as far as this program knows them; `None`: all.
    pub fn types(&self) -> Option<Vec<EventType>> {
        if self.event_types.iter().any(|name| name == ALL_TYPES) {
            return None;
        }
        let known = self.event_types.iter().filter_map(|name| CATALOGUE.find(name));
        Some(known.chain([WEBHOOK_PINGED]).collect())
    }

    /// Whether an event of a type that it wants is for it: a ping is for the webhook that was pinged alone.
    pub fn wants(&self, event: &LoggedEvent) -> bool {
        event.event.event_type != WEBHOOK_PINGED || event.event.partition_key == self.id
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

/// A URL in request bodies.
pub enum WebhookUrl {}

impl PartialSchema for WebhookUrl {
    fn schema() -> RefOr<Schema> {
        let url = ObjectBuilder::new().schema_type(Type::String).max_length(Some(super::address::URL_MAX));
        url.pattern(Some("^https?://[^\\s]+$")).examples(["https://example.com/hooks/kizuna"]).build().into()
    }
}

impl ToSchema for WebhookUrl {
    fn name() -> std::borrow::Cow<'static, str> {
        "WebhookUrl".into()
    }
}

/// The name of a type of event, or `*`.
pub enum WantedType {}

impl WantedType {
    /// Every name that a webhook may want.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let wanted = CATALOGUE.0.iter().filter(|known| **known != WEBHOOK_PINGED);
        [ALL_TYPES].into_iter().chain(wanted.map(|known| known.name()))
    }
}

impl PartialSchema for WantedType {
    fn schema() -> RefOr<Schema> {
        let name = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::names()));
        name.examples(["customer.created"]).build().into()
    }
}

impl ToSchema for WantedType {
    fn name() -> std::borrow::Cow<'static, str> {
        "WantedType".into()
    }
}

/// A new webhook.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// https (http, too, with `--webhook-allow-private`), without credentials and fragment; of the public internet.
    #[schema(value_type = WebhookUrl)]
    pub url: String,
    /// `["*"]`: all, those of later versions included.
    #[schema(value_type = Vec<WantedType>, min_items = 1, max_items = 200)]
    pub event_types: Vec<String>,
    #[serde(default = "yes")]
    #[schema(value_type = bool, required = false, default = true)]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// Changes of a webhook.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookChanges {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = WebhookUrl, required = false)]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = Vec<WantedType>, required = false, min_items = 1, max_items = 200)]
    pub event_types: Option<Vec<String>>,
    /// What happens while it is disabled is not sent later, unless it is replayed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some")]
    #[schema(value_type = bool, required = false)]
    pub enabled: Option<bool>,
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
