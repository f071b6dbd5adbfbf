//! Clients that take their time (SPEC §2): bodies, headers and idle connections have bounds, before the sign-in and
//! after it; and one address has a bound of connections.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::browser::Browser;
use testing::{Api, Member, RawHttp, Sqlite, TestApp, eventually, problem_in};

/// Short times: a body has 300 ms and then 100 KiB a second, 1.8 s in all; a head has 600 ms.
const SHORT: [&str; 8] = [
    "--body-timeout",
    "1800ms",
    "--body-rate",
    "100000",
    "--header-timeout",
    "600ms",
    "--idle-timeout",
    "400ms",
];
/// Much longer than any of them, and much shorter than the defaults.
const SOON: Duration = Duration::from_secs(4);

async fn app() -> TestApp {
    TestApp::with(Sqlite, &SHORT).await
}

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n")
}

const JSON: &str = "Content-Type: application/json\r\nContent-Length: 100\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_that_does_not_come_is_408_and_the_connection_ends() {
    let app = app().await;
    let admin = Member::first(&app).await;
    let token = format!("Authorization: Bearer {}\r\n", admin.access_token().expect("signed in"));
    let browser = Browser::open(&app, &admin.email).await;
    let cookie = format!("Cookie: kizuna_session={}\r\n", browser.session);
    let form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n";
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    for request in [
        head("POST", "/api/customers", &format!("{token}{JSON}")) + "{\"na",
        head("POST", "/api/customers", &format!("{token}{chunked}")) + "3\r\n{\"n\r\n",
        head("POST", "/api/auth/login", JSON),
        head("POST", "/login", form) + "email=",
        head("POST", "/customers", &format!("{cookie}Sec-Fetch-Site: same-origin\r\n{form}")),
    ] {
        let mut client = RawHttp::open(admin.base()).await;
        let begun = Instant::now();
        client.send(&request).await;
        let answer = client.until_closed(SOON).await;
        assert!(
            answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close"),
            "{request}: {answer}"
        );
        assert!(begun.elapsed() >= Duration::from_millis(400), "{request}");
        if request.contains("/api/") {
            assert_eq!(problem_in(&answer), (408, "request_timeout".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_that_nobody_reads_keeps_no_connection_open() {
    let app = app().await;
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    for (request, status) in [
        (head("POST", "/api/customers", JSON) + "{", 401),
        (head("POST", "/api/customers", chunked) + "1\r\n{\r\n", 401),
        (head("GET", "/healthz", chunked), 200),
        (head("POST", "/nowhere", chunked) + "1\r\n{\r\n", 404),
    ] {
        for trickle in [false, true] {
            let mut client = RawHttp::open(app.nobody().base()).await;
            client.send(&request).await;
            client.until(&format!("HTTP/1.1 {status} ")).await;
            let begun = Instant::now();
            while trickle && begun.elapsed() < SOON && client.send("1\r\n{\r\n").await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            client.until_closed(SOON).await;
            assert!(begun.elapsed() < SOON, "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_body_must_come_at_a_rate() {
    let app = app().await;
    let admin = Member::first(&app).await;
    let token = admin.access_token().expect("signed in");
    let length = 200_000;
    let more = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    );
    let mut client = RawHttp::open(admin.base()).await;
    client.send(head("POST", "/api/customers", &more)).await;
    let begun = Instant::now();
    // A tenth of the rate.
    while begun.elapsed() < SOON && client.send(vec![b' '; 500]).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let late = begun.elapsed();
    assert!(client.until_closed(SOON).await.starts_with("HTTP/1.1 408 "));
    assert!(late < Duration::from_millis(2800), "it was told after {late:?}, before all its time was over");

    let body = format!("{}{}", " ".repeat(100_000), json!({"name": "絆"}));
    let more = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    let mut client = RawHttp::open(admin.base()).await;
    client.send(head("POST", "/api/customers", &more)).await;
    for part in body.as_bytes().chunks(20_000) {
        client.send(part).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(client.until_closed(SOON).await.starts_with("HTTP/1.1 201 "), "fast enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_head_of_a_connection_has_its_time() {
    let app = app().await;
    let base = app.nobody().base().to_owned();
    let mut first = RawHttp::open(&base).await;
    first.send("GET /healthz HTTP/1.1\r\nHo").await;
    assert_eq!(problem_in(&first.until_closed(SOON).await), (408, "request_timeout".to_owned()));

    let mut later = RawHttp::open(&base).await;
    later.send(head("GET", "/healthz", "")).await;
    let answer = later.until("ok\n").await;
    let begun = Instant::now();
    while begun.elapsed() < SOON && later.send("G").await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let all = later.until_closed(SOON).await;
    assert!(begun.elapsed() < SOON);
    assert_eq!(problem_in(&all[answer.len()..]), (408, "request_timeout".to_owned()));

    for request in ["", &head("GET", "/healthz", "")] {
        let mut idle = RawHttp::open(&base).await;
        idle.send(request).await;
        assert!(!idle.until_closed(SOON).await.contains(" 408 "), "nothing was begun");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_that_is_used_stays_open() {
    let app = app().await;
    let mut client = RawHttp::open(app.nobody().base()).await;
    // Longer in all than a head or a pause may take.
    for count in 1..=15 {
        client.send(head("GET", "/healthz", "")).await;
        client.until_count("ok\n", count).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_address_does_not_take_every_connection() {
    let app =
        TestApp::with(Sqlite, &["--max-connections", "40", "--max-connections-per-address", "100"]).await;
    let base = app.nobody().base().to_owned();
    let mut held = Vec::new();
    for _ in 0..60 {
        let mut client = RawHttp::open_from(&base, "127.0.0.2").await;
        client.send(head("POST", "/api/auth/login", JSON)).await;
        held.push(client);
    }
    let mut refused = RawHttp::open_from(&base, "127.0.0.2").await;
    refused.send(head("GET", "/healthz", "Accept-Language: ja\r\n")).await;
    let answer = refused.until_closed(SOON).await;
    assert_eq!(problem_in(&answer), (429, "too_many_connections".to_owned()));
    assert!(answer.contains("retry-after: 1") && answer.contains("content-language: ja"), "{answer}");
    Member::first(&app).await.get("/api/customers").await.expect(200);
    drop(held);
    eventually(SOON, async || {
        let mut again = RawHttp::open_from(&base, "127.0.0.2").await;
        again.send(head("GET", "/healthz", "Connection: close\r\n")).await;
        again.until_closed(SOON).await.starts_with("HTTP/1.1 200 ")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_trusted_proxy_has_the_connections_of_all_its_clients() {
    let bound = ["--max-connections-per-address", "2", "--trusted-proxy", "127.0.0.1"];
    let app = TestApp::with(Sqlite, &bound).await;
    let base = app.nobody().base().to_owned();
    let mut held = Vec::new();
    for _ in 0..10 {
        held.push(RawHttp::open(&base).await);
    }
    Api::new(&base).get("/healthz").await.expect(200);
}
