//! The live feed as Server-Sent Events.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use testing::live_client::SOON;
use testing::{Api, Database, Member, Postgres, Sqlite, Team, TestApp};

/// An open event stream.
pub struct Stream {
    response: reqwest::Response,
    bytes: Vec<u8>,
}

#[derive(Debug)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: Value,
}

impl Stream {
    pub async fn open(api: &Api, path: &str, headers: &[(&str, &str)]) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = client.get(format!("{}{path}", api.base()));
        let request = request.bearer_auth(api.access_token().expect("signed in"));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, bytes: Vec::new() }
    }

    /// The next block of lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|end| end == b"\n\n") {
                let block = self.bytes.drain(..end + 2).take(end).collect();
                return Some(String::from_utf8(block).expect("text"));
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await.expect("a chunk");
            let chunk = chunk.ok().flatten()?;
            // A chunk may end within a character.
            self.bytes.extend_from_slice(&chunk);
        }
    }

    /// The next event, without comments; `None` at the end.
    pub async fn event(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let field =
                |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            if !block.starts_with(':') {
                let data = serde_json::from_str(field("data: ")).expect("JSON");
                return Some(Event { id: field("id: ").into(), kind: field("event: ").into(), data });
            }
        }
    }

    pub async fn next(&mut self, kind: &str) -> Event {
        let event = self.event().await.expect("an event");
        assert_eq!((&*event.kind, &event.data["type"]), (kind, &Value::from(kind)), "{event:?}");
        event
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_goes_on_after_its_last_event_id(#[values(Sqlite, Postgres)] on: Database) {
    let app = TestApp::start(on).await;
    let Team { manager, sales, .. } = Team::of(&app).await;
    let mut stream = Stream::open(&manager, "/api/stream", &[]).await;
    let hello = stream.next("hello").await;
    assert_eq!(hello.data["cursor"], Value::from(&*hello.id));
    sales.customer("a").await;
    sales.customer("b").await;
    let first = stream.next("notification").await;
    let second = stream.next("notification").await;
    drop(stream);
    let mut again = Stream::open(&manager, "/api/stream", &[("last-event-id", &first.id)]).await;
    assert_eq!(again.next("hello").await.id, first.id);
    assert_eq!(again.next("notification").await.data["notification"], second.data["notification"]);
    let mut by_parameter = Stream::open(&manager, &format!("/api/stream?cursor={}", second.id), &[]).await;
    by_parameter.next("hello").await;
    sales.customer("c").await;
    assert_eq!(by_parameter.next("notification").await.data["notification"]["data"]["customer_name"], "c");
    let mut lost = Stream::open(&manager, "/api/stream", &[("last-event-id", "nonsense")]).await;
    lost.next("hello").await;
    lost.next("reset").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_follows_topics_with_heartbeats_between_and_ends_with_its_session() {
    let app = TestApp::with(Sqlite, &["--ping-every", "100ms"]).await;
    let admin = Member::first(&app).await;
    let mut stream = Stream::open(&admin, "/api/stream?topics=customers,tasks", &[]).await;
    stream.next("hello").await;
    assert_eq!(stream.block().await.as_deref(), Some(":"), "a heartbeat");
    admin.customer("絆商事").await;
    let event = stream.next("event").await;
    assert_eq!(event.data["event"]["type"], "customer.created");
    admin.raw("POST", "/api/auth/logout", "").await.expect(204);
    assert_eq!(stream.next("error").await.data["code"], "session_ended");
    assert!(stream.event().await.is_none(), "it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_that_stops_ends_its_streams() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    let mut stream = Stream::open(&admin, "/api/stream", &[]).await;
    stream.next("hello").await;
    let ended = async {
        tokio::join!(app.stopper.stop(), async { assert!(stream.event().await.is_none()) });
    };
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("a node that ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stream_needs_a_token_and_known_topics() {
    let app = TestApp::start(Sqlite).await;
    let admin = Member::first(&app).await;
    app.nobody().get("/api/stream").await.expect_problem(401, "missing_token");
    for topics in ["users", "customers,", "customers,,tasks", "Customers"] {
        admin.get(&format!("/api/stream?topics={topics}")).await.expect_problem(400, "invalid_parameter");
    }
    admin.get("/api/stream?nonsense=1").await.expect_problem(400, "invalid_parameter");
}
