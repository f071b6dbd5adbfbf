//! Sessions: what keeps them alive and what ends them, at once (SPEC §8.6).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::user::messages::ChangeUser;
use domain::user::record::UserChanges;
use futures_util::future::join_all;
use kernel::caller::Role;
use kernel::context::Context;
use kernel::error::ErrorCode;
use kernel::ids::Id;
use rstest::rstest;
use serde_json::json;

use testing::app::{ADMIN, PASSWORD};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};
use tokio::sync::Semaphore;

const ME: &str = "/api/auth/me";
const NEW_PASSWORD: &str = "another-password";

async fn refresh(app: &TestApp, refresh_token: &str) -> Answer {
    app.nobody().post("/api/auth/refresh", json!({"refresh_token": refresh_token})).await
}

async fn refreshed(app: &TestApp, refresh_token: &str) -> Member {
    Member::of(&app.nobody(), &refresh(app, refresh_token).await.expect(200))
}

/// Neither token of this session is good for anything.
async fn assert_ended(app: &TestApp, member: &Member) {
    member.get(ME).await.expect_problem(401, "session_ended");
    refresh(app, &member.refresh_token).await.expect_problem(401, "session_ended");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refresh_gives_new_tokens_of_the_same_session(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let first = Member::first(&app).await;
    app.clock.advance(Duration::from_secs(16 * 60));
    first.get(ME).await.expect_problem(401, "token_expired");
    let second = refreshed(&app, &first.refresh_token).await;
    assert_eq!(second.id, first.id);
    assert_ne!(second.refresh_token, first.refresh_token);
    second.get(ME).await.expect(200);
    let third = refreshed(&app, &second.refresh_token).await;
    third.get(ME).await.expect(200);
    second.get(ME).await.expect(200);
    assert_eq!(app.rows("sessions").await, 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_old_refresh_token_ends_every_token_of_its_family(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (first, other) = (Member::first(&app).await, Member::first(&app).await);
    let second = refreshed(&app, &first.refresh_token).await;
    second.get(ME).await.expect(200);
    refresh(&app, &first.refresh_token).await.expect_problem(401, "session_ended");
    assert_ended(&app, &second).await;
    assert_ended(&app, &first).await;
    other.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_refreshes_at_once_at_most_one_is_answered() {
    let app = TestApp::start(Sqlite).await;
    let first = Member::first(&app).await;
    let answers = tokio::join!(refresh(&app, &first.refresh_token), refresh(&app, &first.refresh_token));
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    first.get(ME).await.expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn refresh_tokens_are_checked_like_access_tokens() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let access_token = admin.access_token().expect("signed in");
    refresh(&app, access_token).await.expect_problem(401, "invalid_token");
    refresh(&app, "nonsense").await.expect_problem(401, "invalid_token");
    app.clock.advance(Duration::from_secs(30 * 24 * 3600));
    refresh(&app, &admin.refresh_token).await.expect_problem(401, "token_expired");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_logout_ends_its_session_at_once_and_no_other(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (here, there) = (Member::first(&app).await, Member::first(&app).await);
    let answer = here.raw("POST", "/api/auth/logout", "").await.expect(204);
    assert_eq!(answer.text, "");
    assert_ended(&app, &here).await;
    here.raw("POST", "/api/auth/logout", "").await.expect_problem(401, "session_ended");
    there.get(ME).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_password_ends_every_session_but_the_one_that_set_it(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let (here, there) = (Member::first(&app).await, Member::first(&app).await);
    app.clock.advance(Duration::from_secs(1));
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    here.post("/api/auth/password", change).await.expect(204);
    assert_ended(&app, &there).await;
    here.get(ME).await.expect(200);
    refreshed(&app, &here.refresh_token).await.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_password_that_an_admin_sets_ends_every_session_of_its_user() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let sales = admin.hire("SALES", "sales", None).await;
    app.clock.advance(Duration::from_secs(1));
    let path = format!("/api/auth/users/{}", sales.id);
    admin.patch(&path, json!({"password": NEW_PASSWORD})).await.expect(200);
    assert_ended(&app, &sales).await;
    Member::sign_in(&app.nobody(), &sales.email, NEW_PASSWORD).await.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_login_with_the_old_password_does_not_outlive_a_change_that_it_races_with() {
    let app = TestApp::with(Sqlite, &["--login-rate", "1000/m"]).await;
    let (here, nobody) = (Member::first(&app).await, app.nobody());
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    let mut change = pin!(here.post("/api/auth/password", change));
    // While the new password is hashed, logins come in that have seen the old one; and time passes.
    let mut logins = Vec::new();
    // No more at the same time than the hasher has room for.
    let places = Arc::new(Semaphore::new(64));
    let changed = loop {
        let (nobody, login) = (nobody.clone(), json!({"email": ADMIN, "password": PASSWORD}));
        if let Ok(place) = places.clone().try_acquire_owned() {
            logins.push(tokio::spawn(async move {
                let answer = nobody.post("/api/auth/login", login).await;
                drop(place);
                answer
            }));
        }
        tokio::select! {
            changed = &mut change => break changed,
            () = tokio::time::sleep(Duration::from_millis(5)) => app.clock.advance(Duration::from_millis(5)),
        }
    };
    changed.expect(204);
    for answer in join_all(logins).await {
        match answer.expect("an answer") {
            opened if opened.status == 200 => assert_ended(&app, &Member::of(&nobody, &opened)).await,
            refused => drop(refused.expect_problem(401, "invalid_credentials")),
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lowered_role_takes_hold_at_once_with_the_old_token(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = format!("/api/customers/{}", sales.customer("絆").await.id());
    manager.get(&customer).await.expect(200);
    manager.get("/api/audit/events").await.expect(200);
    let path = format!("/api/auth/users/{}", manager.id);
    admin.patch(&path, json!({"role": "SALES"})).await.expect(200);
    manager.get(&customer).await.expect_problem(404, "not_found");
    manager.get("/api/audit/events").await.expect_problem(403, "forbidden");
    assert!(manager.get("/api/customers").await.items().is_empty());
    assert_eq!(refreshed(&app, &manager.refresh_token).await.get(ME).await.text_at("/role"), "SALES");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_admins_who_lower_each_other_leave_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let first = Member::first(&app).await;
    let second = first.hire("ADMIN", "second", None).await;
    let lower = json!({"role": "SALES"});
    let (path_of_first, path_of_second) =
        (format!("/api/auth/users/{}", first.id), format!("/api/auth/users/{}", second.id));
    let (one, two) =
        tokio::join!(first.patch(&path_of_second, lower.clone()), second.patch(&path_of_first, lower));
    let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
    won.expect(200);
    assert!(
        matches!((lost.status, lost.code()), (409, Some("last_admin")) | (403, Some("forbidden"))),
        "{lost}"
    );
    let roles = [first.get(ME).await.text_at("/role"), second.get(ME).await.text_at("/role")];
    assert_eq!(roles.iter().filter(|role| *role == "ADMIN").count(), 1);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_admin_stays_one(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let path = format!("/api/auth/users/{}", admin.id);
    admin.patch(&path, json!({"role": "MANAGER"})).await.expect_problem(409, "own_account");
    // As Kizuna itself, which has no account of its own.
    let id = Id::parse(&admin.id).expect("an id");
    let changes = UserChanges { role: Some(Role::Manager), ..UserChanges::default() };
    let change = ChangeUser { id, changes, context: Context::system() };
    let error = app.auth.service.ask(change).await.expect_err("a refusal");
    assert_eq!(error.code, ErrorCode::LastAdmin);
    assert_eq!(admin.get(ME).await.text_at("/role"), "ADMIN");
}
