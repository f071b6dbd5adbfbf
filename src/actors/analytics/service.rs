//! The analytics service: reads the tables that its consumers write, and asks the other services for the sales summary.

use domain::service_name::ServiceName;
use std::sync::Arc;

use crate::actors::analytics::aggregate::NotificationAggregate;
use crate::actors::analytics::summary::Summaries;
use crate::actors::customer::client::CustomerPeer;
use crate::actors::undo::find_changes;
use crate::persistence::analytics as queries;
use crate::persistence::deletions;
use crate::persistence::deletions::NOTIFICATIONS_OF_CUSTOMER;
use crate::persistence::saga_items::{ANALYTICS_ITEMS, Group};
use domain::bulk::messages::CountOfCustomers;
use domain::customer::messages::FindCustomer;
use domain::notification::messages::{
    ListNotifications, MarkNotification, ReadAllNotifications, ReadProgress,
};
use domain::notification::record::Notification;
use domain::report::messages::DayMetrics;
use domain::report::messages::SalesSummary;
use domain::report::messages::{MarkNewsSeen, News, ReadActivity, ReadMetrics, ReadNews, ReadSummary};
use domain::saga::messages::CountReferring;
use domain::saga::record::{Counted, Counts};
use domain::undo::messages::FindChanges;
use domain::undo::record::FoundChanges;
use kernel::clock::Clock;
use kernel::error::Error;
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
    pub customers: CustomerPeer,
}

impl AnalyticsService {
    /// A customer that the caller may not see is `not_found`, as if it did not exist: the customer service decides. Of a
    /// visible one SALES see the events that the live feed would show them: those of their own records.
    async fn read_activity(&self, read: ReadActivity) -> Result<Page<EventRecord>, Error> {
        let ReadActivity { caller, customer_id: customer, page } = read;
        self.customers.ask(FindCustomer { id: customer, caller }).await?;
        let (viewer, before) = (caller.only_owner(), page.after.map(|key| key.id));
        let events = queries::activity(&self.db, customer, viewer, before, page.limit + 1).await?;
        let total = match page.count {
            true => Some(queries::activity_count(&self.db, customer, viewer).await?),
            false => None,
        };
        let events = events.iter().map(EventRecord::from).collect();
        let key =
            |event: &EventRecord| Keyset { sort: NEWEST_FIRST.into(), value: String::new(), id: event.id };
        Ok(Page::cut(events, page.limit, key, total))
    }
}

/// The name in cursors of the order by id, newest first.
pub const NEWEST_FIRST: &str = "-id";

serve!(AnalyticsService as ServiceName::Analytics, {
    ReadMetrics read => |service, message| Vec<DayMetrics> {
        let owner = message.caller.only_owner().or(message.owner_id);
        Ok(queries::metrics(&service.db, owner, &message.days).await?)
    },
    FindChanges read => |service, message| FoundChanges {
        let group = Group::Kind(Counted::Notifications);
        let of = (message.saga.id, group);
        find_changes::<NotificationAggregate>(&service.db, ANALYTICS_ITEMS, of).await
    },
    CountReferring read => |service, message| Counts {
        // Everybody's: all of them are archived, and their number says nothing of what they hold.
        let notifications = deletions::count(&service.db, NOTIFICATIONS_OF_CUSTOMER, message.id, None).await?;
        Ok(Counts::from([(Counted::Notifications, notifications)]))
    },
    CountOfCustomers read => |service, message| Counts {
        let notifications =
            deletions::count_all(&service.db, NOTIFICATIONS_OF_CUSTOMER, &message.ids, None).await?;
        Ok(Counts::from([(Counted::Notifications, notifications)]))
    },
    ReadNews read => |service, message| News { service.read_news(message).await },
    MarkNewsSeen command => |service, message| i64 { service.mark_seen(message).await },
    ReadActivity read => |service, message| Page<EventRecord> { service.read_activity(message).await },
    ListNotifications read => |service, message| Page<Notification> {
        let ListNotifications { caller, which, page } = message;
        let reader = (caller.user_id, caller.scopes);
        Ok(queries::readable_notifications(&service.db, reader, which, &page).await?)
    },
    MarkNotification command => |service, message| Arc<Notification> {
        service.notifications.execute(message.id, message.mark, message.context).await
    },
    ReadAllNotifications command => |service, message| ReadProgress { service.read_next(message).await },
    ReadSummary read => |service, message| SalesSummary { Ok(service.summaries.read(message).await) },
});
