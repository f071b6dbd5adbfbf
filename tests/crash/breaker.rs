//! The metrics of a breaker. They are of the process, so that they are read from a server that is alone in its own.

use serde_json::json;

use crate::fixture::Fixture;
use testing::{Api, Sqlite};

#[tokio::test]
async fn metrics_show_that_a_breaker_is_kept_open_and_what_fell_back() {
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let server = fixture.launch().start().await;
    let admin = staff.admin.at(&server);
    admin.post("/api/admin/breakers/breaker.customer", json!({"force": "open"})).await.expect(200);
    let body =
        json!({"customer_id": staff.customer, "title": "写しで確認", "met_at": "2026-03-01T10:00:00Z"});
    staff.sales.at(&server).post("/api/meetings", body).await.expect(201);
    let metrics = Api::new(server.base_url()).get("/metrics").await.expect(200).text;
    for line in [
        r#"kizuna_breaker_events_total{breaker="breaker.customer",event="fallback"} 1"#,
        r#"kizuna_breaker_open{breaker="breaker.customer"} 1"#,
    ] {
        assert!(metrics.lines().any(|metric| metric == line), "{line} is not in\n{metrics}");
    }
}
