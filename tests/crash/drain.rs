//! SIGTERM: accepted requests are answered, then the process ends (SPEC §8.8).

use std::future::ready;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Client;
use crate::fixture::{BINARY, Fixture, SOON};
use testing::promises;
use testing::{Api, Database, Kizuna, Postgres, Sqlite, eventually};

/// Far below `--drain-timeout`: the server does not wait for what will not come.
const ENDED_WITHIN: Duration = Duration::from_secs(10);
const ROUNDS: u64 = 8;

#[rstest]
#[tokio::test]
async fn sigterm_answers_the_requests_under_way_and_ends_with_0(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let mut server = fixture.launch().start().await;
    let api = staff.sales.at(&server);
    let mut halves = join_all((0..4).map(|n| Half::begin(&api, format!("under way {n}")))).await;
    server.signal("TERM");
    eventually(SOON, async || server.output().contains("stopping")).await;
    let answers = join_all(halves.iter_mut().map(Half::complete)).await;
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    let ended = server.wait_exit(ENDED_WITHIN).await;
    assert_eq!(ended.code(), Some(0), "{}", server.output());
    assert!(server.output().ends_with("stopped\n"), "{}", server.output());
    let mut next = fixture.launch().start().await;
    fixture.eventually(promises::kept).await;
    let names = staff.sales.at(&next).get("/api/customers?q=under+way&count=true").await.expect(200);
    assert_eq!(names.header("x-total-count"), Some("4"));
    next.kill_9();
}

/// The moment of the signal differs per round, so that it meets requests, commits and effects halfway.
#[rstest]
#[tokio::test]
async fn sigterm_under_load_ends_with_0_and_loses_nothing(#[values(Sqlite, Postgres)] on: Database) {
    let (fixture, staff) = Fixture::copied(on).await;
    let mut clients = [Client::new("first", true), Client::new("second", true), Client::new("third", true)];
    for round in 1..=ROUNDS {
        let mut server = fixture.launch().start().await;
        let api = staff.sales.at(&server);
        let [first, second, third] = &mut clients;
        let term = async {
            tokio::time::sleep(Duration::from_millis(20 * round)).await;
            server.signal("TERM");
        };
        tokio::join!(first.work(&api), second.work(&api), third.work(&api), term);
        let ended = server.wait_exit(ENDED_WITHIN).await;
        assert_eq!(ended.code(), Some(0), "{}", server.output());
        assert!(!server.output().contains("panicked"), "{}", server.output());
    }
    let mut last = fixture.launch().start().await;
    for client in &mut clients {
        client.finish(&staff.sales.at(&last)).await;
    }
    fixture.eventually(promises::kept).await;
    last.kill_9();
}

/// Idle connections do not delay the drain.
#[tokio::test]
async fn sigterm_does_not_wait_for_idle_connections() {
    let fixture = Fixture::fresh(Sqlite);
    let mut server = fixture.launch().start().await;
    let idle = Api::new(server.base_url());
    idle.get("/healthz").await.expect(200);
    server.signal("TERM");
    let ended = server.wait_exit(ENDED_WITHIN).await;
    assert_eq!(ended.code(), Some(0), "{}", server.output());
}

/// SIGINT, as from a terminal, does the same.
#[tokio::test]
async fn sigint_ends_with_0_too() {
    let fixture = Fixture::fresh(Sqlite);
    let mut server: Kizuna = fixture.launch().start().await;
    server.signal("INT");
    let ended = server.wait_exit(ENDED_WITHIN).await;
    assert_eq!(ended.code(), Some(0), "{}", server.output());
}

/// As under `kizuna serve 2>&1 | head`: a log line that can't be written must not take the drain with it.
#[tokio::test]
async fn sigterm_ends_a_server_whose_output_nobody_reads() {
    let fixture = Fixture::fresh(Sqlite);
    let url = &fixture.database.url;
    let mut command = Command::new(BINARY);
    command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", url]).env_clear();
    let mut server =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a binary that starts");
    let stdout = BufReader::new(server.stdout.take().expect("it is piped"));
    drop(server.stderr.take());
    let listens = stdout.lines().any(|line| line.expect("text").starts_with("listening"));
    assert!(listens);
    let term = Command::new("kill").args(["-s", "TERM", &server.id().to_string()]).status();
    assert!(term.expect("kill runs").success());
    let exit = eventually(2 * ENDED_WITHIN, || ready(server.try_wait().expect("a child")));
    let ended = timeout(ENDED_WITHIN, exit).await;
    let _ = server.kill();
    assert_eq!(ended.expect("it ends").code(), Some(0));
}

/// A request whose body is held back after the server has read its head.
struct Half {
    connection: TcpStream,
    body: String,
}

impl Half {
    /// Sends the head and waits for `100 Continue`, which the server sends when it waits for the body.
    async fn begin(api: &Api, name: String) -> Self {
        let address = api.base().trim_start_matches("http://");
        let mut connection = TcpStream::connect(address).await.expect("a server that listens");
        let body = json!({"name": name}).to_string();
        let head = format!(
            "POST /api/customers HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            api.access_token().expect("a token"),
            body.len()
        );
        connection.write_all(head.as_bytes()).await.expect("a connection that stands");
        let mut told = [0; 25];
        connection.read_exact(&mut told).await.expect("a server that goes on");
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        Self { connection, body }
    }

    /// Sends the body and returns the answer.
    async fn complete(&mut self) -> String {
        self.connection.write_all(self.body.as_bytes()).await.expect("a connection that stands");
        let mut answer = Vec::new();
        let mut part = [0; 4_096];
        while !answer.ends_with(b"}") {
            let read = self.connection.read(&mut part).await.expect("a connection that stands");
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&part[..read]);
        }
        String::from_utf8(answer).expect("text")
    }
}
