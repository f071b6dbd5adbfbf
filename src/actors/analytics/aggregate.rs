//! A notification as an aggregate: which rules, which table.

use super::domain::{self, Notification, NotificationCommand, NotificationEvent};
use crate::actors::context::Caller;
use crate::actors::refusal::Refusal;
use crate::actors::runtime::entity::Aggregate;
use crate::clock::Timestamp;
use crate::ids::Id;
use crate::persistence::analytics::NOTIFICATIONS;
use crate::persistence::table::Table;

/// A notification.
pub struct NotificationAggregate;

impl Aggregate for NotificationAggregate {
    const KIND: &'static str = "analytics.notification";
    type State = Notification;
    type Command = NotificationCommand;
    type Event = NotificationEvent;

    fn table() -> &'static Table {
        &NOTIFICATIONS
    }

    fn version(state: &Notification) -> i64 {
        state.version
    }

    fn decide(
        state: Option<&Notification>,
        command: &NotificationCommand,
        caller: &Caller,
        _: Id,
        now: Timestamp,
    ) -> Result<Vec<NotificationEvent>, Refusal> {
        domain::decide(state, *command, caller, now)
    }

    fn apply(_: Option<Notification>, event: &NotificationEvent) -> Notification {
        event.after().clone()
    }
}
