//! Two nodes of a cluster whose Redis is away: what a client is told doesn't depend on the node it asks.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;

use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, cookie};
use testing::{Api, Member, Postgres, TestApp};

/// A port on which nobody listens.
const NOWHERE: [&str; 2] = ["--redis-url", "redis://127.0.0.1:1"];
const ME: &str = "/api/auth/me";

async fn two(args: &[&str]) -> (TestApp, TestApp) {
    let args: Vec<&str> = NOWHERE.iter().chain(args).copied().collect();
    let one = TestApp::with(Postgres, &args).await;
    let other = one.beside(&args).await;
    (one, other)
}

/// The other node, with the same token.
async fn there(member: &Member, node: &TestApp) -> Api {
    let body = json!({"refresh_token": member.refresh_token});
    let answer = node.nobody().post("/api/auth/refresh", body).await.expect(200);
    node.nobody().token(answer.text_at("/access_token"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_one_node_was_told_every_node_knows() {
    let (one, other) = two(&[]).await;
    let admin = Member::first(&one).await;
    let admin_there = there(&admin, &other).await;
    let sales = admin.hire("SALES", "sales", None).await;
    let sales_there = there(&sales, &other).await;
    sales_there.get(ME).await.expect(200);
    let path = format!("/api/auth/users/{}", sales.id);
    for n in 0..10 {
        let name = format!("name {n}");
        let writer = if n % 2 == 0 { &*admin } else { &admin_there };
        writer.patch(&path, json!({"name": name})).await.expect(200);
        for reader in [&*sales, &sales_there] {
            assert_eq!(reader.get(ME).await.expect(200).text_at("/name"), name);
            assert_eq!(reader.get(&path).await.expect(200).text_at("/name"), name);
        }
    }
    // A new password: a session opened with it on either node is good on both at once.
    let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
    sales.post("/api/auth/password", change).await.expect(204);
    let again = Member::sign_in(&other.nobody(), &sales.email, "another-password").await;
    again.get(ME).await.expect(200);
    let began = Instant::now();
    admin.post("/api/auth/logout", json!({})).await.expect(204);
    admin.get(ME).await.expect(401);
    while admin_there.get(ME).await.status != 401 {
        assert!(began.elapsed() < Duration::from_secs(1), "SPEC §8.6");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_browser_renews_its_session_through_any_node() {
    let (one, other) = two(&[]).await;
    let mut browser = Browser::open(&one, ADMIN).await;
    for _ in 0..3 {
        one.clock.advance(Duration::from_secs(16 * 60));
        let through = |node: &TestApp| {
            let cookies = format!("kizuna_session={}; kizuna_refresh={}", browser.session, browser.refresh);
            node.nobody().header("accept", "text/html").header("cookie", cookies)
        };
        let nodes = [through(&one), through(&other)];
        let answers = join_all((0..12).map(|n| nodes[n % 2].get("/customers"))).await;
        let renewed: Vec<_> = answers.iter().filter_map(|answer| cookie(answer, "kizuna_refresh")).collect();
        assert!(answers.iter().all(|answer| answer.status == 200));
        assert!(renewed.len() == 12 && renewed.iter().all(|token| *token == renewed[0]), "one exchange");
        browser.keep(&answers[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_key_through_two_nodes_makes_one_record() {
    let (one, other) = two(&[]).await;
    let admin = Member::first(&one).await;
    let admin_there = there(&admin, &other).await;
    for n in 0..10 {
        let email = format!("customer{n}@example.com");
        let key = format!("key {n}");
        let post = async |api: &Api| {
            api.header("idempotency-key", key.as_str())
                .post("/api/customers", json!({"name": "絆", "email": email}))
                .await
        };
        // The address alone would refuse the second one.
        let (first, second) = tokio::join!(post(&admin), post(&admin_there));
        let ids = [first.expect(201).text_at("/id"), second.expect(201).text_at("/id")];
        assert_eq!(ids[0], ids[1]);
    }
    assert_eq!(one.rows("customers").await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn guesses_through_two_nodes_count_together() {
    let (one, other) = two(&["--login-rate", "3/m"]).await;
    let nodes = [one.nobody(), other.nobody()];
    let guess = json!({"email": ADMIN, "password": "wrong-password"});
    let answers = join_all((0..12).map(|n| nodes[n % 2].post("/api/auth/login", guess.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 3);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 9);
}
