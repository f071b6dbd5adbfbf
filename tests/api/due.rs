//! Flow 5 of SPEC §5: one alert a task and due time, across scans and restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::events::TASK_DUE_SOON;
use futures_util::future::join_all;
use kernel::clock::Timestamp;
use rstest::rstest;
use serde_json::json;
use store::log;
use store::log::AuditFilter;
use store::schedules;

use testing::app::{ADMIN, PASSWORD};
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp, eventually};

/// The default of `--due-scan-every`.
const SCAN_EVERY: Duration = Duration::from_secs(300);
const WITHIN: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_hours(24);
const SCHEDULE: &str = "sales.due_alerts";

/// How many alerts each task has had.
async fn alerts(app: &TestApp) -> BTreeMap<String, usize> {
    let filter = AuditFilter { event_type: Some(TASK_DUE_SOON.name().to_owned()), ..AuditFilter::default() };
    let events = log::audit(&app.db, &filter, None, 100_000).await.expect("a readable log");
    let mut alerts = BTreeMap::new();
    for event in events {
        *alerts.entry(event.event.subject.to_string()).or_default() += 1;
    }
    alerts
}

/// Lets the next scan begin. As none overlaps another, those before it have ended.
async fn scan(app: &TestApp) {
    let claimed = async || {
        let last = schedules::load(&app.db, SCHEDULE, app.clock.now()).await.expect("a schedule");
        (last.version, last.last_occurrence)
    };
    let before = claimed().await;
    app.clock.advance(SCAN_EVERY);
    eventually(WITHIN, async || claimed().await > before).await;
}

/// Lets a scan come to its end.
async fn whole_scan(app: &TestApp) {
    scan(app).await;
    scan(app).await;
}

async fn due_in(admin: &Member, at: Timestamp) -> String {
    admin.post("/api/tasks", json!({"title": "電話する", "due_at": at})).await.expect(201).id()
}

