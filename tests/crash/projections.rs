//! `kizuna projections rebuild` (SPEC §9): it makes the same rows from the log alone, also beside a server.

use kizuna::actors::analytics::metrics::MetricsConsumer;
use kizuna::persistence::analytics::{ACTIVITY, METRICS, NOTIFICATIONS, USER_COPIES};
use kizuna::persistence::customer_replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use kizuna::persistence::deal_reports::DEAL_PROGRESS;
use kizuna::persistence::tallies::TALLIES;
use kizuna::persistence::tally_folds::fold_tallies;
use rstest::rstest;
use runtime::consumer::Consumer;
use serde_json::{Value, json};
use store::Db;
use store::cursors;
use store::cursors::{CURSORS, PARKED};
use store::sql::Sql;
use store::table::Table;

use crate::fixture::{BINARY, Fixture, Staff, at_rest, run};
use testing::promises;
use testing::{Database, Kizuna, Postgres, Sqlite};

/// In the order in which the command prints them.
const PROJECTIONS: [&Table; 7] =
    [&USER_COPIES, &SALES_CUSTOMERS, &OPPORTUNITY_CUSTOMERS, &DEAL_PROGRESS, &METRICS, &ACTIVITY, &TALLIES];

/// Every row of these tables, and of the tables that must not change.
async fn rows(db: &Db) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for table in PROJECTIONS.into_iter().chain([&NOTIFICATIONS, &CURSORS, &PARKED]) {
        // A tally may be left with nothing to count; its key has four columns.
        let tail =
            if table.name == TALLIES.name { " WHERE count <> 0 ORDER BY 1, 2, 3, 4" } else { " ORDER BY 1" };
        let rows: Vec<Value> = db.rows(table, Sql::new(tail)).await.expect("a readable table");
        all.push((table.name, rows.iter().map(Value::to_string).collect()));
    }
    all
}

