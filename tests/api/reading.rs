//! `/api/notifications/{id}/read`, `/archive`, `/read-all`: what readers do with their notifications, and the badge.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const NOTIFICATIONS: &str = "/api/notifications";
const READ_ALL: &str = "/api/notifications/read-all";

fn path(id: &str, mark: &str) -> String {
    format!("{NOTIFICATIONS}/{id}/{mark}")
}

async fn badge(member: &Member) -> i64 {
    let unread = member.get("/api/notifications/unread?limit=1").await.expect(200);
    unread.header("x-total-count").and_then(|count| count.parse().ok()).expect("a badge")
}

/// The ids of everything that somebody was told, the newest first.
async fn all(member: &Member) -> Vec<String> {
    let list = member.get("/api/notifications?limit=200").await.expect(200);
    list.items().iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// So many customers of `member`, of each of which the manager is told.
async fn customers(app: &TestApp, member: &Member, count: usize) {
    join_all((0..count).map(|n| member.post("/api/customers", json!({"name": format!("絆 {n}")})))).await;
    app.settle().await;
}

async fn events_of(admin: &Member, id: &str) -> Vec<Value> {
    let list = admin.get(&format!("/api/audit/events?subject={id}")).await.expect(200);
    list.items().to_vec()
}

fn is_replay(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_notification_is_read_once_and_archived_once_and_stays_listed(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    customers(&app, &sales, 2).await;
    let ids = all(&manager).await;
    let id = &ids[0];
    let told = manager.get(NOTIFICATIONS).await.body[0].clone();
    assert_eq!(badge(&manager).await, 2);

    app.clock.advance(std::time::Duration::from_secs(1));
    let read = manager.if_match(1).patch(&path(id, "read"), json!({})).await.expect(200);
    let mut wanted = told;
    (wanted["version"], wanted["read_at"]) = (json!(2), json!(app.clock.now()));
    wanted["updated_at"] = json!(app.clock.now());
    assert_eq!((&read.body, read.version()), (&wanted, Some(2)));
    assert_eq!(badge(&manager).await, 1);
    let before = app.stored().await;
    app.clock.advance(std::time::Duration::from_secs(1));
    let again = manager.raw("PATCH", &path(id, "read"), "").await.expect(200);
    assert_eq!(
        (&again.text, again.version()),
        (&read.text, read.version()),
        "read already, and no body needed"
    );
    assert_eq!(app.stored().await, before);
    manager.if_match(1).patch(&path(id, "archive"), json!({})).await.expect_problem(412, "stale_version");

    let archived = manager.if_match(2).patch(&path(id, "archive"), json!({})).await.expect(200);
    (wanted["version"], wanted["archived_at"]) = (json!(3), json!(app.clock.now()));
    wanted["updated_at"] = json!(app.clock.now());
    assert_eq!(archived.body, wanted);
    let unread = manager.patch(&path(&ids[1], "archive"), json!({})).await.expect(200);
    assert_eq!((&unread.body["read_at"], badge(&manager).await), (&Value::Null, 0), "archived is not unread");
    assert_eq!(all(&manager).await, ids, "nothing disappears");

    let events = events_of(&admin, id).await;
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["notifications.archived", "notification.read", "notification.created"]);
    let read_at = &wanted["read_at"];
    let archived =
        json!({"user_id": manager.id, "subject_id": id, "ids": [id], "count": 1, "read_at": read_at});
    assert_eq!(events[0]["data"], archived);
    assert_eq!(events[1]["data"]["notification"]["read_at"], wanted["read_at"]);
    for (event, version) in events.iter().rev().zip(1..) {
        assert_eq!((&event["partitionkey"], &event["sequence"]), (&json!(manager.id), &json!(version)));
    }
    assert_eq!(events[1]["actorid"], json!(manager.id));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn another_s_notification_is_not_there_whatever_the_role(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    sales.customer("絆").await;
    app.settle().await;
    let id = all(&manager).await.remove(0);
    for member in [&admin, &sales, &colleague] {
        let rejected = ["read", "archive"]
            .map(|mark| Rejected::new("PATCH", path(&id, mark), 404, "not_found").json("{}"));
        all_refused(&app, member, rejected).await;
        assert_eq!(member.post(READ_ALL, json!({})).await.expect(200).body, json!({"count": 0}));
    }
    assert_eq!(badge(&manager).await, 1);
    let unknown = Rejected::new("PATCH", path(&id, "read"), 422, "invalid_fields").json("{\"read_at\":null}");
    all_refused(&app, &manager, [unknown.fault("read_at", "unknown_field")]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn read_all_reads_every_unread_one_of_one_s_own(#[values(Sqlite, Postgres)] on: Database) {
    /// More than one batch.
    const MANY: usize = 300;
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    customers(&app, &sales, MANY).await;
    manager.create_customer(json!({"name": "別", "owner_id": colleague.id})).await;
    app.settle().await;
    let ids = all(&manager).await;
    manager.patch(&path(&ids[0], "archive"), json!({})).await.expect(200);
    manager.patch(&path(&ids[1], "read"), json!({})).await.expect(200);
    assert_eq!((badge(&manager).await, badge(&colleague).await), (MANY as i64 - 2, 1));

    let read = manager.post(READ_ALL, json!({})).await.expect(200);
    assert_eq!(read.body, json!({"count": MANY - 2}));
    assert_eq!((badge(&manager).await, badge(&colleague).await), (0, 1));
    let events = admin.get("/api/audit/events?type=notification.read&count=true&limit=1").await.expect(200);
    assert_eq!(events.header("x-total-count"), Some((MANY - 1).to_string().as_str()), "an event each");
    assert_eq!(
        manager.get(NOTIFICATIONS).await.body[0]["read_at"],
        Value::Null,
        "what was archived unread stays so"
    );
    assert_eq!(manager.raw("POST", READ_ALL, "").await.expect(200).body, json!({"count": 0}));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_mark_is_made_once_under_its_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    customers(&app, &sales, 1).await;
    let id = all(&manager).await.remove(0);
    let keyed = manager.idempotency_key("one");
    let first = keyed.patch(&path(&id, "read"), json!({})).await.expect(200);
    assert!(!is_replay(&first));
    manager.patch(&path(&id, "archive"), json!({})).await.expect(200);
    let before = app.stored().await;
    let again = keyed.patch(&path(&id, "read"), json!({})).await.expect(200);
    assert!(is_replay(&again));
    assert_eq!(
        (&again.text, again.version()),
        (&first.text, Some(2)),
        "as it was then, in the reader's language"
    );
    let english = keyed.language("en").patch(&path(&id, "read"), json!({})).await.expect(200);
    assert!(is_replay(&english));
    assert_eq!(english.text_at("/title"), "New customer", "or in the one that is asked for");
    let other = keyed.patch(&path(&id, "archive"), json!({})).await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(app.stored().await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn read_all_is_done_once_under_its_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    customers(&app, &sales, 3).await;
    let keyed = manager.idempotency_key("all");
    let first = keyed.post(READ_ALL, json!({})).await.expect(200);
    assert_eq!((is_replay(&first), &first.body), (false, &json!({"count": 3})));
    customers(&app, &sales, 1).await;
    let again = keyed.post(READ_ALL, json!({})).await.expect(200);
    assert_eq!((is_replay(&again), &again.text), (true, &first.text));
    assert_eq!(badge(&manager).await, 1, "what has come since stays unread");
    let none = manager.idempotency_key("none");
    for count in [1, 1] {
        assert_eq!(none.post(READ_ALL, json!({})).await.expect(200).body, json!({"count": count}));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn marks_at_once_end_with_each_made_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    customers(&app, &sales, 5).await;
    let ids = all(&manager).await;
    let marks = ids.iter().flat_map(|id| [path(id, "read"), path(id, "archive"), path(id, "read")]);
    let marks: Vec<_> = marks.collect();
    let (marked, read) = tokio::join!(
        join_all(marks.iter().map(|path| manager.patch(path, json!({})))),
        manager.post(READ_ALL, json!({})),
    );
    read.expect(200);
    assert!(marked.iter().all(|answer| answer.status == 200), "{marked:?}");
    for id in &ids {
        let events = events_of(&admin, id).await;
        assert_eq!(events.len(), 3, "created, read, archived: {events:?}");
    }
    assert_eq!(badge(&manager).await, 0);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_deals_with_a_request_has_read_of_it(#[values(Sqlite, Postgres)] on: Database) {
    let mut app = TestApp::start(on).await;
    let Team { admin, manager, .. } = Team::of(&app).await;
    let (chief, lonely) =
        tokio::join!(admin.hire("MANAGER", "chief", None), admin.hire("SALES", "lonely", None));
    app.settle().await;
    let customer = lonely.customer("絆").await.id();
    app.settle().await;
    for member in [&manager, &chief] {
        member.post(READ_ALL, json!({})).await.expect(200);
    }
    let decisions = [
        ("approve", json!({}), 1),
        ("reject", json!({"comment": "高すぎる"}), 2),
        // Also of the reassignment.
        ("reassign", json!({"approver_id": chief.id}), 4),
    ];
    for (decision, body, of_chief) in decisions {
        let id = lonely.approval(&customer, decision).await.id();
        app.settle().await;
        assert_eq!(badge(&manager).await, 1, "{decision}");
        let told = manager.get("/api/notifications/unread").await.text_at("/0/id");
        let path = format!("/api/approvals/{id}/{decision}");
        manager.patch(&path, body.clone()).await.expect(200);
        app.settle().await;
        assert_eq!((badge(&manager).await, badge(&chief).await), (0, of_chief), "{decision}");
        let [read, created] = &events_of(&admin, &told).await[..] else { panic!("read once: {decision}") };
        assert_eq!(
            (&read["type"], &created["type"]),
            (&json!("notification.read"), &json!("notification.created"))
        );
        let cause = events_of(&admin, &id).await[0].clone();
        assert_eq!((&read["causationid"], read.get("actorid")), (&cause["id"], None), "{decision}");
        if decision != "reassign" {
            let before = app.stored().await;
            manager.patch(&path, body).await.expect_problem(409, "approval_not_pending");
            app.settle().await;
            assert_eq!(app.stored().await, before, "a second attempt changes nothing");
        }
    }
    let cancelled = lonely.approval(&customer, "cancel").await.id();
    lonely.patch(&format!("/api/approvals/{cancelled}/cancel"), json!({})).await.expect(200);
    app.settle().await;
    assert_eq!(badge(&manager).await, 1, "the approver learns of a request that was withdrawn");
    let before = app.stored().await;
    app.restart().await;
    app.settle().await;
    assert_eq!(app.stored().await, before, "nothing is applied again");
}
