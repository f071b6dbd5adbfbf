//! `/api/auth`: signing in, and the token's user.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use testing::app::{ADMIN, PASSWORD};
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const LOGIN: &str = "/api/auth/login";

async fn login(nobody: &Api, email: &str, password: &str) -> Answer {
    nobody.post(LOGIN, json!({"email": email, "password": password})).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_login_gives_tokens_and_the_user(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let answer = login(&app.nobody(), " Admin@EXAMPLE.com ", PASSWORD).await.expect(200);
    let body = answer.body.as_object().expect("an object");
    let fields: Vec<_> = body.keys().map(String::as_str).collect();
    assert_eq!(fields, ["access_token", "expires_in", "refresh_token", "token_type", "user"]);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(15 * 60)));
    let me = app.nobody().token(answer.text_at("/access_token")).get("/api/auth/me").await.expect(200);
    assert_eq!(me.body, body["user"], "the user of the token");
    assert_eq!(me.header("etag"), Some("\"1\""));
    let user = json!({
        "id": me.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "email": ADMIN, "name": "Administrator", "role": "ADMIN",
        "manager_id": null, "locale": "ja", "time_zone": "Asia/Tokyo",
    });
    assert_eq!(me.body, user, "no more than this, and no hash");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_address_and_a_wrong_password_are_the_same_401() {
    let app = TestApp::start(Sqlite).await;
    let nobody = app.nobody();
    let password = login(&nobody, ADMIN, "wrong-password").await.expect_problem(401, "invalid_credentials");
    let address =
        login(&nobody, "nobody@example.com", PASSWORD).await.expect_problem(401, "invalid_credentials");
    assert_eq!(password.text, address.text);
    let headers = |answer: &Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        headers
    };
    assert_eq!(headers(&password), headers(&address));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_unknown_address_takes_as_long_as_a_wrong_password() {
    let app = TestApp::with_costly_hashes(Sqlite).await;
    let nobody = app.nobody();
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..5 {
        for (email, fastest) in [ADMIN, "nobody@example.com"].into_iter().zip(&mut fastest) {
            let begun = Instant::now();
            login(&nobody, email, "wrong-password").await.expect(401);
            *fastest = begun.elapsed().min(*fastest);
        }
    }
    let [known, unknown] = fastest;
    // Hashing is nearly all of it: without the decoy, the unknown address would take a twentieth.
    assert!(unknown * 4 > known, "{unknown:?} for an unknown address, {known:?} for a known one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_login_that_is_malformed_is_refused_without_a_token() {
    let app = TestApp::start(Sqlite).await;
    let field = |body, field, code| Rejected::field(LOGIN, body, field, code);
    let rejected = [
        Rejected::new("POST", LOGIN, 400, "malformed_json").json("{"),
        field(json!({"email": ADMIN}), "password", "required"),
        field(json!({"email": ADMIN, "password": PASSWORD, "admin": true}), "admin", "unknown_field"),
        field(json!({"email": null, "password": PASSWORD}), "email", "invalid_type"),
        Rejected::new("POST", format!("{LOGIN}?email={ADMIN}"), 400, "invalid_parameter")
            .json(json!({"email": ADMIN, "password": PASSWORD}).to_string())
            .fault("email", "unknown_parameter"),
        Rejected::new("POST", "/api/auth/refresh", 401, "invalid_token")
            .json("{\"refresh_token\":\"\\u0000\"}"),
    ];
    all_refused(&app, &app.nobody(), rejected).await;
    // Addresses that nobody can have are unknown ones: a failure that is written down.
    for (email, password) in [("", ""), ("a\0", "\0")] {
        login(&app.nobody(), email, password).await.expect_problem(401, "invalid_credentials");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_sees_all_of_themselves() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let me = sales.get("/api/auth/me").await.expect(200);
    assert_eq!(
        (me.id(), me.text_at("/role"), me.text_at("/manager_id")),
        (sales.id.clone(), "SALES".into(), manager.id.clone())
    );
    assert_eq!(me.text_at("/email"), sales.email);
    let twin = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    assert_eq!(twin.get("/api/auth/me").await.body, me.body, "on a second device");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_password_takes_the_place_of_the_old_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let path = "/api/auth/password";
    let rejected = [
        Rejected::field(path, change(PASSWORD, "seven77"), "new_password", "too_small"),
        Rejected::field(path, change(PASSWORD, &"a".repeat(129)), "new_password", "too_large"),
        Rejected::field(path, change(PASSWORD, "a\0bcdefgh"), "new_password", "nul_character"),
        Rejected::field(
            path,
            change("wrong-password", "another-password"),
            "current_password",
            "wrong_password",
        ),
    ];
    all_refused(&app, &admin, rejected).await;
    let changed = admin.post(path, change(PASSWORD, "新しい合言葉です！")).await.expect(204);
    assert_eq!(changed.text, "");
    login(&app.nobody(), ADMIN, PASSWORD).await.expect_problem(401, "invalid_credentials");
    login(&app.nobody(), ADMIN, "新しい合言葉です！").await.expect(200);
}
