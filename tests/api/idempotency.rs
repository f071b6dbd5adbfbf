//! `Idempotency-Key`: one request, one effect, one answer, for 24 hours.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::sql::Sql;

use testing::app::PASSWORD;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const CUSTOMERS: &str = "/api/customers";
const REPLAYED: &str = "idempotency-replayed";

fn is_replay(answer: &Answer) -> bool {
    answer.header(REPLAYED) == Some("true")
}

/// The same answer once more, down to the byte.
#[track_caller]
fn assert_replay(answer: &Answer, first: &Answer) {
    assert!(is_replay(answer), "{answer}");
    assert!(!is_replay(first), "{first}");
    let parts = |answer: &Answer| {
        let headers = ["location", "etag", "content-type"].map(|name| answer.header(name).map(str::to_owned));
        (answer.status, headers, answer.text.clone())
    };
    assert_eq!(parts(answer), parts(first));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_post_is_answered_again_as_it_was_at_first(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let met = json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T19:00:00+09:00"});
    let user = json!({"email": "sato@example.com", "name": "佐藤", "role": "SALES", "password": PASSWORD});
    let posts = [
        (CUSTOMERS, json!({"name": "  青空 \"'\\ 🎌 ", "email": "A@example.com"}), 201),
        ("/api/meetings", met, 201),
        ("/api/auth/users", user, 201),
        (
            "/api/auth/password",
            json!({"current_password": PASSWORD, "new_password": "another-password"}),
            204,
        ),
    ];
    for (key, (path, body, status)) in posts.into_iter().enumerate() {
        let api = admin.idempotency_key(format!("key {key}"));
        let first = api.post(path, body.clone()).await.expect(status);
        app.settle().await;
        let mut before = app.stored().await;
        for _ in 0..2 {
            assert_replay(&api.post(path, body.clone()).await, &first);
        }
        assert_eq!(app.stored().await, before, "{path} took effect once");
        if let Some(location) = first.header("location") {
            admin.delete(location).await;
            app.settle().await;
            before = app.stored().await;
            assert_replay(&api.post(path, body).await, &first);
            assert_eq!(app.stored().await, before, "whatever became of the record");
        }
    }
}

/// The fingerprint that is stored of the request with this key.
async fn fingerprint(app: &TestApp, key: &str) -> String {
    let stored =
        Sql::new("SELECT fingerprint FROM idempotency_keys").filter("id LIKE ?", [format!("%/{key}").into()]);
    app.db.text(stored).await.expect("a database").expect("an answer")
}

/// As it was before it was keyed: anybody can compute it.
fn unkeyed(path: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    for part in [b"POST".as_slice(), &[0], path.as_bytes(), &[0], &Sha256::digest(body)] {
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stored_fingerprint_tells_nothing_of_the_body(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = json!({"name": "絆"});
    admin.idempotency_key("c").post(CUSTOMERS, customer.clone()).await.expect(201);
    assert_ne!(fingerprint(&app, "c").await, unkeyed(CUSTOMERS, &customer.to_string()));
    let user = |password: &str| json!({"email": "sato@example.com", "name": "佐藤", "role": "SALES", "password": password});
    let users = admin.idempotency_key("u");
    users.post("/api/auth/users", user("long enough one")).await.expect(201);
    let change = |password: &str| json!({"current_password": PASSWORD, "new_password": password});
    let password = admin.idempotency_key("p");
    password.post("/api/auth/password", change("another-password")).await.expect(204);
    // Secrets do not count, so that not even whoever has the server's secret can try them.
    let replayed = "idempotency-replayed";
    let again = users.post("/api/auth/users", user("long enough two")).await.expect(201);
    assert_eq!(again.header(replayed), Some("true"));
    let again = password.post("/api/auth/password", change("a third password")).await.expect(204);
    assert_eq!(again.header(replayed), Some("true"));
    let other =
        json!({"email": "sato@example.com", "name": "鈴木", "role": "SALES", "password": "long enough one"});
    users.post("/api/auth/users", other).await.expect_problem(422, "idempotency_key_reused");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_belongs_to_one_request_of_one_user(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let [api, other] = [&sales, &colleague].map(|member| member.idempotency_key("k".repeat(255)));
    let first = api.post(CUSTOMERS, json!({"name": "絆"})).await.expect(201);
    app.settle().await;
    let before = app.stored().await;
    api.post(CUSTOMERS, json!({"name": "別"})).await.expect_problem(422, "idempotency_key_reused");
    let met = json!({"customer_id": first.id(), "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
    api.post("/api/meetings", met).await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(app.stored().await, before);
    let theirs = other.post(CUSTOMERS, json!({"name": "絆"})).await.expect(201);
    assert!(!is_replay(&theirs));
    assert_ne!(theirs.id(), first.id());
    assert_replay(&api.post(CUSTOMERS, json!({"name": "絆"})).await, &first);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_at_once_under_one_key_make_one_record(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    for round in 0..5 {
        let api = admin.idempotency_key(format!("round {round}"));
        let body = json!({"name": format!("絆 {round}")});
        let answers = join_all((0..8).map(|_| api.post(CUSTOMERS, body.clone()))).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        let first = made.iter().find(|answer| !is_replay(answer)).expect("a first answer");
        for answer in made.iter().filter(|answer| answer.text != first.text || is_replay(answer)) {
            assert_replay(answer, first);
        }
        for answer in refused {
            answer.expect_problem(409, "request_in_flight");
        }
        assert_replay(&api.post(CUSTOMERS, body).await, first);
        assert_eq!(app.rows("customers").await, round + 1);
    }
    app.settle().await;
    let created = admin.get("/api/audit/events?type=customer.created&count=true").await;
    assert_eq!(created.header("x-total-count"), Some("5"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_key_is_free_again_after_24_hours(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--access-token-ttl", "2d"]).await;
    let admin = Member::first(&app).await;
    let api = admin.idempotency_key("key");
    let first = api.post(CUSTOMERS, json!({"name": "絆"})).await.expect(201);
    app.clock.advance(Duration::from_secs(24 * 3600));
    assert_replay(&api.post(CUSTOMERS, json!({"name": "絆"})).await, &first);
    app.clock.advance(Duration::from_secs(1));
    let second = api.post(CUSTOMERS, json!({"name": "別"})).await.expect(201);
    assert!(!is_replay(&second));
    assert_ne!(second.id(), first.id());
    assert_replay(&api.post(CUSTOMERS, json!({"name": "別"})).await, &second);
    assert_eq!(app.rows("idempotency_keys").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_that_was_refused_leaves_its_key_free(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    sales.create_customer(json!({"name": "絆", "email": "a@example.com"})).await;
    let api = sales.idempotency_key("key");
    let hidden = colleague.customer("別").await.id();
    let met =
        |customer: &str| json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
    api.post(CUSTOMERS, json!({"name": ""})).await.expect_problem(422, "invalid_fields");
    api.post(CUSTOMERS, json!({"name": "a", "owner_id": colleague.id}))
        .await
        .expect_problem(403, "forbidden");
    api.post("/api/meetings", met(&hidden)).await.expect_problem(404, "customer_not_found");
    let twin = json!({"name": "絆", "email": "a@example.com"});
    api.post(CUSTOMERS, twin.clone()).await.expect_problem(409, "duplicate_customer");
    assert_eq!(app.rows("idempotency_keys").await, 0);
    let made = api.header("x-allow-duplicate", "true").post(CUSTOMERS, twin.clone()).await.expect(201);
    assert!(!is_replay(&made));
    assert_replay(&api.post(CUSTOMERS, twin).await, &made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_without_a_key_is_a_request_of_its_own() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let (one, two) = (admin.customer("絆").await, admin.customer("絆").await);
    assert_ne!(one.id(), two.id());
    assert!(!is_replay(&one) && !is_replay(&two));
    assert_eq!(app.rows("idempotency_keys").await, 0);
}
