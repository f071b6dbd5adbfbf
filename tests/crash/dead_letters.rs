//! A consumer that fails: its event becomes a dead letter, everything else flows on, and a redrive by the API
//! or the command applies it once and in order (SPEC §7).

use rstest::rstest;
use serde_json::{Value, json};
use store::cursors;

use crate::fixture::{Fixture, Known, SOON, run};
use testing::promises;
use testing::{Api, Database, Kizuna, Launch, Postgres, Sqlite, eventually};

const CONSUMER: &str = "analytics.activity";
const DEAD_LETTERS: &str = "/api/admin/dead-letters";

/// A server whose consumer fails on events that contain 壊, at the first try and at three retries, and not after that.
fn failing(fixture: &Fixture) -> Launch {
    let retries = ["--retry-initial", "10ms", "--retry-times", "3"];
    fixture.armed(&format!("feed.{CONSUMER}.effect=fail@1..4/壊")).args(retries)
}

async fn customer(api: &Api, name: &str) -> String {
    api.post("/api/customers", json!({"name": name})).await.expect(201).id()
}

async fn activity(api: &Api, customer: &str) -> Vec<i64> {
    let timeline = api.get(&format!("/api/customers/{customer}/activity")).await.expect(200);
    timeline.items().iter().rev().map(|event| event["sequence"].as_i64().expect("a number")).collect()
}

/// Creates a customer whose event fails, and two changes that wait behind it; returns the dead letter.
async fn broken(admin: &Api, sales: &Api) -> (String, Value) {
    let id = customer(sales, "壊れ物").await;
    let letter =
        eventually(SOON, async || admin.get(DEAD_LETTERS).await.expect(200).items().first().cloned()).await;
    for notes in ["一", "二"] {
        sales.patch(&format!("/api/customers/{id}"), json!({"notes": notes})).await.expect(200);
    }
    eventually(SOON, async || {
        let consumers = admin.get("/api/admin/consumers").await.expect(200);
        let own = consumers.items().iter().find(|consumer| consumer["name"] == CONSUMER).cloned();
        own.is_some_and(|own| (&own["waiting"], &own["dead"]) == (&json!(2), &json!(1)))
    })
    .await;
    (id, letter)
}

async fn server_and(fixture: &Fixture, admin: &Known, sales: &Known) -> (Kizuna, Api, Api) {
    let server = failing(fixture).start().await;
    let (admin, sales) = (admin.at(&server), sales.at(&server));
    (server, admin, sales)
}

#[rstest]
#[tokio::test]
async fn a_consumer_that_fails_leaves_a_dead_letter_that_the_api_redrives(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let (_server, admin, sales) = server_and(&fixture, &staff.admin, &staff.sales).await;
    let (id, letter) = broken(&admin, &sales).await;
    let error = format!("failpoint feed.{CONSUMER}.effect");
    let told = json!([letter["consumer"], letter["error"], letter["attempts"], letter["event"]["subject"]]);
    assert_eq!(told, json!([CONSUMER, error, 3, id]));
    let other = customer(&sales, "無傷").await;
    eventually(SOON, async || activity(&sales, &other).await == [1]).await;
    assert!(activity(&sales, &id).await.is_empty(), "nothing overtakes");
    assert_whole(&admin, 3).await;
    let path = format!("{DEAD_LETTERS}/{}/redrive", letter["id"].as_str().expect("an id"));
    let redriven = admin.raw("POST", &path, "").await.expect(200);
    assert_eq!(redriven.text_at("/status"), "retrying");
    eventually(SOON, async || activity(&sales, &id).await == [1, 2, 3]).await;
    fixture.eventually(promises::kept).await;
    assert_whole(&admin, 0).await;
    admin.raw("POST", &path, "").await.expect_problem(404, "not_found");
}

/// Checks that nothing is lost, applied twice or out of order, and that this many events wait.
async fn assert_whole(admin: &Api, pending: i64) {
    let report = admin.get("/api/admin/integrity").await.expect(200).body;
    for consumer in report["consumers"].as_array().expect("consumers") {
        let validator = ["lost", "duplicated", "out_of_order"].map(|fault| consumer[fault].as_i64());
        assert_eq!(validator, [Some(0); 3], "{consumer}");
        if consumer["name"] == CONSUMER {
            assert_eq!(consumer["pending"], pending, "{consumer}");
        }
    }
}

#[rstest]
#[case::one(false)]
#[case::all(true)]
#[tokio::test]
async fn the_command_redrives_beside_a_running_server(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] all: bool,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let (_server, admin, sales) = server_and(&fixture, &staff.admin, &staff.sales).await;
    let (id, letter) = broken(&admin, &sales).await;
    let letter_id = letter["id"].as_str().expect("an id");
    let command = |args: &[&str]| {
        let output =
            run(&[&["dead-letters"], args, &["--database-url", &fixture.database.url]].concat(), &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), String::from_utf8(output.stdout).expect("text"), said)
    };
    let (_, listed, _) = command(&["list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&listed).expect("one line"), letter);
    let (_, table, _) = command(&["list", "--consumer", CONSUMER]);
    assert!(table.contains(letter_id) && table.contains("customer.created"), "{table}");
    assert_eq!(command(&["list", "--consumer", "nobody"]), (true, String::new(), String::new()));
    let chosen: &[&str] = if all { &["redrive", "--all"] } else { &["redrive", letter_id] };
    let (done, printed, said) = command(chosen);
    assert!(done && printed.contains(letter_id), "{printed}{said}");
    eventually(SOON, async || activity(&sales, &id).await == [1, 2, 3]).await;
    fixture.eventually(promises::kept).await;
    assert_whole(&admin, 0).await;
    let (done, _, said) = command(&["redrive", letter_id]);
    assert!(!done && said.contains("not_found"), "{said}");
    assert_eq!(command(&["redrive", "--all"]), (true, String::new(), String::new()));
}

#[rstest]
#[tokio::test]
async fn a_dead_letter_outlives_its_server_and_what_waits_behind_it_does_too(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let (mut server, admin, sales) = server_and(&fixture, &staff.admin, &staff.sales).await;
    let (id, letter) = broken(&admin, &sales).await;
    server.kill_9();
    let server = fixture.launch().start().await;
    let (admin, sales) = (staff.admin.at(&server), staff.sales.at(&server));
    assert_eq!(admin.get(DEAD_LETTERS).await.expect(200).items(), std::slice::from_ref(&letter));
    sales.patch(&format!("/api/customers/{id}"), json!({"notes": "三"})).await.expect(200);
    fixture
        .eventually(async |db| match cursors::parked(db, CONSUMER, 10).await {
            Ok(parked) if parked.len() == 4 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    let path = format!("{DEAD_LETTERS}/{}/redrive", letter["id"].as_str().expect("an id"));
    admin.raw("POST", &path, "").await.expect(200);
    eventually(SOON, async || activity(&sales, &id).await == [1, 2, 3, 4]).await;
    fixture.eventually(promises::kept).await;
}
