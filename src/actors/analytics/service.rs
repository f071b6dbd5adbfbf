//! The analytics service: answers from the projections that its consumers keep, and asks the other services for the
//! sales summary.

use std::sync::Arc;

use super::aggregate::NotificationAggregate;
use super::domain::Notification;
use super::messages::{
    ListNotifications, MarkNotification, ReadActivity, ReadAllNotifications, ReadMetrics, ReadProgress,
    ReadSummary,
};
use super::summary::{SalesSummary, Summaries};
use crate::actors::event::LoggedEvent;
use crate::actors::page::{Keyset, Page};
use crate::actors::runtime::entity::Entities;
use crate::actors::runtime::journal::Journal;
use crate::actors::runtime::service::serve;
use crate::actors::sagas::domain::{Counted, Counts};
use crate::actors::sagas::messages::CountReferring;
use crate::clock::Clock;
use crate::persistence::analytics::{self as store, DayMetrics};
use crate::persistence::departures::{self, NOTIFICATIONS_OF_CUSTOMER};
use crate::persistence::{Db, log};

/// What the service works with.
pub struct AnalyticsDesk {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub notifications: Entities<NotificationAggregate>,
    pub summaries: Summaries,
}

/// The name of newest-first orders by id in cursors.
pub const NEWEST_FIRST: &str = "-id";

serve!(AnalyticsDesk as Analytics, {
    ReadMetrics read => |desk, message| Vec<DayMetrics> {
        let owner = message.caller.only_owner().or(message.owner_id);
        Ok(store::metrics(&desk.db, owner, message.from, message.to).await?)
    },
    CountReferring read => |desk, message| Counts {
        let notifications = departures::count(&desk.db, NOTIFICATIONS_OF_CUSTOMER, message.id).await?;
        Ok(Counts::from([(Counted::Notifications, notifications)]))
    },
    ReadActivity read => |desk, message| Page<LoggedEvent> {
        let (customer, page) = (message.customer_id, message.page);
        let events = log::activity(&desk.db, customer, page.after.map(|key| key.id), page.limit + 1).await?;
        let total = if page.count { Some(log::activity_count(&desk.db, customer).await?) } else { None };
        let key = |event: &LoggedEvent| Keyset { sort: NEWEST_FIRST.into(), value: String::new(), id: event.event.id };
        Ok(Page::cut(events, page.limit, key, total))
    },
    ListNotifications read => |desk, message| Page<Notification> {
        Ok(store::notifications(&desk.db, message.caller.user_id, message.unread_only, &message.page).await?)
    },
    MarkNotification command => |desk, message| Arc<Notification> {
        desk.notifications.execute(message.id, message.mark, message.context).await
    },
    ReadAllNotifications command => |desk, message| ReadProgress { desk.read_next(message).await },
    ReadSummary read => |desk, message| SalesSummary { Ok(desk.summaries.read(message).await) },
});
