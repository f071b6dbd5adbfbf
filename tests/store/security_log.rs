//! The security log: refusals are counted together, and what is too old or too much is deleted.

use std::time::Duration;

use domain::security::messages::SecurityFilter;
use domain::security::record::{SecurityEntry, SecurityKind};
use kernel::clock::Timestamp;
use kernel::ids::new_id;
use kizuna::persistence::security_log::{
    OTHERS, REFUSALS, SECURITY_LOG, add_refusal, entry_write, list, purge,
};
use rstest::rstest;

use crate::common::{begin, count, first, store};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn after(seconds: u64) -> Timestamp {
    begin().plus(Duration::from_secs(seconds))
}

fn entry(at: Timestamp) -> SecurityEntry {
    SecurityEntry {
        id: new_id(),
        kind: SecurityKind::SignedIn,
        at,
        last_at: at,
        count: 1,
        user_id: Some(new_id()),
        session_id: Some(new_id()),
        actor_id: None,
        address: Some("2001:db8::1".parse().expect("an address")),
        agent: Some("Mozilla \"絆\" 'x' ? $1".into()),
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted_and_entries_kept_as_they_are(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let one = entry(after(0));
    store(&db, vec![entry_write(&one)]).await;
    let bare = SecurityEntry {
        user_id: None,
        session_id: None,
        address: None,
        agent: None,
        kind: SecurityKind::SignInRefused,
        ..entry(after(1))
    };
    for (refusal, aggregate, counted) in
        [(&bare, "a", 1), (&entry(after(5)), "a", 2), (&entry(after(6)), "b", 1)]
    {
        assert_eq!(add_refusal(&db, refusal, aggregate).await.unwrap(), counted);
    }
    let entries = list(&db, &SecurityFilter::default(), &first(10)).await.unwrap().items;
    assert_eq!(entries[1..], [SecurityEntry { count: 2, last_at: after(5), ..bare }, one.clone()]);
    let filter = SecurityFilter { address: one.address, user_id: one.user_id, ..SecurityFilter::default() };
    assert_eq!(list(&db, &filter, &first(10)).await.unwrap().items, [one]);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_bounded_by_age_and_number(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let others: Vec<_> = (0..12).map(|n| entry(after(n))).collect();
    store(&db, others.iter().map(entry_write).collect()).await;
    for n in 0..12 {
        add_refusal(&db, &entry(after(n)), &n.to_string()).await.unwrap();
    }
    // A row of each kind for each of the first three seconds is too old.
    assert_eq!(purge(&db, after(3), [(REFUSALS, 100), (OTHERS, 100)], 2).await.unwrap(), 6);
    assert_eq!(purge(&db, after(3), [(REFUSALS, 4), (OTHERS, 8)], 2).await.unwrap(), 5 + 1);
    assert_eq!(count(&db, SECURITY_LOG.name).await, 4 + 8);
    let left = list(&db, &SecurityFilter::default(), &first(20)).await.unwrap().items;
    assert!(left.iter().any(|entry| entry.id == others[11].id), "the newest stay");
}
