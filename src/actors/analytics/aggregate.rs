//! A notification as an aggregate: which rules, which table.

use crate::persistence::analytics::NOTIFICATIONS;
use domain::notification::record::Notification;
use domain::notification::rules;
use domain::notification::rules::{NotificationCommand, NotificationEvent};
use kernel::caller::Caller;
use kernel::clock::Timestamp;
use kernel::error::Error;
use kernel::ids::Id;
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
