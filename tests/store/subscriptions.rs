//! What subscriptions and readers of the whole log ask of the database.

use std::time::Duration;

use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED, USER_CREATED};
use domain::subscription::leases::PartitionState;
use domain::subscription::record::{Ack, NewSubscription, Subscription};
use kernel::event::PARTITIONS;
use kernel::ids::new_id;
use kizuna::persistence::subscriptions;
use rstest::rstest;
use store::log;

use crate::common::{begin, commit_one, customer, customer_unit, renamed, store};
use crate::growth::scene::Scene;
use testing::{Database, Postgres, Sqlite, TestDatabase};

/// The migration that numbers the events of before.
const MIGRATION: &str = include_str!("../../migrations/sqlite/0056_create_subscriptions.sql");

fn subscription(name: &str) -> Subscription {
    Subscription::new(name.to_owned(), NewSubscription::default(), new_id(), begin())
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_and_its_leases_are_read_as_they_were_written(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let typed = Subscription { types: vec!["customer.created".into()], ..subscription("b") };
    let plain = subscription("a");
    store(&db, vec![subscriptions::store(&typed, 0), subscriptions::store(&plain, 0)]).await;
    assert_eq!(subscriptions::all(&db).await.unwrap(), [plain.clone(), typed.clone()]);
    assert_eq!(subscriptions::find(&db, "b").await.unwrap(), Some(typed));
    assert_eq!(
        (subscriptions::find(&db, "c").await.unwrap(), subscriptions::count(&db).await.unwrap()),
        (None, 2)
    );
    let state = PartitionState::beginning("a", plain.key, 3, 7);
    store(&db, vec![subscriptions::begin(&state)]).await;
    let leased = PartitionState {
        version: 2,
        lease: Some(new_id()),
        lease_size: 1,
        leased_to: 9,
        leased_until: Some(begin()),
        ..state.clone()
    };
    store(&db, vec![subscriptions::replace(&state, &leased)]).await;
    assert_eq!(subscriptions::partitions(&db, "a").await.unwrap(), std::slice::from_ref(&leased));
    let ack = Ack::new(new_id(), begin());
    store(
        &db,
        vec![subscriptions::note("a", &ack), subscriptions::end(&leased), subscriptions::remove(&plain)],
    )
    .await;
    assert_eq!(subscriptions::acknowledged(&db, "a", ack.lease).await.unwrap(), Some(ack.clone()));
    assert_eq!(subscriptions::acknowledged(&db, "b", ack.lease).await.unwrap(), None);
    assert!(subscriptions::partitions(&db, "a").await.unwrap().is_empty());
    assert_eq!(subscriptions::purge(&db, begin(), 10).await.unwrap(), 0);
    assert_eq!(subscriptions::purge(&db, begin().plus(Duration::from_secs(1)), 10).await.unwrap(), 1);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_position_at_a_time_skips_no_event_of_that_time_or_later(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let one = customer("絆");
    let mut version = one.clone();
    commit_one(&db, customer_unit(&one)).await.unwrap();
    // A minute each; every third was made a little before the one before it.
    let minutes = |number: u64| if number.is_multiple_of(3) { number - 2 } else { number };
    for number in 1..40 {
        version = renamed(&version, &number.to_string());
        let mut unit = customer_unit(&version);
        unit.events[0].time = begin().plus(Duration::from_secs(60 * minutes(number)));
        commit_one(&db, unit).await.unwrap();
    }
    let events = log::since(&db, 0, 100).await.unwrap();
    let partition = events[0].partition;
    for minute in 0..45 {
        let time = begin().plus(Duration::from_secs(60 * minute));
        let first = events.iter().find(|event| event.event.time >= time);
        let expected = first.map_or(40, |event| event.partition_seq - 1);
        assert_eq!(
            log::position_before(&db, partition, 40, time).await.unwrap(),
            expected,
            "minute {minute}"
        );
    }
    assert_eq!(log::position_before(&db, (partition + 1) % 16, 0, begin()).await.unwrap(), 0);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn readers_of_the_log_read_no_whole_table(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let db = &scene.db;
    let subscribed = subscription("a");
    let mut writes = vec![subscriptions::store(&subscribed, 0)];
    for partition in 0..PARTITIONS {
        writes.push(subscriptions::begin(&PartitionState::beginning("a", subscribed.key, partition, 5)));
    }
    store(db, writes).await;
    for types in [&[][..], &[CUSTOMER_CREATED], &[CUSTOMER_CREATED, CUSTOMER_UPDATED, USER_CREATED]] {
        log::window(db, (10, 500), types, 20).await.unwrap();
        log::partition_window(db, 3, (10, 500), types, 20).await.unwrap();
        scene.no_scan("a window of the log");
        subscriptions::pending(db, "a", types).await.unwrap();
        scene.no_scan("what waits");
    }
    log::position_before(db, 3, 50, begin()).await.unwrap();
    scene.no_scan("a position at a time");
    drop(scene.database);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn events_from_before_the_log_was_numbered_get_the_numbers_that_were_left_for_them(
    #[case] on: Database,
) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for number in 0..30_u64 {
        let mut unit = customer_unit(&customer(&number.to_string()));
        // Not in the order of their commits.
        unit.events[0].time = begin().plus(Duration::from_secs(number * 7 % 30));
        commit_one(&db, unit).await.unwrap();
    }
    let numbers =
        MIGRATION.rsplit_once("UPDATE events").map(|(_, rest)| format!("UPDATE events{rest}")).unwrap();
    for numbered in [20, 30] {
        database.raw(&format!("UPDATE events SET log_seq = NULL WHERE log_seq <= {numbered}")).await;
        database.raw(&numbers).await;
        let events = log::since(&db, 0, 100).await.unwrap();
        let given: Vec<i64> = events.iter().filter_map(|event| event.log_seq).collect();
        assert_eq!(given, (1..=30).collect::<Vec<_>>());
        for partition in 0..PARTITIONS {
            let own = events.iter().filter(|event| event.partition == partition);
            assert!(own.is_sorted_by_key(|event| event.partition_seq), "partition {partition}");
        }
    }
    db.close().await;
}
