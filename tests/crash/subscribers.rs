//! Readers of events outside: processes that share a subscription and are killed again and again, with their server.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::events::NOTIFICATION_READ;
use kernel::clock::Clock;
use kernel::event::{Event, raw};
use kernel::ids::{Id, new_id};
use rstest::rstest;
use serde_json::json;
use store::Db;
use store::unit_of_work::UnitOfWork;

use crate::fixture::{Fixture, Staff};
use testing::{Database, Kizuna, Postgres, Sqlite, eventually};

const EVENTS: usize = 20_000;
const KEYS: usize = 200;
const COMMIT: usize = 200;
/// How long the rest may take when nobody is killed any more.
const FINISHED_WITHIN: Duration = Duration::from_secs(120);
const NAME: &str = "killed";

/// A process that is killed when it is dropped.
struct Subscriber(Child);

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the subscribers of a test have in common.
struct Scene {
    url: String,
    token: String,
    handled: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(server: &Kizuna, staff: &Staff) -> Self {
        let admin = staff.admin.at(server);
        let body = json!({"types": ["notification.read"], "from": "start"}).to_string();
        let put = admin.header("content-type", "application/json");
        put.raw("PUT", &format!("/api/subscriptions/{NAME}"), body).await.expect(201);
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            url: server.base_url().to_owned(),
            token: admin.access_token().expect("a token").to_owned(),
            handled: folder.path().join("handled"),
            _folder: folder,
        }
    }

    fn subscriber(&self, more: &[&str]) -> Subscriber {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/subscriber.py");
        let mut command = Command::new("python3");
        command.arg(script).args([&self.url, &self.token, NAME]).arg(&self.handled).args(more);
        Subscriber(command.stdin(Stdio::null()).spawn().expect("python3"))
    }

    /// Events in the order in which they were handled: id, key, sequence.
    fn handled(&self) -> Vec<(String, String, usize)> {
        let text = std::fs::read_to_string(&self.handled).unwrap_or_default();
        let line = |line: &str| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut next = || words.next().expect("three words");
            (next(), next(), next().parse().expect("a number"))
        };
        text.lines().map(line).collect()
    }

    /// Waits until every event was handled and acknowledged.
    async fn finished(&self, staff: &Staff, server: &Kizuna) {
        let admin = staff.admin.at(server);
        eventually(FINISHED_WITHIN, async || {
            let answer = admin.get(&format!("/api/subscriptions/{NAME}")).await.expect(200);
            if answer.body["pending"] == 0 { Ok(()) } else { Err(answer.to_string()) }
        })
        .await;
    }
}

