//! `/api/admin`: what operators see and do.

use std::collections::BTreeSet;

use kernel::ids::{Id, new_id};
use rstest::rstest;
use serde_json::{Value, json};
use store::cursors::{PARKED, Parked, ParkedStatus};
use store::journal::commit;
use store::unit_of_work::{UnitOfWork, Write};

use crate::rejected::{Rejected, all_refused};
use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const DEAD_LETTERS: &str = "/api/admin/dead-letters";
const READINGS: [&str; 6] = ["cluster", "actors", "breakers", "consumers", "dead-letters", "integrity"];
const CONSUMERS: [&str; 15] = [
    "sales.customers",
    "opportunity.customers",
    "analytics.metrics",
    "analytics.activity",
    "analytics.notifications",
    "customer.departures",
    "sales.departures",
    "opportunity.departures",
    "analytics.departures",
    "customer.batches",
    "sales.batches",
    "opportunity.batches",
    "opportunity.progress",
    "sagas.progress",
    "attachments.bytes",
];

fn redrive(id: impl std::fmt::Display) -> String {
    format!("{DEAD_LETTERS}/{id}/redrive")
}

/// The entry of a list with this name.
#[track_caller]
fn named<'a>(answer: &'a Answer, name: &str) -> &'a Value {
    let entry = answer.items().iter().find(|entry| entry["name"] == name);
    entry.unwrap_or_else(|| panic!("no {name}: {answer}"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn operations_are_for_admins() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for member in [&manager, &sales] {
        let readings = READINGS.map(|name| Rejected::get(format!("/api/admin/{name}"), 403, "forbidden"));
        all_refused(&app, member, readings).await;
        all_refused(&app, member, [Rejected::new("POST", redrive(new_id()), 403, "forbidden")]).await;
    }
    for name in READINGS {
        admin.get(&format!("/api/admin/{name}")).await.expect(200);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_traffic_every_event_was_applied_once_and_in_order(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    sales.patch(&format!("/api/customers/{customer}"), json!({"name": "別"})).await.expect(200);
    sales.meeting(&customer, "初回訪問").await;
    sales.approval(&customer, "値引き").await;
    let files = format!("/api/customers/{customer}/attachments");
    let file =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\na\r\n--b--\r\n";
    let multipart = sales.header("content-type", "multipart/form-data; boundary=b");
    let file = multipart.raw("POST", &files, file).await.expect(201).id();
    sales.delete(&format!("{files}/{file}")).await.expect(200);
    sales.deal(&customer, "更新").await;
    app.settle().await;
    sales.delete(&format!("/api/customers/{customer}")).await.expect(200);
    app.settle().await;
    let report = admin.get("/api/admin/integrity").await.expect(200);
    assert_eq!(report.body["events"], app.rows("events").await);
    let consumers = report.body["consumers"].as_array().expect("consumers");
    let names: Vec<_> = consumers.iter().map(|consumer| consumer["name"].as_str().expect("a name")).collect();
    assert_eq!(names, CONSUMERS);
    for consumer in consumers {
        assert_eq!(
            keys(consumer),
            ["applied", "duplicated", "lost", "name", "out_of_order", "pending"],
            "{consumer}"
        );
        for count in ["pending", "lost", "duplicated", "out_of_order"] {
            assert_eq!(consumer[count], 0, "{count} of {consumer}");
        }
        assert!(consumer["applied"].as_i64() >= Some(1), "{consumer}");
    }
    assert_eq!(consumers[0]["applied"], 3, "created, updated, deleted");
    let readings = admin.get("/api/admin/consumers").await.expect(200);
    let copies = named(&readings, "sales.customers");
    let expected = json!({
        "name": "sales.customers", "types": ["customer.created", "customer.updated", "customer.deleted", "customer.merged", "customer.restored"],
        "applied": 3, "pending": 0, "retrying": 0, "waiting": 0, "dead": 0,
    });
    assert_eq!(copies, &expected);
    assert_eq!(readings.items().len(), CONSUMERS.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn actors_and_breakers_show_what_they_did() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    sales.meeting(&customer, "初回訪問").await;
    let actors = admin.get("/api/admin/actors").await.expect(200);
    for name in ["journal", "registry", "customer", "customer.customer", "feed.sales.customers", "operations"]
    {
        let actor = named(&actors, name);
        assert_eq!(keys(actor), ["failed", "handled", "live", "mailbox", "name", "restarts"], "{actor}");
        assert_eq!((&actor["failed"], &actor["restarts"]), (&json!(0), &json!(0)), "{actor}");
        assert!(actor["handled"].as_u64() > Some(0) && actor["live"].as_i64() > Some(0), "{actor}");
    }
    let breakers = admin.get("/api/admin/breakers").await.expect(200);
    let names: BTreeSet<_> =
        breakers.items().iter().map(|breaker| breaker["name"].as_str().expect("a name")).collect();
    let callees =
        ["analytics", "auth", "customer", "opportunity", "sales"].map(|name| format!("breaker.{name}"));
    assert!(names.iter().eq(&callees), "{names:?}");
    let breaker = named(&breakers, "breaker.customer");
    let expected = json!({
        "name": "breaker.customer", "state": "closed", "forced": null, "calls": 1, "failures": 0,
        "latency_ms": breaker["latency_ms"], "retry_at": null, "under_way": 0, "capacity": 1024,
        "counters": {
            "fire": 1, "success": 1, "failure": 0, "timeout": 0, "reject": 0, "fallback": 0,
            "open": 0, "half_open": 0, "close": 0,
        },
    });
    assert_eq!(breaker, &expected, "the meeting's customer was asked for");
    assert_eq!(keys(&breaker["latency_ms"]), ["max", "mean", "p50", "p90", "p99"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_administrator_keeps_a_breaker_open_and_calls_answer_from_copies_until_it_is_free() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let path = "/api/admin/breakers/breaker.customer";
    let forced = admin.post(path, json!({"force": "open"})).await.expect(200).body;
    assert_eq!((&forced["state"], &forced["forced"]), (&json!("open"), &json!("open")));
    sales.meeting(&customer, "写しで確認").await;
    let breakers = admin.get("/api/admin/breakers").await.expect(200);
    let counters = &named(&breakers, "breaker.customer")["counters"];
    assert_eq!((&counters["fallback"], &counters["success"]), (&json!(1), &json!(0)), "{counters}");
    let free = admin.post(path, json!({"force": "none"})).await.expect(200).body;
    assert_eq!((&free["state"], &free["forced"]), (&json!("closed"), &json!(null)));
    sales.meeting(&customer, "直接確認").await;
    // Sent again, a request is answered as before and changes nothing.
    let open = json!({"force": "open"});
    let keyed = admin.header("idempotency-key", "open-1");
    keyed.post(path, open.clone()).await.expect(200);
    admin.post(path, json!({"force": "none"})).await.expect(200);
    let again = keyed.post(path, open.clone()).await.expect(200);
    assert_eq!((&again.body["state"], again.header("idempotency-replayed")), (&json!("open"), Some("true")));
    let breakers = admin.get("/api/admin/breakers").await.expect(200);
    assert_eq!(named(&breakers, "breaker.customer")["state"], "closed");
    keyed.post(path, json!({"force": "none"})).await.expect_problem(422, "idempotency_key_reused");
    admin.header("idempotency-key", "開").post(path, open).await.expect_problem(400, "invalid_header");
    admin.post(path, json!({"force": "ajar"})).await.expect_problem(422, "invalid_fields");
    admin.post("/api/admin/breakers/breaker.nobody", json!({"force": "open"})).await.expect(404);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_alone_is_the_whole_cluster(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::with(on, &["--node-id", "tokyo-1"]).await;
    let admin = Member::first(&app).await;
    app.settle().await;
    let cluster = admin.get("/api/admin/cluster").await.expect(200).body;
    let node = json!({
        "id": "tokyo-1", "address": app.address.to_string(),
        "services": ["auth", "customer", "sales", "opportunity", "analytics"],
        "started_at": "2026-03-02T09:00:00.000000Z", "version": env!("CARGO_PKG_VERSION"), "self": true,
    });
    assert_eq!(cluster["nodes"], json!([node]));
    let partitions = cluster["slices"].as_array().expect("slices");
    assert_eq!(partitions.len(), 16);
    for (n, partition) in partitions.iter().enumerate() {
        assert_eq!((&partition["slice"], &partition["node"]), (&json!(n), &json!("tokyo-1")));
    }
    let last: i64 = partitions.iter().filter_map(|partition| partition["last_seq"].as_i64()).sum();
    assert_eq!(last, app.rows("events").await);
    let lags = cluster["consumers"].as_array().expect("consumers");
    assert_eq!(lags.len(), CONSUMERS.len());
    assert!(lags.iter().all(|lag| lag["pending"] == 0), "{lags:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_without_a_name_makes_one() {
    let (app, other) = tokio::join!(TestApp::start(Sqlite), TestApp::start(Sqlite));
    let mut ids = BTreeSet::new();
    for app in [&app, &other] {
        let admin = Member::first(app).await;
        ids.insert(admin.get("/api/admin/cluster").await.expect(200).text_at("/nodes/0/id"));
    }
    assert_eq!(ids.len(), 2);
}

/// Parks an event past every feed, so that it stays as it is here.
pub async fn plant(app: &TestApp, consumer: &str, event: &Value, status: ParkedStatus, error: &str) -> Id {
    let id = |name: &str| event[name].as_str().and_then(Id::parse).expect("an id");
    let parked = Parked {
        id: new_id(),
        consumer: consumer.to_owned(),
        event_id: id("id"),
        subject: id("subject"),
        partition: 0,
        partition_seq: 0,
        version: 1,
        status,
        attempts: 8,
        next_attempt_at: app.clock.now(),
        error: error.to_owned(),
        parked_at: app.clock.now(),
    };
    let writes = vec![Write::put(&PARKED, parked.id, &parked)];
    let done = commit(&app.db, vec![UnitOfWork { writes, ..UnitOfWork::default() }]).await;
    done[0].as_ref().expect("a commit");
    parked.id
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn dead_letters_are_listed_with_their_events(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let logged = admin.get(&format!("/api/audit/events?subject={customer}")).await.expect(200).body;
    let event = &logged[0];
    let retrying = plant(&app, "tests.first", event, ParkedStatus::Retrying, "not yet").await;
    let mut ids = Vec::new();
    for consumer in ["tests.second", "tests.third", "tests.fourth"] {
        app.clock.advance(std::time::Duration::from_secs(1));
        ids.push(plant(&app, consumer, event, ParkedStatus::Dead, "\"壊れた\"\n=1").await.to_string());
    }
    ids.reverse();
    let all = admin.get(DEAD_LETTERS).await.expect(200);
    let listed: Vec<_> = all.items().iter().map(|letter| letter["id"].as_str().expect("an id")).collect();
    assert_eq!(listed, ids, "the latest first, and dead ones alone");
    assert!(!all.text.contains(&retrying.to_string()));
    let first = json!({
        "id": ids[0], "consumer": "tests.fourth", "event": event, "status": "dead", "error": "\"壊れた\"\n=1",
        "attempts": 8, "parked_at": app.clock.now(),
    });
    assert_eq!(all.body[0], first);
    let own = admin.get(&format!("{DEAD_LETTERS}?consumer=tests.third&count=true")).await.expect(200);
    assert_eq!((own.text_at("/0/id"), own.header("x-total-count")), (ids[1].clone(), Some("1")));
    assert!(admin.get(&format!("{DEAD_LETTERS}?consumer=nobody")).await.expect(200).items().is_empty());
    let mut paged = Vec::new();
    let mut page = admin.get(&format!("{DEAD_LETTERS}?limit=1")).await.expect(200);
    loop {
        paged.push(page.text_at("/0/id"));
        let Some(next) = page.next() else { break };
        page = admin.get(next).await.expect(200);
    }
    assert_eq!(paged, ids);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_redrive_is_done_once_and_answers_again_under_its_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    app.settle().await;
    let logged = admin.get(&format!("/api/audit/events?subject={customer}")).await.expect(200).body;
    let dead = plant(&app, "tests.dead", &logged[0], ParkedStatus::Dead, "broken").await;
    let waiting = plant(&app, "tests.waiting", &logged[0], ParkedStatus::Waiting, "").await;
    let api = admin.idempotency_key("again");
    let first = api.raw("POST", &redrive(dead), "").await.expect(200);
    let expected = json!({
        "id": dead, "consumer": "tests.dead", "event": logged[0], "status": "retrying", "error": "broken",
        "attempts": 0, "parked_at": app.clock.now(),
    });
    assert_eq!(first.body, expected);
    let again = api.raw("POST", &redrive(dead), "").await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.text), (Some("true"), &first.text));
    let rejected = [
        Rejected::new("POST", redrive(dead), 409, "not_a_dead_letter"),
        Rejected::new("POST", redrive(waiting), 409, "not_a_dead_letter"),
        Rejected::new("POST", redrive(new_id()), 404, "not_found"),
        Rejected::new("POST", redrive(waiting), 422, "idempotency_key_reused")
            .header("idempotency-key", "again"),
    ];
    all_refused(&app, &admin, rejected).await;
    assert!(admin.get(DEAD_LETTERS).await.expect(200).items().is_empty());
}
