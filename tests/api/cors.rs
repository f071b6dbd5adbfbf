//! Other origins: which may call the API, with which headers, and that no answer of any kind allows another one.

use serde_json::json;

use testing::app::ADMIN;
use testing::browser::Browser;
use testing::keys::Key;
use testing::{Answer, Member, Sqlite, Team, TestApp};

const APP: &str = "https://app.example.com";
const OTHER: &str = "https://other.example.com";

async fn started() -> TestApp {
    let args = ["--cors-origin", APP, "--cors-origin", "http://localhost:3000", "--api-key-rate", "2/m"];
    TestApp::with(Sqlite, &args).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    assert_eq!(answer.header("access-control-allow-credentials"), None, "{answer}");
    answer.header("access-control-allow-origin")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_preflight_is_answered_to_the_origins_that_are_named() {
    let app = started().await;
    let ask = async |origin: &str, path: &str| {
        app.nobody()
            .header("origin", origin)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "authorization,if-match")
            .raw("OPTIONS", path, "")
            .await
    };
    for origin in [APP, "http://localhost:3000"] {
        let answer = ask(origin, "/api/customers/1").await.expect(204);
        assert_eq!(allowed(&answer), Some(origin));
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert!(answer.header("access-control-allow-methods").is_some_and(|all| all.contains("PATCH")));
        let headers = answer.header("access-control-allow-headers").expect("headers").to_lowercase();
        for header in [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "accept-language",
            "x-request-id",
            "traceparent",
            "x-allow-duplicate",
        ] {
            assert!(headers.contains(header), "{header}");
        }
        assert!(answer.header("access-control-max-age").is_some());
    }
    for origin in [
        OTHER,
        "null",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://app.example.com.evil.example",
    ] {
        let answer = ask(origin, "/api/customers").await.expect(405);
        assert_eq!((allowed(&answer), answer.header("vary")), (None, Some("Origin")));
    }
    let page = ask(APP, "/customers").await;
    assert_eq!(allowed(&page), None, "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_answer_of_the_api_has_the_headers_also_errors() {
    let app = started().await;
    let Team { admin, .. } = Team::of(&app).await;
    let from = |origin: &str| admin.header("origin", origin);
    let large = json!({"name": "x".repeat(300_000)}).to_string();
    let key = Key::of(&admin, &["customers:read"]).await;
    let by_key = key.api.header("origin", APP);
    for (status, answer) in [
        (200, from(APP).get("/api/customers").await),
        (200, from(APP).get("/openapi.json").await),
        (201, from(APP).post("/api/customers", json!({"name": "絆"})).await),
        (400, from(APP).get("/api/customers?nonsense=1").await),
        (401, app.nobody().header("origin", APP).get("/api/customers").await),
        (404, from(APP).get("/api/nothing").await),
        (
            413,
            from(APP).header("content-type", "application/json").raw("POST", "/api/customers", large).await,
        ),
        (200, by_key.get("/api/customers").await),
        (200, by_key.get("/api/customers").await),
        (429, by_key.get("/api/customers").await),
    ] {
        let answer = answer.expect(status);
        assert_eq!(allowed(&answer), Some(APP), "{answer}");
        let exposed = answer.header("access-control-expose-headers").expect("exposed headers").to_lowercase();
        for header in [
            "etag",
            "link",
            "location",
            "x-total-count",
            "x-request-id",
            "retry-after",
            "idempotency-replayed",
            "x-next-cursor",
            "ratelimit",
            "ratelimit-policy",
        ] {
            assert!(exposed.split(", ").any(|name| name == header), "{header}");
        }
    }
    for answer in [from(OTHER).get("/api/customers").await, admin.get("/api/customers").await] {
        assert_eq!((allowed(&answer.expect(200)), ()), (None, ()));
    }
    let page = app.nobody().header("origin", APP).get("/login").await;
    assert_eq!((allowed(&page), page.header("access-control-expose-headers")), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_console_s_cookies_do_not_count_for_another_origin() {
    let app = started().await;
    let browser = Browser::open(&app, ADMIN).await;
    let cookie = format!("kizuna_session={}", browser.session);
    let from = |origin: &str| app.nobody().header("cookie", &cookie).header("origin", origin);
    from(APP).get("/api/customers").await.expect_problem(401, "missing_token");
    from(APP).get("/api/stream").await.expect_problem(403, "foreign_origin");
    let sent = from(APP).header("content-type", "application/x-www-form-urlencoded");
    sent.raw("POST", "/customers", "name=x").await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn without_the_setting_no_other_origin_is_known() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let answer = admin.header("origin", APP).get("/api/customers").await.expect(200);
    assert_eq!((allowed(&answer), answer.header("vary")), (None, None));
}
