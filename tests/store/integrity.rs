//! `/api/admin/integrity`'s query: nothing where all is well, and every planted fault by its name.

use std::sync::Mutex;

use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED};
use kernel::event::{EventType, LoggedEvent, PARTITIONS, partition_of};
use kernel::ids::new_id;
use rstest::rstest;
use store::cursors;
use store::cursors::{Cursor, PARKED, Parked, ParkedStatus};
use store::progress as operations;
use store::progress::{Counted, Integrity, Progress};
use store::unit_of_work::Write;
use store::{Db, log};

use crate::common::{begin, commit_one, customer, customer_unit, renamed, store};
use testing::{Database, Postgres, Sqlite, TestDatabase};

const NAME: &str = "tests.integrity";
const TYPES: &[EventType] = &[CUSTOMER_CREATED, CUSTOMER_UPDATED];
const WELL: Integrity = Integrity { applied: 0, pending: 0, lost: 0, duplicated: 0, out_of_order: 0 };

/// A database with a consumer that has applied all of its events: three of one aggregate, one of each other.
struct Scene {
    db: Db,
    /// Of the first aggregate, in their order.
    events: Vec<LoggedEvent>,
    total: i64,
    counted: Mutex<Counted>,
    _database: TestDatabase,
}

impl Scene {
    async fn of(on: Database) -> Self {
        let database = TestDatabase::fresh(on);
        let db = database.migrated().await;
        let one = customer("one");
        let two = renamed(&one, "two");
        for version in [&one, &two, &renamed(&two, "three")] {
            commit_one(&db, customer_unit(version)).await.unwrap();
        }
        for n in 0..2 * PARTITIONS {
            commit_one(&db, customer_unit(&customer(&n.to_string()))).await.unwrap();
        }
        let logged = log::after(&db, partition_of(one.id), 0, 1_000).await.unwrap();
        let events = logged.into_iter().filter(|event| event.event.subject == one.id).collect();
        let scene =
            Self { db, events, total: 3 + 2 * PARTITIONS, counted: Mutex::default(), _database: database };
        let heads = log::heads(&scene.db).await.unwrap();
        // Every event is of a wanted type, so that a partition's last number is its count.
        for (partition, last) in heads {
            scene.moves(partition, |cursor| (cursor.position, cursor.applied) = (last, last)).await;
        }
        assert_eq!(scene.integrity().await, Integrity { applied: scene.total, ..WELL });
        scene
    }

    async fn integrity(&self) -> Integrity {
        let mut counted = self.counted.lock().unwrap().clone();
        let afresh = operations::integrity(&self.db, NAME, TYPES, &mut Counted::default()).await.unwrap();
        let onwards = operations::integrity(&self.db, NAME, TYPES, &mut counted).await.unwrap();
        let mut by_one = Counted::default();
        while operations::count_further(&self.db, &mut by_one, 1).await.unwrap() {}
        let stepwise = operations::integrity(&self.db, NAME, TYPES, &mut by_one).await.unwrap();
        assert_eq!((&onwards, &stepwise), (&afresh, &afresh), "what was counted before is right");
        *self.counted.lock().unwrap() = counted;
        onwards
    }

    async fn cursor(&self, partition: i64) -> Cursor {
        cursors::load(&self.db, NAME).await.unwrap().remove(partition as usize)
    }

    /// Changes a cursor past every rule.
    async fn moves(&self, partition: i64, change: impl FnOnce(&mut Cursor)) {
        let before = self.cursor(partition).await;
        let mut after = before.clone();
        change(&mut after);
        store(&self.db, vec![after.moved_from(&before)]).await;
    }

    async fn park(&self, event: &LoggedEvent, status: ParkedStatus) -> Parked {
        let parked = parked(NAME, event, status);
        store(&self.db, vec![Write::put(&PARKED, parked.id, &parked)]).await;
        parked
    }
}

