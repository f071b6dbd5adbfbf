//! `/api/webhooks`: who may have one, what it is checked for, and what of it is a secret.

use rstest::rstest;
use serde_json::{Value, json};
use store::sql::Sql;

use testing::{Api, Database, Postgres, Receiver, Sqlite, Team, TestApp, eventually};

pub const PATH: &str = "/api/webhooks";
/// Receivers of tests are on this machine.
pub const PRIVATE: &[&str] = &["--webhook-allow-private"];

/// Makes a webhook for these types; returns its id and its secret.
pub async fn hook(admin: &Api, url: &str, types: &[&str]) -> (String, String) {
    let made = admin.post(PATH, json!({"url": url, "event_types": types})).await.expect(201);
    (made.id(), made.text_at("/secret"))
}

fn example() -> Value {
    json!({"url": "https://example.com/hook", "event_types": ["customer.created", "task.created"]})
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_admin_makes_reads_changes_and_deletes_webhooks(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, .. } = Team::of(&app).await;
    let made = admin.post(PATH, example()).await.expect(201);
    let path = format!("{PATH}/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert!(made.text_at("/secret").starts_with("whsec_"), "{made}");
    assert_eq!((made.version(), &made.body["enabled"]), (Some(1), &json!(true)));
    let read = admin.get(&path).await.expect(200);
    assert!(read.body.get("secret").is_none(), "{read}");
    assert_eq!(read.body["event_types"], json!(["customer.created", "task.created"]));
    let list = admin.get(&format!("{PATH}?count=true")).await.expect(200);
    assert_eq!((list.header("x-total-count"), list.items()), (Some("1"), std::slice::from_ref(&read.body)));

    let change = json!({"url": "https://example.org/", "event_types": ["task.created", "*"]});
    let changed = admin.if_match(1).patch(&path, change.clone()).await.expect(200);
    assert_eq!((changed.version(), &changed.body["event_types"]), (Some(2), &json!(["*"])));
    admin.if_match(1).patch(&path, change.clone()).await.expect_problem(412, "stale_version");
    assert_eq!(admin.patch(&path, change).await.expect(200).version(), Some(2), "nothing changed");
    let disabled = admin.patch(&path, json!({"enabled": false})).await.expect(200);
    assert_eq!(disabled.body["disabled_reason"], json!("admin"));
    for begin in ["ping", "replay"] {
        let body = if begin == "replay" { json!({"from": "2026-01-01T00:00:00Z"}) } else { json!({}) };
        admin.post(&format!("{path}/{begin}"), body).await.expect_problem(409, "webhook_disabled");
    }
    admin.patch(&path, json!({"enabled": true})).await.expect(200);

    manager.get(PATH).await.expect_problem(403, "forbidden");
    manager.post(PATH, example()).await.expect_problem(403, "forbidden");
    for below in ["", "/deliveries"] {
        manager.get(&format!("{path}{below}")).await.expect_problem(403, "forbidden");
    }
    admin.delete(&path).await.expect(200);
    for below in ["", "/deliveries"] {
        admin.get(&format!("{path}{below}")).await.expect_problem(404, "not_found");
    }
    admin.delete(&path).await.expect_problem(404, "not_found");
    assert_eq!(app.rows("webhook_secrets").await + app.rows("webhook_positions").await, 0);

    let log = admin.get("/api/audit/events?limit=200").await.expect(200);
    let types: Vec<_> = log.items().iter().filter_map(|event| event["type"].as_str()).collect();
    let of_webhooks: Vec<_> = types.into_iter().filter(|name| name.starts_with("webhook.")).rev().collect();
    assert_eq!(
        of_webhooks,
        ["webhook.created", "webhook.updated", "webhook.disabled", "webhook.updated", "webhook.deleted"]
    );
    assert!(!log.text.contains("whsec_") && !log.text.contains("\"secret\""), "no event has a secret");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_secret_is_in_one_answer_alone_and_encrypted_where_it_is_stored(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let admin = Team::of(&app).await.admin;
    let made = admin.idempotency_key("one").post(PATH, example()).await.expect(201);
    let again = admin.idempotency_key("one").post(PATH, example()).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (made.id(), Some("true")));
    assert!(again.body.get("secret").is_none(), "{again}");
    let path = format!("{PATH}/{}/rotate", made.id());
    let rotated = admin.idempotency_key("two").post(&path, json!({})).await.expect(200);
    assert!(
        rotated.text_at("/secret").starts_with("whsec_") && rotated.body["secret"] != made.body["secret"]
    );
    assert_eq!(rotated.version(), Some(2));
    let again = admin.idempotency_key("two").post(&path, json!({})).await.expect(200);
    assert!(again.body.get("secret").is_none(), "{again}");
    for (table, column) in [("webhook_secrets", "current"), ("idempotency_keys", "body"), ("events", "data")]
    {
        let found =
            format!("SELECT CAST(count(*) AS TEXT) FROM {table} WHERE CAST({column} AS TEXT) LIKE '%whsec%'");
        assert_eq!(app.db.number(Sql::new(found)).await.expect("a table"), 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn addresses_and_types_are_checked_and_the_fault_is_told() {
    let app = TestApp::start(Sqlite).await;
    let admin = Team::of(&app).await.admin;
    for (url, code) in [
        ("http://example.com/", "https_required"),
        ("https://user:word@example.com/", "url_with_credentials"),
        ("https://127.1/", "private_address"),
        ("https://2130706433/", "private_address"),
        ("https://[::ffff:10.0.0.1]/", "private_address"),
        ("https://169.254.169.254/latest/meta-data/", "private_address"),
        ("https://localhost/", "private_address"),
        ("ftp://example.com/", "invalid_url"),
        ("example.com", "invalid_url"),
        ("", "required"),
    ] {
        for language in ["en", "ja"] {
            let body = json!({"url": url, "event_types": ["*"]});
            let refused =
                admin.language(language).post(PATH, body).await.expect_problem(422, "invalid_fields");
            let fault = &refused.body["errors"][0];
            assert_eq!((&fault["field"], &fault["code"]), (&json!("url"), &json!(code)), "{url}: {refused}");
            assert_ne!(fault["message"], fault["code"], "{language} has a text");
        }
    }
    let unknown =
        json!({"url": "https://example.com/", "event_types": ["customer.created", "customer.gone"]});
    let refused = admin.post(PATH, unknown).await.expect_problem(422, "invalid_fields");
    assert_eq!(refused.body["errors"][0]["field"], json!("event_types[1]"), "{refused}");
    assert!(refused.body["errors"][0]["message"].as_str().is_some_and(|said| said.contains("deal.won")));
    for wrong in [
        json!({"url": "https://example.com/", "event_types": []}),
        json!({"url": "https://example.com/"}),
        json!({"url": "https://example.com/", "event_types": ["*"], "secret": "whsec_mine"}),
        json!({"url": "https://example.com/", "event_types": ["webhook.pinged"]}),
    ] {
        admin.post(PATH, wrong).await.expect_problem(422, "invalid_fields");
    }
    let made = admin.post(PATH, example()).await.expect(201);
    let change = json!({"url": "https://10.1.2.3/"});
    admin.patch(&format!("{PATH}/{}", made.id()), change).await.expect_problem(422, "invalid_fields");
    for _ in 1..100 {
        admin
            .post(PATH, json!({"url": "https://example.com/", "event_types": ["*"], "enabled": false}))
            .await
            .expect(201);
    }
    admin.post(PATH, example()).await.expect_problem(409, "too_many_webhooks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_breaker_comes_and_goes_with_its_webhook() {
    let app = TestApp::with(Sqlite, PRIVATE).await;
    let admin = Team::of(&app).await.admin;
    let receiver = Receiver::start().await;
    let (id, _) = hook(&admin, &receiver.url(), &["customer.created"]).await;
    let (name, of_actor) = (format!("webhook.{id}"), format!("webhooks.endpoint.{id}"));
    let listed = async |path: &str, name: &str| {
        let list = admin.get(path).await.expect(200);
        list.items().iter().any(|item| item["name"] == json!(name))
    };
    let soon = std::time::Duration::from_secs(10);
    eventually(soon, async || listed("/api/admin/breakers", &name).await).await;
    assert!(listed("/api/admin/actors", &of_actor).await);
    let path = format!("/api/admin/breakers/{name}");
    assert_eq!(admin.post(&path, json!({"force": "open"})).await.expect(200).body["state"], json!("open"));
    let customer = admin.customer("絆").await.id();
    let pending = async || {
        let list = admin.get(&format!("{PATH}/{id}/deliveries?state=pending")).await.expect(200);
        list.items().first().is_some_and(|one| one["tries"] == json!(0))
    };
    eventually(soon, pending).await;
    assert!(receiver.received().is_empty(), "an open breaker lets nothing through, and uses up no try");
    admin.post(&path, json!({"force": "none"})).await.expect(200);
    eventually(soon, async || receiver.received().len() == 1).await;
    assert_eq!(receiver.received()[0].body["subject"], json!(customer));
    admin.delete(&format!("{PATH}/{id}")).await.expect(200);
    eventually(soon, async || !listed("/api/admin/breakers", &name).await).await;
    eventually(soon, async || !listed("/api/admin/actors", &of_actor).await).await;
    admin.post(&path, json!({"force": "open"})).await.expect_problem(404, "not_found");
}
