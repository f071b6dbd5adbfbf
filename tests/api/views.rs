//! `/api/auth/me/views`: views of lists that one has saved, in the API and the console.

use rstest::rstest;
use serde_json::{Value, json};
use store::sql::Sql;

use testing::browser::Browser;
use testing::{Answer, Api, Database, Postgres, Sqlite, Team, TestApp};

const PATH: &str = "/api/auth/me/views";

async fn save(api: &Api, view: Value) -> Answer {
    api.post(PATH, view).await.expect(201)
}

fn names(list: &Answer) -> Vec<&str> {
    list.items().iter().map(|view| view["name"].as_str().expect("a name")).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_view_is_saved_read_changed_and_removed_by_its_user_alone(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, manager, .. } = Team::of(&app).await;
    let view = json!({
        "list": "customers", "name": " 青空の担当 ", "filter": {"status": "ACTIVE", "q": "青空"},
        "sort": "-name", "columns": ["kana", "status"], "limit": 100,
    });
    let made = save(&sales, view).await;
    let path = format!("{PATH}/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(
        (made.version(), &made.body["name"], &made.body["default"]),
        (Some(1), &json!("青空の担当"), &json!(false))
    );
    assert_eq!(sales.get(&path).await.expect(200).body, made.body);
    assert_eq!(sales.get(PATH).await.expect(200).items(), std::slice::from_ref(&made.body));
    assert_eq!(sales.get(&format!("{PATH}?list=tasks")).await.expect(200).items(), &[] as &[Value]);
    assert_eq!(manager.get(PATH).await.expect(200).items(), &[] as &[Value]);
    for method in ["GET", "DELETE"] {
        manager.raw(method, &path, "").await.expect_problem(404, "not_found");
    }
    let change = json!({"name": "青空", "sort": null, "default": true});
    let changed = sales.if_match(1).patch(&path, change.clone()).await.expect(200);
    assert_eq!(
        (changed.version(), &changed.body["sort"], &changed.body["default"]),
        (Some(2), &Value::Null, &json!(true))
    );
    assert_eq!(changed.body["columns"], json!(["kana", "status"]), "what was not named stays");
    sales.if_match(1).patch(&path, change.clone()).await.expect_problem(412, "stale_version");
    assert_eq!(sales.patch(&path, change).await.expect(200).version(), Some(2), "nothing changed");
    sales.if_match(1).delete(&path).await.expect_problem(412, "stale_version");
    sales.if_match(2).delete(&path).await.expect(200);
    sales.get(&path).await.expect_problem(404, "not_found");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn views_are_checked_bounded_and_saved_once_for_a_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let of = |name: &str| json!({"list": "tasks", "name": name, "default": true});
    let first = sales.idempotency_key("one").post(PATH, of("今週")).await.expect(201);
    save(&sales, of("来週")).await;
    let again = sales.idempotency_key("one").post(PATH, of("今週")).await.expect(201);
    assert_eq!((again.id(), again.header("idempotency-replayed")), (first.id(), Some("true")));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.version(), first.version());
    let list = sales.get(PATH).await.expect(200);
    assert_eq!(names(&list), ["今週", "来週"]);
    assert_eq!([&list.items()[0]["default"], &list.items()[1]["default"]], [&json!(false), &json!(true)]);
    let taken = sales.post(PATH, of(" 今週 ")).await.expect_problem(422, "invalid_fields");
    assert_eq!(taken.body["errors"][0]["code"], json!("name_taken"));
    for wrong in [
        json!({"list": "users", "name": "x"}),
        json!({"list": "tasks", "name": "\u{200b}"}),
        json!({"list": "tasks", "name": "x", "filter": {"status": "ACTIVE"}}),
        json!({"list": "tasks", "name": "x", "filter": {"role": "SALES"}}),
        json!({"list": "tasks", "name": "x", "columns": ["password_hash"]}),
        json!({"list": "tasks", "name": "x", "sort": "title"}),
        json!({"list": "tasks", "name": "x", "limit": 0}),
        json!({"list": "tasks", "name": "x", "owner_id": first.id()}),
    ] {
        sales.post(PATH, wrong).await.expect_problem(422, "invalid_fields");
    }
    for n in 0..48 {
        save(&sales, json!({"list": "customers", "name": format!("{n}")})).await;
    }
    sales.post(PATH, of("多すぎる")).await.expect_problem(409, "too_many_views");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn views_go_with_their_user(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    save(&sales, json!({"list": "tasks", "name": "今週"})).await;
    save(&admin, json!({"list": "tasks", "name": "全員"})).await;
    let kept =
        async || app.db.number(Sql::new("SELECT CAST(count(*) AS TEXT) FROM user_views")).await.unwrap();
    assert_eq!(kept().await, 2);
    admin.delete(&format!("/api/auth/users/{}", sales.id)).await.expect(200);
    sales.post(PATH, json!({"list": "tasks", "name": "後"})).await.expect(401);
    assert_eq!(kept().await, 2, "as long as the deletion can be undone");
    testing::deleted_records::purge(&app).await;
    assert_eq!(kept().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_console_opens_a_list_with_its_default_view() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    sales.create_customer(json!({"name": "絆", "status": "ACTIVE"})).await;
    sales.create_customer(json!({"name": "別", "status": "LEAD"})).await;
    let browser = Browser::open(&app, &sales.email).await;
    browser.get("/customers").await.expect(200);
    let form = [
        ("list", "customers"),
        ("query", "status=ACTIVE&sort=-name&columns=name&columns=kana&limit=25"),
        ("name", "稼働中"),
        ("default", "1"),
    ];
    let saved = browser.post("/views", &form).await.expect(303);
    let id = sales.get(PATH).await.expect(200).body[0]["id"].as_str().expect("an id").to_owned();
    let address = format!("/customers?view={id}&status=ACTIVE&sort=-name&columns=name&columns=kana&limit=25");
    assert_eq!(saved.header("location"), Some(format!("{address}&done=view-saved").as_str()));
    assert_eq!(browser.get("/customers").await.expect(303).header("location"), Some(address.as_str()));
    let done = browser.get("/customers?done=registered").await.expect(303);
    assert_eq!(done.header("location"), Some(format!("{address}&done=registered").as_str()));
    let page = browser.get(&address).await.expect(200).text;
    assert!(page.contains("絆</a>") && !page.contains("別</a>") && page.contains("sort-by-name"));
    assert!(page.contains("aria-current=\"page\">稼働中</a>") && !page.contains("変更をこのビューに保存"));
    let edited = browser.get(&address.replace("ACTIVE", "LEAD")).await.expect(200).text;
    assert!(edited.contains("変更をこのビューに保存"), "it offers to keep what was changed");
    let all = browser.get("/customers?view=all").await.expect(200).text;
    assert!(all.contains("絆</a>") && all.contains("別</a>"), "without the view");
    let view = format!("/views/{id}");
    let kept = browser.post(&view, &[("act", "settings"), ("query", "status=LEAD")]).await.expect(303);
    let address = format!("/customers?view={id}&status=LEAD&done=view-saved");
    assert_eq!(kept.header("location"), Some(address.as_str()));
    let refused = browser.post("/views", &form).await.expect(422);
    assert!(refused.text.contains("この名前はすでに使われています。"), "{refused}");
    browser.post(&view, &[("act", "rename"), ("name", "見込み")]).await.expect(303);
    assert_eq!(sales.get(PATH).await.expect(200).body[0]["default"], json!(false), "its box was not ticked");
    browser.get("/customers").await.expect(200);
    browser.post(&view, &[("act", "remove")]).await.expect(303);
    assert_eq!(sales.get(PATH).await.expect(200).items(), &[] as &[Value]);
    browser.post(&view, &[("act", "remove")]).await.expect(404);
}
