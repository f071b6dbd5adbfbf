//! `/api/reports/metrics`: the figures of each day.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::rejected::{Rejected, all_refused};
use testing::app::PASSWORD;
use testing::{Database, Member, Postgres, Sqlite, Team, TestApp};

const METRICS: &str = "/api/reports/metrics";

async fn figures(member: &Member, query: &str) -> Vec<Value> {
    member.get(&format!("{METRICS}?time_zone=UTC&{query}")).await.expect(200).items().to_vec()
}

fn day(date: &str, logins: i64, created: i64, deleted: i64, meetings: i64) -> Value {
    json!({
        "date": date, "logins": logins, "customers_created": created, "customers_deleted": deleted,
        "meetings_created": meetings, "tasks_completed": 0, "approvals_requested": 0, "approvals_approved": 0,
        "approvals_rejected": 0, "deals_created": 0, "deals_won": 0, "deals_lost": 0,
    })
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_day_counts_its_own_events(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, manager, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    sales.meeting(&customer, "訪問").await;
    sales.meeting(&customer, "再訪").await;
    colleague.customer("別").await;
    // 9:00 on Monday and 15 hours: the first moment of Tuesday, in UTC.
    app.clock.advance(Duration::from_secs(15 * 3600));
    let sales = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    let manager = Member::sign_in(&app.nobody(), &manager.email, PASSWORD).await;
    app.settle().await;
    let (monday, tuesday) = ("2026-03-02", "2026-03-03");
    let both = format!("from={monday}&to={tuesday}");
    assert_eq!(figures(&manager, &both).await, [day(monday, 4, 2, 0, 2), day(tuesday, 2, 0, 1, 0)]);
    let own = [day(monday, 1, 1, 0, 2), day(tuesday, 1, 0, 1, 0)];
    assert_eq!(figures(&sales, &both).await, own);
    assert_eq!(figures(&sales, &format!("{both}&owner_id={}", colleague.id)).await, own, "own figures alone");
    assert_eq!(figures(&manager, &format!("{both}&owner_id={}", sales.id)).await, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_report_has_a_row_for_every_day_of_its_period() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let dates = async |query: &str| {
        let days = figures(&admin, query).await;
        let date = |day: &Value| day["date"].as_str().expect("a date").to_owned();
        (days.len(), date(&days[0]), date(&days[days.len() - 1]))
    };
    let span = |days, from: &str, to: &str| (days, from.to_owned(), to.to_owned());
    assert_eq!(dates("").await, span(31, "2026-01-31", "2026-03-02"), "thirty days and today");
    assert_eq!(dates("from=2026-02-27").await, span(4, "2026-02-27", "2026-03-02"));
    assert_eq!(dates("to=2024-03-01").await, span(31, "2024-01-31", "2024-03-01"));
    assert_eq!(dates("from=2024-01-01&to=2024-12-31").await, span(366, "2024-01-01", "2024-12-31"));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn days_are_those_of_the_reader_s_zone(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    // 9:00 on Monday in UTC and 6 hours and 20 minutes: 0:20 of Tuesday in Tokyo, 21:05 of Monday in Kathmandu.
    app.clock.advance(Duration::from_secs(6 * 3600 + 20 * 60));
    let sales = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    sales.customer("夜").await;
    // 0:05 of Tuesday in Kathmandu, where it is 45 minutes past the hour of UTC.
    app.clock.advance(Duration::from_secs(3 * 3600));
    let sales = Member::sign_in(&app.nobody(), &sales.email, PASSWORD).await;
    sales.customer("深夜").await;
    app.settle().await;
    let created = async |query: &str| -> Vec<(String, i64)> {
        let days = sales.get(&format!("{METRICS}?{query}")).await.expect(200);
        let figure = |day: &Value| {
            (day["date"].as_str().unwrap().to_owned(), day["customers_created"].as_i64().unwrap())
        };
        days.items().iter().map(figure).collect()
    };
    let both = "from=2026-03-02&to=2026-03-03";
    let of = |monday, tuesday| vec![("2026-03-02".to_owned(), monday), ("2026-03-03".to_owned(), tuesday)];
    assert_eq!(created(&format!("{both}&time_zone=UTC")).await, of(2, 0));
    assert_eq!(created(&format!("{both}&time_zone=Asia/Tokyo")).await, of(0, 2));
    assert_eq!(created(&format!("{both}&time_zone=Asia/Kathmandu")).await, of(1, 1));
    assert_eq!(created(both).await, of(0, 2), "the user's own zone is Tokyo's");
    let summary = async |zone: &str| {
        let path = format!("/api/reports/sales-summary?from=2026-03-03&to=2026-03-03&time_zone={zone}");
        sales.get(&path).await.expect(200).body["customers"]["new"].as_i64()
    };
    assert_eq!((summary("UTC").await, summary("Asia/Kathmandu").await), (Some(0), Some(1)));
    let last = sales.get(METRICS).await.items().last().expect("today")["date"].clone();
    assert_eq!(last, "2026-03-03", "today is the reader's");
    let admin = Member::sign_in(&app.nobody(), &admin.email, PASSWORD).await;
    admin.patch(&format!("/api/auth/users/{}", sales.id), json!({"time_zone": "UTC"})).await.expect(200);
    let last = sales.get(METRICS).await.items().last().expect("today")["date"].clone();
    assert_eq!(last, "2026-03-02");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_period_that_is_none_is_refused() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut rejected = Vec::new();
    for path in [METRICS, "/api/reports/sales-summary", "/api/customers/stats", "/api/meetings/stats"] {
        for (query, field, code) in [
            ("from=2026-03-02&to=2026-03-01", "to", "before_from"),
            ("from=2024-01-01&to=2025-01-01", "from", "range_too_long"),
            ("from=2026-02-30", "from", "invalid_value"),
            ("from=2026-03-02T09:00:00Z", "from", "invalid_value"),
            ("owner_id=me", "owner_id", "invalid_value"),
            ("time_zone=Tokyo", "time_zone", "invalid_value"),
            ("time_zone=", "time_zone", "invalid_value"),
            ("limit=1", "limit", "unknown_parameter"),
        ] {
            rejected.push(Rejected::parameter(&format!("{path}?{query}"), field, code));
        }
    }
    all_refused(&app, &admin, rejected).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tasks_and_approvals_count_for_whom_they_are(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let task = sales.task("電話する", "2026-03-05T09:00:00Z").await.id();
    manager.patch(&format!("/api/tasks/{task}"), json!({"status": "DONE"})).await.expect(200);
    colleague.task("まだ", "2026-03-05T09:00:00Z").await;
    for decision in ["approve", "reject", "cancel"] {
        let id = sales.approval(&customer, decision).await.id();
        let member = if decision == "cancel" { &sales } else { &manager };
        let path = format!("/api/approvals/{id}/{decision}");
        member.patch(&path, json!({"comment": "はい"})).await.expect(200);
    }
    app.settle().await;
    let counted = async |member: &Member, query: &str| {
        let days = figures(member, &format!("from=2026-03-02&to=2026-03-02{query}")).await;
        ["tasks_completed", "approvals_requested", "approvals_approved", "approvals_rejected"]
            .map(|figure| days[0][figure].as_i64().expect("a figure"))
    };
    assert_eq!(counted(&manager, "").await, [1, 3, 1, 1]);
    assert_eq!(counted(&manager, &format!("&owner_id={}", manager.id)).await, [0; 4], "not the decider's");
    assert_eq!(counted(&sales, "").await, [1, 3, 1, 1]);
    assert_eq!(counted(&colleague, "").await, [0; 4]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn tasks_and_approvals_stand_in_the_activity_of_their_customer(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (one, two) = (sales.customer("絆").await.id(), sales.customer("別").await.id());
    let task = json!({"title": "電話", "due_at": "2026-03-05T09:00:00Z", "customer_id": one});
    let path = format!("/api/tasks/{}", sales.post("/api/tasks", task).await.expect(201).id());
    sales.task("顧客なし", "2026-03-05T09:00:00Z").await;
    sales.patch(&path, json!({"customer_id": two})).await.expect(200);
    sales.patch(&path, json!({"status": "DONE"})).await.expect(200);
    sales.delete(&path).await.expect(200);
    let approval = sales.approval(&one, "値引き").await.id();
    manager.patch(&format!("/api/approvals/{approval}/cancel"), json!({})).await.expect(403);
    sales.patch(&format!("/api/approvals/{approval}/cancel"), json!({})).await.expect(200);
    app.settle().await;
    let activity = async |customer: &str| {
        let list = sales.get(&format!("/api/customers/{customer}/activity")).await.expect(200);
        list.items()
            .iter()
            .map(|event| event["type"].as_str().expect("a type").to_owned())
            .collect::<Vec<_>>()
    };
    let wanted = ["approval.cancelled", "approval.requested", "task.created", "customer.created"];
    assert_eq!(activity(&one).await, wanted);
    let moved = ["task.deleted", "task.completed", "task.updated", "customer.created"];
    assert_eq!(activity(&two).await, moved, "from the moment it is theirs");
}
