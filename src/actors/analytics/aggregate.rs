//! A notification as an aggregate: which rules, which table.

use crate::actors::undo::{Revert, Undo};
use crate::persistence::analytics::NOTIFICATIONS;
use domain::notification::record::{Notification, NotificationPayload};
use domain::notification::rules;
use domain::notification::rules::{NotificationCommand, NotificationEvent};
use domain::saga::record::Counted;
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use runtime::consumer::EffectError;
use runtime::entity::Aggregate;
use store::table::Table;

/// A notification.
pub struct NotificationAggregate;

impl Aggregate for NotificationAggregate {
    const KIND: &'static str = "analytics.notification";
    type State = Notification;
    type Command = NotificationCommand;
    type Event = NotificationEvent;

    const TABLE: &'static Table = &NOTIFICATIONS;

    fn decide(
        state: Option<&Notification>,
        command: &NotificationCommand,
        caller: &Caller,
        _: Id,
        now: Timestamp,
    ) -> Result<Vec<NotificationEvent>, Error> {
        rules::decide(state, *command, caller, now)
    }
}

impl Revert for NotificationAggregate {
    const COUNTED: Counted = Counted::Notifications;

    fn of_event(event: &LoggedEvent) -> Result<Notification, EffectError> {
        Ok(event.payload::<NotificationPayload>()?.notification)
    }

    fn revert(to: Option<Notification>, _: Undo) -> NotificationCommand {
        let (customer_id, archived_at) = to.map_or((None, None), |to| (to.customer_id, to.archived_at));
        NotificationCommand::Revert { customer_id, archived_at }
    }
}
