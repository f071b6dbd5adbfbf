//! `/api/customers`: the record and what can be done to it.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::ids::Id;
use rstest::rstest;
use serde_json::{Value, json};
use store::sql::Sql;

use crate::rejected::{Rejected, all_refused};
use testing::app::PASSWORD;
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const CUSTOMERS: &str = "/api/customers";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn path(id: &str) -> String {
    format!("{CUSTOMERS}/{id}")
}

fn ids(list: &Answer) -> Vec<String> {
    list.items().iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_customer_is_answered_as_it_can_be_read(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let given = json!({
        "name": "  山田 太郎\n", "kana": " ﾔﾏﾀﾞ タロウ ", "email": " Yamada@Example.COM ", "phone": " ", "company": "青空商事株式会社",
        "status": "ACTIVE", "notes": "一行目\n二行目 \"'\\ 🎌",
    });
    let made = admin.post(CUSTOMERS, given).await.expect(201);
    let wanted = json!({
        "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "name": "山田 太郎", "kana": "ﾔﾏﾀﾞ タロウ",
        "email": "yamada@example.com",
        "phone": null, "company": "青空商事株式会社", "status": "ACTIVE", "notes": "一行目\n二行目 \"'\\ 🎌",
        "owner_id": admin.id,
    });
    assert_eq!(made.body, wanted);
    assert_eq!(made.header("location"), Some(path(&made.id()).as_str()));
    assert_eq!(made.version(), Some(1));
    let read = admin.get(&path(&made.id())).await.expect(200);
    assert_eq!((&read.text, read.version()), (&made.text, Some(1)));
    assert_eq!(admin.get(CUSTOMERS).await.items(), [wanted]);
    let least = admin.customer("a").await;
    assert_eq!((&least.body["status"], &least.body["email"]), (&json!("LEAD"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_customer_is_named() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let validator = [
        ("name", json!("\u{3000}"), "required"),
        ("name", json!("あ".repeat(201)), "too_long"),
        ("kana", json!("ア".repeat(201)), "too_long"),
        ("kana", json!("ア\nイ"), "control_character"),
        ("email", json!("a@b@c"), "invalid_email"),
        ("phone", json!("1".repeat(51)), "too_long"),
        ("company", json!("a".repeat(201)), "too_long"),
        ("notes", json!("a".repeat(10_001)), "too_long"),
        ("owner_id", json!(NOBODY), "unknown_user"),
    ];
    let mut rejected = Vec::new();
    let customer = admin.customer("絆").await.id();
    app.settle().await;
    for (field, value, code) in validator {
        let mut body = json!({"name": "絆"});
        body[field] = value.clone();
        rejected.push(Rejected::field(CUSTOMERS, body, field, code));
        let change = Rejected::new("PATCH", path(&customer), 422, "invalid_fields");
        rejected.push(change.json(json!({field: value}).to_string()).fault(field, code));
    }
    all_refused(&app, &admin, rejected).await;
    admin.customer(&"あ".repeat(200)).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_keeps_what_is_absent_and_clears_what_is_null(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let full = json!({"name": "絆", "kana": "キズナ", "email": "a@example.com", "phone": "03", "company": "青空", "notes": "メモ"});
    let made = admin.create_customer(full).await;
    let path = path(&made.id());
    app.clock.advance(Duration::from_secs(60));
    let change = json!({"kana": null, "phone": null, "status": "DORMANT", "company": " ひかり "});
    let changed = admin.if_match(1).patch(&path, change).await.expect(200);
    let mut wanted = made.body.clone();
    wanted["version"] = json!(2);
    wanted["updated_at"] = json!("2026-03-02T09:01:00.000000Z");
    wanted["kana"] = json!(null);
    wanted["phone"] = json!(null);
    wanted["status"] = json!("DORMANT");
    wanted["company"] = json!("ひかり");
    assert_eq!((&changed.body, changed.version()), (&wanted, Some(2)));
    assert_eq!(admin.get(&path).await.body, wanted);
    app.settle().await;
    let before = app.stored().await;
    for nothing in [json!({}), json!({"status": "DORMANT", "phone": "", "email": "A@example.com"})] {
        let same = admin.if_match(2).patch(&path, nothing).await.expect(200);
        assert_eq!((&same.body, same.version()), (&wanted, Some(2)));
    }
    assert_eq!(app.stored().await, before, "nothing changed, nothing is told");
    let null = |field: &'static str| {
        let change = Rejected::new("PATCH", path.as_str(), 422, "invalid_fields");
        change.json(json!({field: null}).to_string()).fault(field, "invalid_type")
    };
    all_refused(&app, &admin, [null("name"), null("status"), null("owner_id")]).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_changes_at_once_to_one_version_one_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let path = path(&admin.customer("絆").await.id());
    for version in 1..=10 {
        let api = admin.if_match(version);
        let change = |name| api.patch(&path, json!({"name": format!("{name} {version}")}));
        let (one, two) = tokio::join!(change("一方"), change("他方"));
        let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(won.expect(200).version(), Some(version + 1));
        lost.expect_problem(412, "stale_version");
    }
    app.settle().await;
    assert_eq!(admin.get(&format!("{path}/activity?count=true")).await.header("x-total-count"), Some("11"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_customer_is_gone_from_everywhere_but_the_database(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let made = admin.create_customer(json!({"name": "絆", "email": "a@example.com"})).await;
    let path = path(&made.id());
    admin.if_match(7).delete(&path).await.expect_problem(412, "stale_version");
    let deleted = admin.if_match(1).delete(&path).await.expect(200);
    assert_eq!((deleted.id(), &deleted.body["status"]), (made.id(), &json!("deleted")));
    app.settle().await;
    let gone = |method, path: &str| Rejected::new(method, path, 404, "not_found").json("{}");
    let meeting = json!({"customer_id": made.id(), "title": "訪問", "met_at": "2026-03-01T10:00:00Z"});
    let rejected = [
        gone("GET", &path),
        gone("PATCH", &path),
        gone("DELETE", &path),
        gone("GET", &format!("{path}/activity")),
        Rejected::new("POST", "/api/meetings", 404, "customer_not_found").json(meeting.to_string()),
    ];
    all_refused(&app, &admin, rejected).await;
    let list = admin.get("/api/customers?count=true").await;
    assert_eq!((list.items().len(), list.header("x-total-count")), (0, Some("0")));
    admin.create_customer(json!({"name": "新", "email": "a@example.com"})).await;
    let id = Id::parse(&made.id()).expect("an id");
    let kept = Sql::new("SELECT name FROM customers")
        .filter("id = ?", [id.into()])
        .filter("deleted_at IS NOT NULL", []);
    assert_eq!(app.db.text(kept).await.expect("a row").as_deref(), Some("絆"), "the row is kept");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_address_that_a_visible_customer_has_is_a_duplicate(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let new = || json!({"name": "絆", "email": " A@Example.com "});
    let first = sales.create_customer(new()).await;
    let hidden = colleague.create_customer(new()).await;
    app.settle().await;
    let before = app.stored().await;
    let refused = sales.post(CUSTOMERS, new()).await.expect_problem(409, "duplicate_customer");
    assert_eq!(refused.body["candidates"], json!([first.id()]), "only what the caller may see");
    let refused = manager.post(CUSTOMERS, new()).await.expect_problem(409, "duplicate_customer");
    assert_eq!(refused.body["candidates"], json!([first.id(), hidden.id()]));
    sales
        .header("x-allow-duplicate", "false")
        .post(CUSTOMERS, new())
        .await
        .expect_problem(409, "duplicate_customer");
    assert_eq!(app.stored().await, before);
    let twin = sales.header("x-allow-duplicate", "true").post(CUSTOMERS, new()).await.expect(201);
    let path = path(&sales.customer("別").await.id());
    let change = json!({"email": "a@example.com"});
    let refused = sales.patch(&path, change.clone()).await.expect_problem(409, "duplicate_customer");
    assert_eq!(refused.body["candidates"], json!([first.id(), twin.id()]));
    sales.header("x-allow-duplicate", "true").patch(&path, change.clone()).await.expect(200);
    sales.patch(&path, json!({"email": "a@example.com", "phone": "03"})).await.expect(200);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_many_customers_with_one_address_at_once_one_is_created(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, .. } = Team::of(&app).await;
    let new = || sales.post(CUSTOMERS, json!({"name": "絆", "email": "a@example.com"}));
    let answers = join_all((0..16).map(|_| new())).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        let refused = answer.expect_problem(409, "duplicate_customer");
        assert_eq!(refused.body["candidates"], json!([made[0].id()]));
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_status_owner_and_time(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let mut made = Vec::new();
    for (member, status) in [(&sales, "LEAD"), (&colleague, "ACTIVE"), (&sales, "ACTIVE")] {
        made.push(member.create_customer(json!({"name": "絆", "status": status})).await);
        app.clock.advance(Duration::from_secs(60));
    }
    let found = async |query: String| ids(&manager.get(&format!("{CUSTOMERS}?{query}")).await.expect(200));
    let [first, second, third] = [&made[0], &made[1], &made[2]].map(Answer::id);
    assert_eq!(found(String::new()).await, [&*third, &*second, &*first], "the newest first");
    assert_eq!(found("status=ACTIVE".into()).await, [&*third, &*second]);
    assert_eq!(found(format!("owner_id={}", sales.id)).await, [&*third, &*first]);
    assert_eq!(found(format!("owner_id={}&status=LEAD", sales.id)).await, [&*first]);
    let time = made[1].text_at("/created_at");
    assert_eq!(found(format!("created_from={time}")).await, [&*third, &*second], "from is within");
    assert_eq!(found(format!("created_to={time}")).await, [&*first], "to is not");
    let offset = time.replace("09:", "18:").replace('Z', "%2B09:00");
    assert_eq!(
        found(format!("created_from={offset}")).await,
        [&*third, &*second],
        "{offset}, the same moment"
    );
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statistics_count_what_the_caller_may_see(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    sales.create_customer(json!({"name": "a", "status": "ACTIVE"})).await;
    let gone = sales.customer("b").await;
    sales.delete(&path(&gone.id())).await.expect(200);
    app.clock.advance(Duration::from_secs(24 * 3600));
    let again = async |member: &Member| Member::sign_in(&app.nobody(), &member.email, PASSWORD).await;
    let (manager, sales, colleague) = (again(&manager).await, again(&sales).await, again(&colleague).await);
    colleague.customer("c").await;
    let stats = async |member: &Member, query: &str| {
        member.get(&format!("{CUSTOMERS}/stats?{query}")).await.expect(200).body
    };
    let counts = |total, new, deleted, active, lead| {
        let by_status = json!({"ACTIVE": active, "DORMANT": 0, "LEAD": lead});
        json!({"total": total, "new": new, "deleted": deleted, "by_status": by_status})
    };
    assert_eq!(stats(&manager, "").await, counts(2, 3, 1, 1, 1));
    assert_eq!(stats(&manager, "from=2026-03-03&to=2026-03-03").await, counts(2, 1, 0, 1, 1));
    assert_eq!(stats(&manager, &format!("owner_id={}", colleague.id)).await, counts(1, 1, 0, 0, 1));
    assert_eq!(stats(&sales, "").await, counts(1, 2, 1, 1, 0));
    assert_eq!(
        stats(&sales, &format!("owner_id={}", colleague.id)).await,
        counts(1, 2, 1, 1, 0),
        "own figures alone"
    );
}