fn parked(consumer: &str, event: &LoggedEvent, status: ParkedStatus) -> Parked {
    Parked {
        id: new_id(),
        consumer: consumer.to_owned(),
        event_id: event.event.id,
        subject: event.event.subject,
        partition: event.partition,
        partition_seq: event.partition_seq,
        version: 1,
        status,
        attempts: 0,
        next_attempt_at: begin(),
        error: String::new(),
        parked_at: begin(),
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn counts_that_differ_from_the_log_are_lost_or_duplicated_slice_by_slice(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let well = scene.integrity().await;
    let partition = scene.events[0].partition;
    scene.moves(partition, |cursor| cursor.applied -= 2).await;
    assert_eq!(scene.integrity().await, Integrity { applied: well.applied - 2, lost: 2, ..well.clone() });
    let other = (partition + 1) % PARTITIONS;
    scene.moves(other, |cursor| cursor.applied += 2).await;
    let both = Integrity { applied: well.applied, lost: 2, duplicated: 2, ..well.clone() };
    assert_eq!(scene.integrity().await, both, "one makes not up for the other");
    scene.moves(partition, |cursor| cursor.applied += 2).await;
    assert_eq!(scene.integrity().await, Integrity { applied: well.applied + 2, duplicated: 2, ..well });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_the_positions_or_parked_is_pending(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let Scene { events, total, .. } = &scene;
    let head = scene.cursor(events[0].partition).await.position;
    scene
        .moves(events[0].partition, |cursor| {
            (cursor.position, cursor.applied) = (events[0].partition_seq, events[0].partition_seq);
        })
        .await;
    let pending = head - events[0].partition_seq;
    assert_eq!(scene.integrity().await, Integrity { applied: total - pending, pending, ..WELL });
    scene.park(&events[0], ParkedStatus::Dead).await;
    let behind = Integrity { applied: total - pending - 1, pending: pending + 1, ..WELL };
    assert_eq!(scene.integrity().await, behind);
    let progress = operations::progress(&scene.db, NAME, TYPES).await.unwrap();
    let expected = Progress { applied: total - pending - 1, pending, retrying: 0, waiting: 0, dead: 1 };
    assert_eq!(progress, expected);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_parked_event_that_was_overtaken_is_out_of_order(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let Scene { events, total, .. } = &scene;
    let stranger = parked("tests.other", &events[0], ParkedStatus::Dead);
    store(&scene.db, vec![Write::put(&PARKED, stranger.id, &stranger)]).await;
    assert_eq!(scene.integrity().await, Integrity { applied: *total, ..WELL }, "another consumer's");
    scene.park(&events[2], ParkedStatus::Waiting).await;
    assert_eq!(scene.integrity().await, Integrity { applied: total - 1, pending: 1, ..WELL });
    scene.park(&events[0], ParkedStatus::Dead).await;
    let overtaken = Integrity { applied: total - 2, pending: 2, out_of_order: 1, ..WELL };
    assert_eq!(scene.integrity().await, overtaken, "the second was applied");
    scene.park(&events[1], ParkedStatus::Retrying).await;
    assert_eq!(
        scene.integrity().await,
        Integrity { applied: total - 3, pending: 3, ..WELL },
        "all of them wait"
    );
    let progress = operations::progress(&scene.db, NAME, TYPES).await.unwrap();
    let expected = Progress { applied: total - 3, pending: 0, retrying: 1, waiting: 1, dead: 1 };
    assert_eq!(progress, expected);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_position_beyond_the_end_of_the_log_is_out_of_order(#[case] on: Database) {
    let scene = Scene::of(on).await;
    scene.moves(3, |cursor| cursor.position += 5).await;
    scene.moves(4, |cursor| cursor.position += 1).await;
    assert_eq!(scene.integrity().await, Integrity { applied: scene.total, out_of_order: 2, ..WELL });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn only_a_consumers_own_types_count_and_one_that_never_ran_has_all_before_it(#[case] on: Database) {
    let scene = Scene::of(on).await;
    let of = async |name, types: &[EventType]| {
        operations::integrity(&scene.db, name, types, &mut Counted::default()).await.unwrap()
    };
    assert_eq!(of("tests.never", TYPES).await, Integrity { pending: scene.total, ..WELL });
    assert_eq!(of("tests.never", &[CUSTOMER_UPDATED]).await, Integrity { pending: 2, ..WELL });
    assert_eq!(of("tests.never", &[]).await, WELL);
    let updates = of(NAME, &[CUSTOMER_UPDATED]).await;
    assert_eq!(updates, Integrity { applied: scene.total, duplicated: scene.total - 2, ..WELL });
    assert_eq!(operations::events(&scene.db).await.unwrap(), scene.total);
}
