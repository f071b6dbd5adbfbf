//! `Accept: text/csv`: lists as files for spreadsheets.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::customer::record::{Customer, NewCustomer};
use kernel::ids::Id;
use kizuna::actors::customer::aggregate::CustomerAggregate;
use kizuna::persistence::customers::CUSTOMERS;
use reqwest::header::{ACCEPT, AUTHORIZATION};
use rstest::rstest;
use runtime::entity::Aggregate;
use serde_json::{Value, json};
use store::journal::commit;
use store::unit_of_work::{UnitOfWork, Write};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const CUSTOMERS_PATH: &str = "/api/customers";
const MEETINGS_PATH: &str = "/api/meetings";
const TASKS_PATH: &str = "/api/tasks";
const APPROVALS_PATH: &str = "/api/approvals";

async fn csv(api: &Api, path: &str) -> Answer {
    api.header(ACCEPT, "text/csv").get(path).await.expect(200)
}

/// The rows below the header, each by its columns' names.
#[track_caller]
fn rows(answer: &Answer) -> Vec<BTreeMap<String, String>> {
    let text = answer.text.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row as long as the header")).collect()
}

fn column(answer: &Answer, name: &str) -> Vec<String> {
    rows(answer).iter().map(|row| row[name].clone()).collect()
}