/// The output of the command.
fn rebuild(fixture: &Fixture) -> String {
    let output = run(&["projections", "rebuild", "--database-url", &fixture.database.url], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Makes events for every projection.
async fn work(server: &Kizuna, staff: &Staff, round: &str) {
    let (sales, manager) = (staff.sales.at(server), staff.manager.at(server));
    let admin = staff.admin.at(server);
    for n in 0..4 {
        let name = format!("{round} {n}");
        let customer = sales.post("/api/customers", json!({"name": name})).await.expect(201).id();
        let path = format!("/api/customers/{customer}");
        sales.patch(&path, json!({"notes": "変更"})).await.expect(200);
        let met = json!({"customer_id": customer, "title": name, "met_at": "2026-03-01T10:00:00Z"});
        sales.post("/api/meetings", met).await.expect(201);
        let task = json!({"customer_id": customer, "title": name, "due_at": "2026-03-05T10:00:00Z", "status": "DONE"});
        sales.post("/api/tasks", task).await.expect(201);
        let approval = json!({"customer_id": customer, "title": name, "amount": 1});
        let approval = sales.post("/api/approvals", approval).await.expect(201).id();
        manager.patch(&format!("/api/approvals/{approval}/approve"), json!({})).await.expect(200);
        let deal = json!({"customer_id": customer, "title": name, "amount": 1, "stage": "PROPOSE"});
        let deal = sales.post("/api/deals", deal).await.expect(201).id();
        sales.patch(&format!("/api/deals/{deal}"), json!({"stage": "WON"})).await.expect(200);
        if n == 3 {
            sales.delete(&path).await.expect(200);
        }
    }
    let user = json!({"email": format!("{round}@example.com"), "name": round, "role": "SALES", "password": "kizuna-test"});
    let user = admin.post("/api/auth/users", user).await.expect(201).id();
    admin
        .patch(&format!("/api/auth/users/{user}"), json!({"name": "改名", "role": "MANAGER"}))
        .await
        .expect(200);
    admin.delete(&format!("/api/auth/users/{user}")).await.expect(200);
}

/// Waits until all effects are applied and every position is stored, and stops the server.
async fn rest(fixture: &Fixture, mut server: Kizuna) {
    fixture.eventually(promises::kept).await;
    fixture.eventually(at_rest).await;
    assert!(server.terminate().await.success(), "{}", server.output());
    // A server leaves a few changes where they are.
    fixture
        .look(async |db| while fold_tallies(db.clone(), 1).await.expect("a database").waiting > 0 {})
        .await;
}

#[rstest]
#[tokio::test]
async fn what_is_lost_or_wrong_is_folded_again_to_the_very_same_rows(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.launch().start().await;
    work(&server, staff, "one").await;
    rest(&fixture, server).await;
    let before = fixture.look(rows).await;
    assert!(before[..8].iter().all(|(_, rows)| rows.len() >= 4), "{before:?}");
    fixture
        .database
        .raw("UPDATE daily_metrics SET value = value + 1000; DELETE FROM customer_activity")
        .await;
    fixture.database.raw("UPDATE tallies SET count = 1; DELETE FROM tallies WHERE kind = 'tasks'").await;
    fixture.database.raw("UPDATE sales_customers SET version = version + 100, name = '?'").await;
    fixture.database.raw("DELETE FROM opportunity_customers; UPDATE analytics_users SET name = '?'").await;
    fixture.database.raw("UPDATE deal_progress SET furthest = 0, qualify = 7").await;
    assert_ne!(fixture.look(rows).await, before);
    let said = rebuild(&fixture);
    assert_eq!(fixture.look(rows).await, before);
    let wanted = PROJECTIONS
        .iter()
        .zip(&before)
        .map(|(table, (_, rows))| format!("{:<22} {} rows\n", table.name, rows.len()));
    assert_eq!(said, wanted.collect::<String>());
    assert_eq!(rebuild(&fixture), said, "a second time");
    assert_eq!(fixture.look(rows).await, before);
    fixture.eventually(promises::kept).await;
}

#[rstest]
#[tokio::test]
async fn what_was_parked_is_applied_where_it_can_be_and_parked_again_where_not(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (fixture, staff) = Fixture::copied(on).await;
    let fails = "feed.analytics.metrics.effect=fail@always/one 2";
    let server = fixture.armed(fails).args(["--retry-times", "1", "--retry-initial", "1ms"]).start().await;
    work(&server, staff, "one").await;
    let dead = async |db: &Db| {
        let parked =
            cursors::parked(db, MetricsConsumer::NAME, 100).await.map_err(|error| error.to_string())?;
        let is_dead = parked.iter().any(|parked| parked.status.as_str() == "dead");
        if is_dead { Ok(()) } else { Err(format!("{parked:?}")) }
    };
    fixture.eventually(dead).await;
    let mut server = server;
    assert!(server.terminate().await.success(), "{}", server.output());

    let args = ["projections", "rebuild", "--database-url", &fixture.database.url];
    let output = run(&args, &[("KIZUNA_FAILPOINTS", fails)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("could not be applied: a server tries them again"), "{said}");
    let parked =
        fixture.look(async |db| cursors::parked(db, MetricsConsumer::NAME, 100).await.expect("rows")).await;
    assert!(!parked.is_empty() && parked.iter().all(|parked| parked.attempts == 0), "{parked:?}");

    assert!(!rebuild(&fixture).contains("could not"), "nothing fails any more");
    let server = fixture.launch().start().await;
    rest(&fixture, server).await;
    assert!(
        fixture
            .look(async |db| cursors::parked(db, MetricsConsumer::NAME, 100).await.expect("rows"))
            .await
            .is_empty()
    );
}

#[rstest]
#[tokio::test]
async fn a_server_that_runs_beside_it_goes_on_exactly_once(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.launch().start().await;
    work(&server, staff, "one").await;
    for round in ["two", "three", "four"] {
        let url = fixture.database.url.clone();
        let rebuilt = tokio::task::spawn_blocking(move || {
            let output = run(&["projections", "rebuild", "--database-url", &url], &[]);
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        });
        work(&server, staff, round).await;
        let (success, said) = rebuilt.await.expect("no panic");
        assert!(success, "{said}");
    }
    work(&server, staff, "five").await;
    fixture.eventually(promises::kept).await;
    let metrics = kizuna_metrics(&server).await;
    assert!(metrics.iter().all(|line| line.ends_with(" 0")) && metrics.len() >= 5, "{metrics:?}");
    rest(&fixture, server).await;
    let before = fixture.look(rows).await;
    rebuild(&fixture);
    assert_eq!(fixture.look(rows).await, before, "and nothing was folded wrongly");
}

/// The lag of each consumer, from `/metrics`.
async fn kizuna_metrics(server: &Kizuna) -> Vec<String> {
    let metrics = reqwest::Client::builder().no_proxy().build().expect("a client");
    let text = metrics.get(format!("{}/metrics", server.base_url())).send().await.expect("an answer");
    let text = text.text().await.expect("text");
    text.lines().filter(|line| line.starts_with("kizuna_consumer_lag")).map(str::to_owned).collect()
}

#[test]
fn help_says_what_is_folded_and_that_notifications_stay() {
    let help = run(&["projections", "rebuild", "--help"], &[]);
    let help = String::from_utf8(help.stdout).expect("text");
    assert!(help.contains("Notifications stay") && help.contains("--database-url"), "{help}");
    let mut ended =
        Kizuna::command(BINARY).args(["projections", "rebuild", "--database-url", "mysql://x"]).spawn();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    assert!(!runtime.block_on(ended.wait_exit(std::time::Duration::from_secs(10))).success());
}
