//! What the load balancer of `deploy/haproxy.cfg` lets through.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::cluster::Cluster;
use crate::plan::Plan;
use crate::proxy::Proxy;
use testing::RawHttp;
use testing::app::{ADMIN, PASSWORD};
use testing::certificates::{Authority, Issued};
use testing::ports::free_port;

const SOON: Duration = Duration::from_secs(5);
const CONFIG: &str = include_str!("../../deploy/haproxy.cfg");

async fn get(url: &str, path: &str) -> String {
    let mut client = RawHttp::open(url).await;
    client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    client.until_closed(SOON).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_do_not_go_through_the_load_balancer_however_they_are_spelled() {
    let cluster = Cluster::of(Plan::of(3)).await;
    let proxy = Proxy::start(&cluster).await;
    for path in ["/metrics", "/metrics?x=1", "/metrics/", "//metrics", "/%6detrics", "/%6d%65trics"] {
        let answer = get(proxy.url(), path).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.contains("\"not_found\""), "{path}: {answer}");
        assert!(!answer.contains("x-request-id"), "{path} has reached a node: {answer}");
        assert!(!answer.contains("kizuna_http_requests_total"), "{path}: {answer}");
    }
    let through = get(proxy.url(), "/api/reports/metrics").await;
    assert!(through.contains("x-request-id") && through.contains("missing_token"), "{through}");
    let ready = get(proxy.url(), "/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_certificate_the_load_balancer_serves_by_tls_and_leads_there() {
    let cluster = Cluster::of(Plan::of(3)).await;
    let authority = Authority::new();
    let Issued { certificate, key } = authority.issue("proxy", &["localhost"]);
    let both = authority.ca().with_file_name("both.pem");
    let pem = [certificate, key].map(|file| fs::read_to_string(file).expect("a PEM file")).concat();
    fs::write(&both, pem).expect("room for a file");
    let port = free_port();
    let proxy = Proxy::start_with_tls(&cluster, &both, &format!("127.0.0.1:{port}")).await;

    let plain = get(proxy.url(), "/customers?status=open").await;
    assert!(plain.starts_with("HTTP/1.1 308 "), "{plain}");
    assert!(plain.contains("location: https://x/customers?status=open"), "{plain}");
    let ca = reqwest::Certificate::from_pem(&fs::read(authority.ca()).expect("a file")).expect("PEM");
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().expect("a client");
    let url = format!("https://localhost:{port}");
    let ready = client.get(format!("{url}/readyz")).send().await.expect("an answer by TLS");
    assert_eq!(ready.status(), 200);
    let login = json!({"email": ADMIN, "password": PASSWORD});
    let login = client.post(format!("{url}/api/auth/login")).json(&login).send().await.expect("an answer");
    assert_eq!(login.status(), 200);
    assert!(login.headers().contains_key("strict-transport-security"), "{:?}", login.headers());
    let metrics = client.get(format!("{url}/metrics")).send().await.expect("an answer");
    assert_eq!(metrics.status(), 404);
}

#[test]
fn the_load_balancer_waits_for_a_request_before_it_takes_a_node_s_time() {
    let lines: Vec<&str> = CONFIG.lines().map(str::trim).collect();
    for line in [
        "option http-buffer-request",
        "timeout http-request 30s",
        "tcp-request connection track-sc0 src,ipmask(32,64)",
    ] {
        assert!(lines.contains(&line), "{line} is missing");
    }
}
