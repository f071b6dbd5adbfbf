//! The messages of the analytics service.

use super::*;

#[test]
fn of_analytics() {
    let notification = || Notification {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: moment(),
        user_id: new_id(),
        kind: "customer.created".into(),
        subject_type: "customer".into(),
        subject_id: new_id(),
        customer_id: None,
        data: NotificationData {
            customer_name: Some(TEXT.into()),
            amount: Some(i64::MAX),
            ..NotificationData::default()
        },
        read_at: Some(moment()),
        archived_at: None,
    };
    let mut tried = Tried::<AnalyticsService>::new();
    let day = "2026-03-02".parse().expect("a day");
    let figures = DayMetrics {
        date: day,
        logins: 1,
        customers_created: 2,
        customers_deleted: 3,
        meetings_created: 4,
        tasks_completed: 5,
        approvals_requested: 6,
        approvals_approved: 7,
        approvals_rejected: 8,
        deals_created: 9,
        deals_won: 10,
        deals_lost: 11,
    };
    let whole = reports::ReportDay { date: day, begin: begin(), end: moment() };
    let metrics = reports::ReadMetrics { caller: caller(), owner_id: Some(new_id()), days: vec![whole] };
    tried.call(metrics, [vec![figures]]);
    let news = || reports::News { events: vec![an_event()], more: true, position: i64::MAX };
    tried.call(reports::ReadNews { caller: caller(), limit: 20 }, [news()]);
    tried.call(reports::MarkNewsSeen { position: 7, context: context() }, [7]);
    let read = reports::ReadActivity { caller: caller(), customer_id: new_id(), page: page() };
    tried.call(read, pages(an_event()));
    for which in [analytics::Which::All, analytics::Which::Unread, analytics::Which::About(new_id())] {
        let list = analytics::ListNotifications { caller: caller(), which, page: page() };
        tried.call(list, pages(notification()));
    }
    for mark in [NotificationCommand::Read, NotificationCommand::Archive] {
        let mark = analytics::MarkNotification { id: new_id(), mark, context: context() };
        tried.call(mark, [Arc::new(notification())]);
    }
    let all = analytics::ReadAllNotifications { after: page().after, so_far: u64::MAX, context: context() };
    tried.call(all, [analytics::ReadProgress { count: u64::MAX, next: page().after }]);
    let (from, to) = (begin(), moment());
    tried.call(reports::ReadSummary { caller: caller(), owner_id: None, from, to }, [summary()]);
    referring(&mut tried);
    bulk_messages::counted(&mut tried);
    undo_messages::changes(&mut tried);
    tried.all();
}

fn summary() -> SalesSummary {
    fn live<T>(figures: T) -> Section<T> {
        Section { source: Source::Cached, as_of: Some(moment()), figures: Some(Arc::new(figures)) }
    }
    SalesSummary {
        generated_at: moment(),
        customers: live(CustomerCounts { total: 1, new: 1, deleted: 0, by_status: vec![("LEAD".into(), 1)] }),
        meetings: live(MeetingCounts { total: 1, by_owner: BTreeMap::from([(Id::nil(), 1)]) }),
        tasks: live(TaskCounts { open: 1, done: 2, overdue: 0 }),
        approvals: Section { source: Source::Unavailable, as_of: None, figures: None },
    }
}
