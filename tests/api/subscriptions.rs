//! Subscriptions: positions that Kizuna keeps for readers outside, leases, and acknowledgements.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use kernel::event::partition_of;
use kernel::ids::Id;
use rstest::rstest;
use serde_json::{Value, json};

use testing::{Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const SUBSCRIPTIONS: &str = "/api/subscriptions";
/// Far less than a lease, and far more than an answer takes on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

fn at(name: &str) -> String {
    format!("{SUBSCRIPTIONS}/{name}")
}

async fn put(admin: &Api, name: &str, body: Value) -> testing::Answer {
    admin.header("content-type", "application/json").raw("PUT", &at(name), body.to_string()).await
}

/// Leases a batch; returns its lease and events.
async fn batch(admin: &Api, name: &str, query: &str) -> (Option<String>, Vec<Value>) {
    let answer = admin.get(&format!("{}/events?{query}", at(name))).await.expect(200);
    let events = answer.body["events"].as_array().expect("events").clone();
    (answer.body["lease"].as_str().map(str::to_owned), events)
}

async fn ack(admin: &Api, name: &str, lease: &str) -> testing::Answer {
    admin.post(&format!("{}/ack", at(name)), json!({"lease": lease})).await
}

/// Reads and acknowledges until nothing is left.
async fn read_all(admin: &Api, name: &str) -> Vec<Value> {
    let mut all = Vec::new();
    while let (Some(lease), events) = batch(admin, name, "limit=7").await {
        all.extend(events);
        ack(admin, name, &lease).await.expect(200);
    }
    all
}

async fn pending(admin: &Api, name: &str) -> Value {
    admin.get(&at(name)).await.expect(200).body["pending"].clone()
}

fn partition(event: &Value) -> i64 {
    partition_of(Id::parse(event["partitionkey"].as_str().expect("a key")).expect("an id"))
}

async fn customers(sales: &Member, count: usize) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for number in 0..count {
        made.insert(sales.customer(&format!("顧客{number}")).await.id());
    }
    made
}

