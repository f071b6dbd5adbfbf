//! `/api/meetings`: the record and what can be done to it.

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const MEETINGS: &str = "/api/meetings";
const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

fn path(id: &str) -> String {
    format!("{MEETINGS}/{id}")
}

fn met(customer: &str, at: &str) -> Value {
    json!({"customer_id": customer, "title": "初回訪問", "met_at": at})
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_recorded_meeting_is_answered_as_it_can_be_read(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let mut given = met(&customer, "2026-03-01T19:30:00.1234567+09:00");
    given["duration_minutes"] = json!(45);
    given["location"] = json!(" 東京 ");
    given["outcome"] = json!("");
    let made = admin.post(MEETINGS, given).await.expect(201);
    let wanted = json!({
        "id": made.id(), "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z", "customer_id": customer, "title": "初回訪問",
        "met_at": "2026-03-01T10:30:00.123456Z", "duration_minutes": 45, "location": "東京", "notes": null,
        "outcome": null, "owner_id": admin.id,
    });
    assert_eq!(made.body, wanted);
    assert_eq!((made.version(), made.header("location")), (Some(1), Some(path(&made.id()).as_str())));
    assert_eq!(admin.get(&path(&made.id())).await.expect(200).text, made.text);
    assert_eq!(admin.get(MEETINGS).await.items(), [wanted]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_of_a_meeting_is_named() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let meeting = admin.meeting(&customer, "訪問").await.id();
    app.settle().await;
    let validator = [
        ("title", json!(" "), "required"),
        ("title", json!("あ".repeat(201)), "too_long"),
        ("title", json!("a\0"), "nul_character"),
        ("met_at", json!("2026-03-01"), "invalid_time"),
        ("met_at", json!("2026-02-30T10:00:00Z"), "invalid_time"),
        ("met_at", json!("0000-01-01T00:00:00Z"), "invalid_time"),
        ("duration_minutes", json!(-1), "too_small"),
        ("duration_minutes", json!(7 * 24 * 60 + 1), "too_large"),
        ("duration_minutes", json!(1.5), "invalid_type"),
        ("location", json!("a".repeat(201)), "too_long"),
        ("notes", json!("a".repeat(10_001)), "too_long"),
        ("outcome", json!("a".repeat(10_001)), "too_long"),
        ("owner_id", json!(NOBODY), "unknown_user"),
        ("customer_id", json!("17"), "invalid_value"),
        ("customer_id", json!(null), "invalid_type"),
    ];
    let mut rejected = Vec::new();
    for (field, value, code) in validator {
        let mut body = met(&customer, "2026-03-01T10:00:00Z");
        body[field] = value.clone();
        rejected.push(Rejected::field(MEETINGS, body, field, code));
        let change = Rejected::new("PATCH", path(&meeting), 422, "invalid_fields");
        rejected.push(change.json(json!({field: value}).to_string()).fault(field, code));
    }
    let elsewhere = Rejected::new("PATCH", path(&meeting), 404, "customer_not_found");
    rejected.push(elsewhere.json(json!({"customer_id": NOBODY}).to_string()));
    all_refused(&app, &admin, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_change_keeps_what_is_absent_and_clears_what_is_null(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let (from, to) = (admin.customer("絆").await.id(), admin.customer("別").await.id());
    let mut given = met(&from, "2026-03-01T10:00:00Z");
    given["duration_minutes"] = json!(45);
    given["notes"] = json!("メモ");
    let made = admin.post(MEETINGS, given).await.expect(201);
    let path = path(&made.id());
    let change = json!({"duration_minutes": null, "customer_id": to, "outcome": "受注"});
    let changed = admin.if_match(1).patch(&path, change).await.expect(200);
    let mut wanted = made.body.clone();
    wanted["version"] = json!(2);
    wanted["duration_minutes"] = json!(null);
    wanted["customer_id"] = json!(to);
    wanted["outcome"] = json!("受注");
    assert_eq!((&changed.body, changed.version()), (&wanted, Some(2)));
    assert_eq!(admin.get(&path).await.body, wanted);
    app.settle().await;
    let before = app.stored().await;
    let same = admin
        .patch(&path, json!({"outcome": "受注", "met_at": "2026-03-01T19:00:00+09:00"}))
        .await
        .expect(200);
    assert_eq!((&same.body, same.header("etag")), (&wanted, Some("\"2\"")));
    assert_eq!(app.stored().await, before, "nothing changed, nothing is told");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_changes_at_once_to_one_version_one_is_refused(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let path = path(&admin.meeting(&customer, "訪問").await.id());
    for version in 1..=5 {
        let api = admin.if_match(version);
        let change = |outcome| api.patch(&path, json!({"outcome": format!("{outcome} {version}")}));
        let (one, two) = tokio::join!(change("一方"), change("他方"));
        let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(won.expect(200).version(), Some(version + 1));
        lost.expect_problem(412, "stale_version");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_deleted_meeting_is_gone_from_everywhere(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let admin = Member::first(&app).await;
    let customer = admin.customer("絆").await.id();
    let made = admin.meeting(&customer, "訪問").await;
    let path = path(&made.id());
    admin.if_match(2).delete(&path).await.expect_problem(412, "stale_version");
    let deleted = admin.if_match(1).delete(&path).await.expect(200);
    assert_eq!(deleted.body, json!({"id": made.id(), "status": "deleted"}));
    app.settle().await;
    let gone = |method| Rejected::new(method, path.as_str(), 404, "not_found").json("{}");
    all_refused(&app, &admin, [gone("GET"), gone("PATCH"), gone("DELETE")]).await;
    assert!(admin.get(MEETINGS).await.items().is_empty());
    assert_eq!(app.rows("meetings").await, 1, "the row is kept");
    let told = admin.get(&format!("/api/customers/{customer}/activity")).await;
    assert_eq!(told.items()[0]["type"], "meeting.deleted");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_list_is_narrowed_by_customer_owner_and_time(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    let mut made = Vec::new();
    for (member, customer, day) in [(&sales, &own, 3), (&colleague, &other, 1), (&sales, &own, 2)] {
        let meeting = met(customer, &format!("2026-03-0{day}T10:00:00Z"));
        made.push(member.post(MEETINGS, meeting).await.expect(201).id());
    }
    let found = async |query: String| {
        let list = manager.get(&format!("{MEETINGS}?{query}")).await.expect(200);
        list.items().iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let [third, first, second] = [&made[0], &made[1], &made[2]];
    assert_eq!(found(String::new()).await, [&**third, second, first], "the latest first");
    assert_eq!(found(format!("customer_id={own}")).await, [&**third, second]);
    assert_eq!(found(format!("owner_id={}", colleague.id)).await, [&**first]);
    assert_eq!(found("from=2026-03-02T10:00:00Z".into()).await, [&**third, second], "from is within");
    assert_eq!(found("to=2026-03-02T10:00:00Z".into()).await, [&**first], "to is not");
    assert!(found(format!("customer_id={own}&owner_id={}", colleague.id)).await.is_empty());
    assert!(found(format!("customer_id={NOBODY}")).await.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statistics_count_meetings_by_owner(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    for (member, meetings) in [(&sales, 2), (&colleague, 1)] {
        let customer = member.customer("絆").await.id();
        for _ in 0..meetings {
            member.meeting(&customer, "訪問").await;
        }
    }
    let stats = async |member: &Member, query: &str| {
        member.get(&format!("{MEETINGS}/stats?{query}")).await.expect(200).body
    };
    let (both, own) = (json!({(&*sales.id): 2, (&*colleague.id): 1}), json!({(&*sales.id): 2}));
    assert_eq!(stats(&manager, "").await, json!({"total": 3, "by_owner": both}));
    assert_eq!(stats(&manager, "from=2026-03-02").await, json!({"total": 0, "by_owner": {}}));
    assert_eq!(
        stats(&manager, &format!("owner_id={}", sales.id)).await,
        json!({"total": 2, "by_owner": own})
    );
    assert_eq!(
        stats(&sales, &format!("owner_id={}", colleague.id)).await,
        json!({"total": 2, "by_owner": own})
    );
}
