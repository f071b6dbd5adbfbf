//! `/api/search` and `?q=` of meetings, tasks and approvals (SPEC §2, §3).

use rstest::rstest;
use serde_json::json;

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

async fn search(api: &Member, q: &str, limit: &str) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    api.get(&format!("/api/search?{query}{limit}")).await.expect(200)
}

/// Types and titles of what is found.
async fn found(api: &Member, q: &str) -> Vec<String> {
    let answer = search(api, q, "").await;
    assert_eq!(answer.header("x-missing-types"), None);
    let text = |row: &serde_json::Value, field: &str| row[field].as_str().expect("a text").to_owned();
    answer.items().iter().map(|row| format!("{} {}", text(row, "type"), text(row, "title"))).collect()
}

/// What a list finds, by title.
async fn listed(api: &Member, path: &str, q: &str) -> Vec<String> {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
    let list = api.get(&format!("/api/{path}?count=true&{query}")).await.expect(200);
    assert_eq!(list.header("x-total-count"), Some(list.items().len().to_string().as_str()));
    list.items().iter().map(|row| row["title"].as_str().expect("a title").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn records_of_every_kind_are_found_by_what_people_remember(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin
        .create_customer(json!({"name": "山田 太郎", "kana": "ヤマダ タロウ", "company": "㈱青空"}))
        .await
        .id();
    let met = json!({"customer_id": customer, "title": "定例会議", "met_at": "2026-03-01T10:00:00Z",
        "location": "大阪本社", "notes": "ﾃﾞﾓを見せた", "outcome": "次回は見積り"});
    admin.post("/api/meetings", met).await.expect(201);
    let task = json!({"title": "見積書を送る", "due_at": "2026-03-05T09:00:00Z", "customer_id": customer,
        "notes": "PDF で"});
    admin.post("/api/tasks", task).await.expect(201);
    let approval =
        json!({"customer_id": customer, "title": "特別値引き", "amount": 5, "reason": "年度末のため"});
    admin.post("/api/approvals", approval).await.expect(201);
    admin.task("別件", "2026-03-05T09:00:00Z").await;
    app.settle().await;
    for (q, wanted) in [
        ("デモ", &["meeting 定例会議"][..]),
        ("おおさか", &[]),
        ("大阪 定例", &["meeting 定例会議"]),
        ("見積り 山田", &["meeting 定例会議"]),
        ("ｐｄｆ", &["task 見積書を送る"]),
        ("値引 年度末", &["approval 特別値引き"]),
        ("別件", &["task 別件"]),
        ("やまだ", &["customer 山田 太郎"]),
        ("青空", &["customer 山田 太郎"]),
        ("太郎 送る", &["task 見積書を送る"]),
        ("山田太郎", &["customer 山田 太郎", "approval 特別値引き", "task 見積書を送る", "meeting 定例会議"]),
        ("%", &[]),
        ("\u{200b}", &[]),
    ] {
        assert_eq!(found(&admin, q).await, wanted, "{q}");
    }
    let first = &search(&admin, "山田", "&limit=1").await.body;
    let id = &first[0]["id"];
    assert_eq!(*first, json!([{"type": "customer", "id": id, "title": "山田 太郎", "subtitle": "㈱青空"}]));
    assert_eq!(search(&admin, "特別", "").await.body[0]["subtitle"], json!("山田 太郎"));
    assert_eq!(search(&admin, "別件", "").await.body[0]["subtitle"], json!(null));
    assert_eq!(listed(&admin, "meetings", "デモ 山田").await, ["定例会議"]);
    assert_eq!(listed(&admin, "meetings", "見積書").await, [""; 0]);
    assert_eq!(listed(&admin, "tasks", "山田").await, ["見積書を送る"]);
    assert_eq!(listed(&admin, "tasks", "").await.len(), 2);
    assert_eq!(listed(&admin, "approvals", "年度末 山田").await, ["特別値引き"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_best_come_first_whatever_service_has_them(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer =
        admin.create_customer(json!({"name": "Osaka Trading", "company": "Review Board"})).await.id();
    let due = "2026-03-05T09:00:00Z";
    admin.task("Preview", due).await;
    admin.task("Annual Review", due).await;
    admin.approval(&customer, "REVIEW").await;
    admin.meeting(&customer, "Review of 2026").await;
    admin.deal(&customer, "Review deal").await;
    admin.task("review", due).await;
    app.settle().await;
    let wanted = [
        "task review",
        "approval REVIEW",
        "deal Review deal",
        "meeting Review of 2026",
        "task Annual Review",
        "task Preview",
        "customer Osaka Trading",
    ];
    assert_eq!(found(&admin, "review").await, wanted);
    assert_eq!(found(&admin, "2026 review").await, ["meeting Review of 2026"]);
    let two = search(&admin, "review", "&limit=2").await;
    assert_eq!(two.items().len(), 2);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nobody_finds_what_they_may_not_see(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let hidden = colleague.customer("秘密の顧客").await.id();
    colleague.meeting(&hidden, "秘密の会議").await;
    colleague.task("秘密の用事", "2026-03-05T09:00:00Z").await;
    colleague.approval(&hidden, "秘密の値引き").await;
    // A record of one's own about a customer of somebody else.
    let own = colleague.meeting(&hidden, "訪問").await.id();
    manager.patch(&format!("/api/meetings/{own}"), json!({"owner_id": sales.id})).await.expect(200);
    app.settle().await;
    assert_eq!(found(&sales, "秘密").await, [""; 0]);
    assert_eq!(found(&sales, "訪問").await, ["meeting 訪問"]);
    assert_eq!(search(&sales, "訪問", "").await.body[0]["subtitle"], json!(null));
    assert_eq!(
        found(&sales, "訪問 秘密").await,
        [""; 0],
        "nor by the name of a customer whom they don't see"
    );
    assert_eq!(listed(&sales, "meetings", "秘密").await, [""; 0]);
    assert_eq!(found(&manager, "訪問 秘密").await, ["meeting 訪問"]);
    assert_eq!(found(&colleague, "秘密").await.len(), 4);
    assert_eq!(found(&manager, "秘密の").await.len(), 5);
    colleague.delete(&format!("/api/customers/{hidden}")).await.expect(200);
    app.settle().await;
    let rest = ["approval 秘密の値引き", "task 秘密の用事"];
    assert_eq!(found(&manager, "秘密の").await, rest, "what was deleted is not found; a decided request is");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_changed_is_found_by_its_new_texts(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("旧商店").await.id();
    let task = admin.task("電話", "2026-03-05T09:00:00Z").await.id();
    let meeting = admin.meeting(&customer, "訪問").await.id();
    let approval = admin.approval(&customer, "値引き").await.id();
    admin.patch(&format!("/api/tasks/{task}"), json!({"title": "手紙", "notes": "速達"})).await.expect(200);
    admin.patch(&format!("/api/meetings/{meeting}"), json!({"outcome": "成約"})).await.expect(200);
    admin.patch(&format!("/api/customers/{customer}"), json!({"name": "新商店"})).await.expect(200);
    let cancel = json!({"comment": "不要"});
    admin.patch(&format!("/api/approvals/{approval}/cancel"), cancel).await.expect(200);
    app.settle().await;
    assert_eq!(found(&admin, "電話").await, [""; 0]);
    assert_eq!(found(&admin, "速達 手紙").await, ["task 手紙"]);
    assert_eq!(found(&admin, "成約 新商店").await, ["meeting 訪問"]);
    assert_eq!(found(&admin, "旧商店").await, [""; 0]);
    assert_eq!(found(&admin, "不要").await, ["approval 値引き"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_whose_whole_name_was_typed_comes_first_however_old(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    admin.customer("絆").await;
    admin.customer("絆商事").await;
    // More than are ranked.
    for _ in 0..5 {
        let made = (0..50).map(|n| admin.create_customer(json!({"name": format!("甲{n}"), "company": "絆"})));
        futures_util::future::join_all(made).await;
    }
    let answer = search(&admin, "絆", "").await;
    let titles: Vec<_> = answer.items().iter().map(|row| row["title"].as_str().expect("a name")).collect();
    assert_eq!((&titles[..2], titles.len()), (&["絆", "絆商事"][..], 20));
    assert!(titles[2..].iter().all(|title| title.starts_with('甲')), "{titles:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_search_that_is_none_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let words = (0..17).map(|n| format!("{n:02}")).collect::<Vec<_>>().join("+");
    let long = "a".repeat(201);
    let mut refused = vec![
        Rejected::parameter("/api/search", "q", "required"),
        Rejected::parameter("/api/search?q=a&limit=0", "limit", "too_small"),
        Rejected::parameter("/api/search?q=a&limit=51", "limit", "too_large"),
        Rejected::parameter("/api/search?q=a&limit=x", "limit", "invalid_value"),
        Rejected::parameter("/api/search?q=a&sort=name", "sort", "unknown_parameter"),
    ];
    for path in ["search", "meetings", "tasks", "approvals"] {
        refused.push(Rejected::parameter(&format!("/api/{path}?q={long}"), "q", "too_long"));
        refused.push(Rejected::parameter(&format!("/api/{path}?q={words}"), "q", "too_many_words"));
    }
    all_refused(&app, &admin, refused).await;
    app.nobody().get("/api/search?q=a").await.expect_problem(401, "missing_token");
    assert_eq!(search(&admin, "", "").await.body, json!([]));
}
