//! Reading the log, and what stands beside it.

use kizuna::persistence::analytics;
use std::time::Duration;

use domain::customer::record::Customer;
use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED, USER_CREATED};
use domain::notification::messages::Which;
use domain::notification::record::{Notification, NotificationData};
use domain::report::messages::ReportDay;
use kernel::clock::Timestamp;
use kernel::event::{Event, EventType, LoggedEvent, PARTITIONS, partition_of, raw};
use kernel::ids::{Id, new_id};
use kizuna::persistence::analytics::{
    NOTIFICATIONS, activity_write, metric_write, metrics, notifications, quarter,
};
use rstest::rstest;
use serde_json::json;
use store::Db;
use store::cursors;
use store::cursors::{Cursor, PARKED, Parked, ParkedStatus};
use store::log;
use store::log::{AuditFilter, Range};
use store::unit_of_work::{UnitOfWork, Write};

use crate::common::{begin, commit_one, customer, customer_unit, first, renamed, store, walk};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn minute(n: u64) -> Timestamp {
    begin().plus(Duration::from_secs(60 * n))
}

/// Six customers, one a minute, each created and renamed by its owner.
async fn history(db: &Db) -> Vec<Customer> {
    let mut made = Vec::new();
    for n in 0..6 {
        let created = Customer { updated_at: minute(n), ..customer(&n.to_string()) };
        for state in [created.clone(), renamed(&created, "again")] {
            let mut unit = customer_unit(&state);
            unit.events[0].actor_id = Some(state.owner_id);
            commit_one(db, unit).await.unwrap();
        }
        made.push(created);
    }
    made
}

