//! Many writers at once: nothing lost, nothing twice, no hole in any number. The server is a process of its
//! own, for its metrics are counted per process.

use domain::events::{CUSTOMER_CREATED, CUSTOMER_UPDATED, USER_CREATED, USER_LOGIN};
use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use kernel::event::{EventType, LoggedEvent};
use kernel::ids::Id;
use rstest::rstest;
use serde_json::json;
use store::sql::Sql;
use store::{Db, cursors, log};

use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::{Api, Database, Kizuna, Member, Postgres, Sqlite, TestDatabase, eventually};

const CLIENTS: usize = 32;
const CUSTOMERS: usize = 500;
const CONSUMERS: [&str; 5] = [
    "sales.customers",
    "opportunity.customers",
    "analytics.metrics",
    "analytics.activity",
    "analytics.notifications",
];

/// A figure of `/metrics`, summed over its labels.
async fn metric(api: &Api, name: &str) -> f64 {
    let text = api.get("/metrics").await.expect(200).text;
    let lines =
        text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
    lines
        .map(|line| line.rsplit(' ').next().and_then(|value| value.parse::<f64>().ok()).expect("a number"))
        .sum()
}

async fn number(db: &Db, sql: &str) -> usize {
    let number = db.number(Sql::new(format!("SELECT CAST({sql} AS TEXT)"))).await.expect("a number");
    usize::try_from(number).expect("a count")
}

/// Creates what is left of the customers, and changes every tenth; answers with their ids.
async fn client(api: &Member, number: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for name in (number..CUSTOMERS).step_by(CLIENTS) {
        let id = api.customer(&format!("顧客 {name}")).await.id();
        if name % 10 == 0 {
            api.if_match(1).patch(&format!("/api/customers/{id}"), json!({"notes": "後"})).await.expect(200);
        }
        ids.push(id);
    }
    ids
}

/// The log, partition by partition, whose numbers must have no hole.
async fn read_log(db: &Db) -> Vec<LoggedEvent> {
    let mut all = Vec::new();
    for (partition, head) in log::heads(db).await.expect("slices") {
        let events = log::after(db, partition, 0, 10_000).await.expect("a readable log");
        let numbers: Vec<i64> = events.iter().map(|event| event.partition_seq).collect();
        assert_eq!(numbers, (1..=head).collect::<Vec<_>>(), "slice {partition}");
        all.extend(events);
    }
    all
}

/// Each aggregate's events, as they stand in the log, count its versions.
fn check_sequences(events: &[LoggedEvent]) -> HashMap<Id, i64> {
    let mut last: HashMap<Id, i64> = HashMap::new();
    for LoggedEvent { event, .. } in events {
        let version = last.entry(event.subject).or_default();
        assert_eq!(event.sequence, *version + 1, "{} of {}", event.event_type, event.subject);
        *version += 1;
    }
    last
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_customers_of_32_clients_are_all_there_and_take_effect_once(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let database = TestDatabase::fresh(on);
    let args = ["--jwt-secret", SECRET, "--admin-email", ADMIN, "--admin-password", PASSWORD];
    let server =
        Kizuna::launch(env!("CARGO_BIN_EXE_kizuna")).database(&database.url).args(args).start().await;
    let nobody = Api::new(server.base_url());
    let admin = Member::sign_in(&nobody, ADMIN, PASSWORD).await;
    let manager = admin.hire("MANAGER", "manager", None).await;
    let sales = admin.hire("SALES", "sales", Some(&manager)).await;
    let figures = ["kizuna_journal_commits_total", "kizuna_journal_units_total"];
    let before = [metric(&nobody, figures[0]).await, metric(&nobody, figures[1]).await];

    let ids = join_all((0..CLIENTS).map(|number| client(&sales, number))).await.concat();
    let commits = metric(&nobody, figures[0]).await - before[0];
    let units = metric(&nobody, figures[1]).await - before[1];
    assert!(units >= 550.0, "every command is a unit: {units}");
    assert!(units / commits >= 2.0, "a commit carries several: {units} units in {commits} commits");

    let db = database.open().await;
    let lag = async || metric(&nobody, "kizuna_consumer_lag_events").await;
    eventually(Duration::from_secs(10), async || lag().await == 0.0).await;
    assert_eq!(number(&db, "(SELECT count(*) FROM parked_events)").await, 0);

    let events = read_log(&db).await;
    let versions = check_sequences(&events);
    for (place, id) in ids.iter().enumerate() {
        let customer = sales.get(&format!("/api/customers/{id}")).await.expect(200);
        let version = versions.get(&Id::parse(id).expect("an id")).copied();
        assert_eq!((customer.version(), version.is_some()), (version, true), "{place}: {customer}");
    }
    assert_eq!(ids.len(), CUSTOMERS);
    assert_eq!(number(&db, "(SELECT sum(version) FROM customers)").await, CUSTOMERS + CUSTOMERS / 10);
    for table in ["customers", "sales_customers", "opportunity_customers", "notifications"] {
        assert_eq!(number(&db, &format!("(SELECT count(*) FROM {table})")).await, CUSTOMERS, "{table}");
    }
    let created = "(SELECT sum(value) FROM daily_metrics WHERE metric = 'customers_created')";
    assert_eq!(number(&db, created).await, CUSTOMERS);
    let activity = number(&db, "(SELECT count(*) FROM customer_activity)").await;
    assert_eq!(activity, CUSTOMERS + CUSTOMERS / 10);
    let badge = manager.get("/api/notifications/unread?limit=1").await;
    assert_eq!(badge.header("x-total-count"), Some("500"));
    check_cursors(&db, &events).await;
    db.close().await;
}

/// Every consumer has applied each event of its types once.
async fn check_cursors(db: &Db, events: &[LoggedEvent]) {
    let count = |types: &[EventType]| {
        events.iter().filter(|event| types.contains(&event.event.event_type)).count() as i64
    };
    let customers = count(&[CUSTOMER_CREATED, CUSTOMER_UPDATED]);
    let wanted = [
        customers,
        customers,
        count(&[USER_LOGIN, CUSTOMER_CREATED]),
        customers,
        count(&[USER_CREATED, CUSTOMER_CREATED]),
    ];
    for (consumer, wanted) in CONSUMERS.into_iter().zip(wanted) {
        let cursors = cursors::load(db, consumer).await.expect("its cursors");
        assert_eq!(cursors.iter().map(|cursor| cursor.applied).sum::<i64>(), wanted, "{consumer}");
    }
}
