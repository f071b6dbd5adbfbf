//! The web console: what its pages refuse. What people see is tested in a browser (tests/e2e).

use rstest::rstest;
use serde_json::json;

use testing::app::ADMIN;
use testing::browser::Browser;
use testing::{Database, Postgres, Sqlite, Team, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_are_kept_by_nobody_and_run_no_script_but_ours() {
    let app = TestApp::start(Sqlite).await;
    let browser = Browser::open(&app, ADMIN).await;
    for path in ["/customers", "/nowhere", "/customers/0198c0de-0000-7000-8000-000000000000"] {
        let page = browser.get(path).await;
        assert_eq!(page.header("cache-control"), Some("no-store"));
        let policy = page.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("referrer-policy"), Some("same-origin"));
        for inline in ["<script>", " style=", " onclick=", "javascript:"] {
            assert!(!page.text.contains(inline), "{inline} on {path}");
        }
    }
    let page = browser.get("/customers").await.text;
    let style = page.split('"').find(|part| part.ends_with("/style.css")).expect("a style sheet").to_owned();
    let asset = app.nobody().get(&style).await.expect(200);
    assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
    app.nobody().get("/assets/0000000000000000/style.css").await.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_asset_is_compressed_for_those_who_take_it_so() {
    let app = TestApp::start(Sqlite).await;
    let page = Browser::open(&app, ADMIN).await.get("/customers").await.text;
    let base = page.split('"').find(|part| part.ends_with("/style.css")).expect("a style sheet");
    let image = base.replace("style.css", "icon-192.png");
    for (path, accepted, coding) in [
        (base, "gzip, br", Some("gzip")),
        (base, "br", None),
        (base, "gzip;q=0", None),
        (base, "x;q=-", None),
        (&image, "gzip", None),
    ] {
        let answer = app.nobody().header("accept-encoding", accepted).get(path).await.expect(200);
        assert_eq!(answer.header("content-encoding"), coding, "{path} for {accepted}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
    }
    assert!(app.nobody().get(base).await.expect(200).text.contains("font-family"), "others get it as it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_parts_of_the_console_are_shown_by_a_demo_alone() {
    let app = TestApp::start(Sqlite).await;
    let page = Browser::open(&app, ADMIN).await.get("/design").await.expect(404);
    assert!(!page.text.contains("design-tokens"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_refuses_as_the_api_does() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let hidden = colleague.customer("秘密").await.id();
    let browser = Browser::open(&app, &sales.email).await;
    for path in ["", "/edit", "/delete"] {
        let page = browser.get(&format!("/customers/{hidden}{path}")).await.expect(404);
        assert!(page.text.contains("<h1>") && !page.text.contains("秘密"), "{page}");
    }
    for path in ["/admin", "/admin/users", "/admin/audit"] {
        browser.get(path).await.expect(403);
    }
    let other = colleague.id.to_string();
    let owned = browser.post("/customers", &[("name", "絆"), ("owner_id", &other)]).await.expect(303);
    assert_eq!(
        owned.header("location"),
        Some("/customers?done=registered"),
        "a field that is not theirs is none"
    );
    browser.get("/customers?sort=size").await.expect(400);
    let browser = Browser::open(&app, &manager.email).await;
    assert_eq!(browser.get("/admin").await.expect(303).header("location"), Some("/admin/audit"));
    browser.get("/admin/audit").await.expect(200);
    browser.get("/admin/users").await.expect(403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_typed_is_kept_and_shown_as_text() {
    let app = TestApp::start(Sqlite).await;
    let browser = Browser::open(&app, ADMIN).await;
    let hostile = "\"><script>alert(1)</script>";
    let page = browser.post("/customers", &[("name", hostile), ("email", "nobody")]).await.expect(422);
    assert!(
        page.text.contains("aria-invalid=\"true\"")
            && page.text.contains("メールアドレスの形式ではありません")
    );
    assert!(page.text.contains("&#34;&#62;&#60;script&#62;alert(1)") && !page.text.contains("<script>alert"));
    app.settle().await;
    let before = app.stored().await;
    let long = "あ".repeat(201);
    browser.post("/customers", &[("name", &long), ("email", "a@example.com")]).await.expect(422);
    assert_eq!(app.stored().await, before);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_customer_who_is_there_already_is_shown_once_and_not_made(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for member in [&sales, &colleague] {
        member.create_customer(json!({"name": "Test Customer", "email": "test@example.com"})).await;
    }
    let browser = Browser::open(&app, &manager.email).await;
    app.settle().await;
    let before = app.stored().await;
    let typed = [("name", "Test Customer"), ("email", " Test@Example.com ")];
    let page = browser.post("/customers", &typed).await.expect(409);
    let shown = page.text.matches(">Test Customer<").count();
    assert_eq!(shown, 1, "one of two: {page}");
    assert_eq!(app.stored().await, before);
    let again = [typed[0], typed[1], ("allow_duplicate", "true")];
    browser.post("/customers", &again).await.expect(303);
    assert_eq!(manager.get("/api/customers?q=test@example.com").await.items().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_record_that_somebody_else_changed_is_not_written_over() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let id = admin.customer("絆").await.id();
    let browser = Browser::open(&app, ADMIN).await;
    admin.patch(&format!("/api/customers/{id}"), json!({"phone": "03"})).await.expect(200);
    let path = format!("/customers/{id}/edit");
    let page = browser.post(&path, &[("name", "別"), ("version", "1")]).await.expect(412);
    assert!(page.text.contains("value=\"別\"") && page.text.contains("ほかの人が先に変更しました"), "{page}");
    browser.post(&path, &[("name", "別"), ("version", "2")]).await.expect(303);
    browser.post(&format!("/customers/{id}/delete"), &[("version", "2")]).await.expect(412);
    browser.post(&format!("/customers/{id}/delete"), &[("version", "3")]).await.expect(303);
    browser.get(&format!("/customers/{id}")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_asks_for_the_names_of_all_its_rows_at_once() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, colleague, .. } = Team::of(&app).await;
    let browser = Browser::open(&app, &manager.email).await;
    let handled = async || {
        let actors = admin.get("/api/admin/actors").await.expect(200);
        ["auth", "customer"].map(|name| {
            let actor = actors.items().iter().find(|actor| actor["name"] == name).expect("a service");
            actor["handled"].as_i64().expect("a number")
        })
    };
    let cost = async || {
        app.settle().await;
        let before = handled().await;
        for page in ["/tasks", "/meetings", "/approvals"] {
            browser.get(page).await.expect(200);
        }
        let after = handled().await;
        [after[0] - before[0], after[1] - before[1]]
    };
    let add = async |count: usize| {
        for n in 0..count {
            let member = if n % 2 == 0 { &sales } else { &colleague };
            let customer = member.customer("絆").await.id();
            let task = json!({"title": "電話", "due_at": "2099-01-01T00:00:00Z", "customer_id": customer});
            member.post("/api/tasks", task).await.expect(201);
            let meeting = json!({"title": "初回", "met_at": "2026-03-02T09:00:00Z", "customer_id": customer});
            member.post("/api/meetings", meeting).await.expect(201);
            let approval = json!({"title": "値引", "amount": 1, "currency": "JPY", "customer_id": customer});
            member.post("/api/approvals", approval).await.expect(201);
        }
    };
    add(1).await;
    let of_one = cost().await;
    add(9).await;
    assert_eq!(cost().await, of_one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_unknown_address_is_a_page_to_people_and_a_problem_to_programs() {
    let app = TestApp::start(Sqlite).await;
    app.nobody().get("/nowhere").await.expect_problem(404, "not_found");
    let page = app.nobody().header("accept", "text/html").get("/nowhere").await.expect(404);
    assert!(page.text.starts_with("<!doctype html>"), "{page}");
    app.nobody().header("accept", "text/html").get("/api/nowhere").await.expect_problem(404, "not_found");
}