fn subjects(events: &[LoggedEvent]) -> Vec<(Id, i64)> {
    events.iter().map(|event| (event.event.subject, event.event.sequence)).collect()
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_read_as_it_was_written(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (subject, partition_key) = (new_id(), new_id());
    let full = Event {
        id: new_id(),
        event_type: CUSTOMER_CREATED,
        subject,
        sequence: 1,
        partition_key,
        time: Timestamp::parse("9999-12-31T23:59:59.999999Z").unwrap(),
        data: raw(&json!({"b": "絆😀'\\\"", "a": [1, null, 1.5], "n": i64::MAX})).into(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        correlation_id: "相関 ' id".into(),
        causation_id: Some(new_id()),
        actor_id: Some(new_id()),
        api_key_id: Some(new_id()),
    };
    let bare = Event {
        id: new_id(),
        sequence: 2,
        traceparent: None,
        causation_id: None,
        actor_id: None,
        api_key_id: None,
        ..full.clone()
    };
    let events = vec![full.clone(), bare.clone()];
    commit_one(&db, UnitOfWork { events, ..UnitOfWork::default() }).await.unwrap();
    let read = log::after(&db, partition_of(partition_key), 0, 10).await.unwrap();
    assert_eq!(read.iter().map(|event| event.partition_seq).collect::<Vec<_>>(), [1, 2]);
    for (read, written) in read.iter().zip([full, bare]) {
        assert_eq!(format!("{:?}", read.event), format!("{written:?}"), "also the order of keys in its data");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_by_position_and_by_id(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    assert_eq!(log::heads(&db).await.unwrap().len() as i64, PARTITIONS);
    let subject = new_id();
    let mut state = Customer { id: subject, ..customer("0") };
    for n in 1..=7 {
        commit_one(&db, customer_unit(&state)).await.unwrap();
        state = renamed(&state, &n.to_string());
    }
    let partition = partition_of(subject);
    let read = log::after(&db, partition, 2, 3).await.unwrap();
    assert_eq!(subjects(&read), [(subject, 3), (subject, 4), (subject, 5)]);
    assert!(log::after(&db, partition, 7, 3).await.unwrap().is_empty());
    assert!(log::after(&db, (partition + 1) % PARTITIONS, 0, 3).await.unwrap().is_empty());
    assert!(log::heads(&db).await.unwrap().contains(&(partition, 7)));
    let ids = [read[2].event.id, new_id(), read[0].event.id];
    assert_eq!(subjects(&log::by_ids(&db, &ids).await.unwrap()), [(subject, 3), (subject, 5)]);
    assert!(log::by_ids(&db, &[]).await.unwrap().is_empty());
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_log_is_read_in_the_order_of_commits(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    assert_eq!(log::head(&db).await.unwrap(), 0);
    let made = history(&db).await;
    let expected: Vec<(Id, i64)> = made.iter().flat_map(|of| [(of.id, 1), (of.id, 2)]).collect();
    assert_eq!(subjects(&log::since(&db, 0, 100).await.unwrap()), expected);
    assert_eq!(subjects(&log::since(&db, 3, 4).await.unwrap()), expected[3..7]);
    assert_eq!(log::head(&db).await.unwrap(), 12);
    let range = async |after, upto, types: &[EventType], own| {
        let range = Range { after, upto, types, own };
        subjects(&log::range(&db, &range, 3).await.unwrap())
    };
    let (created, updated) = (CUSTOMER_CREATED, CUSTOMER_UPDATED);
    let nobody = (updated, Id::nil());
    assert_eq!(range(0, 12, &[created], nobody).await, [expected[0], expected[2], expected[4]]);
    assert_eq!(range(4, 9, &[created, updated], nobody).await, expected[4..7]);
    assert_eq!(range(9, 10, &[created, updated], nobody).await, expected[9..10]);
    assert_eq!(range(0, 12, &[], (updated, made[3].id)).await, [expected[7]]);
    assert_eq!(range(0, 12, &[], nobody).await, []);
    assert_eq!(range(0, 12, &[created], (updated, made[0].id)).await, expected[..3]);
}

/// Such a node does not know the number, and inserts none.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_node_of_the_version_before_gets_its_number() {
    let database = TestDatabase::fresh(Postgres);
    let db = database.migrated().await;
    let (before, after) = (customer("before"), customer("after"));
    commit_one(&db, customer_unit(&before)).await.unwrap();
    let old = "INSERT INTO events (slice, slice_seq, id, type, source, subject, sequence, partition_key, time, data, correlation_id)
        SELECT 20, n, gen_random_uuid(), 'customer.created', '/', gen_random_uuid(), 1, gen_random_uuid(), now(), '{}', ''
        FROM generate_series(1, 3) AS n";
    database.raw(old).await;
    commit_one(&db, customer_unit(&after)).await.unwrap();
    let numbers: Vec<Option<i64>> =
        log::since(&db, 0, 10).await.unwrap().iter().map(|event| event.log_seq).collect();
    assert_eq!(numbers, (1..=5).map(Some).collect::<Vec<_>>());
    assert_eq!(log::head(&db).await.unwrap(), 5);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_audit_is_newest_first_and_filtered(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let made = history(&db).await;
    let all = AuditFilter::default;
    for (filter, expected) in [
        (all(), 12),
        (AuditFilter { event_type: Some(CUSTOMER_UPDATED.name().into()), ..all() }, 6),
        (AuditFilter { event_type: Some("customer.".into()), ..all() }, 0),
        (AuditFilter { subject: Some(made[2].id), ..all() }, 2),
        (AuditFilter { actor_id: Some(made[3].owner_id), ..all() }, 2),
        (AuditFilter { from: Some(minute(1)), to: Some(minute(4)), ..all() }, 6),
        (AuditFilter { subject: Some(made[1].id), from: Some(minute(2)), ..all() }, 0),
    ] {
        assert_eq!(log::audit_count(&db, &filter).await.unwrap(), expected, "{filter:?}");
        let (mut before, mut ids) = (None, Vec::new());
        loop {
            let page = log::audit(&db, &filter, before, 5).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.event.id);
            ids.extend(page.iter().map(|event| event.event.id));
        }
        assert_eq!(ids.len() as i64, expected, "{filter:?}");
        assert!(ids.is_sorted_by(|a, b| a > b), "newest first, none twice");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_has_only_its_customers_events(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let made = history(&db).await;
    let all = log::audit(&db, &AuditFilter::default(), None, 100).await.unwrap();
    let of = made[0].id;
    // A meeting's event may stand in a customer's timeline: the row decides, not the subject.
    let chosen: Vec<Id> = all.iter().step_by(3).map(|event| event.event.id).collect();
    store(&db, chosen.iter().map(|id| activity_write(*id, of, &[])).collect()).await;
    store(&db, vec![activity_write(all[1].event.id, made[1].id, &[])]).await;
    assert_eq!(analytics::activity_count(&db, of, None).await.unwrap(), 4);
    let ids = |events: Vec<LoggedEvent>| events.iter().map(|event| event.event.id).collect::<Vec<_>>();
    assert_eq!(ids(analytics::activity(&db, of, None, None, 3).await.unwrap()), chosen[..3]);
    assert_eq!(ids(analytics::activity(&db, of, None, Some(chosen[2]), 3).await.unwrap()), chosen[3..]);
    assert!(analytics::activity(&db, new_id(), None, None, 3).await.unwrap().is_empty());
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn lag_counts_what_a_consumer_has_before_it(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let made = history(&db).await;
    let known = cursors::load(&db, "tests.log").await.unwrap();
    let lag = async |types: &[EventType]| cursors::lag(&db, "tests.log", types).await.unwrap();
    assert_eq!(lag(&[CUSTOMER_CREATED, CUSTOMER_UPDATED]).await, 12);
    assert_eq!((lag(&[CUSTOMER_UPDATED]).await, lag(&[USER_CREATED]).await, lag(&[]).await), (6, 0, 0));
    let partition = partition_of(made[0].id);
    let heads = log::heads(&db).await.unwrap();
    let head = heads.iter().find(|(n, _)| *n == partition).unwrap().1;
    let stored = &known[partition as usize];
    let moved = Cursor { position: head, ..stored.clone() };
    store(&db, vec![moved.moved_from(stored)]).await;
    assert_eq!(lag(&[CUSTOMER_CREATED, CUSTOMER_UPDATED]).await, 12 - head);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn parked_events_come_in_the_order_of_their_positions(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for (consumer, partition, partition_seq) in
        [("tests.log", 3, 10), ("tests.log", 3, 9), ("tests.log", 1, 70), ("tests.other", 0, 1)]
    {
        let parked = Parked {
            id: new_id(),
            consumer: consumer.to_owned(),
            event_id: new_id(),
            subject: new_id(),
            partition,
            partition_seq,
            version: 1,
            status: ParkedStatus::Waiting,
            attempts: 0,
            next_attempt_at: begin(),
            error: String::new(),
            parked_at: begin(),
        };
        store(&db, vec![Write::put(&PARKED, parked.id, &parked)]).await;
    }
    let parked = async |limit| -> Vec<(i64, i64)> {
        let rows = cursors::parked(&db, "tests.log", limit).await.unwrap();
        rows.iter().map(|parked| (parked.partition, parked.partition_seq)).collect()
    };
    assert_eq!(parked(10).await, [(1, 70), (3, 9), (3, 10)]);
    assert_eq!(parked(2).await, [(1, 70), (3, 9)]);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_summed_a_day_with_empty_days_between(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (one, two) = (new_id(), new_id());
    // The clocks go forward on the second day.
    let bounds = [0, 24, 47, 71].map(|hours| begin().plus(Duration::from_hours(hours)));
    let day = |n: usize| ReportDay {
        date: begin().date() + chrono::Days::new(n as u64),
        begin: bounds[n],
        end: bounds[n + 1],
    };
    let at = |time: Timestamp, minutes| quarter(time.plus(Duration::from_mins(minutes)));
    let writes = [
        (at(bounds[0], 0), one, 1),
        (at(bounds[1], 0) - 1, two, 10),
        (at(bounds[2], 30), one, 100),
        (at(bounds[3], 0) - 1, one, 100),
        (at(bounds[3], 0), one, 1000),
    ];
    let written = writes.map(|(quarter, who, n)| metric_write(quarter, who, "customers_created", n));
    store(&db, written.to_vec()).await;
    let three = [day(0), day(1), day(2)];
    for (owner, expected) in [(None, [11, 0, 200]), (Some(one), [1, 0, 200]), (Some(new_id()), [0; 3])] {
        let days = metrics(&db, owner, &three).await.unwrap();
        assert_eq!(days.iter().map(|day| day.customers_created).collect::<Vec<_>>(), expected);
        assert!(days.is_sorted_by_key(|day| day.date));
    }
    assert!(metrics(&db, None, &[]).await.unwrap().is_empty());
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn notifications_are_their_readers_newest_first(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let reader = new_id();
    let told = |n: u64, user_id| Notification {
        id: new_id(),
        version: 1,
        created_at: minute(n / 2),
        updated_at: minute(n),
        user_id,
        kind: CUSTOMER_CREATED.name().to_owned(),
        subject_type: "customer".to_owned(),
        subject_id: new_id(),
        customer_id: Some(new_id()),
        data: NotificationData { customer_name: Some(n.to_string()), ..NotificationData::default() },
        read_at: n.is_multiple_of(3).then(|| minute(9)),
        archived_at: (n == 1).then(|| minute(9)),
    };
    let rows: Vec<Notification> = (0..7).map(|n| told(n, reader)).chain([told(8, new_id())]).collect();
    store(&db, rows.iter().map(|row| Write::put(&NOTIFICATIONS, row.id, row)).collect()).await;
    let names = async |which| -> String {
        let all = walk(2, async |page| notifications(&db, reader, which, &page).await).await;
        all.into_iter().filter_map(|one| one.data.customer_name).collect()
    };
    assert_eq!(names(Which::All).await, "6543210");
    assert_eq!(names(Which::Unread).await, "542");
    assert_eq!(names(Which::Kept).await, "654320");
    assert_eq!(names(Which::Archived).await, "1");
    assert_eq!(names(Which::About(rows[4].subject_id)).await, "4");
    assert_eq!(names(Which::About(rows[3].subject_id)).await, "", "it is read");
    assert!(notifications(&db, new_id(), Which::All, &first(5)).await.unwrap().items.is_empty());
}
