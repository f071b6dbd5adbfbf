//! The console's search: its page, which needs no scripts, and the answers to its dialog.

use rstest::rstest;
use serde_json::{Value, json};

use testing::browser::Browser;
use testing::{Database, Postgres, Sqlite, Team, TestApp};

fn query(name: &str, value: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish()
}

/// Titles of the dialog's entries, by the heading of their group.
async fn dialog(browser: &Browser, name: &str, value: &str) -> Vec<(String, Vec<String>)> {
    let answer = browser.get(&format!("/palette?{}", query(name, value))).await.expect(200);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let groups = answer.body["groups"].as_array().expect("groups").iter().map(|group| {
        let entries = group["entries"].as_array().expect("entries");
        (text(&group["label"]), entries.iter().map(|entry| text(&entry["title"])).collect())
    });
    groups.collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_page_finds_records_pages_and_actions(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.create_customer(json!({"name": "承認 商店", "company": "㈱青空"})).await.id();
    colleague.customer("承認 秘密").await;
    app.settle().await;
    let browser = Browser::open(&app, &sales.email).await;
    let page = browser.get(&format!("/search?{}", query("q", "承認"))).await.expect(200).text;
    assert!(page.contains(&format!("href=\"/customers/{customer}\"")) && page.contains("㈱青空"), "{page}");
    assert!(
        page.contains("href=\"/approvals#new-approval\"") && page.contains("href=\"/approvals\""),
        "{page}"
    );
    assert!(!page.contains("秘密") && !page.contains('⟦'), "{page}");
    let none = browser.get("/search?q=zzz").await.expect(200).text;
    assert!(none.contains("該当するものはありません"), "{none}");
    let empty = browser.get("/search").await.expect(200).text;
    assert!(empty.contains("href=\"/reports\"") && !empty.contains("href=\"/admin/users\""), "{empty}");
    let many = (0..17).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    for wrong in [many, "a".repeat(201)] {
        browser.get(&format!("/search?{}", query("q", &wrong))).await.expect(400);
    }
    let nobody = app.nobody().header("accept", "text/html");
    let led = nobody.get("/search?q=a").await.expect(303);
    assert_eq!(led.header("location"), Some("/login?next=%2Fsearch%3Fq%3Da"));
    let keys = browser.get("/shortcuts").await.expect(200).text;
    assert!(keys.contains("<kbd>g</kbd> <kbd>t</kbd>") && !keys.contains("<kbd>o</kbd>"), "{keys}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_dialog_shows_what_was_opened_last_as_far_as_it_may_be_seen() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let own = sales.create_customer(json!({"name": "青空", "company": "㈱絆"})).await.id();
    let hidden = colleague.customer("秘密").await.id();
    let meeting = sales.meeting(&own, "訪問").await.id();
    let gone = sales.task("消えた用事", "2026-03-05T09:00:00Z").await.id();
    sales.delete(&format!("/api/tasks/{gone}")).await.expect(200);
    let opened = format!(
        "meeting:{meeting} customer:{hidden} task:{gone} customer:{own} customer:x approval user:{own}"
    );
    let browser = Browser::open(&app, &sales.email).await;
    let groups = dialog(&browser, "recent", &opened).await;
    assert_eq!(groups[0], ("最近開いたもの".to_owned(), vec!["訪問".to_owned(), "青空".to_owned()]));
    let names: Vec<_> = groups.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["最近開いたもの", "操作", "ページ"]);
    assert!(groups[1].1.contains(&"ログアウト".to_owned()), "{groups:?}");
    // What is no longer theirs to see is not shown.
    let path = format!("/api/customers/{own}");
    manager.patch(&path, json!({"owner_id": colleague.id})).await.expect(200);
    let groups = dialog(&browser, "recent", &format!("customer:{own}")).await;
    assert_eq!(groups[0].0, "操作");
    let answer = browser.get(&format!("/palette?recent=customer:{own}")).await.expect(200);
    assert!(!answer.text.contains("青空"), "{answer}");
    let many = vec![format!("customer:{own}"); 200].join(" ");
    dialog(&Browser::open(&app, &colleague.email).await, "recent", &many).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_dialog_finds_pages_by_their_names_in_both_languages_as_far_as_one_may_open_them() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let found = async |email: &str, q: &str| {
        let browser = Browser::open(&app, email).await;
        dialog(&browser, "q", q).await.into_iter().flat_map(|(_, titles)| titles).collect::<Vec<_>>()
    };
    assert_eq!(found(&sales.email, "ﾚﾎﾟｰﾄ").await, ["レポート"]);
    assert_eq!(found(&sales.email, "reports").await, ["レポート"]);
    assert_eq!(found(&sales.email, "add customer").await, ["新規顧客追加"]);
    assert_eq!(found(&sales.email, "sign out").await, ["ログアウト"]);
    assert_eq!(found(&sales.email, "監査").await, [""; 0]);
    assert_eq!(found(&manager.email, "監査").await, ["監査ログ"]);
    assert_eq!(found(&admin.email, "ユーザー").await, ["ユーザーを作成", "ユーザー"]);
    let long = (0..60).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    assert_eq!(found(&sales.email, &long).await, [""; 0], "what is too long is cut, not refused");
}
