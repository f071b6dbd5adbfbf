//! Schedules: each occurrence is claimed once, by one node.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use kernel::error::Error;
use rstest::rstest;
use runtime::schedule::Schedule;
use runtime::scheduler::{Job, SchedulerParts, Timer};
use store::schedules;
use store::unit_of_work::CommitError;

use crate::common::{at, begin, commit_one, count, unit};
use crate::node::{Fixture, Node, run};
use testing::{Database, Postgres, Sqlite, TestDatabase};

const NAME: &str = "tests.schedules";
const INTERVAL: Duration = Duration::from_secs(300);

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_made_once_and_an_occurrence_claimed_once(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let made = schedules::load(&db, NAME, begin()).await.unwrap();
    assert_eq!((made.id.as_str(), made.version, made.last_occurrence), (NAME, 1, begin()));
    assert_eq!(schedules::load(&db, NAME, at("2030-01-01T00:00:00Z")).await.unwrap(), made);
    schedules::load(&db, "tests.other", begin()).await.unwrap();
    let next = at("2026-03-02T09:05:00Z");
    commit_one(&db, unit(vec![made.claim(next)])).await.unwrap();
    let again = commit_one(&db, unit(vec![made.claim(next)])).await;
    assert_eq!(again.unwrap_err(), CommitError::Stale("schedules"));
    let claimed = schedules::load(&db, NAME, begin()).await.unwrap();
    assert_eq!((claimed.version, claimed.last_occurrence), (2, next));
    assert_eq!(count(&db, "schedules").await, 2);
}

/// As many nodes as there may be: SQLite has one, whose two timers then race through one journal.
async fn nodes(fixture: &Fixture, on: Database) -> Vec<Node> {
    let mut nodes = vec![fixture.node().await];
    let more = if on == Postgres { 2 } else { 0 };
    for _ in 0..more {
        nodes.push(fixture.node().await);
    }
    nodes
}

/// A timer that counts its runs.
fn timer(node: &Node, runs: &Arc<AtomicUsize>, fails: bool) -> Timer {
    let parts =
        SchedulerParts { db: node.db.clone(), journal: node.journal.clone(), clock: node.clock.clone() };
    let runs = runs.clone();
    let work = Arc::new(move || -> BoxFuture<'static, Result<(), Error>> {
        runs.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(if fails { Err(Error::unavailable()) } else { Ok(()) }))
    });
    let job = Job { name: NAME, schedule: Schedule::Every(INTERVAL), work };
    Timer::new(parts, job, node.actor_stats.stats("scheduler"))
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn nodes_that_race_for_an_occurrence_run_it_once(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let mut timers: Vec<Timer> =
            nodes.iter().cycle().take(6).map(|node| timer(node, &runs, false)).collect();
        for occurrence in 0..25 {
            // Twice: who lost the race before looks anew only now.
            for _ in 0..2 {
                let looked = join_all(timers.iter_mut().map(Timer::run_once)).await;
                assert!(
                    looked.into_iter().all(|ran| !ran.unwrap()),
                    "none is due twice, nor before its time"
                );
            }
            assert_eq!(runs.load(Ordering::SeqCst), occurrence);
            fixture.clock.advance(INTERVAL);
            let ran = join_all(timers.iter_mut().map(Timer::run_once)).await;
            let ran = ran.into_iter().filter(|ran| *ran.as_ref().unwrap()).count();
            assert_eq!(ran, 1);
        }
        let handled: u64 = nodes.iter().map(|node| node.reading("scheduler").handled).sum();
        assert_eq!((runs.load(Ordering::SeqCst), handled), (25, 25));
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn occurrences_missed_by_all_nodes_are_one_run_and_a_failed_run_waits_for_the_next(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let runs = Arc::new(AtomicUsize::new(0));
        assert!(!timer(&node, &runs, true).run_once().await.unwrap(), "a new schedule begins with its next");
        fixture.clock.advance(INTERVAL * 100);
        // Made anew, as after a restart: what it knows is in the database.
        let mut timer = timer(&node, &runs, true);
        assert!(timer.run_once().await.unwrap());
        assert!(!timer.run_once().await.unwrap());
        assert_eq!(node.reading("scheduler").failed, 1);
        fixture.clock.advance(INTERVAL);
        assert!(timer.run_once().await.unwrap());
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    });
}
