//! `/api/search` while a service hangs (SPEC §3): it needs real waits, so it runs the real binary.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::json;

use crate::fixture::Fixture;
use testing::{Database, Postgres, Sqlite};

/// A service's time, and room for a busy machine.
const WITHIN: Duration = Duration::from_secs(5);

#[rstest]
#[case::customer("search.customers", "customer", &["task"])]
#[case::sales("search.sales", "meeting, task", &["customer"])]
#[case::opportunity("search.approvals", "approval, deal", &["task", "customer"])]
#[tokio::test]
async fn a_service_that_hangs_is_named_and_the_others_are_shown(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] hangs: &str,
    #[case] missing: &str,
    #[case] types: &[&str],
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.armed(&format!("{hangs}=hang@always")).start().await;
    let sales = staff.sales.at(&server);
    sales.post("/api/customers", json!({"name": "zebra"})).await.expect(201);
    let task = json!({"title": "zebra", "due_at": "2026-03-05T09:00:00Z"});
    sales.post("/api/tasks", task).await.expect(201);
    let begun = Instant::now();
    let answer = sales.get("/api/search?q=zebra").await.expect(200);
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    assert_eq!(answer.header("x-missing-types"), Some(missing));
    let found: Vec<_> = answer.items().iter().map(|row| row["type"].as_str().expect("a type")).collect();
    assert_eq!(found, types);
}

#[tokio::test]
async fn without_any_service_it_is_unavailable() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let armed = ["customers", "sales", "approvals"].map(|place| format!("search.{place}=hang@always"));
    let server = fixture.armed(&armed.join(";")).start().await;
    let refused = staff.sales.at(&server).get("/api/search?q=a").await.expect_problem(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
}