async fn signed_in(app: &TestApp) -> Member {
    Member::sign_in(&app.nobody(), ADMIN, PASSWORD).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_alerts_once_across_scans_and_restarts_and_again_when_its_due_time_moves(
    #[values(Sqlite, Postgres)] on: Database,
) {
    const TASKS: usize = 200;
    let mut app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let begin = app.clock.now();
    // From a week overdue to a day ahead.
    let week = Timestamp::from_micros(begin.micros() - 7 * DAY.as_micros() as i64);
    let due = |n: usize| week.plus(DAY * 8 / TASKS as u32 * n as u32);
    let ids = join_all((0..TASKS).map(|n| due_in(&admin, due(n)))).await;
    let once: BTreeMap<_, _> = ids.iter().map(|id| (id.clone(), 1)).collect();
    assert!(alerts(&app).await.is_empty(), "no scan yet");
    scan(&app).await;
    eventually(WITHIN, async || alerts(&app).await == once).await;
    for _ in 0..10 {
        scan(&app).await;
    }
    assert_eq!(alerts(&app).await, once);

    app.restart().await;
    whole_scan(&app).await;
    assert_eq!(alerts(&app).await, once);

    let moved = json!({"due_at": app.clock.now().plus(DAY / 2)});
    let after = signed_in(&app).await.patch(&format!("/api/tasks/{}", ids[0]), moved).await.expect(200);
    assert_eq!(after.version(), Some(3), "an alert is a version of its own");
    let mut twice = once.clone();
    twice.insert(ids[0].clone(), 2);
    scan(&app).await;
    eventually(WITHIN, async || alerts(&app).await == twice).await;
    whole_scan(&app).await;
    assert_eq!(alerts(&app).await, twice);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_open_tasks_due_within_a_day_are_alerted(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let now = app.clock.now();
    let soon = due_in(&admin, now.plus(DAY)).await;
    let later = due_in(&admin, now.plus(DAY * 2)).await;
    let done = due_in(&admin, now).await;
    admin.patch(&format!("/api/tasks/{done}"), json!({"status": "DONE"})).await.expect(200);
    let deleted = due_in(&admin, now).await;
    admin.delete(&format!("/api/tasks/{deleted}")).await.expect(200);
    whole_scan(&app).await;
    let one = BTreeMap::from([(soon.clone(), 1)]);
    assert_eq!(alerts(&app).await, one);
    let seen = admin.get(&format!("/api/tasks/{soon}")).await.expect(200);
    assert_eq!((seen.version(), &seen.body["updated_at"]), (Some(2), &seen.body["created_at"]));
    assert!(seen.body.get("alerted_for").is_none(), "{seen}");

    app.clock.advance(DAY);
    whole_scan(&app).await;
    assert_eq!(alerts(&app).await, BTreeMap::from([(soon.clone(), 1), (later.clone(), 1)]), "a day later");
    let admin = signed_in(&app).await;
    admin.patch(&format!("/api/tasks/{done}"), json!({"status": "OPEN"})).await.expect(200);
    whole_scan(&app).await;
    assert_eq!(alerts(&app).await, BTreeMap::from([(soon, 1), (later, 1), (done, 1)]), "open again, overdue");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn more_tasks_than_one_batch_are_all_alerted(#[values(Sqlite, Postgres)] on: Database) {
    const TASKS: usize = 600;
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    // All at one moment: the batches must not lose those that share it.
    let due = app.clock.now();
    for _ in 0..TASKS / 50 {
        join_all((0..50).map(|_| due_in(&admin, due))).await;
    }
    whole_scan(&app).await;
    let alerts = alerts(&app).await;
    assert_eq!((alerts.len(), alerts.values().sum::<usize>()), (TASKS, TASKS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn scans_that_were_missed_are_made_up_for_by_one() {
    let mut app = TestApp::with(Sqlite, &["--due-scan-every", "*/10 * * * *"]).await;
    let admin = Member::first(&app).await;
    let due = due_in(&admin, app.clock.now()).await;
    let claimed =
        async |app: &TestApp| schedules::load(&app.db, SCHEDULE, app.clock.now()).await.expect("a schedule");
    eventually(WITHIN, async || app.rows("schedules").await == 1).await;
    let before = claimed(&app).await;
    // The clock moves while the node is away.
    let clock = app.clock.clone();
    app.restart_after(|| clock.advance(Duration::from_secs(7 * 3600 + 60))).await;
    eventually(WITHIN, async || alerts(&app).await == BTreeMap::from([(due.clone(), 1)])).await;
    let after = claimed(&app).await;
    assert_eq!(after.version, before.version + 1, "one for all");
    assert_eq!(after.last_occurrence.to_string(), "2026-03-02T16:00:00.000000Z");
    assert_eq!(before.last_occurrence.to_string(), "2026-03-02T09:00:00.000000Z", "none at the start");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flow_5_an_assignee_is_told_once_of_each_due_time(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--access-token-ttl", "1d"]).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    admin
        .patch(&format!("/api/auth/users/{}", sales.id), json!({"time_zone": "America/New_York"}))
        .await
        .expect(200);
    let due = app.clock.now().plus(DAY / 2);
    let task = json!({"title": "見積もりを送る", "due_at": due, "assignee_id": sales.id});
    let task = manager.post("/api/tasks", task).await.expect(201).id();
    let told = async || {
        app.settle().await;
        let list = sales.get("/api/notifications").await.expect(200);
        list.items().iter().map(|row| row["body"].as_str().expect("a text").to_owned()).collect::<Vec<_>>()
    };
    whole_scan(&app).await;
    // 21:00 in UTC.
    let first = "「見積もりを送る」の期限は 2026年3月2日 16:00 です。";
    assert_eq!(told().await, [first], "in the time zone of its reader");
    let list = sales.language("en").get("/api/notifications/unread").await.expect(200);
    assert_eq!(list.text_at("/0/title"), "Task due soon");
    assert_eq!(list.text_at("/0/body"), "“見積もりを送る” is due: Mar 2, 2026, 16:00.");
    assert_eq!(list.body[0]["subject"], json!({"type": "task", "id": task}));
    assert_eq!(list.body[0]["data"], json!({"title": "見積もりを送る", "due_at": due}));
    whole_scan(&app).await;
    assert_eq!(told().await, [first], "once");
    let moved = json!({"due_at": due.plus(Duration::from_secs(3600))});
    manager.patch(&format!("/api/tasks/{task}"), moved).await.expect(200);
    whole_scan(&app).await;
    assert_eq!(
        told().await,
        ["「見積もりを送る」の期限は 2026年3月2日 17:00 です。", first],
        "again for another time"
    );
    assert!(manager.get("/api/notifications").await.items().is_empty(), "nobody else");
}
