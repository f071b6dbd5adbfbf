//! What a key reads of lists that have records of several kinds: nothing beyond its scopes.

use rstest::rstest;
use serde_json::json;

use testing::keys::Key;
use testing::live_client::{Client, Heard};
use testing::upload::{form, send};
use testing::{Answer, Database, Postgres, Sqlite, Team, TestApp};

#[track_caller]
fn lacks(answer: Answer, scope: &str) {
    let answer = answer.expect_problem(403, "missing_scope");
    assert_eq!(answer.body["errors"][0]["field"], "Authorization", "{answer}");
    assert!(answer.text_at("/detail").contains(scope), "{answer}");
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_search_finds_the_records_of_the_scopes_alone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    sales.meeting(&customer, "絆の訪問").await;
    sales.task("絆への電話", "2026-03-05T09:00:00Z").await;
    sales.deal(&customer, "絆との契約").await;
    sales.approval(&customer, "絆の値引き").await;
    for (scopes, kinds) in [
        (&["customers:read"][..], &["customer"][..]),
        (&["tasks:write", "deals:read"], &["deal", "task"]),
        (&["approvals:read", "meetings:read"], &["approval", "meeting"]),
        (&["reports:read"], &[]),
    ] {
        let key = Key::of(&admin, scopes).await;
        let found = key.api.get("/api/search?q=絆").await.expect(200);
        let mut types: Vec<_> = found.items().iter().filter_map(|hit| hit["type"].as_str()).collect();
        types.sort_unstable();
        assert_eq!(types, kinds, "{scopes:?}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn notifications_are_those_about_records_of_the_scopes(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = manager.create_customer(json!({"name": "絆商事", "owner_id": admin.id})).await.id();
    manager
        .post(
            "/api/deals",
            json!({"customer_id": customer, "title": "契約", "amount": 1, "owner_id": admin.id}),
        )
        .await
        .expect(201);
    let _ = sales;
    app.settle().await;
    let all = admin.get("/api/notifications").await.expect(200);
    assert_eq!(all.items().len(), 2);
    let id_about = |kind: &str| {
        let found = all.items().iter().find(|row| row["subject"]["type"] == kind).expect("a notification");
        found["id"].as_str().unwrap().to_owned()
    };
    let key = Key::of(&admin, &["notifications:write", "deals:read"]).await;
    let unread = key.api.get("/api/notifications/unread").await.expect(200);
    assert_eq!((unread.items().len(), unread.header("x-total-count")), (1, Some("1")));
    assert_eq!(unread.items()[0]["subject"]["type"], "deal");
    let read = async |kind: &str| {
        key.api.patch(&format!("/api/notifications/{}/read", id_about(kind)), json!({})).await
    };
    read("customer").await.expect_problem(404, "not_found");
    read("deal").await.expect(200);
    let none = Key::of(&admin, &["notifications:read"]).await;
    assert!(none.api.get("/api/notifications").await.expect(200).items().is_empty());
    lacks(Key::of(&admin, &["deals:read"]).await.api.get("/api/notifications").await, "notifications:read");
    // What is read at once is what may be read.
    let customers = Key::of(&admin, &["notifications:write", "tasks:read"]).await;
    assert_eq!(
        customers.api.post("/api/notifications/read-all", json!({})).await.expect(200).body["count"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_tells_of_other_records_needs_their_scopes() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let other = sales.customer("他社").await.id();
    sales.meeting(&customer, "訪問").await;
    app.settle().await;
    let path = format!("/api/customers/{customer}");
    let key = Key::of(&admin, &["customers:write", "tasks:read", "deals:read", "approvals:read"]).await;
    let whole = Key::of(
        &admin,
        &["customers:write", "tasks:read", "deals:read", "approvals:read", "meetings:read", "users:write"],
    )
    .await;
    for beside in [
        format!("{path}/activity"),
        format!("{path}/deletion-preview"),
        format!("{path}/merge-preview?other_id={other}"),
        format!("/api/auth/users/{}/deletion-preview", sales.id),
    ] {
        let scope = if beside.contains("/users/") { "users:write" } else { "meetings:read" };
        let refused = key.api.get(&beside).await;
        let named = refused.body["detail"].as_str().unwrap_or_default().to_owned();
        assert!(
            refused.status == 403 && (named.contains(scope) || named.contains("meetings:read")),
            "{refused}"
        );
        whole.api.get(&beside).await.expect(200);
    }
    let preview = json!({"ids": [customer], "change": {"delete": true}});
    lacks(key.api.post("/api/customers/bulk?preview=true", preview.clone()).await, "meetings:read");
    whole.api.post("/api/customers/bulk?preview=true", preview).await.expect(200);
    // What stands beside a record goes with it, and so does the file of a list.
    lacks(
        key.api.post(&format!("/api/meetings/{customer}/comments"), json!({"text": "はい"})).await,
        "meetings:write",
    );
    key.api.post(&format!("{path}/comments"), json!({"text": "はい"})).await.expect(201);
    let file = whole.api.header("accept", "text/csv");
    file.get("/api/meetings").await.expect(200);
    lacks(key.api.header("accept", "text/csv").get("/api/meetings").await, "meetings:read");
    // Recording a meeting takes no scope of customers.
    let records = Key::of(&admin, &["meetings:write"]).await;
    let meeting = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
    records.api.post("/api/meetings", meeting).await.expect(201);
    lacks(records.api.get(&path).await, "customers:read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn imports_and_undos_need_the_scopes_of_what_they_change() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let file = || form(&[("kind", "tasks")], "a.csv", "title,due\n電話,2026/3/5\n".as_bytes());
    let (imports, tasks) =
        (Key::of(&admin, &["imports:write", "sagas:write"]).await, Key::of(&admin, &["tasks:write"]).await);
    let both = Key::of(&admin, &["imports:write", "tasks:write", "sagas:write"]).await;
    lacks(send(&imports.api, "/api/imports", file()).await, "tasks:write");
    lacks(send(&tasks.api, "/api/imports", file()).await, "imports:write");
    let import = send(&both.api, "/api/imports", file()).await.expect(201).id();
    let path = format!("/api/imports/{import}");
    lacks(imports.api.get(&path).await, "tasks:read");
    lacks(imports.api.get(&format!("{path}/rows?outcome=new")).await, "tasks:read");
    lacks(imports.api.post(&format!("{path}/commit"), json!({})).await, "tasks:read");
    let saga = both.api.post(&format!("{path}/commit"), json!({})).await.expect(202).text_at("/saga/id");
    app.settle().await;
    lacks(imports.api.post(&format!("/api/sagas/{saga}/undo"), json!({})).await, "tasks:write");
    lacks(imports.api.get(&format!("/api/sagas/{saga}/undo-preview")).await, "tasks:read");
    both.api.post(&format!("/api/sagas/{saga}/undo"), json!({})).await.expect(202);
    app.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_log_and_subscriptions_show_the_events_of_the_scopes(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆商事").await.id();
    let task = sales.task("絆への電話", "2026-03-05T09:00:00Z").await.id();
    sales.post(&format!("/api/customers/{customer}/comments"), json!({"text": "はい"})).await.expect(201);
    app.settle().await;
    let put = |name: &str, types: serde_json::Value| {
        let (admin, path) =
            (admin.header("content-type", "application/json"), format!("/api/subscriptions/{name}"));
        async move { admin.raw("PUT", &path, json!({"types": types, "from": "start"}).to_string()).await }
    };
    put("tasks", json!(["task.created"])).await.expect(201);
    put("all", json!([])).await.expect(201);

    let key = Key::of(&admin, &["events:read", "tasks:read"]).await;
    let page = key.api.get("/api/events?limit=100").await.expect(200);
    let subjects: Vec<_> = page.items().iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(subjects, [json!(task)], "{page}");
    let rest = key.api.get(page.next().expect("a link")).await.expect(200);
    assert!(rest.items().is_empty(), "the cursor leads past what the key may not read");
    lacks(key.api.get("/api/events?types=customer.created").await, "customers:read");
    let batch = key.api.get("/api/subscriptions/tasks/events").await.expect(200);
    assert_eq!(batch.body["events"][0]["subject"], json!(task), "{batch}");
    lacks(key.api.get("/api/subscriptions/all/events").await, "customers:read");
    lacks(
        key.api.get(&format!("/api/events/{}/chain", page.items()[0]["id"].as_str().unwrap())).await,
        "audit:read",
    );

    let hooks = Key::of(&admin, &["webhooks:write", "tasks:read"]).await;
    let hook = |types: &[&str]| json!({"url": "https://example.com/hook", "event_types": types});
    let made = hooks.api.post("/api/webhooks", hook(&["task.created"])).await.expect(201);
    lacks(hooks.api.post("/api/webhooks", hook(&["*"])).await, "customers:read");
    lacks(hooks.api.post("/api/webhooks", hook(&["comment.created"])).await, "customers:read");
    let path = format!("/api/webhooks/{}", made.id());
    lacks(hooks.api.patch(&path, json!({"event_types": ["deal.created"]})).await, "deals:read");
    let whole = admin.post("/api/webhooks", hook(&["*"])).await.expect(201).id();
    lacks(
        hooks.api.patch(&format!("/api/webhooks/{whole}"), json!({"enabled": false})).await,
        "customers:read",
    );

    let other = Key::of(&admin, &["tasks:read"]).await;
    lacks(other.api.get("/api/webhooks").await, "webhooks:read");
    lacks(other.api.get("/api/events").await, "events:read");
    lacks(other.api.get("/api/subscriptions").await, "events:read");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_live_feed_shows_the_events_of_the_scopes(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let key = Key::of(&admin, &["tasks:read", "meetings:read"]).await;
    let (mut client, begun) = Client::at(&key.api, "/api/ws?topics=tasks,comments").await;
    let everything = async || {
        let customer = manager.create_customer(json!({"name": "絆商事", "owner_id": admin.id})).await.id();
        manager
            .post(&format!("/api/customers/{customer}/comments"), json!({"text": "顧客"}))
            .await
            .expect(201);
        let task = sales.task("電話", "2026-03-05T09:00:00Z").await.id();
        sales.post(&format!("/api/tasks/{task}/comments"), json!({"text": "タスク"})).await.expect(201);
        app.settle().await;
    };
    everything().await;
    let expected = ["task.created", "comment.created"];
    for name in expected {
        assert_eq!(client.next("event").await["event"]["type"], name);
    }
    client.assert_quiet().await;
    // The same from the log.
    let (mut again, _) = Client::at(&key.api, &format!("/api/ws?topics=tasks,comments&cursor={begun}")).await;
    for name in expected {
        assert_eq!(again.next("event").await["event"]["type"], name);
    }
    again.assert_quiet().await;
    // A topic beyond the scopes is refused, in the address and in a frame.
    let bearer = format!("Bearer {}", key.text);
    let refused =
        Client::open(key.api.base(), "/api/ws?topics=customers", &[("authorization", &bearer)]).await;
    assert_eq!(refused.err(), Some(403));
    lacks(key.api.get("/api/stream?topics=tasks,sagas").await, "sagas:read");
    client.subscribe(&["customers"]).await;
    assert_eq!(client.next("error").await["code"], "missing_scope");
    // A key signs in by the first frame, too; the end of a key is the end of its socket.
    let mut late = Client::open(key.api.base(), "/api/ws", &[]).await.expect("a socket");
    late.say(json!({"type": "auth", "token": key.text})).await;
    assert_eq!(late.frame().await["type"], "hello");
    admin.delete(&format!("/api/api-keys/{}", key.id)).await.expect(200);
    for socket in [&mut client, &mut again, &mut late] {
        loop {
            match socket.hear().await {
                Heard::Frame(_) => {}
                Heard::Closed(code) => break assert_eq!(code, 4401),
                Heard::Gone => panic!("no close frame"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_hears_its_notifications_by_its_scopes_and_its_role() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let scopes = ["notifications:read", "customers:read", "tasks:read"];
    let key = Key::of(&admin, &scopes).await;
    let low = Key::with(&admin, json!({"name": "低", "scopes": scopes, "role": "SALES"})).await;
    let deals = Key::of(&admin, &["notifications:read", "deals:read"]).await;
    let (mut hears, _) = Client::at(&key.api, "/api/ws?topics=tasks").await;
    let (mut lower, _) = Client::at(&low.api, "/api/ws?topics=tasks").await;
    let (mut nothing, _) = Client::at(&deals.api, "/api/ws").await;
    manager.create_customer(json!({"name": "絆商事", "owner_id": admin.id})).await;
    assert_eq!(hears.next("notification").await["notification"]["subject"]["type"], "customer");
    assert_eq!(lower.next("notification").await["notification"]["subject"]["type"], "customer");
    nothing.assert_quiet().await;
    sales.task("電話", "2026-03-05T09:00:00Z").await;
    assert_eq!(hears.next("event").await["event"]["type"], "task.created");
    lower.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refusal_is_told_in_both_languages() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let key = Key::of(&admin, &["tasks:read"]).await;
    for (language, text) in
        [("ja", "スコープ customers:read が必要"), ("en", "needs the scope customers:read")]
    {
        let refused = key.api.language(language).get("/api/customers").await.expect(403);
        assert!(refused.text_at("/detail").contains(text), "{refused}");
    }
}
