//! `/api/audit/events`: the event log as CloudEvents.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::app::ADMIN;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const EVENTS: &str = "/api/audit/events";

async fn events(member: &Member, query: &str) -> Vec<Value> {
    member.get(&format!("{EVENTS}?limit=200&{query}")).await.expect(200).items().to_vec()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a type")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_is_logged_with_who_when_and_why(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let made = sales.create_customer(json!({"name": "絆", "notes": "\"'\\ 🎌"})).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let api = sales.header("traceparent", trace).header("x-request-id", "request 17");
    let changed =
        api.patch(&format!("/api/customers/{}", made.id()), json!({"name": "別"})).await.expect(200);
    let logged = events(&manager, &format!("subject={}", made.id())).await;
    let mut event = logged[0].clone();
    assert!(event["id"].take().is_string());
    let wanted = json!({
        "specversion": "1.0", "id": null, "source": "/services/customer", "type": "customer.updated",
        "subject": made.id(), "time": changed.text_at("/updated_at"), "datacontenttype": "application/json",
        "partitionkey": made.id(), "sequence": 2, "traceparent": trace, "correlationid": "request 17",
        "actorid": sales.id, "data": {"customer": changed.body, "changed": ["name"]},
    });
    assert_eq!(event, wanted);
    let first = &logged[1];
    assert_eq!((&first["type"], &first["sequence"]), (&json!("customer.created"), &json!(1)));
    assert_eq!(first["correlationid"].as_str(), made.header("x-request-id"), "as made by the server");
    assert_eq!(first.get("traceparent"), None);
    assert_eq!(first["data"], json!({"customer": made.body}));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_tells_what_it_changed_from_what_to_what(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let customer = sales.create_customer(json!({"name": "青空商事", "status": "LEAD"})).await.id();
    let path = format!("/api/customers/{customer}");
    sales.patch(&path, json!({"status": "ACTIVE", "phone": "03-1234-5678"})).await.expect(200);
    sales.patch(&path, json!({"phone": null})).await.expect(200);
    sales.delete(&path).await.expect(200);
    let logged = events(&manager, &format!("subject={customer}")).await;
    let mut changes = Vec::new();
    for event in &logged {
        let one =
            manager.get(&format!("{EVENTS}/{}", event["id"].as_str().expect("an id"))).await.expect(200);
        assert_eq!(one.body["event"], *event);
        changes.push(one.body["changes"].clone());
    }
    let change = |field: &str, from: Value, to: Value| json!({"field": field, "from": from, "to": to});
    assert_eq!(
        types(&logged)[..],
        ["customer.deleted", "customer.updated", "customer.updated", "customer.created"]
    );
    assert_eq!(changes[0], json!([change("deleted_at", Value::Null, logged[0]["time"].clone())]));
    assert_eq!(changes[1], json!([change("phone", json!("03-1234-5678"), Value::Null)]));
    assert_eq!(
        changes[2],
        json!([
            change("phone", Value::Null, json!("03-1234-5678")),
            change("status", json!("LEAD"), json!("ACTIVE")),
        ])
    );
    assert_eq!(
        changes[3],
        json!([
            change("name", Value::Null, json!("青空商事")),
            change("owner_id", Value::Null, json!(sales.id)),
            change("status", Value::Null, json!("LEAD")),
        ])
    );
    manager.get(&format!("{EVENTS}/{customer}")).await.expect_problem(404, "not_found");
    sales.get(&format!("{EVENTS}/{customer}")).await.expect_problem(403, "forbidden");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_an_event_causes_names_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let api = sales.header("traceparent", trace).header("x-request-id", "request-17");
    let customer = api.post("/api/customers", json!({"name": "絆"})).await.expect(201).id();
    app.settle().await;
    let cause = &events(&manager, &format!("subject={customer}")).await[0];
    let effect = &events(&manager, "type=notification.created").await[0];
    assert_eq!(effect["causationid"], cause["id"]);
    assert_eq!((&effect["correlationid"], &effect["traceparent"]), (&json!("request-17"), &json!(trace)));
    assert_eq!(effect["source"], "/services/analytics");
    assert_eq!(effect.get("actorid"), None, "nobody did it");
    assert_eq!(effect["data"]["notification"]["user_id"], json!(manager.id));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_log_is_narrowed_by_type_subject_actor_and_time(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    app.clock.advance(Duration::from_secs(60));
    let customer = sales.customer("絆").await;
    let id = customer.id();
    manager.patch(&format!("/api/customers/{id}"), json!({"name": "別"})).await.expect(200);
    app.clock.advance(Duration::from_secs(60));
    sales.delete(&format!("/api/customers/{id}")).await.expect(200);
    app.settle().await;
    let all = events(&manager, &format!("subject={id}")).await;
    assert_eq!(types(&all), ["customer.deleted", "customer.updated", "customer.created"], "the newest first");
    let found = async |query: &str| events(&manager, &format!("subject={id}&{query}")).await;
    assert_eq!(found("type=customer.updated").await, [all[1].clone()]);
    assert_eq!(found(&format!("actor_id={}", sales.id)).await, [all[0].clone(), all[2].clone()]);
    let time = all[0]["time"].as_str().expect("a time");
    assert_eq!(found(&format!("from={time}")).await, [all[0].clone()], "from is within");
    assert_eq!(found(&format!("to={time}")).await, all[1..], "to is not");
    let counted = admin.get(&format!("{EVENTS}?subject={id}&count=true&limit=1")).await.expect(200);
    assert_eq!((counted.items().len(), counted.header("x-total-count")), (1, Some("3")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_log_is_for_managers_and_admins() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    admin.get(EVENTS).await.expect(200);
    manager.get(EVENTS).await.expect(200);
    let rejected = |query: &str, field, code| Rejected::parameter(&format!("{EVENTS}?{query}"), field, code);
    all_refused(&app, &sales, [Rejected::get(EVENTS, 403, "forbidden")]).await;
    let unknown = [
        rejected("type=customer.forgotten", "type", "invalid_choice"),
        rejected("subject=17", "subject", "invalid_value"),
        rejected("from=monday", "from", "invalid_time"),
    ];
    all_refused(&app, &manager, unknown).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn logins_and_failures_are_logged_and_no_secret_is() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let guess = json!({"email": sales.email, "password": "wrong-password"});
    app.nobody().post("/api/auth/login", guess).await.expect(401);
    let nobody = json!({"email": "nobody@example.com", "password": "wrong-password"});
    app.nobody().post("/api/auth/login", nobody).await.expect(401);
    let path = format!("/api/auth/users/{}", sales.id);
    admin.patch(&path, json!({"password": "another-password"})).await.expect(200);
    app.settle().await;
    let logged = events(&admin, "").await;
    let failed: Vec<_> = logged.iter().filter(|event| event["type"] == "user.login_failed").collect();
    let failed: Vec<_> = failed.iter().map(|event| event["data"].clone()).collect();
    assert_eq!(
        failed,
        [json!({"user_id": null}), json!({"user_id": sales.id})],
        "known or not, one event each"
    );
    let login =
        logged.iter().find(|event| event["type"] == "user.login" && event["actorid"] == json!(sales.id));
    assert_eq!(login.expect("a login")["data"], json!({"user_id": sales.id}));
    let changed = logged.iter().find(|event| event["type"] == "user.updated").expect("a change");
    assert_eq!(changed["data"]["changed"], json!(["password"]));
    let text = json!(logged).to_string();
    assert!(text.contains(ADMIN));
    for secret in
        ["argon2", "password_hash", "another-password", "wrong-password", sales.refresh_token.as_str()]
    {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_console_says_why_there_is_a_notification_and_what_made_it() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    sales.customer("絆").await;
    app.settle().await;
    let told = manager.get("/api/notifications").await.expect(200).items()[0]["id"].clone();
    let why = format!("/admin/audit/of/{}", told.as_str().expect("an id"));
    let browser = testing::browser::Browser::open(&app, &manager.email).await.api();
    assert!(browser.get("/notifications").await.expect(200).text.contains(&why));
    let to = browser.get(&why).await.expect(303).header("location").expect("an address").to_owned();
    assert!(to.ends_with("#why"), "{to}");
    let page = browser.get(to.trim_end_matches("#why")).await.expect(200).text;
    assert!(page.contains("analytics.notifications") && page.contains("ユーザーの操作"), "{page}");
    let other = testing::browser::Browser::open(&app, &sales.email).await.api();
    assert!(!other.get("/notifications").await.expect(200).text.contains("/admin/audit/of/"));
    other.get(&why).await.expect(403);
}
