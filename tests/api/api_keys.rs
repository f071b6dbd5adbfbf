//! API keys: made and revoked by ADMIN, used in the place of a token, and bound to their user, their time and their rate.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use store::sql::Sql;
use testing::app::PASSWORD;
use testing::keys::Key;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp, eventually};

const KEYS: &str = "/api/api-keys";
const CUSTOMERS: &str = "/api/customers";
const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

fn wanted(name: &str) -> Value {
    json!({"name": name, "scopes": ["customers:write"], "role": "MANAGER"})
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_is_shown_once_used_listed_and_revoked(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, .. } = Team::of(&app).await;
    let made = admin.post(KEYS, wanted(" 連携 ")).await.expect(201);
    let text = made.text_at("/key");
    assert!(text.starts_with("kzn_") && text.len() == 68, "{text}");
    assert_eq!(made.header("location"), Some(format!("{KEYS}/{}", made.id()).as_str()));
    assert_eq!(made.version(), Some(1));
    let described = json!({
        "id": made.id(), "version": 1, "name": "連携", "prefix": &text[..16], "scopes": ["customers:write"],
        "role": "MANAGER", "user_id": admin.id, "expires_at": null, "last_used_at": null,
        "created_at": "2026-03-02T09:00:00.000000Z", "updated_at": "2026-03-02T09:00:00.000000Z",
    });
    let listed = admin.get(KEYS).await.expect(200);
    assert_eq!(listed.items(), [described], "without the key and its hash");

    let key = Key::from(&admin, &made);
    let customer = key.api.post(CUSTOMERS, json!({"name": "絆商事"})).await.expect(201);
    assert_eq!(customer.text_at("/owner_id"), admin.id);
    key.api.get(CUSTOMERS).await.expect(200);
    app.clock.advance(Duration::from_secs(90));
    key.api.get(CUSTOMERS).await.expect(200);
    eventually(testing::live_client::SOON, async || {
        let used = admin.get(KEYS).await.expect(200).items()[0]["last_used_at"].clone();
        if used == json!("2026-03-02T09:01:30.000000Z") { Ok(()) } else { Err(used) }
    })
    .await;

    admin.if_match(7).delete(&format!("{KEYS}/{}", key.id)).await.expect_problem(412, "stale_version");
    let gone = admin.if_match(1).delete(&format!("{KEYS}/{}", key.id)).await.expect(200);
    assert_eq!(gone.body, json!({"id": key.id, "status": "deleted"}));
    let refused = key.api.get(CUSTOMERS).await.expect_problem(401, "key_revoked");
    assert!(refused.header("www-authenticate").is_some());
    assert!(admin.get(KEYS).await.expect(200).items().is_empty());
    for id in [key.id.as_str(), MISSING] {
        admin.delete(&format!("{KEYS}/{id}")).await.expect_problem(404, "not_found");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_events_name_the_key_that_acted_and_hold_no_secret(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, .. } = Team::of(&app).await;
    let key = Key::of(&admin, &["customers:write"]).await;
    let customer = key.api.post(CUSTOMERS, json!({"name": "絆商事"})).await.expect(201).id();
    admin.patch(&format!("{CUSTOMERS}/{customer}"), json!({"name": "絆"})).await.expect(200);
    admin.delete(&format!("{KEYS}/{}", key.id)).await.expect(200);
    let events = async |subject: &str| {
        let path = format!("/api/audit/events?subject={subject}");
        admin.get(&path).await.expect(200).items().to_vec()
    };
    let [changed, created] = &events(&customer).await[..] else { panic!("two events") };
    assert_eq!((&created["actorid"], &created["apikeyid"]), (&json!(admin.id), &json!(key.id)));
    assert_eq!((&changed["actorid"], changed.get("apikeyid")), (&json!(admin.id), None));
    let [revoked, made] = &events(&key.id).await[..] else { panic!("two events") };
    assert_eq!((&made["type"], &revoked["type"]), (&json!("api_key.created"), &json!("api_key.revoked")));
    for event in [made, revoked] {
        assert_eq!(event["source"], "/services/gateway");
        assert_eq!(event["data"]["api_key"]["scopes"], json!(["customers:write"]));
        let text = event.to_string();
        assert!(!text.contains("hash") && !text.contains(&key.text[20..]), "{text}");
    }
    let stored = app.db.text(Sql::new("SELECT secret_hash FROM api_keys")).await.unwrap().expect("a hash");
    assert!(stored.len() == 64 && !key.text.contains(&stored), "{stored}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_repeated_answer_has_no_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, .. } = Team::of(&app).await;
    let once = admin.idempotency_key("one key");
    let first = once.post(KEYS, wanted("連携")).await.expect(201);
    let again = once.post(KEYS, wanted("連携")).await.expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.id(), &again.body["key"]), (first.id(), &Value::Null));
    assert_eq!(admin.get(KEYS).await.expect(200).items().len(), 1);
    once.post(KEYS, wanted("他")).await.expect_problem(422, "idempotency_key_reused");
    let secret = &first.text_at("/key")[26..];
    let with_it = "SELECT CAST(count(*) AS TEXT) FROM idempotency_keys";
    let with_it = Sql::new(with_it).filter("CAST(body AS TEXT) LIKE ?", [format!("%{secret}%").into()]);
    assert_eq!((app.rows("idempotency_keys").await, app.db.number(with_it).await.unwrap()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_key_does_not_read_the_first_answers_of_another() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let (writes, other) =
        (Key::of(&admin, &["customers:write"]).await, Key::of(&admin, &["tasks:write"]).await);
    let body = json!({"name": "絆商事"});
    let first = writes.api.idempotency_key("k").post(CUSTOMERS, body.clone()).await.expect(201);
    let again = writes.api.idempotency_key("k").post(CUSTOMERS, body.clone()).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (first.id(), Some("true")));
    other.api.idempotency_key("k").post(CUSTOMERS, body.clone()).await.expect_problem(403, "missing_scope");
    let own = admin.idempotency_key("k").post(CUSTOMERS, body).await.expect(201);
    assert_ne!(own.id(), first.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_an_admin_who_has_signed_in_manages_keys() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for member in [&manager, &sales] {
        member.get(KEYS).await.expect_problem(403, "forbidden");
        member.post(KEYS, wanted("連携")).await.expect_problem(403, "forbidden");
        member.delete(&format!("{KEYS}/{MISSING}")).await.expect_problem(403, "forbidden");
    }
    let key = Key::of(&admin, &["admin:write", "users:write"]).await;
    for answer in [
        key.api.get(KEYS).await,
        key.api.post(KEYS, wanted("連携")).await,
        key.api.delete(&format!("{KEYS}/{}", key.id)).await,
        key.api.post("/api/auth/logout", json!({})).await,
        key.api.get("/api/auth/sessions").await,
        key.api.patch("/api/auth/me", json!({"name": "別名"})).await,
        key.api.get("/api/auth/me/preferences").await,
        key.api.get("/api/auth/me/views").await,
        key.api
            .post("/api/auth/password", json!({"current_password": PASSWORD, "new_password": "another one"}))
            .await,
        key.api.patch(&format!("/api/auth/users/{}", admin.id), json!({"name": "別名"})).await,
        key.api.patch(&format!("/api/auth/users/{}", sales.id), json!({"password": "another one"})).await,
    ] {
        answer.expect_problem(403, "session_required");
    }
    key.api.patch(&format!("/api/auth/users/{}", sales.id), json!({"name": "別名"})).await.expect(200);
    // Nor is a key a cookie of the console.
    let page =
        app.nobody().header("accept", "text/html").header("cookie", format!("kizuna_session={}", key.text));
    let shown = page.get("/customers").await;
    assert_ne!(shown.status, 200, "{shown}");
    key.api.get(&format!("/api/auth/users/{}", sales.id)).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_is_lowered_and_ends_with_its_user(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let boss = admin.hire("ADMIN", "boss", None).await;
    let customer = sales.customer("絆商事").await.id();
    let path = format!("{CUSTOMERS}/{customer}");
    let key = Key::of(&boss, &["customers:read", "audit:read"]).await;
    let low =
        Key::with(&boss, json!({"name": "低", "scopes": ["customers:read", "audit:read"], "role": "SALES"}))
            .await;
    key.api.get(&path).await.expect(200);
    key.api.get("/api/audit/events").await.expect(200);
    low.api.get(&path).await.expect_problem(404, "not_found");
    low.api.get("/api/audit/events").await.expect_problem(403, "forbidden");
    let boss_path = format!("/api/auth/users/{}", boss.id);
    admin.patch(&boss_path, json!({"role": "SALES"})).await.expect(200);
    key.api.get(&path).await.expect_problem(404, "not_found");
    key.api.get("/api/audit/events").await.expect_problem(403, "forbidden");
    // A new password ends sessions, and no key.
    admin.patch(&boss_path, json!({"role": "ADMIN", "password": "another one"})).await.expect(200);
    boss.get(CUSTOMERS).await.expect(401);
    key.api.get(&path).await.expect(200);
    admin.delete(&boss_path).await.expect(200);
    key.api.get(&path).await.expect_problem(401, "key_revoked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_ends_with_its_time_and_a_wrong_one_opens_nothing() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let body =
        |end: &str| json!({"name": "短", "scopes": ["customers:read"], "role": "ADMIN", "expires_at": end});
    let refused = admin.post(KEYS, body("2026-03-02T09:00:00Z")).await.expect_problem(422, "invalid_fields");
    assert_eq!(refused.body["errors"][0]["code"], "not_in_future");
    let key = Key::with(&admin, body("2026-03-02T09:10:00Z")).await;
    key.api.get(CUSTOMERS).await.expect(200);
    app.clock.advance(Duration::from_secs(600));
    key.api.get(CUSTOMERS).await.expect_problem(401, "token_expired");
    let other = Key::of(&admin, &["customers:read"]).await;
    // Another's random bits behind this id.
    let mixed = format!("{}{}", &other.text[..25], &key.text[25..]);
    for wrong in [mixed.as_str(), "kzn_", "kzn_x", &other.text[..67], &format!("{}A", other.text)] {
        app.nobody().token(wrong).get(CUSTOMERS).await.expect_problem(401, "invalid_token");
    }
    other.api.get(CUSTOMERS).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_key_to_make_is_told() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    for (body, fields) in [
        (json!({"name": "", "scopes": [], "role": "ADMIN"}), &["name", "scopes"][..]),
        (json!({"name": "a", "scopes": ["everything:read"], "role": "ADMIN"}), &["scopes[0]"]),
        (json!({"name": "a", "scopes": ["tasks:read"], "role": "BOSS"}), &["role"]),
        (json!({"name": "a", "scopes": ["tasks:read"]}), &["role"]),
        (json!({"name": "a", "scopes": ["tasks:read"], "role": "ADMIN", "key": "kzn_mine"}), &["key"]),
        (
            json!({"name": "a", "scopes": ["tasks:read"], "role": "ADMIN", "expires_at": "soon"}),
            &["expires_at"],
        ),
    ] {
        let refused = admin.post(KEYS, body.clone()).await.expect_problem(422, "invalid_fields");
        let told: Vec<&str> = refused.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|fault| fault["field"].as_str())
            .collect();
        assert_eq!(told, fields, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_list_has_pages_and_a_count() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    for name in ["a", "b", "c"] {
        admin.post(KEYS, wanted(name)).await.expect(201);
        app.clock.advance(Duration::from_secs(1));
    }
    let first = admin.get(&format!("{KEYS}?limit=2&count=true")).await.expect(200);
    assert_eq!(first.header("x-total-count"), Some("3"));
    let names = |answer: &testing::Answer| {
        answer.items().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["c", "b"]);
    let rest = admin.get(first.next().expect("another page")).await.expect(200);
    assert_eq!(names(&rest), ["a"]);
    for bad in ["limit=0", "cursor=x", "nonsense=1"] {
        admin.get(&format!("{KEYS}?{bad}")).await.expect(400);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_has_its_rate_and_every_answer_says_what_is_left() {
    let app = TestApp::with(Sqlite, &["--api-key-rate", "5/m"]).await;
    let Team { admin, .. } = Team::of(&app).await;
    let key = Key::of(&admin, &["customers:read"]).await;
    let left = |answer: &testing::Answer| answer.header("ratelimit").map(str::to_owned);
    for (path, status, limit) in [
        (CUSTOMERS, 200, "\"key\";r=4;t=12"),
        ("/api/tasks", 403, "\"key\";r=3;t=24"),
        ("/api/nothing", 404, "\"key\";r=2;t=36"),
        ("/api/customers?nonsense=1", 400, "\"key\";r=1;t=48"),
        ("/api/admin/cluster", 403, "\"key\";r=0;t=60"),
    ] {
        let answer = key.api.get(path).await.expect(status);
        assert_eq!(left(&answer).as_deref(), Some(limit), "{path}: {answer}");
        assert_eq!(answer.header("ratelimit-policy"), Some("\"key\";q=5;w=60"), "{path}");
    }
    let refused = key.api.get(CUSTOMERS).await.expect_problem(429, "key_rate_exceeded");
    assert_eq!(
        (refused.header("retry-after"), left(&refused).as_deref()),
        (Some("12"), Some("\"key\";r=0;t=60"))
    );
    // Another key, and its user, go on.
    Key::of(&admin, &["customers:read"]).await.api.get(CUSTOMERS).await.expect(200);
    assert_eq!(left(&admin.get(CUSTOMERS).await.expect(200)), None);
    app.clock.advance(Duration::from_secs(12));
    key.api.get(CUSTOMERS).await.expect(200);
    key.api.get(CUSTOMERS).await.expect(429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_revoked_key_stops_on_another_node_within_a_second() {
    let nowhere = ["--redis-url", "redis://127.0.0.1:1"];
    let one = TestApp::with(Postgres, &nowhere).await;
    let other = one.beside(&nowhere).await;
    let admin = Member::first(&one).await;
    let key = Key::of(&admin, &["customers:read"]).await;
    let there = key.at(&other.nobody());
    there.get(CUSTOMERS).await.expect(200);
    let began = std::time::Instant::now();
    admin.delete(&format!("{KEYS}/{}", key.id)).await.expect(200);
    key.api.get(CUSTOMERS).await.expect(401);
    while there.get(CUSTOMERS).await.status != 401 {
        assert!(began.elapsed() < Duration::from_secs(1), "SPEC §3");
    }
}
