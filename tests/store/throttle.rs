//! The login throttle: failed sign-ins are counted in the database for all nodes.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::clock::Timestamp;
use kizuna::actors::auth::throttle::{LoginThrottle, Rate};
use kizuna::persistence::login_buckets;
use rstest::rstest;

use crate::common::{begin, count};
use testing::{Database, Postgres, Sqlite, TestDatabase};

const TEN: Rate = Rate { count: 10, per: Duration::from_secs(60) };

fn after(seconds: u64) -> Timestamp {
    begin().plus(Duration::from_secs(seconds))
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn of_guesses_through_two_nodes_at_once_as_many_pass_as_through_one(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = [database.migrated().await, database.open().await];
    let throttle = nodes.each_ref().map(|db| LoginThrottle::new(db, TEN));
    let charges = (0..40).map(|n| throttle[n % 2].charge("ann", "192.0.2.1", begin()));
    let answers: Vec<_> = join_all(charges).await.into_iter().map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refused, Duration::from_secs(6));
    }
    assert!(throttle[0].charge("bob", "192.0.2.1", begin()).await.unwrap().is_ok(), "another account");
    assert!(throttle[1].charge("ann", "192.0.2.2", after(6)).await.unwrap().is_ok());
    let wait = throttle[0].charge("ann", "192.0.2.3", after(6)).await.unwrap();
    assert_eq!(wait, Err(Duration::from_secs(6)));
    for _ in 0..10 {
        assert!(throttle[1].charge("ann", "192.0.2.1", after(66)).await.unwrap().is_ok(), "never a lock");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_was_right_costs_nothing(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let throttle = LoginThrottle::new(&db, Rate { count: 1, ..TEN });
    for _ in 0..20 {
        throttle.charge("ann", "192.0.2.1", begin()).await.unwrap().unwrap();
        throttle.refund("ann", "192.0.2.1", begin()).await.unwrap();
    }
    assert_eq!(count(&db, "login_buckets").await, 0, "full buckets are not kept");
    throttle.charge("ann", "192.0.2.1", begin()).await.unwrap().unwrap();
    // The account refuses; its address pays for one guess alone.
    for _ in 0..20 {
        throttle.charge("ann", "192.0.2.1", begin()).await.unwrap().unwrap_err();
    }
    for n in 0..9 {
        throttle.charge(&format!("user {n}"), "192.0.2.1", begin()).await.unwrap().unwrap();
    }
    let wait = throttle.charge("bob", "192.0.2.1", begin()).await.unwrap();
    assert_eq!(wait, Err(Duration::from_secs(6)), "ten times as often");
    let long = "x".repeat(100_000);
    throttle.charge(&long, &long, begin()).await.unwrap().unwrap();
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn full_buckets_are_forgotten_however_many(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let throttle = LoginThrottle::new(&db, TEN);
    for n in 0..12 {
        let from = format!("192.0.2.{n}");
        throttle.charge(&from, &from, after(n)).await.unwrap().unwrap();
    }
    // An account's bucket is full after 6 s, an address's sooner.
    assert_eq!(login_buckets::purge(&db, after(12), 3).await.unwrap(), 7 + 12);
    assert_eq!(count(&db, "login_buckets").await, 5);
}