/// Commits events of some keys beside the server, round by round.
async fn produce(db: &Db, keys: &[Id]) {
    for round in 0..EVENTS / COMMIT {
        let event = |place: usize| {
            let number = round * COMMIT + place;
            let key = keys[number % KEYS];
            Event {
                id: new_id(),
                event_type: NOTIFICATION_READ,
                subject: key,
                sequence: (number / KEYS) as i64 + 1,
                partition_key: key,
                time: Clock::System.now(),
                data: raw(&json!({})).into(),
                traceparent: None,
                correlation_id: "produced".into(),
                causation_id: None,
                actor_id: None,
                api_key_id: None,
            }
        };
        let events: Vec<Event> = (0..COMMIT).map(event).collect();
        loop {
            let unit = UnitOfWork { events: events.clone(), ..UnitOfWork::default() };
            if store::journal::commit(db, vec![unit]).await.remove(0).is_ok() {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// No event of a key was handled before the one before it.
fn in_order(handled: &[(String, String, usize)]) {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (id, key, sequence) in handled {
        let last = last.entry(key).or_default();
        assert!(*sequence <= *last + 1, "{id}: {sequence} of {key} was handled after {last}");
        *last = (*last).max(*sequence);
    }
    assert!(last.len() == KEYS && last.values().all(|last| *last == EVENTS / KEYS), "{last:?}");
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_subscribers_that_are_killed_lose_nothing_and_keep_the_order_per_key(#[case] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let launch = fixture.launch_on(testing::ports::free_port());
    let mut server = launch.start().await;
    let scene = Scene::new(&server, staff).await;
    let keys: Vec<Id> = (0..KEYS).map(|_| new_id()).collect();
    let db = fixture.database.open().await;
    let produced = tokio::spawn(async move {
        produce(&db, &keys).await;
        db.close().await;
    });
    // However the moments of the kills fall, one ends between an event and its acknowledgement.
    let mut dying = scene.subscriber(&["dies"]);
    dying.0.wait().expect("python3");
    let mut subscribers: Vec<Subscriber> = (0..3).map(|_| scene.subscriber(&[])).collect();
    let mut kills = 0;
    while !produced.is_finished() || kills < 40 {
        // At any moment of a batch, which takes a few milliseconds.
        tokio::time::sleep(Duration::from_millis(150 + 37 * (kills % 7) as u64)).await;
        subscribers[kills % 3] = scene.subscriber(&[]);
        kills += 1;
        if kills % 10 == 5 {
            server.kill_9();
            server = launch.start().await;
        }
    }
    produced.await.expect("all events");
    scene.finished(staff, &server).await;
    drop(subscribers);
    let handled = scene.handled();
    let distinct: BTreeSet<_> = handled.iter().map(|(id, ..)| id).collect();
    assert_eq!(distinct.len(), EVENTS);
    assert!(handled.len() > EVENTS, "what was not acknowledged has come again");
    in_order(&handled);
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_subscribers_handle_each_event_once_if_nobody_is_killed(#[case] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let server = fixture.launch().start().await;
    let scene = Scene::new(&server, staff).await;
    let keys: Vec<Id> = (0..KEYS).map(|_| new_id()).collect();
    let subscribers: Vec<Subscriber> = (0..3).map(|_| scene.subscriber(&[])).collect();
    let db = fixture.database.open().await;
    produce(&db, &keys).await;
    db.close().await;
    scene.finished(staff, &server).await;
    drop(subscribers);
    let handled = scene.handled();
    let distinct: BTreeSet<_> = handled.iter().map(|(id, ..)| id).collect();
    assert_eq!((handled.len(), distinct.len()), (EVENTS, EVENTS));
    in_order(&handled);
}

/// The examples, as the documents say they are run.
#[rstest]
#[case::python(&["python3", "examples/subscriber.py"])]
#[case::typescript(&["node", "examples/build/subscriber.js"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_example_handles_events_and_goes_on_when_the_server_restarts(#[case] command: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if command[0] == "node" {
        compile(root);
    }
    let (fixture, staff) = Fixture::copied(Sqlite).await;
    let launch = fixture.launch_on(testing::ports::free_port());
    let mut server = launch.start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let printed = folder.path().join("printed");
    let child = Command::new(command[0])
        .args([root.join(command[1]).to_str().expect("a path"), "example", "customer.created"])
        .env("KIZUNA_URL", server.base_url())
        .env("KIZUNA_TOKEN", staff.admin.at(&server).access_token().expect("a token"))
        .env("NO_PROXY", "127.0.0.1")
        .stdout(std::fs::File::create(&printed).expect("a file"))
        .spawn();
    let _subscriber = Subscriber(child.expect("a process"));
    let read = || std::fs::read_to_string(&printed).expect("a file");
    eventually(FINISHED_WITHIN, async || {
        staff.admin.at(&server).get("/api/subscriptions/example").await.status == 200
    })
    .await;
    for (before, name) in ["一", "二", "三"].into_iter().enumerate() {
        staff.sales.at(&server).post("/api/customers", json!({"name": name})).await.expect(201);
        eventually(FINISHED_WITHIN, async || {
            let lines = read().lines().filter(|line| line.ends_with("customer.created")).count();
            if lines == before + 1 { Ok(()) } else { Err(read()) }
        })
        .await;
        eventually(FINISHED_WITHIN, async || {
            staff.admin.at(&server).get("/api/subscriptions/example").await.body["pending"] == 0
        })
        .await;
        if name == "二" {
            server.terminate().await;
            server = launch.start().await;
        } else {
            server.kill_9();
            server = launch.start().await;
        }
    }
    let ids: BTreeSet<_> = read().lines().map(str::to_owned).collect();
    assert_eq!((ids.len(), read().lines().count()), (3, 3), "{}", read());
}

/// Compiles the TypeScript example as docs/events.md says.
fn compile(root: &Path) {
    if !root.join("examples/node_modules/.bin/tsc").exists() {
        let mut install = Command::new("npm");
        install.args(["ci", "--prefix", "examples", "--no-audit", "--no-fund", "--silent"]).current_dir(root);
        assert!(install.status().expect("npm").success(), "npm ci --prefix examples");
    }
    let compiled = Command::new(root.join("examples/node_modules/.bin/tsc"))
        .args(["-p", "examples"])
        .current_dir(root)
        .status();
    assert!(compiled.expect("tsc").success(), "examples/subscriber.ts does not compile");
}
