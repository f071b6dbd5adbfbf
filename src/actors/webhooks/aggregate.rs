//! A webhook as an aggregate.

use serde_json::value::RawValue;

use crate::persistence::webhooks::{WEBHOOKS, deletions};
use domain::webhook::record::{Webhook, WebhookView};
use domain::webhook::rules;
use domain::webhook::rules::{WebhookCommand, WebhookEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::event::{StateAfter, raw};
use kernel::ids::Id;
use runtime::entity::Aggregate;
use store::table::Table;
use store::unit_of_work::Write;

/// A webhook as an aggregate.
pub struct WebhookAggregate;

impl Aggregate for WebhookAggregate {
    const KIND: &'static str = "webhooks.webhook";
    type State = Webhook;
    type Command = WebhookCommand;
    type Event = WebhookEvent;

    const TABLE: &'static Table = &WEBHOOKS;

    fn decide(
        state: Option<&Webhook>,
        command: &WebhookCommand,
        caller: &Caller,
        id: Id,
        now: Timestamp,
    ) -> Result<Vec<WebhookEvent>, Error> {
        rules::decide(state, command, caller, id, now)
    }

    // What is kept of the first answer has no secret.
    fn view(state: &Webhook) -> Box<RawValue> {
        raw(&WebhookView::from(state))
    }

    fn is_kept(state: &Webhook) -> bool {
        state.deleted_at.is_none()
    }

    fn beside(event: &WebhookEvent, id: Id) -> Vec<Write> {
        if event.after().deleted_at.is_some() { deletions(id) } else { Vec::new() }
    }

    // Another one took the place.
    fn duplicate() -> ErrorCode {
        ErrorCode::TooManyWebhooks
    }
}
