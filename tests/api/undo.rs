//! `POST /api/sagas/{id}/undo`: what a saga did goes back, and what somebody has changed since stays.

use rstest::rstest;
use serde_json::{Value, json};

use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

/// The saga that an answer names, when it has ended.
async fn ended(app: &TestApp, reader: &Api, answer: &Answer) -> Value {
    app.settle().await;
    let saga = reader.get(&answer.text_at("/saga/href")).await.expect(200);
    assert_eq!(saga.body["status"], "completed", "{saga}");
    saga.body
}

async fn undo(app: &TestApp, by: &Member, saga: &Value) -> Value {
    let path = format!("/api/sagas/{}/undo", saga["id"].as_str().expect("an id"));
    let answer = by.post(&path, json!({})).await.expect(202);
    ended(app, by, &answer).await
}

async fn preview(by: &Member, saga: &Value) -> Value {
    by.get(&format!("/api/sagas/{}/undo-preview", saga["id"].as_str().expect("an id"))).await.expect(200).body
}

/// The sums of a saga's steps by kind, without those that are zero.
fn counts(saga: &Value) -> Value {
    let mut sums = serde_json::Map::new();
    for step in saga["steps"].as_array().expect("steps") {
        for (kind, count) in step["counts"].as_object().expect("counts") {
            let sum = sums.get(kind).and_then(Value::as_i64).unwrap_or(0) + count.as_i64().expect("a number");
            if sum > 0 {
                sums.insert(kind.clone(), json!(sum));
            }
        }
    }
    Value::Object(sums)
}

fn above_zero(counts: &Value) -> Value {
    let counts = counts.as_object().expect("counts").iter();
    Value::Object(
        counts.filter(|(_, n)| **n != json!(0)).map(|(kind, n)| (kind.clone(), n.clone())).collect(),
    )
}

/// A record without what every change renews.
async fn record(by: &Member, path: &str) -> Value {
    let mut record = by.get(path).await.expect(200).body;
    for renewed in ["version", "updated_at"] {
        record.as_object_mut().expect("a record").remove(renewed);
    }
    record
}

