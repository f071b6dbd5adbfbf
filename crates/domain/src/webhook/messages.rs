//! What the service of webhooks is asked. All of it is for ADMIN (SPEC §1).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::webhook::delivery::{Delivery, DeliveryState};
use crate::webhook::form::{NewWebhook, WebhookChanges};
use crate::webhook::record::{Webhook, WebhookView};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::page::{PageRequest, Sort};
use kernel::validation::Rules;

/// The order of webhooks and of deliveries.
pub const NEWEST_FIRST: Sort = Sort::time("-created_at", "created_at", true);

/// Makes a webhook. The answer has its secret.
pub struct CreateWebhook {
    pub new: NewWebhook,
    pub context: Context,
}

/// Changes a webhook.
pub struct ChangeWebhook {
    pub id: Id,
    pub changes: WebhookChanges,
    pub context: Context,
}

/// Gives a webhook a new secret, which the answer has.
pub struct RotateSecret {
    pub id: Id,
    pub context: Context,
}

/// Deletes a webhook, with its deliveries.
pub struct DeleteWebhook {
    pub id: Id,
    pub context: Context,
}

/// One webhook.
pub struct FindWebhook {
    pub id: Id,
    pub caller: Caller,
}

/// Webhooks, the newest first.
pub struct ListWebhooks {
    pub caller: Caller,
    pub page: PageRequest,
}

/// The deliveries of a webhook, the newest first.
pub struct ListDeliveries {
    pub webhook: Id,
    pub state: Option<DeliveryState>,
    pub caller: Caller,
    pub page: PageRequest,
}

/// Sends a test to a webhook.
pub struct PingWebhook {
    pub id: Id,
    pub context: Context,
}

/// Sends a delivery again.
pub struct Redeliver {
    pub webhook: Id,
    pub id: Id,
    pub context: Context,
}

/// Sends all events since a time again.
pub struct ReplayWebhook {
    pub id: Id,
    pub order: Replay,
    pub context: Context,
}

/// How many deliveries of each webhook wait, and how many are dead.
pub struct CountDeliveries {
    pub caller: Caller,
}

/// What of the log to send again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Events since this time.
    pub from: Timestamp,
}

impl Rules for Replay {}

/// What a ping, a redelivery or a replay has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Begun {
    /// The webhook.
    pub id: Id,
    /// The delivery; null for a replay, which makes many.
    #[schema(required)]
    pub delivery_id: Option<Id>,
}

/// A webhook whose secret was made.
#[derive(Clone, Debug)]
pub struct WithSecret {
    pub webhook: Webhook,
    pub secret: String,
}

impl WithSecret {
    /// As the answer shows it.
    pub fn view(&self) -> WebhookView {
        WebhookView { secret: Some(self.secret.clone()), ..WebhookView::from(&self.webhook) }
    }
}

/// A delivery with what it delivers.
#[derive(Clone, Debug)]
pub struct DeliveryReading {
    pub delivery: Delivery,
    pub event: LoggedEvent,
}
