//! The console's home page: what is due, what awaits a decision, what others have changed (SPEC §10).

use kernel::clock::Timestamp;
use rstest::rstest;
use serde_json::json;

use testing::browser::Browser;
use testing::{Database, Postgres, Sqlite, Team, TestApp};

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

/// Where the day of a reader in Tokyo ends.
fn end_of_day(now: Timestamp) -> Timestamp {
    let local = now.micros() + 9 * HOUR;
    Timestamp::from_micros((local.div_euclid(DAY) + 1) * DAY - 9 * HOUR)
}

/// The part of the page between the beginning of a section and the next.
fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let from = page.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}: {page}")).1;
    from.split_once("</section>").expect("its end").0
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tasks_are_those_of_the_reader_s_day_and_before(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let end = end_of_day(app.clock.now());
    let at = |micros: i64| Timestamp::from_micros(end.micros() + micros).to_string();
    sales.task("今日の用事", &at(-1_000_000)).await;
    sales.task("明日の用事", &at(0)).await;
    sales.task("遅れた用事", &at(-9 * DAY)).await;
    colleague.task("同僚の用事", &at(-DAY)).await;
    let done = sales.task("済んだ用事", &at(-DAY)).await.id();
    sales.patch(&format!("/api/tasks/{done}"), json!({"status": "DONE"})).await.expect(200);
    let page = Browser::open(&app, &sales.email).await.get("/").await.expect(200).text;
    let tasks = part(&page, "home-tasks");
    for (title, is_shown) in [
        ("今日の用事", true),
        ("遅れた用事", true),
        ("明日の用事", false),
        ("同僚の用事", false),
        ("済んだ用事", false),
    ] {
        assert_eq!(tasks.contains(title), is_shown, "{title}: {tasks}");
    }
    assert!(!page.contains("id=\"home-approvals\""), "SALES decide nothing");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn requests_that_await_one_s_decision_are_shown_to_who_may_decide(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let second = admin.hire("MANAGER", "second", None).await;
    let customer = sales.customer("絆").await.id();
    let request = async |title: &str, approver: Option<&str>| {
        let body = json!({"customer_id": customer, "title": title, "amount": 1, "approver_id": approver});
        sales.post("/api/approvals", body).await.expect(201).id()
    };
    request("上長の判断", None).await;
    request("別の人の判断", Some(&second.id)).await;
    let decided = request("済んだ判断", None).await;
    manager.patch(&format!("/api/approvals/{decided}/approve"), json!({})).await.expect(200);
    // A manager's own request has no manager to wait for: it is everybody's, but not their own.
    manager.approval(&customer, "自分の申請").await;
    for (reader, shown) in [
        (&manager, &["上長の判断"][..]),
        (&second, &["別の人の判断", "自分の申請"]),
        (&admin, &["自分の申請"]),
    ] {
        let page = Browser::open(&app, &reader.email).await.get("/").await.expect(200).text;
        let approvals = part(&page, "home-approvals");
        for title in ["上長の判断", "別の人の判断", "済んだ判断", "自分の申請"] {
            let expected = shown.contains(&title);
            assert_eq!(approvals.contains(title), expected, "{title} for {}: {approvals}", reader.email);
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn news_are_what_others_changed_since_it_was_seen(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("青空商事").await.id();
    sales.meeting(&customer, "自分の会議").await;
    let other = colleague.customer("他人の顧客").await.id();
    let path = |id: &str| format!("/api/customers/{id}");
    manager.patch(&path(&customer), json!({"phone": "03-1"})).await.expect(200);
    manager.patch(&path(&other), json!({"phone": "03-2"})).await.expect(200);
    app.settle().await;
    let browser = Browser::open(&app, &sales.email).await;
    let news = async || part(&browser.get("/").await.expect(200).text, "home-news").to_owned();
    let shown = news().await;
    assert!(
        shown.contains("顧客の変更") && shown.contains("青空商事") && shown.contains("manager"),
        "{shown}"
    );
    assert!(!shown.contains("自分の会議") && !shown.contains("顧客の作成"), "one's own is no news: {shown}");
    assert!(!shown.contains("他人の顧客"), "{shown}");
    assert_eq!(news().await.matches("<li>").count(), 1, "looking changes nothing");

    let position = shown.split("name=\"position\" value=\"").nth(1).expect("a position");
    let position = position.split('"').next().expect("its end").to_owned();
    // What happens after the page was made is news still.
    manager.patch(&path(&customer), json!({"notes": "後から"})).await.expect(200);
    app.settle().await;
    let seen = browser.post("/news/seen", &[("position", &position)]).await.expect(303);
    assert_eq!(seen.header("location"), Some("/?done=seen"));
    let rest = news().await;
    assert_eq!(rest.matches("<li>").count(), 1, "{rest}");
    assert!(rest.contains("メモ") || rest.contains("notes"), "the later one: {rest}");
    browser.post("/news/seen", &[("position", "9223372036854775807")]).await.expect(303);
    assert_eq!(news().await.matches("<li>").count(), 0);
    // A position never goes back.
    browser.post("/news/seen", &[("position", "0")]).await.expect(303);
    assert_eq!(news().await.matches("<li>").count(), 0);
    manager.delete(&path(&customer)).await.expect(200);
    app.settle().await;
    let gone = news().await;
    assert!(gone.contains("顧客の削除") && !gone.contains(&format!("/customers/{customer}\"")), "{gone}");
    let others = Browser::open(&app, &colleague.email).await.get("/").await.expect(200).text;
    assert!(part(&others, "home-news").contains("他人の顧客"), "each has a position of their own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_sign_in_leads_home_or_to_the_page_that_was_wanted() {
    use testing::app::{ADMIN, PASSWORD};
    use testing::browser::post_form;
    let app = TestApp::start(Sqlite).await;
    let api = app.nobody().header("accept", "text/html");
    for (next, place) in [("", "/"), ("/tasks?status=DONE", "/tasks?status=DONE"), ("//evil.example", "/")] {
        let fields = [("email", ADMIN), ("password", PASSWORD), ("next", next)];
        let answer = post_form(&api, "/login", &fields).await.expect(303);
        assert_eq!(answer.header("location"), Some(place), "{next}");
    }
    let page = Browser::open(&app, ADMIN).await.get("/").await.expect(200).text;
    assert!(!page.contains('⟦'), "{page}");
    assert!(page.contains("href=\"/tasks#new-task\""), "what is empty leads on: {page}");
    assert!(page.contains("href=\"/customers?owner_id="), "what is empty leads on: {page}");
}
