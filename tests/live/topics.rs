//! Who sees which events of the topics (SPEC §1), at the moment of sending.

use domain::events::CATALOGUE;
use kernel::event::EventType;
use rstest::rstest;
use serde_json::{Value, json};

use testing::live_client::{Client, cursor_of};
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const ALL: [&str; 6] = ["customers", "meetings", "tasks", "approvals", "deals", "sagas"];
const WITH_ALL: &str = "/api/ws?topics=customers,meetings,tasks,approvals,deals,sagas";

/// A client that follows every topic.
async fn follower(member: &Member) -> Client {
    Client::at(member, WITH_ALL).await.0
}

/// The types of the next `count` events, notifications aside.
async fn types(client: &mut Client, count: usize) -> Vec<String> {
    let mut types = Vec::new();
    while types.len() < count {
        let frame = client.frame().await;
        if frame["type"] == "event" {
            types.push(frame["event"]["type"].as_str().expect("a type").to_owned());
        }
    }
    types.sort();
    types
}

async fn next_event(client: &mut Client) -> Value {
    loop {
        let frame = client.frame().await;
        if frame["type"] == "event" {
            return frame;
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_role_sees_the_events_of_the_records_it_may_see(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    let mut of_sales = follower(&sales).await;
    let mut of_colleague = follower(&colleague).await;
    let mut of_manager = follower(&manager).await;
    let mut of_admin = follower(&admin).await;
    let customer = sales.customer("絆商事").await.id();
    sales.meeting(&customer, "初回訪問").await;
    sales.task("見積もり", "2026-03-20T09:00:00Z").await;
    sales.approval(&customer, "値引き").await;
    sales.deal(&customer, "年間契約").await;
    let made = ["approval.requested", "customer.created", "deal.created", "meeting.created", "task.created"];
    for client in [&mut of_sales, &mut of_manager, &mut of_admin] {
        assert_eq!(types(client, 5).await, made);
    }
    of_colleague.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_is_the_cloud_event_of_the_log() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let mut client = follower(&sales).await;
    let customer = sales.customer("絆商事").await.id();
    let frame = next_event(&mut client).await;
    let logged = admin.get(&format!("/api/audit/events?subject={customer}")).await;
    assert_eq!(frame["event"], logged.items()[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_changes_hands_is_seen_by_both_and_then_by_its_new_owner_alone() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let (mut of_sales, mut of_colleague) = (follower(&sales).await, follower(&colleague).await);
    let path = format!("/api/customers/{customer}");
    manager.patch(&path, json!({"owner_id": colleague.id})).await.expect(200);
    for client in [&mut of_sales, &mut of_colleague] {
        let frame = next_event(client).await;
        assert_eq!(frame["event"]["data"]["customer"]["owner_id"], json!(colleague.id));
    }
    manager.patch(&path, json!({"notes": "secret"})).await.expect(200);
    assert_eq!(next_event(&mut of_colleague).await["event"]["data"]["customer"]["notes"], "secret");
    of_sales.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn meetings_tasks_and_deals_that_change_hands_are_seen_to_go() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let meeting = sales.meeting(&customer, "初回訪問").await.id();
    let task = sales.task("見積もり", "2026-03-20T09:00:00Z").await.id();
    let deal = sales.deal(&customer, "年間契約").await.id();
    let (mut of_sales, mut of_colleague) = (follower(&sales).await, follower(&colleague).await);
    let to_colleague = |field: &str| json!({field: colleague.id});
    manager.patch(&format!("/api/meetings/{meeting}"), to_colleague("owner_id")).await.expect(200);
    manager.patch(&format!("/api/tasks/{task}"), to_colleague("assignee_id")).await.expect(200);
    manager.patch(&format!("/api/deals/{deal}"), to_colleague("owner_id")).await.expect(200);
    for client in [&mut of_sales, &mut of_colleague] {
        assert_eq!(types(client, 3).await, ["deal.updated", "meeting.updated", "task.updated"]);
    }
    manager.patch(&format!("/api/meetings/{meeting}"), json!({"title": "再訪"})).await.expect(200);
    assert_eq!(types(&mut of_colleague, 1).await, ["meeting.updated"]);
    of_sales.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_saga_is_seen_by_who_started_it_and_by_managers_and_its_plural_events_by_managers_alone() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let path = "/api/ws?topics=sagas,meetings";
    let (mut of_sales, _) = Client::at(&sales, path).await;
    let (mut of_manager, _) = Client::at(&manager, path).await;
    let (mut of_colleague, _) = Client::at(&colleague, path).await;
    sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    assert_eq!(types(&mut of_sales, 1).await, ["saga.started"]);
    let mut of_all = Vec::new();
    while !["saga.started", "saga.step_completed", "meetings.deleted"].iter().all(|it| of_all.contains(it)) {
        of_all.extend(
            types(&mut of_manager, 1)
                .await
                .into_iter()
                .filter_map(|kind| CATALOGUE.find(&kind).map(EventType::name)),
        );
    }
    app.settle().await;
    let rest = of_sales.rest().await;
    let is_of_saga =
        |frame: &Value| frame["event"]["type"].as_str().is_some_and(|it| it.starts_with("saga."));
    assert!(!rest.is_empty() && rest.iter().all(is_of_saga), "{rest:?}");
    of_colleague.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn topics_are_followed_from_their_subscription_on_and_until_the_next() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let mut client = Client::of(&admin).await;
    sales.customer("before").await;
    client.assert_quiet().await;
    client.subscribe(&ALL).await;
    client.assert_quiet().await;
    sales.customer("within").await;
    let frame = client.next("event").await;
    assert_eq!(frame["event"]["data"]["customer"]["name"], "within");
    client.subscribe(&["tasks"]).await;
    client.assert_quiet().await;
    sales.customer("beyond").await;
    client.assert_quiet().await;
    client.subscribe(&[]).await;
    sales.task("見積もり", "2026-03-20T09:00:00Z").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_of_topics_are_resumed_too(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let (mut client, _) = Client::at(&admin, WITH_ALL).await;
    for name in ["a", "b", "c"] {
        sales.customer(name).await;
    }
    let first = client.next("event").await;
    drop(client);
    let mut seen = vec![first["event"]["id"].clone()];
    let (mut client, _) = Client::at(&admin, &format!("{WITH_ALL}&cursor={}", cursor_of(&first))).await;
    for _ in 0..2 {
        seen.push(client.next("event").await["event"]["id"].clone());
    }
    client.assert_quiet().await;
    let logged = admin.get("/api/audit/events?type=customer.created").await;
    let mut expected: Vec<Value> = logged.items().iter().map(|event| event["id"].clone()).collect();
    expected.sort_by_key(Value::to_string);
    seen.sort_by_key(Value::to_string);
    assert_eq!(seen, expected);
    let (mut client, _) = Client::at(&admin, "/api/ws").await;
    client.subscribe(&["customers"]).await;
    client.say(json!({"type": "resume", "cursor": cursor_of(&first)})).await;
    client.next("event").await;
    client.next("event").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lowered_role_is_seen_by_at_the_next_event() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let mut client = follower(&manager).await;
    sales.customer("seen").await;
    next_event(&mut client).await;
    app.settle().await;
    let path = format!("/api/auth/users/{}", manager.id);
    admin.patch(&path, json!({"role": "SALES"})).await.expect(200);
    let mut clean = follower(&manager).await;
    sales.task("unseen", "2026-03-20T09:00:00Z").await;
    clean.assert_quiet().await;
}
