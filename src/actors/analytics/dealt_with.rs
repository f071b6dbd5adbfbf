//! Marks the notifications about a request as read for the user who has dealt with it (SPEC §5, flow 4).

use futures_util::StreamExt;
use futures_util::stream::iter;
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::persistence::analytics as queries;
use domain::notification::messages::Which;
use domain::notification::recipients::has_dealt_with;
use domain::notification::rules::NotificationCommand;
use kernel::context::Context;
use kernel::error::ErrorCode;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kernel::page::PageRequest;
use runtime::consumer::EffectError;
use runtime::entity::Entities;
use store::Db;

/// Notifications read at a time, and events whose notifications are marked at the same time.
const PAGE: i64 = 64;
const AT_ONCE: usize = 32;

/// Marks the stored notifications as read that the users who caused these events have unread about their subjects. The
/// actor of each notification marks it; to repeat that changes nothing.
///
/// # Errors
/// `Unavailable` while the database or a notification's actor is unavailable.
pub async fn read_stored(
    db: &Db,
    notifications: &Entities<NotificationAggregate>,
    events: &[Arc<LoggedEvent>],
) -> Result<(), EffectError> {
    let mut readings = Vec::new();
    for event in events {
        if let Some(user) = has_dealt_with(&event.event) {
            readings.push(read_about(db, notifications, event, user));
        }
    }
    let mut readings = iter(readings).buffer_unordered(AT_ONCE);
    while let Some(read) = readings.next().await {
        read?;
    }
    Ok(())
}

/// Marks what a user has unread about the subject of an event.
async fn read_about(
    db: &Db,
    notifications: &Entities<NotificationAggregate>,
    event: &LoggedEvent,
    user: Id,
) -> Result<(), EffectError> {
    let (context, which) = (Context::caused_by(&event.event), Which::About(event.event.subject));
    let mut after = None;
    loop {
        let page = PageRequest::after(PAGE, after);
        let unread = queries::notifications(db, user, which, &page).await?;
        for notification in &unread.items {
            match notifications.execute(notification.id, NotificationCommand::Read, context.clone()).await {
                Err(error) if error.code != ErrorCode::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        if unread.next.is_none() {
            return Ok(());
        }
        after = unread.next;
    }
}
