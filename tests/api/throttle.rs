//! Guessing passwords: slowed down per account and per address, and never a lock for ever.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use testing::app::{ADMIN, PASSWORD};
use testing::{Answer, Api, Member, Sqlite, TestApp};

async fn login(api: &Api, email: &str, password: &str) -> Answer {
    api.post("/api/auth/login", json!({"email": email, "password": password})).await
}

async fn guess(api: &Api, email: &str) -> Answer {
    login(api, email, "wrong-password").await
}

#[track_caller]
fn retry_after(answer: Answer) -> u64 {
    let answer = answer.expect_problem(429, "too_many_attempts");
    answer.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_account_is_slowed_down_after_its_failures_and_free_again_later() {
    let app = TestApp::with(Sqlite, &["--login-rate", "3/m"]).await;
    let nobody = app.nobody();
    for _ in 0..3 {
        guess(&nobody, ADMIN).await.expect_problem(401, "invalid_credentials");
    }
    assert_eq!(retry_after(guess(&nobody, ADMIN).await), 20);
    assert_eq!(retry_after(login(&nobody, &ADMIN.to_uppercase(), PASSWORD).await), 20, "nor the right one");
    let body = json!({"email": ADMIN, "password": PASSWORD}).to_string();
    let rejected = Rejected::new("POST", "/api/auth/login", 429, "too_many_attempts").json(body);
    all_refused(&app, &nobody, [rejected]).await;
    guess(&nobody, "another@example.com").await.expect_problem(401, "invalid_credentials");
    app.clock.advance(Duration::from_secs(20));
    login(&nobody, ADMIN, PASSWORD).await.expect(200);
    guess(&nobody, ADMIN).await.expect_problem(401, "invalid_credentials");
    retry_after(guess(&nobody, ADMIN).await);
    app.clock.advance(Duration::from_secs(3600));
    for _ in 0..3 {
        guess(&nobody, ADMIN).await.expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_right_password_costs_nothing() {
    let app = TestApp::with(Sqlite, &["--login-rate", "2/m"]).await;
    let nobody = app.nobody();
    guess(&nobody, ADMIN).await.expect(401);
    for _ in 0..4 {
        login(&nobody, ADMIN, PASSWORD).await.expect(200);
    }
    guess(&nobody, ADMIN).await.expect(401);
    retry_after(guess(&nobody, ADMIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_may_fail_ten_times_as_often_whatever_the_account() {
    let app = TestApp::with(Sqlite, &["--login-rate", "1/m", "--trusted-proxy", "127.0.0.1"]).await;
    let [here, there] =
        ["192.0.2.1", "192.0.2.2"].map(|address| app.nobody().header("x-forwarded-for", address));
    for guessed in 0..10 {
        guess(&here, &format!("user{guessed}@example.com")).await.expect_problem(401, "invalid_credentials");
    }
    assert_eq!(retry_after(login(&here, ADMIN, PASSWORD).await), 6);
    login(&there, ADMIN, PASSWORD).await.expect(200);
    app.clock.advance(Duration::from_secs(6));
    login(&here, ADMIN, PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_that_the_client_invents_counts_for_nothing() {
    let invented = |app: &TestApp, list: String| app.nobody().header("x-forwarded-for", list);
    let direct = TestApp::with(Sqlite, &["--login-rate", "1/m"]).await;
    let proxied = TestApp::with(Sqlite, &["--login-rate", "1/m", "--trusted-proxy", "127.0.0.1"]).await;
    for guessed in 0..10 {
        let (email, address) = (format!("user{guessed}@example.com"), format!("192.0.2.{guessed}"));
        guess(&invented(&direct, address.clone()), &email).await.expect(401);
        guess(&invented(&proxied, format!("{address}, 198.51.100.1")), &email).await.expect(401);
    }
    retry_after(guess(&invented(&direct, "192.0.2.77".into()), ADMIN).await);
    retry_after(guess(&invented(&proxied, "192.0.2.77, 198.51.100.1".into()), ADMIN).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn guesses_at_once_do_not_slip_through() {
    let app = TestApp::with(Sqlite, &["--login-rate", "3/m"]).await;
    let nobody = app.nobody();
    let answers = join_all((0..12).map(|_| guess(&nobody, ADMIN))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 3);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_current_password_is_guessed_as_slowly() {
    let app = TestApp::with(Sqlite, &["--login-rate", "2/m"]).await;
    let admin = Member::first(&app).await;
    let change = json!({"current_password": "wrong-password", "new_password": "another-password"});
    for _ in 0..2 {
        admin.post("/api/auth/password", change.clone()).await.expect_problem(422, "invalid_fields");
    }
    assert_eq!(retry_after(admin.post("/api/auth/password", change).await), 30);
    assert_eq!(retry_after(login(&app.nobody(), ADMIN, PASSWORD).await), 30, "the same account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn no_line_or_form_of_x_forwarded_for_gets_around_the_limit_behind_a_proxy() {
    type Lines = fn(usize) -> Vec<String>;
    let forms: [(&str, Lines); 5] = [
        ("an invented entry before the proxy's", |n| vec![format!("192.0.2.{n}, 198.51.100.1")]),
        ("an invented line before the proxy's", |n| vec![format!("192.0.2.{n}"), "198.51.100.2".into()]),
        ("another port each time", |n| vec![format!("198.51.100.3:{}", 40_000 + n)]),
        ("IPv4 in IPv6", |n| vec![if n % 2 == 0 { "198.51.100.4" } else { "::ffff:198.51.100.4" }.into()]),
        ("another address of a /64", |n| vec![format!("[2001:db8:1:2::{n:x}]:{n}", n = n + 1)]),
    ];
    let proxies = ["--trusted-proxy", "192.0.2.254", "--trusted-proxy", "::ffff:127.0.0.1"];
    let app = TestApp::with(Sqlite, &[&["--login-rate", "1/m"], &proxies[..]].concat()).await;
    let through = |lines: Vec<String>| {
        lines.into_iter().fold(app.nobody(), |api, line| api.header("x-forwarded-for", line))
    };
    for (form, (name, lines)) in forms.into_iter().enumerate() {
        for guessed in 0..10 {
            let answer = guess(&through(lines(guessed)), &format!("user{form}-{guessed}@example.com")).await;
            assert_eq!(answer.status, 401, "{name}: {answer}");
        }
        retry_after(guess(&through(lines(77)), &format!("last{form}@example.com")).await);
    }
    login(&through(vec!["203.0.113.1:5000".into()]), ADMIN, PASSWORD).await.expect(200);
}
