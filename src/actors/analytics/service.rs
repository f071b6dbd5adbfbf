//! The analytics service: reads the tables that its consumers write, and asks the other services for the sales summary.

use crate::domain::service_name::ServiceName;
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::summary::Summaries;
use crate::domain::notification::messages::{
    ListNotifications, MarkNotification, ReadAllNotifications, ReadProgress,
};
use crate::domain::notification::record::Notification;
use crate::domain::report::messages::DayMetrics;
use crate::domain::report::messages::SalesSummary;
use crate::domain::report::messages::{ReadActivity, ReadMetrics, ReadSummary};
use crate::domain::saga::messages::CountReferring;
use crate::domain::saga::record::{Counted, Counts};
use crate::persistence::analytics as queries;
use crate::persistence::deletions;
use crate::persistence::deletions::NOTIFICATIONS_OF_CUSTOMER;
use kernel::clock::Clock;
use kernel::event::EventRecord;
use kernel::page::{Keyset, Page};
use runtime::entity::Entities;
use runtime::journal::Journal;
use runtime::serve;
use store::Db;

/// The logic of the service.
pub struct AnalyticsService {
    pub db: Db,
    pub journal: Journal,
    pub clock: Clock,
    pub notifications: Entities<NotificationAggregate>,
    pub summaries: Summaries,
}

/// The name in cursors of the order by id, newest first.
pub const NEWEST_FIRST: &str = "-id";

serve!(AnalyticsService as ServiceName::Analytics, {
    ReadMetrics read => |service, message| Vec<DayMetrics> {
        let owner = message.caller.only_owner().or(message.owner_id);
        Ok(queries::metrics(&service.db, owner, message.from, message.to).await?)
    },
    CountReferring read => |service, message| Counts {
        let notifications = deletions::count(&service.db, NOTIFICATIONS_OF_CUSTOMER, message.id).await?;
        Ok(Counts::from([(Counted::Notifications, notifications)]))
    },
    ReadActivity read => |service, message| Page<EventRecord> {
        let (customer, page) = (message.customer_id, message.page);
        let events = queries::activity(&service.db, customer, page.after.map(|key| key.id), page.limit + 1).await?;
        let total = if page.count { Some(queries::activity_count(&service.db, customer).await?) } else { None };
        let events = events.iter().map(EventRecord::from).collect();
        let key = |event: &EventRecord| Keyset { sort: NEWEST_FIRST.into(), value: String::new(), id: event.id };
        Ok(Page::cut(events, page.limit, key, total))
    },
    ListNotifications read => |service, message| Page<Notification> {
        Ok(queries::notifications(&service.db, message.caller.user_id, message.unread_only, &message.page).await?)
    },
    MarkNotification command => |service, message| Arc<Notification> {
        service.notifications.execute(message.id, message.mark, message.context).await
    },
    ReadAllNotifications command => |service, message| ReadProgress { service.read_next(message).await },
    ReadSummary read => |service, message| SalesSummary { Ok(service.summaries.read(message).await) },
});
