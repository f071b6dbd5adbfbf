//! The web console's session: its cookies, their renewal, and forms that are not its own.

use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;

use testing::app::{ADMIN, PASSWORD};
use testing::browser::{Browser, cookie, post_form};
use testing::{Database, Postgres, Sqlite, Team, TestApp};

/// Every address that changes something.
const CHANGES: [&str; 63] = [
    "/admin/webhooks",
    "/admin/webhooks/{id}",
    "/admin/webhooks/{id}/deliveries/{id}/redeliver",
    "/logout",
    "/imports/{id}",
    "/imports/{id}/commit",
    "/customers",
    "/customers/{id}/edit",
    "/customers/{id}/delete",
    "/customers/{id}/merge",
    "/sagas/{id}/undo",
    "/meetings",
    "/meetings/{id}/edit",
    "/meetings/{id}/delete",
    "/tasks",
    "/tasks/{id}/edit",
    "/tasks/{id}/status",
    "/tasks/{id}/postpone",
    "/tasks/{id}/delete",
    "/approvals",
    "/approvals/{id}",
    "/news/seen",
    "/notifications/read-all",
    "/notifications/{id}",
    "/admin/api-keys",
    "/admin/api-keys/{id}/revoke",
    "/admin/users",
    "/admin/users/{id}",
    "/admin/users/{id}/delete",
    "/admin/dead-letters/{id}/redrive",
    "/customers/bulk",
    "/meetings/bulk",
    "/tasks/bulk",
    "/views",
    "/views/{id}",
    "/settings/password",
    "/settings/profile",
    "/settings/sessions/{id}/end",
    "/customers/{id}/attachments/{id}/delete",
    "/meetings/{id}/attachments/{id}/delete",
    "/tasks/{id}/attachments/{id}/delete",
    "/approvals/{id}/attachments/{id}/delete",
    "/customers/{id}/comments",
    "/customers/{id}/comments/{id}",
    "/customers/{id}/comments/{id}/delete",
    "/meetings/{id}/comments",
    "/meetings/{id}/comments/{id}",
    "/meetings/{id}/comments/{id}/delete",
    "/tasks/{id}/comments",
    "/tasks/{id}/comments/{id}",
    "/tasks/{id}/comments/{id}/delete",
    "/approvals/{id}/comments",
    "/approvals/{id}/comments/{id}",
    "/approvals/{id}/comments/{id}/delete",
    "/deals",
    "/deals/{id}/edit",
    "/deals/{id}/delete",
    "/deals/{id}/move",
    "/deals/bulk",
    "/deals/{id}/attachments/{id}/delete",
    "/deals/{id}/comments",
    "/deals/{id}/comments/{id}",
    "/deals/{id}/comments/{id}/delete",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_is_not_signed_in_is_led_to_the_sign_in_and_back() {
    let app = TestApp::start(Sqlite).await;
    let nobody = app.nobody().header("accept", "text/html");
    let answer = nobody.get("/customers?q=%E7%B5%86&sort=name").await.expect(303);
    assert_eq!(
        answer.header("location"),
        Some("/login?next=%2Fcustomers%3Fq%3D%25E7%25B5%2586%26sort%3Dname")
    );
    assert_eq!(
        cookie(&answer, "kizuna_session"),
        None,
        "a link from elsewhere comes without the other cookie"
    );
    for (next, then) in [("/tasks", "/tasks"), ("//evil.example", "/"), ("https://evil.example", "/")] {
        let fields = [("email", ADMIN), ("password", PASSWORD), ("next", next)];
        assert_eq!(post_form(&nobody, "/login", &fields).await.expect(303).header("location"), Some(then));
    }
    let refused =
        post_form(&nobody, "/login", &[("email", "<b>@x"), ("password", "wrong")]).await.expect(401);
    assert!(
        refused.text.contains("value=\"&#60;b&#62;@x\"") && refused.text.contains("正しくありません"),
        "{refused}"
    );
    let english = nobody.language("en").get("/login").await.expect(200);
    assert!(english.text.contains("<html lang=\"en\">") && english.text.contains("Sign in"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_cookies_are_out_of_reach_of_scripts_other_sites_and_plain_connections() {
    let app = TestApp::with(Sqlite, &["--public-url", "https://crm.example.com"]).await;
    let nobody = app.nobody().header("accept", "text/html").header("origin", "https://crm.example.com");
    let answer = post_form(&nobody, "/login", &[("email", ADMIN), ("password", PASSWORD)]).await.expect(303);
    let lines: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let names = [
        ("__Host-kizuna_session", "Lax", 30),
        ("__Host-kizuna_refresh", "Strict", 30),
        ("__Host-kizuna_device", "Strict", 365),
    ];
    for (line, (name, site, days)) in lines.iter().zip(names) {
        assert!(line.starts_with(&format!("{name}=")) && !line.contains("Domain"), "{line}");
        let (site, age) = (format!("SameSite={site}"), format!("Max-Age={}", days * 24 * 60 * 60));
        for part in ["HttpOnly", "Secure", "Path=/", &site, &age] {
            assert!(line.split("; ").any(|it| it == part), "{part} in {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_without_its_session_s_token_changes_nothing() {
    let app = TestApp::start(Sqlite).await;
    let team = Team::of(&app).await;
    let customer = team.admin.customer("絆").await.id();
    let (browser, other) = (Browser::open(&app, ADMIN).await, Browser::open(&app, ADMIN).await);
    let foreign = other.form_token().await;
    app.settle().await;
    let before = app.stored().await;
    for path in CHANGES {
        let path = path.replace("{id}", &customer);
        for token in ["", "wrong", browser.session.as_str(), foreign.as_str()] {
            let fields = [("form_token", token), ("name", "x"), ("title", "x"), ("status", "DONE")];
            let refused = post_form(&browser.api(), &path, &fields).await;
            assert_eq!(refused.status, 403, "{path} with {token}: {refused}");
        }
        let unsigned = post_form(&browser.api, &path, &[("form_token", foreign.as_str())]).await;
        assert_eq!((unsigned.status, unsigned.header("location")), (303, Some("/login")), "{path}");
    }
    assert_eq!(app.stored().await, before);
    browser.get("/customers").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_form_from_another_site_changes_nothing() {
    let app = TestApp::start(Sqlite).await;
    let browser = Browser::open(&app, ADMIN).await;
    let token = browser.form_token().await;
    app.settle().await;
    let before = app.stored().await;
    let fields = [("name", "絆"), ("form_token", token.as_str())];
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let foreign = browser.api().header(name, value);
        assert_eq!(post_form(&foreign, "/customers", &fields).await.status, 403, "{name}: {value}");
        let login = browser.api.header(name, value);
        let fields = [("email", ADMIN), ("password", PASSWORD)];
        assert_eq!(post_form(&login, "/login", &fields).await.status, 403, "{name}: {value}");
    }
    assert_eq!(app.stored().await, before);
    let own = browser.api().header("origin", app.nobody().base()).header("sec-fetch-site", "same-origin");
    post_form(&own, "/customers", &fields).await.expect(303);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn many_pages_at_once_renew_a_session_once(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let mut browser = Browser::open(&app, ADMIN).await;
    let form = browser.form_token().await;
    for _ in 0..3 {
        app.clock.advance(Duration::from_secs(16 * 60));
        let pages = ["/customers", "/meetings", "/tasks", "/approvals", "/session", "/settings"];
        let answers = join_all(pages.iter().cycle().take(18).map(|page| browser.get(page))).await;
        let renewed: Vec<_> = answers.iter().filter_map(|answer| cookie(answer, "kizuna_refresh")).collect();
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 204)));
        assert!(renewed.len() == 18 && renewed.iter().all(|token| *token == renewed[0]), "one exchange");
        // One that was on its way with the old token comes a moment later.
        app.clock.advance(Duration::from_secs(20));
        browser.get("/customers").await.expect(200);
        browser.keep(&answers[0]);
        let quiet = browser.get("/customers").await.expect(200);
        assert_eq!(cookie(&quiet, "kizuna_session"), None, "what is good is left");
    }
    // A form that lay open while its page's token ran out is taken.
    app.clock.advance(Duration::from_secs(16 * 60));
    let fields = [("name", "絆"), ("form_token", form.as_str())];
    post_form(&browser.api(), "/customers", &fields).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refresh_token_that_comes_again_later_ends_the_session() {
    let app = TestApp::start(Sqlite).await;
    let mut browser = Browser::open(&app, ADMIN).await;
    let stolen = browser.clone();
    app.clock.advance(Duration::from_secs(16 * 60));
    let renewed = browser.get("/customers").await.expect(200);
    browser.keep(&renewed);
    app.clock.advance(Duration::from_secs(31));
    stolen.get("/customers").await.expect(303);
    browser.get("/customers").await.expect(303);
    let cookie = format!("kizuna_session={}", browser.session);
    app.nobody().header("cookie", cookie).get("/api/stream").await.expect_problem(401, "session_ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_the_console_takes_a_token_that_was_just_exchanged() {
    let app = TestApp::start(Sqlite).await;
    let mut browser = Browser::open(&app, ADMIN).await;
    let first = browser.refresh.clone();
    app.clock.advance(Duration::from_secs(16 * 60));
    let renewed = browser.get("/customers").await.expect(200);
    // Another request of the same browser, on its way with what was exchanged, gets what the first one got.
    let late = browser.get("/meetings").await.expect(200);
    assert_eq!(cookie(&late, "kizuna_refresh"), cookie(&renewed, "kizuna_refresh"));
    browser.keep(&renewed);
    let body = serde_json::json!({"refresh_token": first});
    app.nobody().post("/api/auth/refresh", body).await.expect_problem(401, "session_ended");
    browser.get("/customers").await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn logging_out_ends_the_session_everywhere() {
    let app = TestApp::start(Sqlite).await;
    let browser = Browser::open(&app, ADMIN).await;
    let answer = browser.post("/logout", &[]).await.expect(303);
    assert_eq!(answer.header("location"), Some("/login"));
    assert_eq!(cookie(&answer, "kizuna_session").as_deref(), Some(""));
    assert_eq!(cookie(&answer, "kizuna_refresh").as_deref(), Some(""));
    browser.get("/customers").await.expect(303);
    let cookie = format!("kizuna_session={}", browser.session);
    app.nobody().header("cookie", cookie).get("/api/stream").await.expect_problem(401, "session_ended");
}
