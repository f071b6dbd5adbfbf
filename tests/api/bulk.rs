//! `POST /api/…/bulk`: many records are changed together, each as its owner would, once, and with a history of its own.

use rstest::rstest;
use serde_json::{Value, json};
use store::sql::Sql;

use crate::rejected::Rejected;
use testing::browser::Browser;
use testing::{Answer, Api, Database, Postgres, Sqlite, Team, TestApp};

const CUSTOMERS: &str = "/api/customers/bulk";
const TASKS: &str = "/api/tasks/bulk";

/// The saga that an answer names, when it has ended.
async fn ended(app: &TestApp, reader: &Api, answer: &Answer) -> Value {
    app.settle().await;
    let saga = reader.get(&answer.text_at("/saga/href")).await.expect(200);
    assert_eq!(saga.body["status"], "completed", "{saga}");
    saga.body
}

async fn updates(reader: &Api, id: &str) -> Vec<Value> {
    let events = reader.get(&format!("/api/audit/events?subject={id}&limit=200")).await.expect(200);
    events.items().iter().filter(|event| event["type"] != "customer.created").cloned().collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn named_customers_are_changed_once_each_with_a_history(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let mut ids = Vec::new();
    for name in ["一", "二", "三"] {
        ids.push(sales.customer(name).await.id());
    }
    sales.patch(&format!("/api/customers/{}", ids[2]), json!({"status": "ACTIVE"})).await.expect(200);
    let missing = "0198c0de-0000-7000-8000-000000000000";
    let named: Vec<&str> = ids.iter().map(String::as_str).chain([missing]).collect();
    let body = json!({"ids": named, "change": {"status": "ACTIVE"}});
    app.settle().await;
    let before = app.stored().await;
    let preview = sales.post(&format!("{CUSTOMERS}?preview=true"), body.clone()).await.expect(200).body;
    let foreseen = json!({"delete": false, "total": 4, "changed": 2, "unchanged": 1, "refused": 1, "refused_ids": [missing], "with": {}});
    assert_eq!(preview, foreseen);
    assert_eq!(app.stored().await, before, "a preview stores nothing");
    let answer = sales.idempotency_key("k").post(CUSTOMERS, body.clone()).await.expect(202);
    assert_eq!(answer.body["status"], "accepted");
    assert_eq!(answer.header("location"), Some(answer.text_at("/saga/href").as_str()));
    let saga = ended(&app, &sales, &answer).await;
    let bulk = json!({"delete": false, "total": 4, "changed": 2, "unchanged": 1, "refused": 1, "refused_ids": [missing]});
    assert_eq!((&saga["kind"], &saga["bulk"]), (&json!("customers_change"), &bulk));
    assert_eq!(saga["steps"].as_array().map(Vec::len), Some(1));
    assert_eq!(saga["steps"][0]["counts"], json!({"customers": 2}));
    let again = sales.idempotency_key("k").post(CUSTOMERS, body).await.expect(202);
    assert_eq!((again.body, again.headers.contains_key("idempotency-replayed")), (answer.body.clone(), true));
    app.settle().await;
    for id in &ids {
        let history = updates(&manager, id).await;
        assert_eq!(history.len(), 1, "{history:?}");
        assert_eq!(history[0]["actorid"], json!(sales.id), "as its owner's own change");
        assert_eq!(history[0]["data"]["changed"], json!(["status"]));
    }
    let of_saga = updates(&manager, &ids[0]).await[0]["correlationid"].clone();
    assert_eq!(of_saga, saga["id"]);
    colleague.get(&answer.text_at("/saga/href")).await.expect_problem(404, "not_found");
    let items =
        app.db.number(Sql::new("SELECT CAST(count(*) AS TEXT) FROM customer_batch_items")).await.unwrap();
    assert_eq!(items, 2, "what was before is kept of what was changed");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_filter_leaves_is_changed_in_batches(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    for n in 0..405 {
        sales.task(&format!("電話 {n}"), "2036-03-05T09:00:00Z").await;
    }
    sales.task("急ぎ", "2036-03-01T09:00:00Z").await;
    let filter = json!({"q": "電話", "assignee_id": sales.id});
    let change = json!({"assignee_id": colleague.id, "due_at": "2036-04-01T00:00:00Z"});
    let body = json!({"filter": filter, "change": change});
    let preview = manager.post(&format!("{TASKS}?preview=true"), body.clone()).await.expect(200).body;
    assert_eq!((&preview["total"], &preview["changed"]), (&json!(405), &json!(405)));
    let answer = manager.post(TASKS, body.clone()).await.expect(202);
    let saga = ended(&app, &manager, &answer).await;
    assert_eq!((&saga["bulk"]["changed"], saga["steps"].as_array().map(Vec::len)), (&json!(405), Some(3)));
    let moved = manager.get(&format!("/api/tasks?assignee_id={}&count=true", colleague.id)).await.expect(200);
    assert_eq!(moved.header("x-total-count"), Some("405"));
    assert_eq!(moved.items()[0]["due_at"], json!("2036-04-01T00:00:00.000000Z"));
    let kept = manager.get(&format!("/api/tasks?assignee_id={}", sales.id)).await.expect(200);
    assert_eq!(kept.items().len(), 1, "what the filter left out");
    let none = manager.post(TASKS, body).await.expect_problem(422, "invalid_fields");
    assert_eq!(none.body["errors"][0]["code"], json!("no_records"));
    app.settle().await;
    let report = admin.get("/api/admin/integrity").await.expect(200).body;
    for consumer in report["consumers"].as_array().expect("consumers") {
        assert_eq!(
            [&consumer["lost"], &consumer["duplicated"], &consumer["out_of_order"]],
            [&json!(0); 3],
            "{consumer}"
        );
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_changes_so_what_they_may_not_change_one_by_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("自分").await.id(), colleague.customer("他人").await.id());
    let body = json!({"ids": [own, other], "change": {"status": "DORMANT"}});
    let answer = sales.post(CUSTOMERS, body).await.expect(202);
    let saga = ended(&app, &sales, &answer).await;
    assert_eq!((&saga["bulk"]["changed"], &saga["bulk"]["refused_ids"]), (&json!(1), &json!([other])));
    assert_eq!(colleague.get(&format!("/api/customers/{other}")).await.body["status"], json!("LEAD"));
    let away = json!({"ids": [own], "change": {"owner_id": colleague.id}});
    for path in [CUSTOMERS.to_owned(), format!("{CUSTOMERS}?preview=true")] {
        sales.post(&path, away.clone()).await.expect_problem(403, "forbidden");
    }
    let nobody = json!({"ids": [own], "change": {"owner_id": own}});
    let unknown = manager.post(CUSTOMERS, nobody).await.expect_problem(422, "invalid_fields");
    assert_eq!(unknown.body["errors"][0]["field"], json!("change.owner_id"));
    // A filter finds what its caller sees.
    let all = json!({"filter": {}, "change": {"status": "LEAD"}});
    let preview = sales.post(&format!("{CUSTOMERS}?preview=true"), all).await.expect(200).body;
    assert_eq!(preview["total"], json!(1));
    let meeting = colleague.meeting(&other, "訪問").await.id();
    let given = json!({"ids": [meeting], "change": {"owner_id": sales.id}});
    let answer = manager.post("/api/meetings/bulk", given).await.expect(202);
    ended(&app, &manager, &answer).await;
    assert_eq!(
        sales.get(&format!("/api/meetings/{meeting}")).await.expect(200).body["owner_id"],
        json!(sales.id)
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn deleted_customers_take_with_them_what_the_preview_says(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let mut ids = Vec::new();
    for name in ["一", "二"] {
        let id = sales.customer(name).await.id();
        sales.meeting(&id, "訪問").await;
        sales.approval(&id, "値引き").await;
        let task = json!({"title": "電話", "due_at": "2036-03-01T10:00:00Z", "customer_id": id});
        sales.post("/api/tasks", task).await.expect(201);
        ids.push(id);
    }
    let kept = sales.customer("三").await.id();
    sales.meeting(&kept, "訪問").await;
    app.settle().await;
    let body = json!({"ids": ids, "change": {"delete": true}});
    let preview = sales.post(&format!("{CUSTOMERS}?preview=true"), body.clone()).await.expect(200).body;
    assert_eq!((&preview["delete"], &preview["changed"]), (&json!(true), &json!(2)));
    let with = &preview["with"];
    assert_eq!([&with["meetings"], &with["tasks"], &with["approvals"]], [&json!(2); 3]);
    let answer = sales.post(CUSTOMERS, body).await.expect(202);
    let saga = ended(&app, &sales, &answer).await;
    assert_eq!(saga["bulk"]["changed"], json!(2));
    for path in ["/api/customers", "/api/meetings"] {
        assert_eq!(sales.get(path).await.expect(200).items().len(), 1, "{path}");
    }
    assert_eq!(sales.get("/api/tasks").await.expect(200).items().len(), 0);
    let sagas = sales.get("/api/sagas").await.expect(200);
    let cascades = sagas.items().iter().filter(|saga| saga["kind"] == "customer_deletion");
    assert_eq!(cascades.filter(|saga| saga["status"] == "completed").count(), 2, "each has its cascade");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_that_says_too_little_or_too_much_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let id = sales.customer("絆").await.id();
    for (body, field, code) in [
        (json!({"change": {"status": "LEAD"}}), "ids", "ids_or_filter"),
        (json!({"ids": [], "change": {"status": "LEAD"}}), "ids", "required"),
        (json!({"ids": [id], "change": {}}), "change", "nothing_to_change"),
        (json!({"ids": [id], "change": {"status": "LEAD", "delete": true}}), "change.delete", "delete_alone"),
        (json!({"ids": [id], "change": {"name": "x"}}), "change.name", "unknown_field"),
        (json!({"filter": {"stats": "LEAD"}, "change": {"delete": true}}), "filter.stats", "unknown_field"),
    ] {
        let refused = sales.post(CUSTOMERS, body.clone()).await.expect_problem(422, "invalid_fields");
        let fault = &refused.body["errors"][0];
        assert_eq!((&fault["field"], &fault["code"]), (&json!(field), &json!(code)), "{body}");
    }
    let wrong = Rejected::parameter("/api/customers?preview=1", "preview", "unknown_parameter");
    crate::rejected::all_refused(&app, &sales, [wrong]).await;
    assert_eq!(sales.get("/api/sagas").await.expect(200).items().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_console_shows_what_would_be_done_before_it_is_done() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let ids = [sales.customer("一").await.id(), sales.customer("二").await.id()];
    let browser = Browser::open(&app, &manager.email).await;
    let list = browser.get("/customers").await.expect(200).text;
    assert!(list.contains(&format!("form=\"bulk\" name=\"ids\" value=\"{}\"", ids[0])), "{list}");
    let ticked = [("which", "ids"), ("query", "status=LEAD"), ("ids", &ids[0]), ("ids", &ids[1])];
    let form = browser.post("/customers/bulk", &ticked).await.expect(200).text;
    assert!(form.contains("2 件を選択しています。") && form.contains("name=\"owner_id\""), "{form}");
    let with = |more: &[(&'static str, &'static str)]| {
        let own = [("status", ""), ("owner_id", colleague.id.as_str())];
        ticked
            .iter()
            .chain(own.iter())
            .chain(more)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let post = async |fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post("/customers/bulk", &fields).await
    };
    let shown = post(with(&[("step", "preview"), ("act", "change")])).await.expect(200).text;
    assert!(shown.contains("2 件を変更する") && shown.contains("value=\"apply\""), "{shown}");
    assert_eq!(colleague.get("/api/customers").await.expect(200).items().len(), 0, "nothing is done yet");
    let done = post(with(&[("step", "apply"), ("act", "change")])).await.expect(303);
    app.settle().await;
    assert_eq!(colleague.get("/api/customers").await.expect(200).items().len(), 2);
    let saga = manager.get("/api/sagas").await.expect(200).body[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(done.header("location"), Some(format!("/sagas?done=bulk-started#saga-{saga}").as_str()));
    let progress = browser.get("/sagas").await.expect(200).text;
    assert!(progress.contains("顧客の一括変更") && progress.contains("変更済み"), "{progress}");
    let nothing = browser.post("/customers/bulk", &[("which", "ids"), ("query", "")]).await.expect(200).text;
    assert!(nothing.contains("何も選択されていません"), "{nothing}");
    let empty = [("which", "filter"), ("query", "status=LEAD"), ("step", "preview"), ("act", "change")];
    browser.post("/customers/bulk", &empty).await.expect(422);
}
