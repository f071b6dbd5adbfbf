//! Several writers at once: eight tasks, on PostgreSQL through three nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::customer::record::Customer;
use kernel::event::PARTITIONS;
use kizuna::persistence::customers;
use rstest::rstest;
use store::journal::commit;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, log};
use tokio::task::JoinSet;

use crate::common::{count, customer, customer_unit, renamed, stored};
use crate::journal::positions_are_contiguous;
use testing::{Database, Postgres, Sqlite, TestDatabase};

const TASKS: usize = 8;
const ROUNDS: usize = 25;
/// Customers that all tasks change.
const SHARED: usize = 6;

/// As many handles as there may be nodes: SQLite has one.
async fn nodes(database: &TestDatabase, on: Database) -> Vec<Db> {
    let mut nodes = vec![database.migrated().await];
    if on == Postgres {
        nodes.push(database.open().await);
        nodes.push(database.open().await);
    }
    nodes
}

/// Groups of three of the task's own, one commit after another; answers how many events that were.
async fn creates(db: Db, task: usize) -> usize {
    for round in 0..ROUNDS {
        let made: Vec<Customer> = (0..3).map(|n| customer(&format!("{task}/{round}/{n}"))).collect();
        for outcome in commit(&db, made.iter().map(customer_unit).collect()).await {
            outcome.expect("nothing stands against a new row");
        }
    }
    ROUNDS * 3
}

/// Reads the log until `done`: a number below one that was already seen would be lost to a consumer or a socket.
async fn follows(db: Db, done: Arc<AtomicBool>) -> usize {
    let mut seen: HashMap<i64, i64> = HashMap::new();
    let mut events = 0;
    let mut number = 0;
    loop {
        let last_round = done.load(Ordering::SeqCst);
        for event in log::since(&db, number, 100_000).await.unwrap() {
            assert_eq!(event.log_seq, Some(number + 1), "the log showed a number before the one below");
            number += 1;
        }
        for partition in 0..PARTITIONS {
            let position = seen.entry(partition).or_default();
            for event in log::after(&db, partition, *position, 100_000).await.unwrap() {
                assert_eq!(
                    event.partition_seq,
                    *position + 1,
                    "slice {partition} showed a number before the one below"
                );
                *position += 1;
                events += 1;
            }
        }
        if last_round {
            return events;
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_numbers_is_the_order_of_commits(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = nodes(&database, on).await;
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(follows(database.open().await, done.clone()));
    let mut writers = JoinSet::new();
    for task in 0..TASKS {
        writers.spawn(creates(nodes[task % nodes.len()].clone(), task));
    }
    let made: usize = writers.join_all().await.into_iter().sum();
    done.store(true, Ordering::SeqCst);
    assert_eq!(reader.await.unwrap(), made);
    assert_eq!(positions_are_contiguous(&nodes[0]).await, made);
    assert_eq!(count(&nodes[0], "customers").await, made as i64);
}

/// Changes shared customers in an order of the task's own; answers how many changes were taken.
async fn changes(db: Db, task: usize, shared: Arc<Vec<Customer>>) -> i64 {
    let mut taken = 0;
    for round in 0..ROUNDS {
        let mut units = Vec::new();
        for step in 0..3 {
            let place = if task.is_multiple_of(2) { task + step } else { 2 * SHARED + task - step };
            let state = stored(&db, shared[place % SHARED].id).await;
            units.push(customer_unit(&renamed(&state, &format!("{task}/{round}"))));
        }
        for outcome in commit(&db, units).await {
            match outcome {
                Ok(_) => taken += 1,
                Err(CommitError::Stale("customers")) => {}
                Err(other) => panic!("a writer met {other}"),
            }
        }
    }
    taken
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn writers_of_the_same_rows_neither_lose_a_change_nor_wait_in_a_circle(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = nodes(&database, on).await;
    let shared: Arc<Vec<Customer>> = Arc::new((0..SHARED).map(|n| customer(&n.to_string())).collect());
    for outcome in commit(&nodes[0], shared.iter().map(customer_unit).collect()).await {
        outcome.unwrap();
    }
    let mut writers = JoinSet::new();
    for task in 0..TASKS {
        writers.spawn(changes(nodes[task % nodes.len()].clone(), task, shared.clone()));
    }
    let taken: i64 = writers.join_all().await.into_iter().sum();
    let mut versions = 0;
    for one in shared.iter() {
        versions += stored(&nodes[0], one.id).await.version;
    }
    assert_eq!(versions, taken + SHARED as i64, "each taken change is one version");
    assert_eq!(positions_are_contiguous(&nodes[0]).await as i64, versions);
}

/// Tries to make a customer of each address, all of them wanted by every task; answers how many it made.
async fn claims(db: Db, task: usize) -> usize {
    let mut made = 0;
    for round in 0..ROUNDS {
        let email = format!("{round}@example.com");
        let new = Customer { email: Some(email.clone()), ..customer(&format!("{task}/{round}")) };
        let unique_checks = vec![customers::no_other_with_email(None, &email, None)];
        match commit(&db, vec![UnitOfWork { unique_checks, ..customer_unit(&new) }]).await.remove(0) {
            Ok(_) => made += 1,
            Err(CommitError::Conflict { .. }) => {}
            Err(other) => panic!("a writer met {other}"),
        }
    }
    made
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_must_be_absent_is_taken_once_on_whichever_nodes(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let nodes = nodes(&database, on).await;
    let mut writers = JoinSet::new();
    for task in 0..TASKS {
        writers.spawn(claims(nodes[task % nodes.len()].clone(), task));
    }
    let made: usize = writers.join_all().await.into_iter().sum();
    assert_eq!(made, ROUNDS);
    assert_eq!(count(&nodes[0], "customers").await, ROUNDS as i64);
}
