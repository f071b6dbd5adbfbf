//! The login throttle: failed sign-ins are counted in the database for all nodes.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use kernel::clock::Timestamp;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kizuna::actors::auth::rate::Rate;
use kizuna::actors::auth::throttle::{self, Attempt, KnownBy, LoginThrottle};
use kizuna::persistence::login_buckets;
use rstest::rstest;

use crate::common::{begin, count};
use testing::{Database, Postgres, Sqlite, TestDatabase};

const TEN: Rate = Rate { count: 10, per: Duration::from_secs(60) };

fn after(seconds: u64) -> Timestamp {
    begin().plus(Duration::from_secs(seconds))
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

/// Somebody whom the account knows by the address.
fn known(throttle: &LoginThrottle, account: &str, from: &str) -> Attempt {
    throttle.sign_in(account, Some(Id::nil()), address(from), KnownBy::Address)
}

fn stranger(throttle: &LoginThrottle, account: &str, from: &str) -> Attempt {
    throttle.sign_in(account, None, address(from), KnownBy::Nothing)
}

/// A wrong password.
async fn wrong(throttle: &LoginThrottle, attempt: Attempt, now: Timestamp) -> Result<(), Error> {
    let charged = throttle.charge(attempt, now).await?;
    throttle.wrong(charged, now).await.expect("a database");
    Ok(())
}

#[track_caller]
fn wait<T>(answer: Result<T, Error>) -> Duration {
    let error = answer.err().expect("a refusal");
    assert_eq!(error.code, ErrorCode::TooManyAttempts);
    error.retry_after.expect("a time to wait")
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn of_guesses_through_two_nodes_at_once_as_many_pass_as_through_one(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = [database.migrated().await, database.open().await];
    let throttle = nodes.each_ref().map(|db| LoginThrottle::new(db, TEN, 4));
    let guesses = (0..40).map(|n| {
        let throttle = &throttle[n % 2];
        wrong(throttle, known(throttle, "ann", "192.0.2.1"), begin())
    });
    let answers = join_all(guesses).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_eq!(wait(refused), Duration::from_secs(6));
    }
    let [one, two] = &throttle;
    wrong(one, known(one, "bob", "192.0.2.1"), begin()).await.expect("another account");
    wrong(one, known(one, "ann", "192.0.2.2"), begin()).await.expect("another address");
    wrong(two, known(two, "ann", "192.0.2.1"), after(6)).await.unwrap();
    let refused = wrong(one, known(one, "ann", "192.0.2.1"), after(6)).await;
    assert_eq!(wait(refused), Duration::from_secs(6));
    for _ in 0..10 {
        wrong(two, known(two, "ann", "192.0.2.1"), after(66)).await.expect("never a lock");
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_was_right_costs_nothing(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let throttle = LoginThrottle::new(&db, Rate { count: 1, ..TEN }, 1);
    for _ in 0..20 {
        let charged = throttle.charge(known(&throttle, "ann", "192.0.2.1"), begin()).await.unwrap();
        throttle.refund(charged, begin()).await.unwrap();
        let charged = throttle.charge(known(&throttle, "ann", "192.0.2.1"), begin()).await.unwrap();
        throttle.right(charged, begin()).await.unwrap();
    }
    assert_eq!(count(&db, "login_buckets").await, 0, "full buckets are not kept");
    assert_eq!(count(&db, "login_addresses").await, 1);
    wrong(&throttle, known(&throttle, "ann", "192.0.2.1"), begin()).await.unwrap();
    // The account refuses; its address pays for one guess alone.
    for _ in 0..20 {
        wrong(&throttle, known(&throttle, "ann", "192.0.2.1"), begin()).await.unwrap_err();
    }
    for n in 0..9 {
        wrong(&throttle, known(&throttle, &format!("user {n}"), "192.0.2.1"), begin()).await.unwrap();
    }
    let refused = wrong(&throttle, known(&throttle, "bob", "192.0.2.1"), begin()).await;
    assert_eq!(wait(refused), Duration::from_secs(6), "ten times as often");
    let device = throttle.sign_in("bob", None, address("192.0.2.1"), KnownBy::Device(new_id()));
    wrong(&throttle, device, begin()).await.expect("a device has a bucket of its own");
    wrong(&throttle, throttle.in_session(new_id()), begin()).await.expect("and so has a session");
    let long = "x".repeat(100_000);
    wrong(&throttle, stranger(&throttle, &long, "192.0.2.2"), begin()).await.unwrap();
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn strangers_wait_longer_after_each_failure_and_whoever_is_known_does_not(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = [database.migrated().await, database.open().await];
    let throttle = nodes.each_ref().map(|db| LoginThrottle::new(db, TEN, 4));
    let guess = async |n: usize, now: Timestamp| {
        let throttle = &throttle[n % 2];
        wrong(throttle, stranger(throttle, "ann", &format!("198.51.100.{n}")), now).await
    };
    for n in 0..11 {
        guess(n, begin()).await.expect("as many as the rate allows, and one");
    }
    assert_eq!(wait(guess(11, begin()).await), Duration::from_secs(6));
    assert_eq!(wait(guess(12, after(2)).await), Duration::from_secs(4));
    guess(13, after(6)).await.unwrap();
    assert_eq!(wait(guess(14, after(6)).await), Duration::from_secs(12));
    let [one, _] = &throttle;
    for attempt in [
        known(one, "ann", "192.0.2.1"),
        one.sign_in("ann", None, address("198.51.100.1"), KnownBy::Device(new_id())),
        stranger(one, "bob", "198.51.100.1"),
    ] {
        wrong(one, attempt, after(6)).await.expect("no stranger to the account");
    }
    for n in 15..26 {
        guess(n, after(6 + 3_601)).await.expect("forgotten after an hour");
    }
    assert!(throttle::purge(&nodes[0], after(2 * 3_601 + 6), 10).await.unwrap() >= 2);
    assert_eq!(count(&nodes[0], "login_failures").await, 0);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_known_at_the_addresses_of_earlier_sign_ins(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let throttle = LoginThrottle::new(&db, TEN, 1);
    let (ann, bob) = (new_id(), new_id());
    let is_known =
        async |user: Id, from: &str| throttle.is_known(Some(user), address(from)).await.expect("a database");
    let sign_in = async |user: Id, from: &str, now: Timestamp| {
        let attempt = throttle.sign_in("ann", Some(user), address(from), KnownBy::Nothing);
        let charged = throttle.charge(attempt, now).await.unwrap();
        throttle.right(charged, now).await.unwrap();
    };
    sign_in(ann, "192.0.2.1", begin()).await;
    sign_in(ann, "2001:db8::1", begin()).await;
    assert!(is_known(ann, "192.0.2.1").await && is_known(ann, "::ffff:192.0.2.1").await);
    assert!(is_known(ann, "2001:db8::2").await, "of the same network");
    assert!(!is_known(ann, "192.0.2.2").await && !is_known(bob, "192.0.2.1").await);
    assert!(!throttle.is_known(None, address("192.0.2.1")).await.unwrap());
    let day = 24 * 3_600;
    sign_in(ann, "192.0.2.1", after(2 * day)).await;
    throttle::purge(&db, after(91 * day), 10).await.unwrap();
    assert!(is_known(ann, "192.0.2.1").await && !is_known(ann, "2001:db8::1").await);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn full_buckets_are_forgotten_however_many(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let throttle = LoginThrottle::new(&db, TEN, 1);
    for n in 0..12 {
        let from = format!("192.0.2.{n}");
        wrong(&throttle, known(&throttle, &from, &from), after(n)).await.unwrap();
    }
    // An account's bucket is full after 6 s, an address's sooner.
    assert_eq!(login_buckets::purge(&db, after(12), 3).await.unwrap(), 7 + 12);
    assert_eq!(count(&db, "login_buckets").await, 5);
}
