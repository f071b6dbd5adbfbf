//! HEAD wherever GET is (SPEC §2): the status and the headers of GET, and no body.

use std::time::Duration;

use testing::browser::Browser;
use testing::{Answer, Api, Member, RawHttp, Sqlite, TestApp};

/// The headers of an answer but for those of the moment.
fn lasting(answer: &Answer) -> Vec<(String, String)> {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "transfer-encoding"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .collect();
    headers.sort();
    headers
}

async fn compare(api: &Api, path: &str) {
    let (get, head) = (api.get(path).await, api.raw("HEAD", path, "").await);
    assert_eq!((head.status, head.text.as_str()), (get.status, ""), "HEAD {path}: {get}");
    if path != "/metrics" {
        assert_eq!(lasting(&head), lasting(&get), "HEAD {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn head_has_the_status_and_the_headers_of_get() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let customer = format!("/api/customers/{}", admin.customer("絆").await.id());
    app.settle().await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs", "/docs/"] {
        compare(&app.nobody(), path).await;
    }
    for path in [
        "/api/customers?count=true",
        customer.as_str(),
        "/api/customers/none",
        "/api/auth/me",
        "/api/auth/login",
        "/nowhere",
    ] {
        compare(&admin, path).await;
        compare(&app.nobody(), path).await;
    }
    compare(&admin.header("accept", "text/csv"), "/api/customers").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_and_their_assets_have_heads() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let browser = Browser::open(&app, &admin.email).await;
    let page = browser.get("/customers").await.expect(200);
    let asset = page.text.split('"').find(|part| part.starts_with("/assets/")).expect("an asset").to_owned();
    for path in ["/customers", "/", "/reports", "/nowhere", asset.as_str()] {
        compare(&browser.api().header("accept", "text/html"), path).await;
        compare(&app.nobody().header("accept", "text/html"), path).await;
    }
    compare(&app.nobody().header("accept", "text/html"), "/login").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_head_of_the_live_feed_opens_no_feed() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    admin.raw("HEAD", "/api/ws", "").await.expect(426);
    let upgrade = admin.header("connection", "upgrade").header("upgrade", "websocket");
    let upgrade =
        upgrade.header("sec-websocket-version", 13).header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(upgrade.raw("HEAD", "/api/ws", "").await.status, 426, "HEAD changes no protocol");
    let stream = admin.raw("HEAD", "/api/stream", "").await.expect(200);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_is_in_step_after_a_head() {
    let app = TestApp::start(Sqlite).await;
    let mut client = RawHttp::open(app.nobody().base()).await;
    let request = |method: &str, more: &str| format!("{method} /healthz HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    client.send(request("HEAD", "") + &request("GET", "Connection: close\r\n")).await;
    let answers = client.until_closed(Duration::from_secs(5)).await;
    assert_eq!(
        (answers.matches("HTTP/1.1 200 ").count(), answers.matches("ok\n").count()),
        (2, 1),
        "{answers}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_of_http_1_0_gets_no_chunks() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    admin.customer("絆商事").await;
    let file = admin.header("accept", "text/csv").get("/api/customers").await.expect(200);
    for keep in ["", "Connection: keep-alive\r\n"] {
        let mut client = RawHttp::open(admin.base()).await;
        let token = admin.access_token().expect("signed in");
        let head = format!("Authorization: Bearer {token}\r\nAccept: text/csv\r\n{keep}\r\n");
        client.send(format!("GET /api/customers HTTP/1.0\r\n{head}")).await;
        let answer = client.until_closed(Duration::from_secs(5)).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200 ") && !head.contains("transfer-encoding"), "{head}");
        assert_eq!(body, file.text);
    }
}
