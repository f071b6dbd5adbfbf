//! Requests that are no HTTP that the server can read: each is answered with a problem.

use std::time::Duration;

use testing::{Member, RawHttp, Sqlite, TestApp, problem_in};

async fn answer(base: &str, request: impl AsRef<[u8]>) -> String {
    let mut client = RawHttp::open(base).await;
    client.send(request).await;
    client.until_closed(Duration::from_secs(5)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_with_other_letters_than_ascii_is_a_problem_that_says_so() {
    let app = TestApp::start(Sqlite).await;
    let base = app.nobody().base().to_owned();
    for target in ["/api/customers?q=佐々木", "/顧客", "/?q=é"] {
        let english = answer(&base, format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(problem_in(&english), (400, "non_ascii_url".to_owned()));
        let head = "Host: x\r\naccept-language: ja;q=0.9, fr\r\n\r\n";
        let japanese = answer(&base, format!("GET {target} HTTP/1.1\r\n{head}")).await;
        assert!(japanese.contains("content-language: ja") && japanese.contains("エンコード"), "{japanese}");
        assert!(japanese.contains("x-request-id: ") && japanese.contains("connection: close"), "{japanese}");
    }
    let latin = answer(&base, b"GET /?q=\xe9 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(problem_in(&latin), (400, "non_ascii_url".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_request_that_is_no_http_is_a_problem() {
    let app = TestApp::start(Sqlite).await;
    let base = app.nobody().base().to_owned();
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(
            problem_in(&answer(&base, request).await),
            (400, "malformed_request".to_owned()),
            "{request}"
        );
    }
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "a".repeat(200_000));
    assert_eq!(problem_in(&answer(&base, long).await), (431, "head_too_large".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_later_request_of_a_connection_is_told_too() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut client = RawHttp::open(admin.base()).await;
    client.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let first = client.until("ok\n").await;
    client.send("GET /?q=佐々木 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let all = client.until_closed(Duration::from_secs(5)).await;
    assert_eq!(problem_in(&all[first.len()..]), (400, "non_ascii_url".to_owned()));
}
