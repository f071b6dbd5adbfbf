//! Groups of units: each whole or not at all, and none at its neighbour's expense.

use kernel::ids::{Id, new_id};
use kizuna::persistence::analytics::{ACTIVITY, activity_write};
use kizuna::persistence::customers::CUSTOMERS;
use rstest::rstest;
use runtime::positions::Positions;
use serde_json::value::RawValue;
use store::cursors;
use store::cursors::{CURSORS, Cursor};
use store::idempotency;
use store::idempotency::FirstAnswer;
use store::journal::commit;
use store::unit_of_work::{CommitError, UnitOfWork, Write};
use store::{Db, log};

use crate::common::{
    begin, commit_one, count, customer, customer_unit, customer_write, renamed, store, stored, unit, user,
    user_write,
};
use testing::{Database, Postgres, Sqlite, TestDatabase};

const CONSUMER: &str = "tests.journal";

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_unit_is_dropped_alone(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let known = customer("known");
    commit_one(&db, customer_unit(&known)).await.unwrap();
    let taken = renamed(&renamed(&known, "a version"), "ahead");
    let again = renamed(&known, "again");
    let absent = renamed(&customer("absent"), "changed");
    let (before, after) = (customer("before"), customer("after"));
    let units = [&before, &taken, &known, &absent, &again, &after].map(customer_unit).to_vec();
    let outcomes = commit(&db, units).await;
    for place in [1, 2, 3] {
        assert_eq!(outcomes[place].as_ref().unwrap_err(), &CommitError::Stale("customers"), "{place}");
    }
    for place in [0, 4, 5] {
        assert_eq!(outcomes[place].as_ref().unwrap().len(), 1, "{place}");
    }
    assert_eq!(stored(&db, known.id).await, again);
    assert_eq!((count(&db, "customers").await, count(&db, "events").await), (3, 4));
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_row_takes_the_rest_of_its_unit_with_it(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (known, other) = (customer("known"), customer("other"));
    store(&db, vec![customer_write(&known)]).await;
    let both = vec![customer_write(&other).expecting(0), customer_write(&known).expecting(0)];
    let outcome = commit_one(&db, unit(both)).await;
    assert_eq!(outcome.unwrap_err(), CommitError::Stale("customers"));
    let unseen = Write::delete(&CUSTOMERS, known.id).expecting(7);
    assert!(commit_one(&db, unit(vec![unseen])).await.is_err());
    assert_eq!(count(&db, "customers").await, 1);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_taken_address_takes_no_neighbour_with_it(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (first, mut second) = (user("first"), user("second"));
    second.user.email = first.user.email.clone();
    let (before, after) = (customer("before"), customer("after"));
    let twice = |state| unit(vec![user_write(state).expecting(0)]);
    let units = vec![customer_unit(&before), twice(&first), twice(&second), customer_unit(&after)];
    let outcomes = commit(&db, units).await;
    let Err(CommitError::Duplicate(what)) = &outcomes[2] else { panic!("{outcomes:?}") };
    assert!(what.contains("email"), "{what}");
    assert!([0, 1, 3].into_iter().all(|place| outcomes[place].is_ok()), "{outcomes:?}");
    let numbers: Vec<i64> = [0, 3].map(|place| outcomes[place].as_ref().unwrap()[0].partition_seq).to_vec();
    assert!(numbers.iter().all(|number| *number >= 1));
    assert_eq!((count(&db, "users").await, count(&db, "customers").await), (1, 2));
    positions_are_contiguous(&db).await;
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_activity_row_that_comes_again_takes_no_neighbour_with_it(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (event, of) = (new_id(), new_id());
    store(&db, vec![activity_write(event, of, &[])]).await;
    let units = vec![
        unit(vec![activity_write(new_id(), of, &[])]),
        unit(vec![activity_write(event, of, &[])]),
        unit(vec![activity_write(new_id(), of, &[])]),
    ];
    let outcomes = commit(&db, units).await;
    assert!(matches!(outcomes[1], Err(CommitError::Duplicate(_))), "{outcomes:?}");
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(count(&db, ACTIVITY.name).await, 3);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_defect_takes_no_neighbour_with_it(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let good = customer("good");
    let nameless = Write::row(&CUSTOMERS, new_id(), format!(r#"{{"id":"{}","version":1}}"#, new_id()));
    let outcomes = commit(&db, vec![unit(vec![nameless]), customer_unit(&good)]).await;
    assert!(matches!(outcomes[0], Err(CommitError::Refused(_))), "{outcomes:?}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
    assert_eq!(stored(&db, good.id).await, good);
}

/// A unit with everything that a command or an effect may carry.
fn whole(known: &Cursor, key: &str) -> (UnitOfWork, Id) {
    let made = customer("whole");
    let mut unit = customer_unit(&made);
    let moved = Cursor { position: known.position + 3, applied: known.applied + 2, ..known.clone() };
    unit.writes.push(moved.moved_from(known));
    let answer = FirstAnswer {
        id: key.to_owned(),
        fingerprint: "f".to_owned(),
        status: 201,
        location: None,
        version: Some(1),
        body: RawValue::from_string("{}".to_owned()).unwrap(),
        created_at: begin(),
    };
    unit.writes.push(answer.write());
    (unit, made.id)
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn rows_events_cursor_and_key_are_stored_together_or_not_at_all(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let known = cursors::load(&db, CONSUMER).await.unwrap().remove(5);
    let (first, made) = whole(&known, "u/1");
    commit_one(&db, first).await.unwrap();
    stored(&db, made).await;
    let moved = cursors::load(&db, CONSUMER).await.unwrap().remove(5);
    assert_eq!((moved.position, moved.applied), (3, 2));
    assert!(idempotency::find(&db, "u/1", begin()).await.unwrap().is_some());

    let (used_key, _) = whole(&moved, "u/1");
    assert_eq!(commit_one(&db, used_key).await.unwrap_err(), CommitError::Stale("idempotency_keys"));
    let (old_cursor, _) = whole(&known, "u/2");
    assert_eq!(commit_one(&db, old_cursor).await.unwrap_err(), CommitError::Stale(CURSORS.name));
    let (mut refused, _) = whole(&moved, "u/3");
    refused.events.push(refused.events[0].clone());
    assert!(matches!(commit_one(&db, refused).await, Err(CommitError::Duplicate(_))));

    assert_eq!(cursors::load(&db, CONSUMER).await.unwrap().remove(5), moved);
    for table in ["customers", "events", "idempotency_keys"] {
        assert_eq!(count(&db, table).await, 1, "{table}");
    }
    positions_are_contiguous(&db).await;
}

/// No number of any partition or of the log is missing, and each head is the last number.
pub async fn positions_are_contiguous(db: &Db) -> usize {
    let mut all = 0;
    for (partition, head) in log::heads(db).await.unwrap() {
        let events = log::after(db, partition, 0, i64::from(i32::MAX)).await.unwrap();
        let numbers: Vec<i64> = events.iter().map(|event| event.partition_seq).collect();
        assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "slice {partition}");
        all += numbers.len();
    }
    let head = log::head(db).await.unwrap();
    let events = log::since(db, 0, i64::from(i32::MAX)).await.unwrap();
    let numbers: Vec<i64> = events.iter().filter_map(|event| event.log_seq).collect();
    assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "the log");
    let mut partitions = Positions::default();
    for event in &events {
        assert_eq!(event.partition_seq, partitions.at(event.partition) + 1, "the order of a partition");
        partitions.advance(event.partition, event.partition_seq);
    }
    assert_eq!(events.len(), all);
    all
}
