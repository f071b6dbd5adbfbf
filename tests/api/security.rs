//! The security log: what is written down of sign-ins and sessions, for whom, and that strangers can't fill it.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, post_form};
use testing::{Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const LOG: &str = "/api/admin/security-log";
const SESSIONS: &str = "/api/auth/sessions";

async fn log(admin: &Member, query: &str) -> Vec<Value> {
    admin.get(&format!("{LOG}?limit=200{query}")).await.expect(200).items().to_vec()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

async fn guess(api: &Api, email: &str) {
    let login = json!({"email": email, "password": "wrong-password"});
    api.post("/api/auth/login", login).await.expect(401);
}

async fn refresh(api: &Api, token: &str) -> u16 {
    api.post("/api/auth/refresh", json!({"refresh_token": token})).await.status
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sign_ins_and_the_ends_of_sessions_are_written_down_with_address_and_agent(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::with(on, &["--trusted-proxy", "127.0.0.1", "--user-sessions", "3"]).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let site = app.nobody().header("x-forwarded-for", "192.0.2.1").header("user-agent", "phone/1");
    app.clock.advance(Duration::from_secs(60));
    let phone = Member::sign_in(&site, &sales.email, PASSWORD).await;
    let about = |query: &str| format!("&user_id={}&from=2026-03-02T09:01:00Z{query}", sales.id);
    let entries = log(&admin, &about("")).await;
    let [entry] = &entries[..] else { panic!("one entry: {entries:?}") };
    let session = phone.get(SESSIONS).await.expect(200).text_at("/0/id");
    let expected = json!({
        "id": entry["id"], "kind": "signed_in", "at": "2026-03-02T09:01:00.000000Z",
        "last_at": "2026-03-02T09:01:00.000000Z", "count": 1, "user_id": sales.id, "session_id": session,
        "actor_id": sales.id, "address": "192.0.2.1", "agent": "phone/1",
    });
    assert_eq!(*entry, expected);

    let again =
        phone.post("/api/auth/refresh", json!({"refresh_token": phone.refresh_token})).await.expect(200);
    assert_eq!(refresh(&site, &phone.refresh_token).await, 401, "used");
    assert_eq!(refresh(&site, &again.text_at("/refresh_token")).await, 401, "the session has ended");
    let browser = Browser::open(&app, &sales.email).await;
    assert_eq!(refresh(&site, &browser.refresh).await, 401, "a cookie is no token of the API");
    let fields = [("email", sales.email.as_str()), ("password", PASSWORD)];
    post_form(&browser.api(), "/login", &fields).await.expect(303);
    let desk = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    let tablet = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    let own = desk.get(SESSIONS).await.expect(200).text_at("/1/id");
    tablet.delete(&format!("{SESSIONS}/{own}")).await.expect(200);
    let wrong = json!({"current_password": "wrong-password", "new_password": "another-password"});
    for _ in 0..3 {
        tablet.post("/api/auth/password", wrong.clone()).await.expect(422);
    }
    let right = json!({"current_password": PASSWORD, "new_password": "another-password"});
    tablet.post("/api/auth/password", right).await.expect(204);
    tablet.raw("POST", "/api/auth/logout", "").await.expect(204);
    admin.patch(&format!("/api/auth/users/{}", sales.id), json!({"password": PASSWORD})).await.expect(200);
    let entries = log(&admin, &about("")).await;
    let expected = [
        "password_set",
        "signed_out",
        "password_changed",
        "password_refused",
        "session_ended",
        "signed_in",
        "session_evicted",
        "signed_in",
        "signed_in",
        "session_replaced",
        "token_misplaced",
        "signed_in",
        "token_reused",
        "signed_in",
    ];
    assert_eq!(kinds(&entries), expected, "{entries:#?}");
    assert_eq!(entries[0]["actor_id"], json!(admin.id));
    assert_eq!(entries[3]["count"], 3);
    assert_eq!(kinds(&log(&admin, &about("&kind=token_reused")).await), ["token_reused"]);
    let phones = log(&admin, &about("&address=192.0.2.1")).await;
    assert_eq!(kinds(&phones), ["token_misplaced", "token_reused", "signed_in"]);
    assert!(log(&admin, "&to=2026-03-02T09:00:00Z").await.is_empty());
    for query in ["kind=unknown", "user_id=1", "address=nowhere", "from=monday", "nonsense=1"] {
        admin.get(&format!("{LOG}?{query}")).await.expect_problem(400, "invalid_parameter");
    }
    let text = json!(log(&admin, "").await).to_string();
    for secret in
        [PASSWORD, "another-password", "wrong-password", sales.email.as_str(), phone.refresh_token.as_str()]
    {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn wrong_passwords_are_counted_and_not_kept_one_by_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--login-rate", "1000/m"]).await;
    let admin = Member::first(&app).await;
    let nobody = app.nobody();
    for _ in 0..50 {
        guess(&nobody, ADMIN).await;
    }
    for _ in 0..3 {
        guess(&nobody, "nobody@example.com").await;
    }
    let entries = log(&admin, "&kind=sign_in_refused").await;
    let counted: Vec<_> =
        entries.iter().map(|entry| (entry["user_id"].clone(), entry["count"].clone())).collect();
    assert_eq!(counted, [(Value::Null, json!(3)), (json!(admin.id), json!(50))]);
    let failed = admin.get("/api/audit/events?type=user.login_failed").await.expect(200);
    assert_eq!(failed.items().len(), 2, "one event for each, known or not");
    app.clock.advance(Duration::from_secs(3_600));
    guess(&nobody, ADMIN).await;
    let admin = Member::first(&app).await;
    assert_eq!(log(&admin, "&kind=sign_in_refused").await.len(), 3, "another hour");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn however_many_addresses_are_tried_the_event_log_grows_slowly() {
    let app = TestApp::with(Sqlite, &["--login-rate", "1000/m"]).await;
    let admin = Member::first(&app).await;
    for n in 0..70 {
        guess(&app.nobody(), &format!("user{n}@example.com")).await;
    }
    let failed = admin.get("/api/audit/events?type=user.login_failed&limit=200").await.expect(200);
    assert_eq!(failed.items().len(), 60, "at most so many an hour");
    assert_eq!(log(&admin, "&kind=sign_in_refused").await.len(), 70);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn held_back_sign_ins_are_written_down_now_and_then() {
    let app = TestApp::with(Sqlite, &["--login-rate", "1/m"]).await;
    let admin = Member::first(&app).await;
    guess(&app.nobody(), ADMIN).await;
    for _ in 0..20 {
        let login = json!({"email": ADMIN, "password": PASSWORD});
        app.nobody().post("/api/auth/login", login).await.expect(429);
    }
    let entries = log(&admin, "&kind=sign_in_throttled").await;
    assert_eq!(entries.len(), 1);
    assert_eq!((&entries[0]["count"], &entries[0]["user_id"]), (&json!(1), &json!(admin.id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn administrators_read_the_security_log_in_the_console() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    guess(&app.nobody().header("user-agent", "<b>guesser</b>"), &sales.email).await;
    let browser = Browser::open(&app, ADMIN).await;
    let page = browser.get("/admin/security").await.expect(200).text;
    assert!(page.contains("ログイン失敗") && page.contains("&#60;b&#62;guesser"), "{page}");
    assert!(page.contains(">sales<") && page.contains("127.0.0.1"), "{page}");
    let page = browser.get("/admin/security?kind=signed_in").await.expect(200).text;
    assert!(!page.contains("guesser"));
    assert!(browser.get("/admin").await.expect(200).text.contains("href=\"/admin/security\""));
    for member in [&manager, &sales] {
        let browser = Browser::open(&app, &member.email).await;
        browser.get("/admin/security").await.expect(403);
    }
}
