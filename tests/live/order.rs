//! The feed is in the order of the commits, across records and partitions, live and resumed alike (SPEC §6).

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};
use store::log;

use crate::stream::Stream;
use testing::live_client::{Client, cursor_of};
use testing::{Api, Database, Member, Postgres, Sqlite, Team, TestApp};

const TOPICS: &str = "topics=customers,meetings,tasks,approvals";
/// Rounds of [`history`], each of records in several partitions.
const ROUNDS: usize = 6;
/// Customers of each of the writers that work at the same time.
const EACH: usize = 15;

/// Makes records and changes them, each after the answer to the one before; returns their ids in that order.
async fn history(manager: &Member, sales: &Member) -> Vec<String> {
    let mut subjects = Vec::new();
    for round in 0..ROUNDS {
        let customer = sales.customer(&format!("{round}")).await.id();
        let meeting = sales.meeting(&customer, "初回訪問").await.id();
        let approval = sales.approval(&customer, "値引き").await.id();
        let path = format!("/api/approvals/{approval}/approve");
        manager.patch(&path, json!({})).await.expect(200);
        sales.patch(&format!("/api/customers/{customer}"), json!({"notes": "変更"})).await.expect(200);
        let task = sales.task("見積もり", "2026-03-20T09:00:00Z").await.id();
        subjects.extend([customer.clone(), meeting, approval.clone(), approval, customer, task]);
    }
    subjects
}

/// What a frame is about, without its cursor: the same frame of another connection is equal.
fn content(frame: &Value) -> Value {
    let content = if frame["type"] == "event" { &frame["event"] } else { &frame["notification"] };
    assert!(content.is_object(), "{frame}");
    content.clone()
}

/// The records that the events among these frames are about.
fn subjects(frames: &[Value]) -> Vec<String> {
    let events = frames.iter().filter(|frame| frame["type"] == "event");
    events.map(|frame| frame["event"]["subject"].as_str().expect("a subject").to_owned()).collect()
}

/// The frames up to the event of this number, and those that come after it. Without the states of notifications, which
/// have no cursor and are not sent again: the decisions of a history lead to some.
async fn until_event(client: &mut Client, number: usize) -> Vec<Value> {
    let (mut frames, mut events) = (Vec::new(), 0);
    while events < number {
        let frame = client.frame().await;
        events += usize::from(frame["type"] == "event");
        frames.push(frame);
    }
    frames.extend(client.rest().await);
    frames.retain(|frame| frame["type"] != "notification_state");
    frames
}

async fn frames(client: &mut Client, count: usize) -> Vec<Value> {
    let mut frames = Vec::new();
    while frames.len() < count {
        frames.push(client.frame().await);
    }
    client.assert_quiet().await;
    frames
}

/// What a WebSocket that resumes here receives.
async fn resumed(api: &Api, cursor: &str, count: usize) -> Vec<Value> {
    let (mut client, begins) = Client::at(api, &format!("/api/ws?{TOPICS}&cursor={cursor}")).await;
    assert_eq!(begins, cursor);
    frames(&mut client, count).await
}

/// What an event stream that resumes here receives.
async fn streamed(api: &Api, cursor: &str, count: usize) -> Vec<Value> {
    let headers = [("last-event-id", cursor)];
    let mut stream = Stream::open(api, &format!("/api/stream?{TOPICS}"), &headers).await;
    stream.next("hello").await;
    let mut frames = Vec::new();
    while frames.len() < count {
        let event = stream.event().await.expect("an event");
        assert_eq!(event.data["cursor"], json!(event.id));
        frames.push(event.data);
    }
    frames
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_feed_that_resumes_is_in_the_order_of_the_commits_as_the_one_that_stayed(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let (mut stayed, begin) = Client::at(&manager, &format!("/api/ws?{TOPICS}")).await;
    let did = history(&manager, &sales).await;
    app.settle().await;
    let live = until_event(&mut stayed, did.len()).await;
    assert_eq!(subjects(&live), did, "live");
    let live_content: Vec<Value> = live.iter().map(content).collect();
    for from in [0, 1, live.len() / 3, live.len() - 1] {
        let cursor = if from == 0 { begin.clone() } else { cursor_of(&live[from - 1]) };
        let left = live.len() - from;
        for (way, frames) in [
            ("WebSocket", resumed(&manager, &cursor, left).await),
            ("event stream", streamed(&manager, &cursor, left).await),
        ] {
            let content: Vec<Value> = frames.iter().map(content).collect();
            assert_eq!(content, live_content[from..], "{way}, from frame {from} on");
            assert_eq!(cursor_of(&frames[left - 1]), cursor_of(&live[live.len() - 1]), "{way}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_the_same_time_are_heard_in_the_order_of_the_log(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let app = TestApp::start(on).await;
    let Team { admin, manager, sales, colleague } = Team::of(&app).await;
    app.settle().await;
    let (mut stayed, begin) = Client::at(&admin, "/api/ws?topics=customers").await;
    join_all([&admin, &manager, &sales, &colleague].map(|writer| async move {
        for n in 0..EACH {
            writer.customer(&format!("{} {n}", writer.id)).await;
        }
    }))
    .await;
    let live = until_event(&mut stayed, 4 * EACH).await;
    let logged = log::since(&app.db, 0, 100_000).await.expect("a log");
    let created = logged.iter().filter(|event| event.event.event_type.name() == "customer.created");
    let created: Vec<String> = created.map(|event| event.event.subject.to_string()).collect();
    assert_eq!(created.len(), 4 * EACH);
    assert_eq!(subjects(&live), created);
    let path = format!("/api/ws?topics=customers&cursor={begin}");
    let (mut again, _) = Client::at(&admin, &path).await;
    assert_eq!(subjects(&until_event(&mut again, 4 * EACH).await), created);
}
