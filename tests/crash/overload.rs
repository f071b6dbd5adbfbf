//! A server that works on as many requests as it may (SPEC §8.7): the next one is refused at once, and who only takes
//! their time keeps nobody out.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{Fixture, Known};
use testing::{Api, Kizuna, RawHttp, Sqlite, eventually};
use tokio::task::JoinHandle;

/// Requests for the customers' figures do not end by themselves, so that they hold their places.
const HANGS: &str = "stats.customers=hang@always";
const SOON: Duration = Duration::from_secs(10);
/// Nothing is done for a refused request; this has room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Keeps as many requests under way that hang; one that is refused, or ends, is sent again.
fn hanging(server: &Kizuna, who: &Known, count: usize) -> Vec<JoinHandle<()>> {
    let keep_asking = || {
        let api = who.at(server);
        tokio::spawn(async move {
            loop {
                api.get("/api/customers/stats").await;
            }
        })
    };
    (0..count).map(|_| keep_asking()).collect()
}

/// How many requests have been refused, by the metric.
async fn refused(server: &Kizuna) -> u64 {
    let metrics = Api::new(server.base_url()).get("/metrics").await.expect(200);
    let line = metrics.text.lines().find_map(|line| line.strip_prefix("kizuna_http_refused_total "));
    line.expect("a counter").parse().expect("a number")
}

#[tokio::test]
async fn a_request_too_many_is_refused_at_once_and_costs_the_others_nothing() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.armed(HANGS).args(["--requests-at-once", "2"]).start().await;
    let (sales, nobody) = (staff.sales.at(&server), Api::new(server.base_url()));
    let hanging = hanging(&server, &staff.sales, 2);
    eventually(SOON, async || {
        let answer = sales.get("/api/tasks").await;
        if answer.status == 503 { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;

    let before = refused(&server).await;
    for (method, path) in [("GET", "/api/tasks"), ("POST", "/api/customers"), ("POST", "/api/auth/login")] {
        let begun = Instant::now();
        let answer = sales.raw(method, path, "{}").await.expect(503);
        assert_eq!(
            (answer.code(), answer.header("retry-after")),
            (Some("overloaded"), Some("1")),
            "{answer}"
        );
        assert!(begun.elapsed() < AT_ONCE, "{path}: {:?}", begun.elapsed());
    }
    let page = nobody.header("accept-language", "ja").header("accept", "text/html").get("/login").await;
    assert_eq!(page.status, 503, "{page}");
    assert!(page.text.contains("混雑中") && page.text.contains("</html>"), "{page}");
    // A stylesheet needs no place, nor what operators ask.
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        nobody.get(path).await.expect(200);
    }
    assert_eq!(refused(&server).await - before, 4);
    let lines = server.output().lines().filter(|line| line.contains("refused requests")).count();
    assert_eq!(lines, 1, "a flood is one line: {}", server.output());

    for held in hanging {
        held.abort();
    }
    eventually(SOON, async || {
        let answer = sales.get("/api/tasks").await;
        if answer.status == 200 { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[tokio::test]
async fn whoever_takes_their_time_to_send_or_to_read_holds_no_place() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().args(["--requests-at-once", "2"]).start().await;
    let sales = staff.sales.at(&server);
    let token = sales.access_token().expect("signed in").to_owned();
    let head = |method: &str, path: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n")
    };
    let mut clients = Vec::new();
    for request in [
        head("POST", "/api/customers") + "Content-Type: application/json\r\nContent-Length: 40\r\n\r\n{",
        head("POST", "/api/customers")
            + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        head("GET", "/api/stream") + "\r\n",
    ] {
        let mut client = RawHttp::open(server.base_url()).await;
        client.send(&request).await;
        clients.push(client);
    }
    for _ in 0..20 {
        sales.get("/api/tasks").await.expect(200);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let made: Value = serde_json::json!({"name": "絆商事"});
    sales.post("/api/customers", made).await.expect(201);
}
