//! `kizuna watch`, the real binary.

use std::time::Duration;

use crate::proxy::Proxy;
use testing::app::{ADMIN, PASSWORD};
use testing::live_client::SOON;
use testing::{Kizuna, Sqlite, Team, TestApp, eventually};

const BINARY: &str = env!("CARGO_BIN_EXE_kizuna");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_prints_notifications_once_each_across_a_restart_of_the_server() {
    let mut app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let proxy = Proxy::to(app.nobody().base(), 0..0).await;
    let watch = Kizuna::command(BINARY).args(["watch", "--email", &manager.email, "--url", &proxy.base()]);
    let watch = watch.env("KIZUNA_USER_PASSWORD", PASSWORD).spawn();
    eventually(SOON, async || watch.output().contains("signed in as")).await;
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