fn subjects(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["subject"].as_str().expect("an id").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_subscription_is_made_read_replaced_and_removed(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let made = put(&admin, "crm.sync-1", json!({"types": ["customer.created"]})).await.expect(201);
    assert_eq!(made.header("location"), Some("/api/subscriptions/crm.sync-1"));
    assert_eq!(
        (made.version(), &made.body["from"], &made.body["pending"]),
        (Some(1), &json!("now"), &json!(0))
    );
    customers(&sales, 3).await;
    assert_eq!(pending(&admin, "crm.sync-1").await, json!(3));
    let same =
        put(&admin, "crm.sync-1", json!({"types": ["customer.created"], "from": "now"})).await.expect(200);
    assert_eq!((same.version(), &same.body["pending"]), (Some(1), &json!(3)), "it stays where it is");
    put(&admin.if_match(7), "crm.sync-1", json!({})).await.expect_problem(412, "stale_version");
    let all = put(&admin.if_match(1), "crm.sync-1", json!({})).await.expect(200);
    assert_eq!((all.version(), &all.body["types"]), (Some(2), &json!([])));
    let moved = put(&admin, "crm.sync-1", json!({"from": "start"})).await.expect(200);
    app.settle().await;
    assert_eq!(
        (moved.version(), pending(&admin, "crm.sync-1").await),
        (Some(3), json!(app.rows("events").await))
    );
    put(&admin, "another", json!({"from": "start", "types": ["user.created"]})).await.expect(201);
    let list = admin.get(SUBSCRIPTIONS).await.expect(200);
    let names: Vec<_> = list.items().iter().map(|item| item["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["another", "crm.sync-1"]);
    assert_eq!(list.items()[0]["pending"], json!(4), "the team");
    admin.if_match(1).delete(&at("crm.sync-1")).await.expect_problem(412, "stale_version");
    let removed = admin.delete(&at("crm.sync-1")).await.expect(200);
    assert_eq!(removed.body, json!({"name": "crm.sync-1", "status": "deleted"}));
    admin.get(&at("crm.sync-1")).await.expect_problem(404, "not_found");
    assert_eq!(app.rows("subscription_partitions").await, 16);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_event_comes_once_and_in_order_per_key(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "all", json!({"from": "start"})).await.expect(201);
    for id in customers(&sales, 20).await {
        sales.patch(&format!("/api/customers/{id}"), json!({"notes": "二"})).await.expect(200);
        sales.patch(&format!("/api/customers/{id}"), json!({"notes": "三"})).await.expect(200);
    }
    app.settle().await;
    let events = read_all(&admin, "all").await;
    let distinct: BTreeSet<_> = events.iter().map(|event| event["id"].as_str().expect("an id")).collect();
    assert_eq!((events.len(), distinct.len() as i64), (distinct.len(), app.rows("events").await));
    let mut last: HashMap<&str, i64> = HashMap::new();
    for event in &events {
        let sequence = event["sequence"].as_i64().expect("a number");
        let before = last.insert(event["subject"].as_str().expect("an id"), sequence).unwrap_or(0);
        assert_eq!(sequence, before + 1, "{event}");
    }
    assert_eq!(pending(&admin, "all").await, json!(0));
    let made = customers(&sales, 1).await;
    let (lease, events) = batch(&admin, "all", "").await;
    assert!(lease.is_some() && subjects(&events).is_superset(&made));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lease_that_expires_is_delivered_again_and_can_acknowledge_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "a", json!({"types": ["customer.created"]})).await.expect(201);
    put(&admin, "b", json!({"types": ["customer.created"]})).await.expect(201);
    let made = customers(&sales, 5).await;
    let (lease, events) = batch(&admin, "a", "").await;
    let lease = lease.expect("a lease");
    assert_eq!(subjects(&events), made);
    assert_eq!(batch(&admin, "a", "").await, (None, Vec::new()), "they are the other reader's");
    ack(&admin, "b", &lease).await.expect_problem(409, "lease_lost");
    app.clock.advance(Duration::from_secs(30));
    ack(&admin, "a", &lease).await.expect_problem(409, "lease_lost");
    assert_eq!(pending(&admin, "a").await, json!(5));
    let (second, again) = batch(&admin, "a", "lease=2m").await;
    assert_eq!(subjects(&again), made);
    ack(&admin, "a", &lease).await.expect_problem(409, "lease_lost");
    app.clock.advance(Duration::from_secs(119));
    let second = second.expect("a lease");
    let first = ack(&admin, "a", &second).await.expect(200);
    assert_eq!((&first.body["lease"], &first.body["status"]), (&json!(second), &json!("acknowledged")));
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(ack(&admin, "a", &second).await.expect(200).body, first.body, "sent again");
    assert_eq!((pending(&admin, "a").await, pending(&admin, "b").await), (json!(0), json!(5)));
    ack(&admin, "a", "0198c0de-0000-7000-8000-000000000000").await.expect_problem(409, "lease_lost");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn readers_share_a_subscription_by_partition(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "a", json!({"types": ["customer.created"]})).await.expect(201);
    let made = customers(&sales, 40).await;
    let read = || batch(&admin, "a", "limit=6");
    let batches = tokio::join!(read(), read(), read());
    let batches = [batches.0, batches.1, batches.2];
    let mut owner: BTreeMap<i64, usize> = BTreeMap::new();
    for (reader, (lease, events)) in batches.iter().enumerate() {
        assert!(lease.is_some() && !events.is_empty(), "reader {reader} got nothing: {batches:?}");
        for event in events {
            assert_eq!(
                *owner.entry(partition(event)).or_insert(reader),
                reader,
                "a partition is one reader's"
            );
        }
    }
    for (lease, _) in &batches {
        ack(&admin, "a", lease.as_deref().expect("a lease")).await.expect(200);
    }
    let mut seen: Vec<Value> = batches.into_iter().flat_map(|(_, events)| events).collect();
    seen.extend(read_all(&admin, "a").await);
    assert_eq!((seen.len(), subjects(&seen)), (40, made));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_reader_waits_for_an_event_for_a_lease_s_end_and_for_an_acknowledgement(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "a", json!({"types": ["customer.created"]})).await.expect(201);
    let waiting = |query: &'static str| {
        let admin = admin.clone();
        tokio::spawn(async move { batch(&admin, "a", query).await })
    };
    let begun = Instant::now();
    assert_eq!(batch(&admin, "a", "wait=1s").await.0, None);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    let reader = waiting("wait=30s");
    let customer = sales.customer("絆").await.id();
    let (lease, events) = reader.await.expect("an answer");
    assert_eq!(events[0]["subject"], json!(customer));
    // Another event of the same key is held back until the first is acknowledged.
    put(&admin, "a", json!({"types": ["customer.created", "customer.updated"]})).await.expect(200);
    ack(&admin, "a", &lease.expect("a lease")).await.expect_problem(409, "lease_lost");
    let (lease, _) = batch(&admin, "a", "").await;
    sales.patch(&format!("/api/customers/{customer}"), json!({"notes": "二"})).await.expect(200);
    let reader = waiting("wait=30s");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!reader.is_finished());
    ack(&admin, "a", &lease.expect("a lease")).await.expect(200);
    let (_, events) = reader.await.expect("an answer");
    assert_eq!(events[0]["type"], json!("customer.updated"));
    // That batch is not acknowledged: it comes when its lease ends.
    let reader = waiting("wait=30s");
    app.clock.advance(Duration::from_secs(31));
    sales.customer("別").await;
    assert!(!reader.await.expect("an answer").1.is_empty());
    assert!(begun.elapsed() < 2 * AT_ONCE, "{:?}", begun.elapsed());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_subscription_begins_at_a_time(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    customers(&sales, 3).await;
    app.clock.advance(Duration::from_secs(600));
    let time = app.clock.now();
    let late = customers(&sales, 20).await;
    app.settle().await;
    let body = json!({"types": ["customer.created"], "from": time.to_string()});
    let made = put(&admin, "a", body.clone()).await.expect(201);
    assert_eq!((&made.body["pending"], &made.body["from"]), (&json!(20), &body["from"]));
    assert_eq!(subjects(&read_all(&admin, "a").await), late);
    put(&admin, "a", body).await.expect(200);
    assert_eq!(pending(&admin, "a").await, json!(0), "the same beginning moves nothing");
    let future = json!({"from": time.plus(Duration::from_secs(60)).to_string()});
    for name in ["a", "b"] {
        let refused = put(&admin, name, future.clone()).await.expect_problem(422, "invalid_fields");
        assert_eq!(refused.text_at("/errors/0/code"), "in_future");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_subscription_of_an_old_name_has_nothing_of_the_old_one() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let body = json!({"types": ["customer.created"]});
    put(&admin, "a", body.clone()).await.expect(201);
    customers(&sales, 2).await;
    let (lease, _) = batch(&admin, "a", "").await;
    admin.delete(&at("a")).await.expect(200);
    put(&admin, "a", body).await.expect(201);
    ack(&admin, "a", &lease.expect("a lease")).await.expect_problem(409, "lease_lost");
    assert_eq!(batch(&admin, "a", "").await.0, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_acknowledgement_is_done_once_under_its_key_and_head_leases_nothing() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "a", json!({"types": ["customer.created"]})).await.expect(201);
    customers(&sales, 2).await;
    admin.raw("HEAD", &format!("{}/events", at("a")), "").await.expect(200);
    admin.raw("HEAD", &format!("{}/events", at("b")), "").await.expect(404);
    let (lease, events) = batch(&admin, "a", "").await;
    assert_eq!(events.len(), 2);
    let (keyed, body) = (admin.idempotency_key("ack-1"), json!({"lease": lease}));
    let first = keyed.post(&format!("{}/ack", at("a")), body.clone()).await.expect(200);
    let again = keyed.post(&format!("{}/ack", at("a")), body).await.expect(200);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &first.body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_asked_for_wrongly_is_told_and_only_an_admin_may_ask() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for name in ["A", ".a", "a%20b", "%E9%A1%A7", &"a".repeat(64)] {
        let answer = put(&admin, name, json!({})).await.expect_problem(422, "invalid_fields");
        assert_eq!(answer.text_at("/errors/0/field"), "name", "{answer}");
        admin.get(&at(name)).await.expect(404);
    }
    for (body, field) in [
        (json!({"types": ["customer.invented"]}), "types[0]"),
        (json!({"types": "customer.created"}), "types"),
        (json!({"from": "yesterday"}), "from"),
        (json!({"name": "a"}), "name"),
    ] {
        let answer = put(&admin, "a", body).await.expect_problem(422, "invalid_fields");
        assert_eq!(answer.text_at("/errors/0/field"), field, "{answer}");
    }
    put(&admin, "a", json!({})).await.expect(201);
    for query in ["wait=31s", "lease=11m", "lease=100ms", "lease=1", "limit=0", "after=x"] {
        admin.get(&format!("{}/events?{query}", at("a"))).await.expect_problem(400, "invalid_parameter");
    }
    admin
        .post(&format!("{}/ack", at("a")), json!({"lease": "x"}))
        .await
        .expect_problem(422, "invalid_fields");
    admin.post(&format!("{}/ack", at("nobody")), json!({"lease": admin.id})).await.expect(404);
    for other in [&manager, &sales] {
        other.get(SUBSCRIPTIONS).await.expect_problem(403, "forbidden");
        put(other, "a", json!({})).await.expect_problem(403, "forbidden");
        put(other, "b", json!({})).await.expect_problem(403, "forbidden");
        for path in [at("a"), format!("{}/events", at("a")), at("b")] {
            other.get(&path).await.expect_problem(403, "forbidden");
        }
        other.delete(&at("a")).await.expect_problem(403, "forbidden");
        ack(other, "a", &admin.id).await.expect_problem(403, "forbidden");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_number_of_subscriptions_is_bounded_and_the_metrics_show_what_waits() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    for number in 0..100 {
        put(&admin, &format!("s{number}"), json!({"types": ["customer.created"]})).await.expect(201);
    }
    put(&admin, "s100", json!({})).await.expect_problem(409, "too_many_subscriptions");
    put(&admin, "s99", json!({"types": ["customer.created"]})).await.expect(200);
    customers(&sales, 2).await;
    let metrics = app.nobody().get("/metrics").await.expect(200).text;
    assert!(metrics.contains("kizuna_subscription_pending{subscription=\"s7\"} 2"), "{metrics}");
    admin.delete(&at("s7")).await.expect(200);
    let metrics = app.nobody().get("/metrics").await.expect(200).text;
    assert!(metrics.contains("kizuna_subscription_pending{subscription=\"s7\"} 0"), "{metrics}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn events_of_other_types_are_passed_over_however_many_there_are(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    put(&admin, "a", json!({"types": ["customer.created"], "from": "start"})).await.expect(201);
    app.settle().await;
    // More in one partition than a look for a batch takes.
    let sample = store::log::since(&app.db, 0, 1).await.expect("an event")[0].event.clone();
    let of_no_interest = |number: i64| {
        let event = kernel::event::Event {
            id: kernel::ids::new_id(),
            event_type: domain::events::NOTIFICATION_READ,
            sequence: number + 1_000,
            ..sample.clone()
        };
        store::unit_of_work::UnitOfWork { events: vec![event], ..Default::default() }
    };
    for page in 0..9 {
        let units = (0..500).map(|number| of_no_interest(page * 500 + number)).collect();
        assert!(store::journal::commit(&app.db, units).await.iter().all(Result::is_ok));
    }
    let made = sales.customer("絆").await.id();
    let begun = Instant::now();
    let (_, events) = batch(&admin, "a", "wait=20s").await;
    assert_eq!(subjects(&events), BTreeSet::from([made]));
    assert!(begun.elapsed() < AT_ONCE);
}
