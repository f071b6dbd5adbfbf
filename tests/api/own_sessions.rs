//! One's own sessions and profile: listed, ended, bounded; and tokens of one kind refused as the other's.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, cookie, post_form};
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const ME: &str = "/api/auth/me";
const SESSIONS: &str = "/api/auth/sessions";
const MISSING: &str = "0198c0de-0000-7000-8000-000000000000";

async fn sign_in(app: &TestApp, agent: &str) -> Member {
    Member::sign_in(&app.nobody().header("user-agent", agent), ADMIN, PASSWORD).await
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    app.nobody().post("/api/auth/refresh", json!({"refresh_token": token})).await
}

/// The site with these cookies.
fn with_cookies(app: &TestApp, session: &str, refresh: &str) -> Api {
    let cookies = format!("kizuna_session={session}; kizuna_refresh={refresh}");
    app.nobody().header("accept", "text/html").header("cookie", cookies)
}

async fn agents(member: &Member) -> Vec<String> {
    let list = member.get(SESSIONS).await.expect(200);
    list.items().iter().map(|session| session["agent"].as_str().unwrap_or("-").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_lists_their_sessions_and_ends_them(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let phone = sign_in(&app, "phone/1").await;
    app.clock.advance(Duration::from_secs(60));
    let desk = sign_in(&app, "desk/1").await;
    let browser = Browser::open(&app, ADMIN).await;
    let list = desk.get(&format!("{SESSIONS}?count=true")).await.expect(200);
    assert_eq!(list.header("x-total-count"), Some("3"));
    let [console, own, other] = list.items() else { panic!("three sessions: {list}") };
    assert_eq!((&console["kind"], &console["current"]), (&json!("console"), &json!(false)));
    let described = json!({
        "id": own["id"], "version": 1, "kind": "api", "current": true, "address": "127.0.0.1", "agent": "desk/1",
        "created_at": "2026-03-02T09:01:00.000000Z", "last_used_at": "2026-03-02T09:01:00.000000Z",
        "expires_at": "2026-04-01T09:01:00.000000Z",
    });
    assert_eq!(own, &described);
    assert_eq!(other["agent"], "phone/1");
    let walked = desk.get(&format!("{SESSIONS}?limit=2")).await.expect(200);
    let rest = desk.get(walked.next().expect("another page")).await.expect(200);
    assert_eq!((walked.items().len(), rest.items()), (2, std::slice::from_ref(other)));

    app.clock.advance(Duration::from_secs(60));
    let renewed = refresh(&app, &phone.refresh_token).await.expect(200);
    let list = desk.get(SESSIONS).await.expect(200);
    assert_eq!(list.items()[2]["last_used_at"], "2026-03-02T09:02:00.000000Z");
    let path = format!("{SESSIONS}/{}", other["id"].as_str().expect("an id"));
    let ended = desk.delete(&path).await.expect(200);
    assert_eq!(ended.body, json!({"id": other["id"], "status": "deleted"}));
    phone.get(ME).await.expect_problem(401, "session_ended");
    refresh(&app, &renewed.text_at("/refresh_token")).await.expect_problem(401, "session_ended");
    desk.delete(&path).await.expect_problem(404, "not_found");
    let path = format!("/settings/sessions/{}/end", own["id"].as_str().expect("an id"));
    let page = browser.get("/settings").await.expect(200);
    assert!(page.text.contains("desk/1") && page.text.contains(&path), "{page}");
    browser.post(&path, &[]).await.expect(303);
    desk.get(ME).await.expect_problem(401, "session_ended");
    assert!(!browser.get("/settings").await.expect(200).text.contains("desk/1"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sessions_of_others_are_missing_and_those_that_a_new_password_ended_are_gone(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let own = sales.get(SESSIONS).await.expect(200).text_at("/0/id");
    for id in [own.as_str(), MISSING, "nonsense"] {
        admin.delete(&format!("{SESSIONS}/{id}")).await.expect_problem(404, "not_found");
    }
    sales.get(ME).await.expect(200);
    let twin = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    app.clock.advance(Duration::from_secs(1));
    let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
    sales.post("/api/auth/password", change).await.expect(204);
    twin.get(ME).await.expect(401);
    let left = sales.get(SESSIONS).await.expect(200);
    assert_eq!((left.items().len(), &left.items()[0]["id"]), (1, &json!(own)));
    sales.delete(&format!("{SESSIONS}/{own}")).await.expect(200);
    sales.get(ME).await.expect_problem(401, "session_ended");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_token_of_one_kind_is_refused_as_one_of_the_other(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (member, browser) = (Member::first(&app).await, Browser::open(&app, ADMIN).await);
    let access = member.access_token().expect("signed in");
    for (session, refresh) in [(access, ""), ("", member.refresh_token.as_str())] {
        with_cookies(&app, session, refresh).get("/customers").await.expect(303);
    }
    let stream = app.nobody().header("cookie", format!("kizuna_session={access}")).get("/api/stream").await;
    stream.expect_problem(401, "invalid_token");
    app.nobody().token(&browser.session).get(ME).await.expect_problem(401, "invalid_token");
    refresh(&app, &browser.refresh).await.expect_problem(401, "invalid_token");
    member.get(ME).await.expect(200);
    refresh(&app, &member.refresh_token).await.expect(200);
    browser.get("/customers").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_used_refresh_token_of_the_api_ends_its_session_also_as_a_cookie(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let member = Member::first(&app).await;
    let renewed = Member::of(&app.nobody(), &refresh(&app, &member.refresh_token).await.expect(200));
    let answer = with_cookies(&app, "", &member.refresh_token).get("/customers").await.expect(303);
    assert_eq!(cookie(&answer, "kizuna_refresh"), None, "no grace");
    renewed.get(ME).await.expect_problem(401, "session_ended");
    refresh(&app, &renewed.refresh_token).await.expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sign_in_in_a_browser_ends_the_session_that_the_browser_had() {
    let app = TestApp::start(Sqlite).await;
    let (browser, other) = (Browser::open(&app, ADMIN).await, Browser::open(&app, ADMIN).await);
    let fields = [("email", ADMIN), ("password", PASSWORD)];
    let answer = post_form(&browser.api(), "/login", &fields).await.expect(303);
    let mut again = browser.clone();
    again.keep(&answer);
    assert_ne!(again.refresh, browser.refresh);
    browser.get("/customers").await.expect(303);
    again.get("/customers").await.expect(200);
    other.get("/customers").await.expect(200);
    let wrong = [("email", ADMIN), ("password", "wrong-password")];
    post_form(&again.api(), "/login", &wrong).await.expect(401);
    again.get("/customers").await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_session_ends_after_its_lifetime_however_often_it_is_used(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::with(on, &["--session-lifetime", "1h", "--refresh-token-ttl", "40m"]).await;
    let first = Member::first(&app).await;
    app.clock.advance(Duration::from_secs(30 * 60));
    let second = refresh(&app, &first.refresh_token).await.expect(200);
    app.clock.advance(Duration::from_secs(25 * 60));
    let third = refresh(&app, &second.text_at("/refresh_token")).await.expect(200);
    assert_eq!(third.body["expires_in"], 5 * 60, "no longer than the session");
    let last = app.nobody().token(third.text_at("/access_token"));
    last.get(ME).await.expect(200);
    app.clock.advance(Duration::from_secs(5 * 60));
    last.get(ME).await.expect_problem(401, "token_expired");
    refresh(&app, &third.text_at("/refresh_token")).await.expect_problem(401, "token_expired");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_user_has_so_many_sessions_and_the_least_used_end_first(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--user-sessions", "3"]).await;
    let mut members = Vec::new();
    for agent in ["a", "b", "c"] {
        members.push(sign_in(&app, agent).await);
        app.clock.advance(Duration::from_secs(1));
    }
    refresh(&app, &members[0].refresh_token).await.expect(200);
    app.clock.advance(Duration::from_secs(1));
    let last = sign_in(&app, "d").await;
    assert_eq!(agents(&last).await, ["d", "c", "-"], "the refresh came from a client without a name");
    members[1].get(ME).await.expect_problem(401, "session_ended");
    members[0].get(ME).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everybody_changes_their_own_name_language_and_time_zone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let changes = json!({"name": " 佐藤 ", "locale": "en", "time_zone": "Europe/Rome"});
    let changed = sales.if_match(1).patch(ME, changes).await.expect(200);
    assert_eq!(changed.version(), Some(2));
    let told = ["name", "locale", "time_zone"].map(|field| changed.body[field].clone());
    assert_eq!(told, [json!("佐藤"), json!("en"), json!("Europe/Rome")]);
    assert_eq!(sales.get(ME).await.body, changed.body);
    sales.if_match(1).patch(ME, json!({"name": "x"})).await.expect_problem(412, "stale_version");
    assert_eq!(sales.patch(ME, json!({})).await.expect(200).body, changed.body, "nothing to change");
    for (body, field, code) in [
        (json!({"name": " "}), "name", "required"),
        (json!({"locale": "fr"}), "locale", "invalid_choice"),
        (json!({"time_zone": "no zone"}), "time_zone", "invalid_time_zone"),
        (json!({"role": "ADMIN"}), "role", "unknown_field"),
        (json!({"email": "x@example.com"}), "email", "unknown_field"),
        (json!({"password": "another-password"}), "password", "unknown_field"),
    ] {
        let refused = sales.patch(ME, body).await.expect_problem(422, "invalid_fields");
        assert_eq!(
            (refused.text_at("/errors/0/field"), refused.text_at("/errors/0/code")),
            (field.into(), code.into())
        );
    }
    app.settle().await;
    let path = format!("/api/audit/events?subject={}&limit=1", sales.id);
    let event: Value = admin.get(&path).await.expect(200).body[0].clone();
    assert_eq!((&event["type"], &event["actorid"]), (&json!("user.updated"), &json!(sales.id)));
    assert_eq!(event["data"]["changed"], json!(["name", "locale", "time_zone"]));
    let browser = Browser::open(&app, &sales.email).await;
    let form = [("name", ""), ("locale", "en"), ("time_zone", "Europe/Rome"), ("version", "2")];
    browser.post("/settings/profile", &form).await.expect(422);
    let form = [("name", "田中"), ("locale", "ja"), ("time_zone", "Asia/Tokyo"), ("version", "2")];
    browser.post("/settings/profile", &form).await.expect(303);
    assert_eq!(sales.get(ME).await.text_at("/name"), "田中");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_origin_is_this_site_with_its_scheme() {
    let app = TestApp::start(Sqlite).await;
    let site = app.nobody().base().trim_start_matches("http://").to_owned();
    let fields = [("email", ADMIN), ("password", PASSWORD)];
    for (origin, status) in [(format!("http://{site}"), 303), (format!("https://{site}"), 403)] {
        let api = app.nobody().header("accept", "text/html").header("origin", &origin);
        assert_eq!(post_form(&api, "/login", &fields).await.status, status, "{origin}");
    }
    let app = TestApp::with(Sqlite, &["--public-url", "https://crm.example.com"]).await;
    let site = app.nobody().base().to_owned();
    for (origin, status) in
        [("https://crm.example.com", 303), ("http://crm.example.com", 403), (site.as_str(), 403)]
    {
        let api = app.nobody().header("accept", "text/html").header("origin", origin);
        assert_eq!(post_form(&api, "/login", &fields).await.status, status, "{origin}");
    }
}