async fn expect_no_fault(app: &TestApp, admin: &Member) {
    app.settle().await;
    let report = admin.get("/api/admin/integrity").await.expect(200).body;
    for consumer in report["consumers"].as_array().expect("consumers") {
        let faults = ["lost", "duplicated", "out_of_order"].map(|fault| consumer[fault].clone());
        assert_eq!(faults, [json!(0), json!(0), json!(0)], "{consumer}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_customer_comes_back_with_exactly_what_went_with_it(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let mut paths = vec![format!("/api/customers/{customer}")];
    for n in 0..75 {
        paths.push(format!("/api/meetings/{}", sales.meeting(&customer, &format!("訪問 {n}")).await.id()));
        let task =
            json!({"title": format!("電話 {n}"), "due_at": "2036-03-05T09:00:00Z", "customer_id": customer});
        paths.push(format!("/api/tasks/{}", sales.post("/api/tasks", task).await.expect(201).id()));
        paths.push(format!("/api/deals/{}", sales.deal(&customer, &format!("契約 {n}")).await.id()));
        paths
            .push(format!("/api/approvals/{}", sales.approval(&customer, &format!("値引き {n}")).await.id()));
    }
    let comments = format!("/api/customers/{customer}/comments");
    sales.post(&comments, json!({"text": "よろしく"})).await.expect(201);
    // These were gone before.
    let gone = sales.meeting(&customer, "前から").await.id();
    sales.delete(&format!("/api/meetings/{gone}")).await.expect(200);
    app.settle().await;
    let mut before = Vec::new();
    for path in &paths {
        before.push(record(&sales, path).await);
    }
    let unread = manager.get("/api/notifications/unread").await.expect(200).items().len();
    let deletion = sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    let deleted = ended(&app, &sales, &deletion).await;
    for path in paths.iter().filter(|path| !path.contains("approvals") && !path.contains("deals")) {
        sales.get(path).await.expect_problem(404, "not_found");
    }
    let foreseen = preview(&sales, &deleted).await;
    assert_eq!((&foreseen["left_count"], &foreseen["counts"]["customers"]), (&json!(0), &json!(1)));
    let undone = undo(&app, &sales, &deleted).await;
    assert_eq!((&undone["kind"], &undone["undoes"]), (&json!("customer_restoration"), &deleted["id"]));
    assert_eq!(counts(&undone), above_zero(&foreseen["counts"]), "the outcome is what was foreseen");
    for (path, before) in paths.iter().zip(&before) {
        assert_eq!(&record(&sales, path).await, before, "{path}");
    }
    sales.get(&format!("/api/meetings/{gone}")).await.expect_problem(404, "not_found");
    assert_eq!(sales.get(&comments).await.expect(200).items().len(), 1, "comments were kept");
    assert_eq!(manager.get("/api/notifications/unread").await.expect(200).items().len(), unread);
    let again = format!("/api/sagas/{}/undo", deleted["id"].as_str().unwrap());
    sales.post(&again, json!({})).await.expect_problem(409, "already_undone");
    // A meeting that is recorded now is the customer's again.
    sales.meeting(&customer, "再訪").await;
    expect_no_fault(&app, &admin).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_undo_of_an_undo_deletes_the_customer_again(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let meeting = sales.meeting(&customer, "訪問").await.id();
    let deletion = sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    let deleted = ended(&app, &sales, &deletion).await;
    let restored = undo(&app, &sales, &deleted).await;
    let later = sales.meeting(&customer, "再訪").await.id();
    app.settle().await;
    let foreseen = preview(&sales, &restored).await;
    assert_eq!((&foreseen["counts"]["customers"], &foreseen["counts"]["meetings"]), (&json!(1), &json!(2)));
    let again = undo(&app, &sales, &restored).await;
    assert_eq!((&again["kind"], &again["undoes"]), (&json!("customer_deletion"), &restored["id"]));
    for id in [&meeting, &later] {
        sales.get(&format!("/api/meetings/{id}")).await.expect_problem(404, "not_found");
    }
    let back = undo(&app, &sales, &again).await;
    assert_eq!(back["kind"], json!("customer_restoration"));
    for id in [&meeting, &later] {
        sales.get(&format!("/api/meetings/{id}")).await.expect(200);
    }
    expect_no_fault(&app, &admin).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_user_gets_everything_back_but_what_others_have_changed(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let mut customers = Vec::new();
    for n in 0..4 {
        customers.push(sales.customer(&format!("絆 {n}")).await.id());
    }
    let task = sales.task("電話", "2036-03-05T09:00:00Z").await.id();
    let approval = sales.approval(&customers[0], "値引き").await.id();
    let deal = sales.deal(&customers[0], "契約").await.id();
    app.settle().await;
    let deletion =
        admin.delete(&format!("/api/auth/users/{}?reassign_to={}", sales.id, colleague.id)).await.expect(200);
    let deleted = ended(&app, &admin, &deletion).await;
    let changed = format!("/api/customers/{}", customers[1]);
    colleague.patch(&changed, json!({"notes": "引き継ぎました"})).await.expect(200);
    manager.get(&format!("/api/sagas/{}/undo-preview", deleted["id"].as_str().unwrap())).await.expect(403);
    let foreseen = preview(&admin, &deleted).await;
    assert_eq!(foreseen["left"], json!([{"kind": "customers", "id": customers[1]}]));
    let restored = undo(&app, &admin, &deleted).await;
    assert_eq!(counts(&restored), above_zero(&foreseen["counts"]));
    let step = &restored["steps"][0];
    assert_eq!((&step["left"], &step["left_count"]), (&json!([customers[1]]), &json!(1)));
    for (n, id) in customers.iter().enumerate() {
        let owner = admin.get(&format!("/api/customers/{id}")).await.text_at("/owner_id");
        assert_eq!(owner, if n == 1 { &colleague.id } else { &sales.id }.as_str(), "customer {n}");
    }
    let back = Member::sign_in(&app.nobody(), &sales.email, testing::app::PASSWORD).await;
    back.get(&format!("/api/tasks/{task}")).await.expect(200);
    back.get(&format!("/api/deals/{deal}")).await.expect(200);
    assert_eq!(back.get(&format!("/api/approvals/{approval}")).await.text_at("/requester_id"), sales.id);
    sales.get("/api/auth/me").await.expect_problem(401, "session_ended");
    // The undo of the undo deletes the user again.
    let gone = undo(&app, &admin, &restored).await;
    assert_eq!(gone["kind"], json!("user_deletion"));
    admin.get(&format!("/api/auth/users/{}", sales.id)).await.expect(404);
    expect_no_fault(&app, &admin).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_of_many_records_goes_back_record_by_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let (mut ids, mut before) = (Vec::new(), Vec::new());
    for n in 0..230 {
        ids.push(sales.customer(&format!("絆 {n:03}")).await.id());
    }
    let read = format!("/api/customers/{}", ids[0]);
    sales.patch(&read, json!({"status": "DORMANT"})).await.expect(200);
    for id in &ids {
        before.push(record(&manager, &format!("/api/customers/{id}")).await);
    }
    let change = json!({"status": "ACTIVE", "owner_id": colleague.id});
    let answer = manager.post("/api/customers/bulk", json!({"ids": ids, "change": change})).await.expect(202);
    let changed = ended(&app, &manager, &answer).await;
    colleague.patch(&format!("/api/customers/{}", ids[7]), json!({"phone": "03-1"})).await.expect(200);
    let foreseen = preview(&manager, &changed).await;
    assert_eq!((&foreseen["counts"], &foreseen["left_count"]), (&json!({"customers": 229}), &json!(1)));
    let undone = undo(&app, &manager, &changed).await;
    assert_eq!(undone["kind"], json!("customers_change"));
    assert_eq!((&undone["bulk"]["changed"], &undone["bulk"]["refused_ids"]), (&json!(229), &json!([ids[7]])));
    for (n, (id, before)) in ids.iter().zip(&before).enumerate() {
        let now = record(&manager, &format!("/api/customers/{id}")).await;
        assert_eq!(now == *before, n != 7, "customer {n}: {now}");
    }
    let redone = undo(&app, &manager, &undone).await;
    assert_eq!(redone["bulk"]["changed"], json!(229));
    let now = manager.get(&format!("/api/customers?owner_id={}&count=true", colleague.id)).await;
    assert_eq!(now.header("x-total-count"), Some("230"));
    expect_no_fault(&app, &admin).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn customers_that_were_deleted_together_come_back_with_their_records(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let (mut ids, mut meetings) = (Vec::new(), Vec::new());
    for n in 0..5 {
        let id = sales.customer(&format!("絆 {n}")).await.id();
        meetings.push(sales.meeting(&id, "訪問").await.id());
        ids.push(id);
    }
    let body = json!({"ids": ids, "change": {"delete": true}});
    let answer = sales.post("/api/customers/bulk", body).await.expect(202);
    let deleted = ended(&app, &sales, &answer).await;
    let undone = undo(&app, &sales, &deleted).await;
    assert_eq!(undone["bulk"]["changed"], json!(5));
    app.settle().await;
    for id in &meetings {
        sales.get(&format!("/api/meetings/{id}")).await.expect(200);
    }
    let again = undo(&app, &sales, &undone).await;
    assert_eq!(again["bulk"]["changed"], json!(5));
    app.settle().await;
    for id in &meetings {
        sales.get(&format!("/api/meetings/{id}")).await.expect_problem(404, "not_found");
    }
    expect_no_fault(&app, &admin).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_undos_at_once_one_is_done(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, colleague, .. } = Team::of(&app).await;
    for round in 0..5 {
        let customer = sales.customer(&format!("絆 {round}")).await.id();
        let deletion = sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
        let deleted = ended(&app, &sales, &deletion).await;
        let path = format!("/api/sagas/{}/undo", deleted["id"].as_str().unwrap());
        colleague.post(&path, json!({})).await.expect_problem(404, "not_found");
        let (first, second) = tokio::join!(sales.post(&path, json!({})), admin.post(&path, json!({})));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 409], "{first} {second}");
        app.settle().await;
        sales.get(&format!("/api/customers/{customer}")).await.expect(200);
    }
    sales.post(&format!("/api/sagas/{MISSING}/undo"), json!({})).await.expect_problem(404, "not_found");
    let customer = sales.customer("鍵").await.id();
    let deletion = sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    let deleted = ended(&app, &sales, &deletion).await;
    let path = format!("/api/sagas/{}/undo", deleted["id"].as_str().unwrap());
    let first = sales.idempotency_key("u").post(&path, json!({})).await.expect(202);
    let again = sales.idempotency_key("u").post(&path, json!({})).await.expect(202);
    assert_eq!((&first.body, again.headers.contains_key("idempotency-replayed")), (&again.body, true));
    expect_no_fault(&app, &admin).await;
}
