//! An event that a consumer sees late tells of a record as it was then. The record may be another's by now: it does not go with
//! the customer or user whom it has left.

use rstest::rstest;
use serde_json::{Value, json};

use crate::fixture::{Fixture, SOON};
use testing::promises;
use testing::{Answer, Api, Database, Kizuna, Postgres, Sqlite, eventually};

const DEAD_LETTERS: &str = "/api/admin/dead-letters";

/// Makes a record; its id.
async fn made(api: &Api, kind: &str, record: Value) -> String {
    api.post(&format!("/api/{kind}"), record).await.expect(201).id()
}

/// The path of the saga that an answer names, after it has ended.
async fn ended(api: &Api, answer: &Answer) -> String {
    let path = answer.text_at("/saga/href").to_owned();
    eventually(SOON, async || api.get(&path).await.expect(200).text_at("/status") == "completed").await;
    path
}

/// Redrives every dead letter, and waits until none is left.
async fn redriven(admin: &Api) {
    for letter in admin.get(DEAD_LETTERS).await.expect(200).items() {
        let path = format!("{DEAD_LETTERS}/{}/redrive", letter["id"].as_str().expect("an id"));
        admin.raw("POST", &path, "").await.expect(200);
    }
    eventually(SOON, async || admin.get(DEAD_LETTERS).await.expect(200).items().is_empty()).await;
}

#[rstest]
#[tokio::test]
async fn a_record_that_went_back_to_its_customer_stays_when_the_other_is_deleted(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let mut server = fixture.launch().start().await;
    let sales = staff.sales.at(&server);
    let one = made(&sales, "customers", json!({"name": "甲"})).await;
    let other = made(&sales, "customers", json!({"name": "乙"})).await;
    let (title, due_at, met_at) = ("訪問", "2036-03-05T09:00:00Z", "2026-03-01T10:00:00Z");
    let mut records = Vec::new();
    for (kind, record) in [
        ("meetings", json!({"customer_id": one, "title": title, "met_at": met_at})),
        ("tasks", json!({"customer_id": one, "title": title, "due_at": due_at})),
        ("approvals", json!({"customer_id": one, "title": title, "amount": 120_000})),
        ("deals", json!({"customer_id": one, "title": title, "amount": 500_000})),
    ] {
        records.push(format!("/api/{kind}/{}", made(&sales, kind, record).await));
    }
    fixture.eventually(promises::kept).await;
    server.kill_9();

    // Until the server starts again, both consumers fail on the events that bring the records to the other customer.
    let fails = |name: &str| format!("feed.{name}.departures.effect=fail@always/\"customer_id\":\"{other}\"");
    let points = [fails("sales"), fails("opportunity")].join(";");
    let retries = ["--retry-initial", "10ms", "--retry-times", "2"];
    let mut server: Kizuna = fixture.armed(&points).args(retries).start().await;
    let (sales, admin) = (staff.sales.at(&server), staff.admin.at(&server));
    let merge =
        sales.post(&format!("/api/customers/{other}/merge"), json!({"other_id": one})).await.expect(202);
    let merge = ended(&sales, &merge).await;
    let failed = async || admin.get(DEAD_LETTERS).await.expect(200).items().len() == records.len();
    eventually(SOON, failed).await;
    let undone = sales.post(&format!("{merge}/undo"), json!({})).await.expect(202);
    ended(&sales, &undone).await;
    let deletion = sales.delete(&format!("/api/customers/{other}")).await.expect(200);
    ended(&sales, &deletion).await;
    server.kill_9();

    let server = fixture.launch().start().await;
    let (sales, admin) = (staff.sales.at(&server), staff.admin.at(&server));
    redriven(&admin).await;
    fixture.eventually(promises::kept).await;
    for path in records {
        let record = sales.get(&path).await.expect(200);
        assert_eq!(record.text_at("/customer_id"), one, "{record}");
        let is_open = |status| matches!(status, "OPEN" | "PENDING" | "QUALIFY");
        let status = record.body["status"].as_str().or(record.body["stage"].as_str());
        assert!(status.is_none_or(is_open), "{record}");
    }
}
