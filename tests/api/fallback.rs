//! While the customer service is away, sales and opportunity go by their own copies of its customers (SPEC §7).

use domain::service_name::ServiceName;
use std::future::ready;
use std::time::Duration;

use kernel::error::Error;
use rstest::rstest;
use serde_json::json;

use testing::{Database, Postgres, Sqlite, Team, TestApp};

/// So many failures open a breaker; so long it stays open.
const VOLUME: usize = 5;
const RESET: Duration = Duration::from_secs(30);

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_customer_that_was_copied_is_vouched_for_while_its_service_is_away(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let (own, hidden) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    let gone = sales.customer("元").await.id();
    sales.delete(&format!("/api/customers/{gone}")).await.expect(200);
    app.settle().await;
    for _ in 0..VOLUME {
        let _ =
            app.breakers.of(ServiceName::Customer.id()).call(ready(Err::<(), _>(Error::unavailable()))).await;
    }
    let unknown = "0198c0de-0000-7000-8000-000000000000";
    for path in ["/api/meetings", "/api/approvals"] {
        let ask = async |customer: &str| {
            let body = if path == "/api/meetings" {
                json!({"customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z"})
            } else {
                json!({"customer_id": customer, "title": "値引き", "amount": 1})
            };
            sales.post(path, body).await
        };
        ask(&own).await.expect(201);
        ask(&hidden).await.expect_problem(404, "customer_not_found");
        ask(&gone).await.expect_problem(404, "customer_not_found");
        let refused = ask(unknown).await.expect_problem(503, "unavailable");
        assert_eq!(refused.header("retry-after"), Some("30"), "the copy can't tell: {refused}");
    }
    app.clock.advance(RESET);
    let body = json!({"customer_id": unknown, "title": "値引き", "amount": 1});
    sales.post("/api/approvals", body).await.expect_problem(404, "customer_not_found");
}
