//! `/api/tasks`: the record, what can be done to it, and by whom.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const TASKS: &str = "/api/tasks";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";
const DUE: &str = "2026-03-10T10:00:00Z";

fn path(id: &str) -> String {
    format!("{TASKS}/{id}")
}

fn todo(title: &str) -> Value {
    json!({"title": title, "due_at": DUE})
}

/// The types of a task's events, the oldest first.
async fn types(app: &TestApp, reader: &Member, id: &str) -> Vec<String> {
    app.settle().await;
    let events = reader.get(&format!("/api/audit/events?subject={id}")).await.expect(200);
    events.items().iter().rev().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_task_is_answered_as_it_can_be_read(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let given = json!({
        "title": " 電話する ", "due_at": "2026-03-10T19:00:00.1234567+09:00", "customer_id": customer, "notes": "",
    });
    let made = admin.post(TASKS, given).await.expect(201);
    let wanted = json!({
        "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "title": "電話する",
        "due_at": "2026-03-10T10:00:00.123456Z", "status": "OPEN", "completed_at": null,
        "customer_id": customer, "assignee_id": admin.id, "notes": null,
    });
    assert_eq!(made.body, wanted);
    assert_eq!((made.version(), made.header("location")), (Some(1), Some(path(&made.id()).as_str())));
    assert_eq!(admin.get(&path(&made.id())).await.expect(200).text, made.text);
    assert_eq!(admin.get(TASKS).await.items(), std::slice::from_ref(&wanted));
    let logged = admin.get(&format!("/api/audit/events?subject={}", made.id())).await.expect(200);
    let event = &logged.body[0];
    assert_eq!((&event["type"], &event["source"]), (&json!("task.created"), &json!("/services/sales")));
    assert_eq!(event["data"], json!({"task": wanted}), "nothing that the API hides");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_task_is_named() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let task = admin.task("電話する", DUE).await.id();
    app.settle().await;
    let mut rejected = Vec::new();
    for (field, value, code) in [
        ("title", json!(" "), "required"),
        ("title", json!("あ".repeat(201)), "too_long"),
        ("title", json!("a\0"), "nul_character"),
        ("title", json!(null), "invalid_type"),
        ("due_at", json!("tomorrow"), "invalid_time"),
        ("due_at", json!("2026-02-30T10:00:00Z"), "invalid_time"),
        ("notes", json!("a".repeat(10_001)), "too_long"),
        ("status", json!("open"), "invalid_choice"),
        ("assignee_id", json!(NOBODY), "unknown_user"),
        ("customer_id", json!("17"), "invalid_value"),
        ("completed_at", json!(DUE), "unknown_field"),
        ("alerted_for", json!(DUE), "unknown_field"),
    ] {
        let mut body = todo("電話する");
        body[field] = value.clone();
        rejected.push(Rejected::field(TASKS, body, field, code));
        let change = Rejected::new("PATCH", path(&task), 422, "invalid_fields");
        rejected.push(change.json(json!({field: value}).to_string()).fault(field, code));
    }
    for missing in ["title", "due_at"] {
        let mut body = todo("電話する");
        body.as_object_mut().expect("an object").remove(missing);
        rejected.push(Rejected::field(TASKS, body, missing, "required"));
    }
    let mut elsewhere = todo("電話する");
    elsewhere["customer_id"] = json!(NOBODY);
    for (method, path) in [("POST", TASKS.to_owned()), ("PATCH", path(&task))] {
        rejected.push(Rejected::new(method, path, 404, "customer_not_found").json(elsewhere.to_string()));
    }
    for (query, field, code) in [
        ("status=LATE", "status", "invalid_choice"),
        ("due_before=2026-03-10", "due_before", "invalid_time"),
        ("assignee_id=me", "assignee_id", "invalid_value"),
        ("sort=title", "sort", "invalid_choice"),
        ("owner_id=me", "owner_id", "unknown_parameter"),
    ] {
        rejected.push(Rejected::parameter(&format!("{TASKS}?{query}"), field, code));
    }
    rejected.push(Rejected::parameter(
        &format!("{TASKS}/stats?from=2026-03-02&to=2026-03-01"),
        "to",
        "before_from",
    ));
    all_refused(&app, &admin, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_sets_every_field_and_null_clears(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = manager.customer("絆").await.id();
    let made = manager.task("電話する", DUE).await;
    let path = path(&made.id());
    app.clock.advance(Duration::from_secs(60));
    let change = json!({
        "title": "訪問する", "due_at": "2026-03-11T10:00:00Z", "status": "DONE", "customer_id": customer,
        "assignee_id": sales.id, "notes": "メモ",
    });
    let changed = manager.if_match(1).patch(&path, change.clone()).await.expect(200);
    for (field, value) in change.as_object().expect("an object") {
        let written = changed.body[field].to_string().replace(".000000Z", "Z");
        assert_eq!(written, value.to_string(), "{field}");
    }
    assert_eq!((changed.version(), &changed.body["completed_at"]), (Some(2), &changed.body["updated_at"]));
    assert_eq!(changed.body["updated_at"], "2026-03-02T09:01:00.000000Z");
    manager.if_match(1).patch(&path, json!({"title": "別"})).await.expect_problem(412, "stale_version");
    let cleared = json!({"customer_id": null, "notes": null, "status": "OPEN"});
    let cleared = manager.patch(&path, cleared).await.expect(200).body;
    for field in ["customer_id", "notes", "completed_at"] {
        assert_eq!(cleared[field], json!(null), "{field}");
    }
    app.settle().await;
    let before = app.stored().await;
    let same = manager.patch(&path, json!({"status": "OPEN", "title": "訪問する"})).await.expect(200);
    assert_eq!((same.version(), app.stored().await), (Some(3), before), "nothing changed, nothing is told");
    assert_eq!(types(&app, &manager, &made.id()).await, ["task.created", "task.completed", "task.updated"]);
    let logged = manager.get("/api/audit/events?type=task.completed").await.expect(200);
    let all = ["title", "due_at", "status", "customer_id", "assignee_id", "notes", "completed_at"];
    assert_eq!(logged.body[0]["data"]["changed"], json!(all));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_task_is_gone_from_everywhere(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let made = admin.task("電話する", DUE).await;
    let path = path(&made.id());
    admin.if_match(2).delete(&path).await.expect_problem(412, "stale_version");
    let deleted = admin.if_match(1).delete(&path).await.expect(200);
    assert_eq!(deleted.body, json!({"id": made.id(), "status": "deleted"}));
    app.settle().await;
    let gone = |method| Rejected::new(method, path.as_str(), 404, "not_found").json("{}");
    all_refused(&app, &admin, [gone("GET"), gone("PATCH"), gone("DELETE")]).await;
    assert!(admin.get(TASKS).await.items().is_empty());
    assert_eq!(app.rows("tasks").await, 1, "the row is kept");
    assert_eq!(types(&app, &admin, &made.id()).await, ["task.created", "task.deleted"]);
}

/// One task each of `sales` (with a customer, done) and `colleague`.
async fn one_each(team: &Team) -> [String; 2] {
    let customer = team.sales.customer("絆").await.id();
    let done = json!({"title": "一", "due_at": DUE, "customer_id": customer, "status": "DONE"});
    let own = team.sales.post(TASKS, done).await.expect(201).id();
    [own, team.colleague.task("二", "2026-03-09T10:00:00Z").await.id()]
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sales_see_and_touch_their_own_tasks_alone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let Team { admin, manager, sales, colleague } = &team;
    let [own, other] = one_each(&team).await;
    app.settle().await;
    let hidden = |method| Rejected::new(method, path(&other), 404, "not_found").json("{\"notes\":\"見た\"}");
    let mut rejected = vec![hidden("GET"), hidden("PATCH"), hidden("DELETE")];
    let customer = colleague.customer("別").await.id();
    for assignee in [colleague.id.as_str(), NOBODY] {
        let mut given = todo("電話する");
        given["assignee_id"] = json!(assignee);
        rejected.push(Rejected::new("POST", TASKS, 403, "forbidden").json(given.to_string()));
        let give = json!({"assignee_id": assignee}).to_string();
        rejected.push(Rejected::new("PATCH", path(&own), 403, "forbidden").json(give));
    }
    let theirs = json!({"customer_id": customer}).to_string();
    rejected.push(Rejected::new("PATCH", path(&own), 404, "customer_not_found").json(theirs));
    app.settle().await;
    all_refused(&app, sales, rejected).await;
    let ids = async |member: &Member, query: &str| {
        let list = member.get(&format!("{TASKS}?count=true&{query}")).await.expect(200);
        assert_eq!(list.header("x-total-count"), Some(list.items().len().to_string().as_str()));
        list.items().iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(sales, "").await, [&*own]);
    assert!(ids(sales, &format!("assignee_id={}", colleague.id)).await.is_empty());
    for member in [admin, manager] {
        assert_eq!(ids(member, "").await, [&*other, &*own], "what is due first comes first");
        member.patch(&path(&other), json!({"notes": "見た"})).await.expect(200);
    }
    let given = manager.patch(&path(&own), json!({"assignee_id": colleague.id})).await.expect(200);
    assert_eq!(given.body["assignee_id"], json!(colleague.id));
    sales.get(&path(&own)).await.expect_problem(404, "not_found");
    colleague.delete(&path(&own)).await.expect(200);
    admin.delete(&path(&other)).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_status_assignee_customer_and_due_time(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let [done, open] = one_each(&team).await;
    let customer = team.manager.get(&path(&done)).await.text_at("/customer_id");
    let found = async |query: &str| {
        let list = team.manager.get(&format!("{TASKS}?{query}")).await.expect(200);
        list.items().iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("status=DONE").await, [&*done]);
    assert_eq!(found("status=OPEN").await, [&*open]);
    assert_eq!(found(&format!("assignee_id={}", team.colleague.id)).await, [&*open]);
    assert_eq!(found(&format!("customer_id={customer}")).await, [&*done]);
    assert_eq!(found(&format!("due_before={DUE}")).await, [&*open], "the moment itself is not within");
    assert_eq!(found("due_before=2026-03-10T10:00:00.000001Z").await, [&*open, &*done]);
    assert!(found(&format!("status=OPEN&customer_id={customer}")).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_pages_through_equal_due_times_without_loss(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    for n in 0..7 {
        admin.task(&format!("タスク {n}"), if n % 2 == 0 { DUE } else { "2026-03-09T10:00:00Z" }).await;
    }
    let mut titles = Vec::new();
    let mut next = Some(format!("{TASKS}?limit=2"));
    while let Some(page) = next {
        let page: Answer = admin.get(&page).await.expect(200);
        titles.extend(page.items().iter().map(|task| task["title"].as_str().expect("a title").to_owned()));
        next = page.next().map(str::to_owned);
    }
    assert_eq!(titles, [1, 3, 5, 0, 2, 4, 6].map(|n| format!("タスク {n}")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statistics_count_open_and_overdue_now_and_done_within_the_period(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let team = Team::of(&app).await;
    let Team { manager, sales, colleague, .. } = &team;
    let [_, other] = one_each(&team).await;
    sales.task("期限切れ", "2026-03-02T08:59:59Z").await;
    let gone = sales.task("削除", "2026-03-01T10:00:00Z").await.id();
    sales.delete(&path(&gone)).await.expect(200);
    let stats = async |member: &Member, query: &str| {
        member.get(&format!("{TASKS}/stats?{query}")).await.expect(200).body
    };
    let counts = |open, done, overdue| json!({"open": open, "done": done, "overdue": overdue});
    assert_eq!(stats(manager, "").await, counts(2, 1, 1));
    assert_eq!(stats(manager, "to=2026-03-01").await, counts(2, 0, 1), "done before today: none");
    assert_eq!(stats(sales, "").await, counts(1, 1, 1));
    assert_eq!(
        stats(sales, &format!("owner_id={}", colleague.id)).await,
        counts(1, 1, 1),
        "own figures alone"
    );
    assert_eq!(stats(manager, &format!("owner_id={}", colleague.id)).await, counts(1, 0, 0));
    colleague.patch(&path(&other), json!({"status": "DONE"})).await.expect(200);
    assert_eq!(stats(manager, "from=2026-03-02").await, counts(1, 2, 1));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_task_made_as_done_is_created_and_completed_once_under_its_key(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let keyed = admin.idempotency_key("task-1");
    let mut given = todo("電話する");
    given["status"] = json!("DONE");
    let made = keyed.post(TASKS, given.clone()).await.expect(201);
    let again = keyed.post(TASKS, given).await.expect(201);
    assert_eq!((&again.text, again.version()), (&made.text, Some(2)));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    keyed.post(TASKS, todo("別")).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(made.body["completed_at"], made.body["created_at"]);
    assert_eq!(types(&app, &admin, &made.id()).await, ["task.created", "task.completed"]);
    assert_eq!(app.rows("tasks").await, 1);
}
