//! `kizuna watch`, the real binary.

use std::time::Duration;

use crate::proxy::Proxy;
use testing::app::{ADMIN, PASSWORD};
use testing::certificates::{Authority, text};
use testing::live_client::SOON;
use testing::{Kizuna, Sqlite, Team, TestApp, TlsProxy, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_kizuna");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_prints_notifications_once_each_across_a_restart_of_the_server() {
    let mut app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let proxy = Proxy::to(app.nobody().base(), 0..0).await;
    let watch = Kizuna::command(BINARY).args(["watch", "--email", &manager.email, "--url", &proxy.base()]);
    let watch = watch.env("KIZUNA_USER_PASSWORD", PASSWORD).spawn();
    eventually(SOON, async || watch.output().contains("signed in to")).await;
    sales.customer("一番商事").await;
    eventually(SOON, async || watch.output().contains("一番商事")).await;
    app.restart().await;
    app.nobody()
        .token(sales.access_token().expect("signed in"))
        .post("/api/customers", serde_json::json!({"name": "二番商事"}))
        .await
        .expect(201);
    proxy.aim(app.nobody().base());
    eventually(2 * SOON, async || watch.output().contains("二番商事")).await;
    let count = |name: &str| watch.output().lines().filter(|line| line.contains(name)).count();
    assert_eq!((count("一番商事"), count("二番商事")), (1, 1), "{}", watch.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_ends_when_signing_in_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let watch = Kizuna::command(BINARY).args(["watch", "--email", ADMIN, "--url", app.nobody().base()]);
    let mut watch = watch.env("KIZUNA_USER_PASSWORD", "wrong").spawn();
    let ended = watch.wait_exit(Duration::from_secs(20)).await;
    assert!(!ended.success() && watch.output().contains("401"), "{}", watch.output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_says_what_it_cannot_reach_and_why() {
    let url = format!("http://127.0.0.1:{}", testing::ports::free_port());
    let watch = Kizuna::command(BINARY).args(["watch", "--email", ADMIN, "--url", &url]);
    let watch = watch.env("KIZUNA_USER_PASSWORD", PASSWORD).spawn();
    let said = format!("cannot reach {url}: Connection refused");
    eventually(SOON, async || watch.output().contains(&said)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_prints_no_control_character_of_a_record() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let watch =
        Kizuna::command(BINARY).args(["watch", "--email", &manager.email, "--url", app.nobody().base()]);
    let watch = watch.env("KIZUNA_USER_PASSWORD", PASSWORD).spawn();
    eventually(SOON, async || watch.output().contains("signed in to")).await;
    // A comment may have lines, and stands in the notification of a rejection.
    let customer = sales.customer("絆").await.id();
    let evil = "x\u{1b}]0;owned\u{7}\u{9b}2J\r\n2026-11-25T00:00:00Z  forged: line";
    let asked = serde_json::json!({"customer_id": customer, "title": "値引き", "amount": 1, "reason": evil});
    let approval = manager.post("/api/approvals", asked).await.expect(201).id();
    let path = format!("/api/approvals/{approval}/reject");
    admin.patch(&path, serde_json::json!({"comment": evil})).await.expect(200);
    eventually(SOON, async || watch.output().contains("forged: line")).await;
    let printed = watch.output();
    assert!(!printed.contains(['\u{1b}', '\u{7}', '\u{9b}', '\r']), "{printed:?}");
    assert!(!printed.lines().any(|line| line.starts_with("2026-11-25")), "{printed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_speaks_https_and_wss_with_a_server_that_it_trusts() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let authority = Authority::new();
    let proxy = TlsProxy::start(app.address, &authority.issue("server", &["localhost"])).await;
    let (url, ca) = (format!("https://localhost:{}", proxy.port()), authority.ca());
    let command = ["watch", "--email", &manager.email, "--url", &url];
    let command = Kizuna::command(BINARY).args(command).env("KIZUNA_USER_PASSWORD", PASSWORD);
    let watch = command.clone().args(["--ca-file", text(&ca)]).spawn();
    eventually(SOON, async || watch.output().contains("signed in to https://")).await;
    sales.customer("一番商事").await;
    eventually(SOON, async || watch.output().contains("一番商事")).await;

    // Without the authority, and under a name that the certificate does not have.
    let other = TlsProxy::start(app.address, &authority.issue("other", &["example.com"])).await;
    let named = format!("https://localhost:{}", other.port());
    for args in [&["--url", &url][..], &["--url", &named, "--ca-file", text(&ca)]] {
        let command = Kizuna::command(BINARY).args(["watch", "--email", &manager.email]).args(args.to_vec());
        let mut watch = command.env("KIZUNA_USER_PASSWORD", PASSWORD).spawn();
        let ended = watch.wait_exit(Duration::from_secs(20)).await;
        assert!(!ended.success() && watch.output().contains("--ca-file"), "{}", watch.output());
    }
}
