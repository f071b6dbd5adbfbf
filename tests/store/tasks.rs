//! Tasks: every field is kept, every question is answered.

use domain::task::messages::DueTask;
use domain::task::messages::TaskCounts;
use domain::task::messages::TaskFilter;
use domain::task::record::{Task, TaskStatus};
use kernel::caller::{Caller, Role};
use kernel::clock::Timestamp;
use kernel::ids::{Id, new_id};
use kernel::search::Words;
use kizuna::actors::sales::task_aggregate::TaskAggregate;
use kizuna::persistence::tasks;
use kizuna::persistence::tasks::TASKS;
use rstest::rstest;
use runtime::entity::Aggregate;
use store::Db;
use store::unit_of_work::Write;

use crate::common::{at, begin, caller, first, store, walk};
use crate::rows::{AWKWARD, EARLIEST};
use testing::{Database, Postgres, Sqlite, TestDatabase};

fn day(day: u32) -> Timestamp {
    at(&format!("2026-03-{day:02}T00:00:00Z"))
}

fn task(title: &str, assignee_id: Id, due_at: Timestamp) -> Task {
    Task {
        id: new_id(),
        version: 1,
        created_at: begin(),
        updated_at: begin(),
        title: title.to_owned(),
        due_at,
        status: TaskStatus::Open,
        completed_at: None,
        customer_id: None,
        assignee_id,
        notes: None,
        deleted_at: None,
        alerted_for: None,
    }
}

async fn store_all(db: &Db, rows: &[Task]) {
    store(db, rows.iter().map(|row| Write::row(&TASKS, row.id, TaskAggregate::row(row))).collect()).await;
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn tasks_keep_every_field(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    for text in AWKWARD {
        let bare = task(text, new_id(), at(EARLIEST));
        let full = Task {
            version: i64::MAX,
            status: TaskStatus::Done,
            completed_at: Some(day(2)),
            customer_id: Some(new_id()),
            notes: Some(text.to_owned()),
            deleted_at: Some(at("9999-12-31T23:59:59.999999Z")),
            alerted_for: Some(at(EARLIEST)),
            ..task(text, new_id(), day(1))
        };
        store_all(&db, &[bare.clone(), full.clone()]).await;
        for written in [bare, full] {
            assert_eq!(db.row::<Task>(&TASKS, written.id).await.unwrap(), Some(written));
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_listed_by_due_time_and_counted(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let (owner, other, of) = (new_id(), new_id(), new_id());
    let done =
        |title, at| Task { status: TaskStatus::Done, completed_at: Some(at), ..task(title, owner, day(4)) };
    let rows = [
        Task { customer_id: Some(of), ..task("c", owner, day(3)) },
        task("a", owner, day(1)),
        task("b", other, day(2)),
        done("d", day(5)),
        done("e", day(6)),
        Task { deleted_at: Some(day(5)), ..task("gone", owner, day(1)) },
        Task { deleted_at: Some(day(5)), ..done("done and gone", day(5)) },
    ];
    store_all(&db, &rows).await;
    let (admin, sales) = (caller(Role::Admin, new_id()), caller(Role::Sales, owner));
    let ask = async |who: &Caller, filter: TaskFilter| -> String {
        let all = walk(1, async |page| {
            tasks::list(
                &db,
                who.only_owner(),
                &filter,
                &Words::default(),
                &domain::task::messages::SORTS[0],
                &page,
            )
            .await
        })
        .await;
        all.into_iter().map(|task| task.title).collect()
    };
    let all = TaskFilter::default;
    assert_eq!(ask(&admin, all()).await, "abcde");
    assert_eq!(ask(&sales, all()).await, "acde");
    assert_eq!(ask(&sales, TaskFilter { assignee_id: Some(other), ..all() }).await, "");
    assert_eq!(ask(&admin, TaskFilter { assignee_id: Some(other), ..all() }).await, "b");
    assert_eq!(ask(&admin, TaskFilter { status: Some(TaskStatus::Done), ..all() }).await, "de");
    assert_eq!(ask(&admin, TaskFilter { customer_id: Some(of), ..all() }).await, "c");
    assert_eq!(ask(&admin, TaskFilter { due_before: Some(day(3)), ..all() }).await, "ab");
    let page = tasks::list(
        &db,
        admin.only_owner(),
        &all(),
        &Words::default(),
        &domain::task::messages::SORTS[0],
        &first(200),
    )
    .await
    .unwrap();
    assert_eq!((page.items.len(), page.next), (5, None));

    let counts = |open, done, overdue| TaskCounts { open, done, overdue };
    let stats = async |who, from, to, now| tasks::stats(&db, who, from, to, now).await.unwrap();
    assert_eq!(stats(None, day(5), day(7), day(3)).await, counts(3, 2, 2), "what is due now is not overdue");
    assert_eq!(stats(Some(owner), day(5), day(6), day(9)).await, counts(2, 1, 2));
    assert_eq!(stats(Some(new_id()), day(1), day(9), day(9)).await, counts(0, 0, 0));
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_finds_open_tasks_without_an_alert_for_their_due_time(#[case] on: Database) {
    let database = TestDatabase::fresh(on);
    let db = database.migrated().await;
    let due = |at| task("x", new_id(), at);
    let wanted = [
        due(day(1)),
        Task { alerted_for: Some(day(1)), ..due(day(2)) },
        due(day(2)),
        due(day(2)),
        due(day(3)),
    ];
    let others = [
        Task { alerted_for: Some(day(1)), ..due(day(1)) },
        Task { status: TaskStatus::Done, completed_at: Some(day(1)), ..due(day(1)) },
        Task { deleted_at: Some(day(1)), ..due(day(1)) },
        due(at("2026-03-03T00:00:00.000001Z")),
    ];
    store_all(&db, &wanted).await;
    store_all(&db, &others).await;
    let mut ids: Vec<(Timestamp, Id)> = wanted.iter().map(|task| (task.due_at, task.id)).collect();
    ids.sort();
    for limit in [1, 2, 5, 100] {
        let (mut found, mut after): (Vec<DueTask>, Option<DueTask>) = (Vec::new(), None);
        loop {
            let batch = tasks::unalerted(&db, day(3), after.as_ref(), limit).await.unwrap();
            after = batch.last().cloned();
            found.extend(batch);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.iter().map(|due| (due.due_at, due.id)).collect::<Vec<_>>(), ids, "by {limit}");
    }
}
