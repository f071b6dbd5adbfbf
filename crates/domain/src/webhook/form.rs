//! What a client sets of a webhook.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::webhook::address::URL_MAX;
use crate::webhook::wanted::WantedType;
use kernel::patch::some;

/// A URL in request bodies.
pub enum WebhookUrl {}

impl PartialSchema for WebhookUrl {
    fn schema() -> RefOr<Schema> {
        let url = ObjectBuilder::new().schema_type(Type::String).max_length(Some(URL_MAX));
        url.pattern(Some("^https?://[^\\s]+$")).examples(["https://example.com/hooks/kizuna"]).build().into()
    }
}

impl ToSchema for WebhookUrl {
    fn name() -> Cow<'static, str> {
        "WebhookUrl".into()
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
