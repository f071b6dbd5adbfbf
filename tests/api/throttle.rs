//! Guessing passwords: slowed down per account and address, and never a lock, least of all for the account's own user.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, post_form};
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, TestApp};

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
    assert_eq!(retry_after(admin.post("/api/auth/password", change.clone()).await), 30);
    let other = Member::first(&app).await;
    other.post("/api/auth/password", change).await.expect_problem(422, "invalid_fields");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_do_not_keep_a_signed_in_user_from_changing_the_password() {
    let app = TestApp::with(Sqlite, &["--login-rate", "2/m"]).await;
    let admin = Member::first(&app).await;
    for _ in 0..2 {
        guess(&app.nobody(), ADMIN).await.expect(401);
    }
    retry_after(guess(&app.nobody(), ADMIN).await);
    let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
    admin.post("/api/auth/password", change).await.expect(204);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_do_not_lock_a_person_out(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--trusted-proxy", "127.0.0.1"]).await;
    let from = |address: &str| app.nobody().header("x-forwarded-for", address);
    let (home, phone) = (from("192.0.2.1"), from("192.0.2.2"));
    login(&home, ADMIN, PASSWORD).await.expect(200);
    let device = login(&phone, ADMIN, PASSWORD).await.expect(200);
    let device = device.header("x-device-token").expect("a token of the device").to_owned();
    let browser = Browser::open(&app, ADMIN).await;
    // 27 guesses a minute, from as many addresses, and as many from the network of the person's phone.
    for n in 0..40 {
        let answer = guess(&from(&format!("198.51.100.{n}")), ADMIN).await;
        assert!(matches!(answer.status, 401 | 429), "{answer}");
        guess(&phone, ADMIN).await;
        app.clock.advance(Duration::from_millis(60_000 / 27));
    }
    let stranger = retry_after(login(&from("203.0.113.9"), ADMIN, PASSWORD).await);
    assert!(stranger > 6, "the delay has grown: {stranger}");
    for _ in 0..8 {
        login(&home, ADMIN, PASSWORD).await.expect(200);
        login(&from("192.0.2.2").header("x-device-token", &device), ADMIN, PASSWORD).await.expect(200);
    }
    let cookie = format!("kizuna_device={}", browser.device);
    let site = from("203.0.113.10").header("accept", "text/html").header("cookie", cookie);
    post_form(&site, "/login", &[("email", ADMIN), ("password", PASSWORD)]).await.expect(303);
    let other = Member::first(&app).await.hire("SALES", "sales", None).await;
    let theirs = login(&from("203.0.113.11"), &other.email, PASSWORD).await.expect(200);
    let theirs = theirs.header("x-device-token").expect("a token of the device");
    let stranger = from("203.0.113.11").header("x-device-token", theirs);
    assert!(retry_after(login(&stranger, ADMIN, PASSWORD).await) > 0, "a token is for its user alone");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn right_passwords_at_the_same_time_are_all_taken(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--login-rate", "1/m"]).await;
    let nobody = app.nobody();
    let answers = join_all((0..32).map(|_| login(&nobody, ADMIN, PASSWORD))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_must_wait_is_told_how_long_in_their_language() {
    let app = TestApp::with(Sqlite, &["--login-rate", "1/m"]).await;
    let nobody = app.nobody();
    guess(&nobody, ADMIN).await.expect(401);
    for (language, text) in [("en", "Try again in 60 s."), ("ja", "60 秒後にお試しください。")] {
        let answer = guess(&nobody.language(language), ADMIN).await;
        assert!(answer.text_at("/detail").ends_with(text), "{answer}");
        assert_eq!(retry_after(answer), 60);
        let site = nobody.language(language).header("accept", "text/html");
        let fields = [("email", ADMIN), ("password", PASSWORD)];
        let page = post_form(&site, "/login", &fields).await.expect(429);
        assert_eq!(page.header("retry-after"), Some("60"));
        assert!(page.text.contains("60"), "{page}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_that_nobody_can_have_is_an_unknown_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    for email in ["a\0b@example.com", "\0", "", &"x".repeat(100_000), "\u{202e}@x"] {
        guess(&app.nobody(), email).await.expect_problem(401, "invalid_credentials");
    }
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
