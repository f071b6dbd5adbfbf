//! `GET /api/events`: the log for readers outside, page by page and by long poll; and why an event happened.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use testing::{Answer, Database, Member, Postgres, Sqlite, Team, TestApp};

const EVENTS: &str = "/api/events";
/// Far less than any of the waits, and far more than an answer takes on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(8);

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().expect("an id")).collect()
}

fn cursor(answer: &Answer) -> String {
    answer.header("x-next-cursor").expect("a cursor").to_owned()
}

/// The whole log, by the links of its pages.
async fn read_all(admin: &Member, first: &str) -> (Vec<Value>, String) {
    let (mut path, mut all) = (first.to_owned(), Vec::new());
    loop {
        let page = admin.get(&path).await.expect(200);
        if page.items().is_empty() {
            return (all, cursor(&page));
        }
        all.extend(page.items().to_vec());
        path = page.next().expect("a link").to_owned();
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_log_is_read_from_its_start_in_the_order_of_commits(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    for name in ["一", "二", "三"] {
        sales.customer(name).await;
    }
    app.settle().await;
    let (all, end) = read_all(&admin, &format!("{EVENTS}?limit=3")).await;
    let stored = app.db.clone();
    let logged = store::log::since(&stored, 0, 1_000).await.expect("the log");
    assert_eq!(ids(&all), logged.iter().map(|event| event.event.id.to_string()).collect::<Vec<_>>());
    assert_eq!((&all[0]["specversion"], &all[0]["type"]), (&json!("1.0"), &json!("user.created")));
    assert!(!json!(all).to_string().contains("argon2"), "a secret in the log");

    let page = admin.get(&format!("{EVENTS}?after={end}")).await.expect(200);
    assert_eq!((page.items().len(), cursor(&page)), (0, end.clone()), "the end stays where it is");
    let made = sales.customer("四").await.id();
    let next = admin.get(&format!("{EVENTS}?after={end}&limit=1")).await.expect(200);
    assert_eq!(next.items()[0]["subject"], json!(made));
    let now = admin.get(&format!("{EVENTS}?after=now")).await.expect(200);
    assert!(now.items().is_empty());
    app.settle().await;
    let (rest, _) = read_all(&admin, &format!("{EVENTS}?after={}", cursor(&now))).await;
    assert!(!ids(&rest).contains(&next.items()[0]["id"].as_str().expect("an id")));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn types_narrow_the_log_and_the_cursor_passes_the_others(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let made = [sales.customer("一").await.id(), sales.customer("二").await.id()];
    app.settle().await;
    let (some, end) = read_all(&admin, &format!("{EVENTS}?types=customer.created,deal.won&limit=1")).await;
    let subjects: Vec<_> = some.iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(json!(subjects), json!(made));
    assert_eq!(end, cursor(&admin.get(&format!("{EVENTS}?after=now")).await.expect(200)));
    let none = admin.get(&format!("{EVENTS}?types=deal.won")).await.expect(200);
    assert_eq!((none.items().len(), cursor(&none)), (0, end));
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_poll_is_answered_as_soon_as_an_event_is_committed(#[values(Sqlite, Postgres)] on: Database) {
    // With two places for requests the others could not be served if those that wait held them.
    let app = TestApp::with(on, &["--requests-at-once", "2"]).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let end = cursor(&admin.get(&format!("{EVENTS}?after=now")).await.expect(200));
    let begun = Instant::now();
    let path = format!("{EVENTS}?after={end}&types=customer.created&wait=30s");
    let wait = |path: String| {
        let admin = admin.clone();
        tokio::spawn(async move { admin.get(&path).await.expect(200) })
    };
    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(wait(path.clone()));
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let other = wait(format!("{EVENTS}?after={end}&types=deal.won&wait=1s"));
    let empty = other.await.expect("an answer");
    assert!(empty.items().is_empty() && begun.elapsed() >= Duration::from_secs(1));
    let made = sales.customer("絆").await.id();
    for reader in readers {
        let answer = reader.await.expect("an answer");
        assert_eq!(answer.items()[0]["subject"], json!(made));
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_commit_of_which_no_node_tells_ends_a_wait_too() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    sales.customer("絆").await;
    app.settle().await;
    let end = cursor(&admin.get(&format!("{EVENTS}?after=now")).await.expect(200));
    let begun = Instant::now();
    let reader = {
        let (admin, path) = (admin.clone(), format!("{EVENTS}?after={end}&wait=30s"));
        tokio::spawn(async move { admin.get(&path).await.expect(200) })
    };
    // Past this node's journal, as another node commits whose Redis is away.
    let mut again = store::log::since(&app.db, 0, 1).await.expect("an event")[0].event.clone();
    again.id = kernel::ids::new_id();
    again.subject = again.id;
    let unit = store::unit_of_work::UnitOfWork { events: vec![again], ..Default::default() };
    store::journal::commit(&app.db, vec![unit]).await.remove(0).expect("a commit");
    assert_eq!(reader.await.expect("an answer").items().len(), 1);
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_may_not_read_any_more_gets_nothing_at_the_end_of_a_wait() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, sales, .. } = Team::of(&app).await;
    let second = admin.hire("ADMIN", "second", None).await;
    app.settle().await;
    let end = cursor(&second.get(&format!("{EVENTS}?after=now")).await.expect(200));
    let reader = {
        let (second, path) =
            (second.clone(), format!("{EVENTS}?after={end}&types=customer.created&wait=20s"));
        tokio::spawn(async move { second.get(&path).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    admin.patch(&format!("/api/auth/users/{}", second.id), json!({"role": "SALES"})).await.expect(200);
    sales.customer("絆").await;
    let status = reader.await.expect("an answer").status;
    assert!([401, 403].contains(&status), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_stops_answers_those_who_wait() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, .. } = Team::of(&app).await;
    let begun = Instant::now();
    let reader = {
        let admin = admin.clone();
        tokio::spawn(async move { admin.get(&format!("{EVENTS}?after=now&wait=30s")).await.expect(200) })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    app.stopper.stop().await;
    assert!(reader.await.expect("an answer").items().is_empty());
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_cursor_of_another_log_is_refused_instead_of_leaving_a_gap(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let (app, other) = (TestApp::start(on).await, TestApp::start(on).await);
    let (admin, stranger) = (Member::first(&app).await, Member::first(&other).await);
    let theirs = cursor(&stranger.get(EVENTS).await.expect(200));
    for after in [theirs.as_str(), "nonsense", "AwD", &"a".repeat(100)] {
        admin.get(&format!("{EVENTS}?after={after}")).await.expect_problem(410, "cursor_reset");
    }
    // Of a log that had more events: as after a disaster that lost some.
    let log = store::leases::cluster(&app.db).await.expect("an id").into();
    let beyond = kizuna::actors::live::cursor::encode(log, 1_000_000);
    admin.get(&format!("{EVENTS}?after={beyond}")).await.expect_problem(410, "cursor_reset");
    let japanese = admin.language("ja").get(&format!("{EVENTS}?after=x")).await.expect(410);
    assert!(japanese.text_at("/detail").contains("カーソル"), "{japanese}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_asked_for_wrongly_is_told_by_its_parameter() {
    let app = TestApp::start(Sqlite).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    for (query, field) in [
        ("wait=31s", "wait"),
        ("wait=0s", "wait"),
        ("wait=20", "wait"),
        ("wait=", "wait"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("types=customer.invented", "types"),
        ("types=customer.created,", "types"),
        ("cursor=x", "cursor"),
        ("after=", "after"),
        ("after=%E7%B5%86", "after"),
        (&format!("after={}", "a".repeat(101)), "after"),
    ] {
        let answer = admin.get(&format!("{EVENTS}?{query}")).await.expect_problem(400, "invalid_parameter");
        assert_eq!(answer.text_at("/errors/0/field"), field, "{answer}");
    }
    for other in [&manager, &sales] {
        other.get(EVENTS).await.expect_problem(403, "forbidden");
    }
    app.nobody().get(EVENTS).await.expect(401);
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_chain_leads_from_the_effect_back_to_the_request(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, .. } = Team::of(&app).await;
    let customer = sales.customer("絆").await.id();
    sales.meeting(&customer, "訪問").await;
    app.settle().await;
    let request = sales.header("x-request-id", "why-1").delete(&format!("/api/customers/{customer}")).await;
    request.expect(200);
    app.settle().await;
    let (all, _) = read_all(&admin, &format!("{EVENTS}?limit=200")).await;
    let of = |name: &str| {
        let found = all.iter().rev().find(|event| event["type"] == json!(name));
        found.unwrap_or_else(|| panic!("no {name}"))["id"].as_str().expect("an id").to_owned()
    };
    let chain = async |name: &str| {
        let path = format!("{EVENTS}/{}/chain", of(name));
        manager.get(&path).await.expect(200).items().to_vec()
    };
    let told = chain("notification.created").await;
    assert_eq!(told[0]["rule"], json!({"kind": "consumer", "name": "analytics.notifications"}));
    assert_eq!(told.last().expect("a step")["rule"], json!({"kind": "request", "name": null}));

    let steps = chain("saga.step_completed").await;
    let types: Vec<_> = steps.iter().map(|step| step["event"]["type"].as_str().expect("a type")).collect();
    assert_eq!(types.last(), Some(&"customer.deleted"), "{types:?}");
    let rules: Vec<_> = steps.iter().map(|step| step["rule"]["name"].as_str().unwrap_or("request")).collect();
    assert_eq!(rules[0], "sagas.progress", "{rules:?}");
    let first = steps.last().expect("a step");
    assert_eq!(first["actor"], json!({"id": sales.id, "name": "sales"}));
    assert_eq!(first["event"]["correlationid"], json!("why-1"));
    for pair in steps.windows(2) {
        assert_eq!(pair[0]["event"]["causationid"], pair[1]["event"]["id"]);
    }
    // Every consumer that a chain names exists, and reads the type of the cause.
    for event in all.iter().filter(|event| event.get("causationid").is_some()) {
        let path = format!("{EVENTS}/{}/chain", event["id"].as_str().expect("an id"));
        let steps = admin.get(&path).await.expect(200).items().to_vec();
        let name = steps[0]["rule"]["name"].as_str().expect("a consumer");
        let spec = kizuna::app::consumers::CONSUMERS.iter().find(|consumer| consumer.name == name);
        let spec = spec.unwrap_or_else(|| panic!("no consumer {name}"));
        let cause = steps[1]["event"]["type"].as_str().expect("a type");
        assert!(spec.types.iter().any(|known| known.name() == cause), "{name} does not read {cause}");
    }
    let missing = format!("{EVENTS}/0198c0de-0000-7000-8000-000000000000/chain");
    admin.get(&missing).await.expect_problem(404, "not_found");
    sales.get(&missing).await.expect_problem(403, "forbidden");
}