/// Customers of this owner past the service, many at a time; the files need rows, not events.
async fn store_customers(app: &TestApp, owner: &str, names: impl Iterator<Item = String>, notes: &str) {
    let owner_id = Id::parse(owner);
    let customer = |name| {
        let notes = Some(notes.to_owned());
        let new = NewCustomer { name, notes, owner_id, ..NewCustomer::default() };
        testing::records::customer(new, app.clock.now())
    };
    let write = |one: Customer| Write::row(&CUSTOMERS, one.id, CustomerAggregate::row(&one));
    let writes: Vec<Write> = names.map(|name| write(customer(name))).collect();
    for some in writes.chunks(100) {
        let unit = UnitOfWork { writes: some.to_vec(), ..UnitOfWork::default() };
        commit(&app.db, vec![unit]).await.remove(0).expect("a commit");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_has_every_row_that_the_list_has_in_its_order(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { sales, colleague, .. } = Team::of(&app).await;
    let names: Vec<String> = (0..450).map(|n| format!("{n:03} 様")).collect();
    store_customers(&app, &sales.id, names.iter().cloned(), "").await;
    store_customers(&app, &colleague.id, ["別".to_owned()].into_iter(), "").await;
    let file = csv(&sales, &format!("{CUSTOMERS_PATH}?sort=name")).await;
    assert_eq!(column(&file, "name"), names);
    let descending = csv(&sales, &format!("{CUSTOMERS_PATH}?sort=-name&q=1")).await;
    let filtered: Vec<_> = names.iter().rev().filter(|name| name.contains('1')).cloned().collect();
    assert_eq!(column(&descending, "name"), filtered);
    let paged = csv(&sales, &format!("{CUSTOMERS_PATH}?sort=name&limit=1&count=true")).await;
    assert_eq!(paged.text, file.text, "a file has no pages");
    assert_eq!((paged.header("link"), paged.header("x-total-count")), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_is_as_spreadsheets_take_it() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let empty = csv(&sales, CUSTOMERS_PATH).await;
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", "attachment; filename=\"customers.csv\""),
    ] {
        assert_eq!(empty.header(name), Some(value), "{empty}");
    }
    let names = "id,version,created_at,updated_at,name,kana,email,phone,company,status,notes,owner_id";
    let header = format!("\u{feff}\"{}\"\r\n", names.replace(',', "\",\""));
    assert_eq!(empty.text, header, "also without a row");
    let made = sales
        .create_customer(json!({
            "name": "=HYPERLINK(\"x\")", "phone": "+81 3 1234", "notes": "1, \"2\"\r\n3", "company": "株式会社, 絆",
        }))
        .await;
    let file = csv(&sales, CUSTOMERS_PATH).await;
    let time = made.text_at("/created_at");
    let row = format!(
        "\"{}\",\"1\",\"{time}\",\"{time}\",\"'=HYPERLINK(\"\"x\"\")\",\"\",\"\",\"'+81 3 1234\",\"株式会社, 絆\",\"LEAD\",\
         \"1, \"\"2\"\"\r\n3\",\"{}\"\r\n",
        made.id(),
        sales.id
    );
    assert_eq!(file.text, format!("{header}{row}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_has_the_fields_of_the_record() {
    let app = TestApp::start(Sqlite).await;
    let Team { sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    let met = json!({
        "customer_id": customer, "title": "訪問", "met_at": "2026-03-01T10:00:00Z", "duration_minutes": 30,
    });
    sales.post(MEETINGS_PATH, met).await.expect(201);
    let asked = json!({"customer_id": customer, "title": "値引き", "amount": 50_000, "reason": "大口"});
    sales.post(APPROVALS_PATH, asked).await.expect(201);
    let task = json!({"title": "見積もり", "due_at": "2026-03-05T10:00:00Z", "customer_id": customer});
    sales.post(TASKS_PATH, task).await.expect(201);
    let deal = json!({"customer_id": customer, "title": "契約", "amount": 1, "expected_on": "2026-12-24"});
    sales.post("/api/deals", deal).await.expect(201);
    for (path, name) in [
        (CUSTOMERS_PATH, "customers"),
        (MEETINGS_PATH, "meetings"),
        (TASKS_PATH, "tasks"),
        (APPROVALS_PATH, "approvals"),
        ("/api/deals", "deals"),
    ] {
        let record = sales.get(path).await.expect(200).body[0].clone();
        let file = csv(&sales, path).await;
        let disposition = format!("attachment; filename=\"{name}.csv\"");
        assert_eq!(file.header("content-disposition"), Some(disposition.as_str()));
        let text = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let fields = record.as_object().expect("a record").iter();
        let fields: BTreeMap<String, String> =
            fields.map(|(name, value)| (name.clone(), text(value))).collect();
        assert_eq!(rows(&file), [fields]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn meetings_are_filtered_and_seen_as_in_their_list() {
    let app = TestApp::start(Sqlite).await;
    let Team { manager, sales, colleague, .. } = Team::of(&app).await;
    let (own, other) = (sales.customer("絆").await.id(), colleague.customer("別").await.id());
    sales.meeting(&own, "own").await;
    colleague.meeting(&other, "other").await;
    assert_eq!(column(&csv(&sales, MEETINGS_PATH).await, "title"), ["own"]);
    assert_eq!(rows(&csv(&manager, MEETINGS_PATH).await).len(), 2);
    let filtered = csv(&manager, &format!("{MEETINGS_PATH}?customer_id={other}")).await;
    assert_eq!(column(&filtered, "title"), ["other"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn json_stays_the_default_and_faults_are_problems() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    for accept in ["*/*", "application/json", "text/html", "text/csv;q=0.1, application/json", "nonsense"] {
        let answer = admin.header(ACCEPT, accept).get(CUSTOMERS_PATH).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"), "{accept}");
    }
    let rejected =
        |path: &str, field, code| Rejected::parameter(path, field, code).header("accept", "text/csv");
    let refused = [
        rejected("/api/customers?sort=size", "sort", "invalid_choice"),
        rejected("/api/customers?limit=0", "limit", "too_small"),
        rejected("/api/meetings?from=monday", "from", "invalid_time"),
        rejected("/api/meetings?colour=red", "colour", "unknown_parameter"),
    ];
    all_refused(&app, &admin, refused).await;
    let nobody = Rejected::get(CUSTOMERS_PATH, 401, "missing_token").header("accept", "text/csv");
    all_refused(&app, &app.nobody(), [nobody]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_breaks_off_does_not_look_complete() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    // More than the sockets between us hold: the server is still reading when its database goes.
    store_customers(&app, &admin.id, (0..1_000).map(|n| n.to_string()), &"長".repeat(10_000)).await;
    let token = admin.access_token().expect("a token");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.get(format!("{}{CUSTOMERS_PATH}", admin.base()));
    let request = request.header(ACCEPT, "text/csv").header(AUTHORIZATION, format!("Bearer {token}"));
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert!(response.chunk().await.expect("a beginning").is_some());
    app.db.close().await;
    let rest = async {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    let rest = tokio::time::timeout(Duration::from_secs(30), rest).await.expect("it ends");
    assert!(rest.is_err(), "it ended as if it were whole");
}
