//! Clients whose connections break at any byte, and a server that is killed: nothing missed, nothing twice, in
//! order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use kernel::event::partition_of;
use kernel::ids::Id;
use reqwest::Method;
use rstest::rstest;
use serde_json::json;
use store::log;

use crate::proxy::Proxy;
use testing::app::{ADMIN, PASSWORD, SECRET};
use testing::live_client::{Client, Heard, cursor_of};
use testing::{Api, Database, Kizuna, Launch, Member, Postgres, Sqlite, TestDatabase};

const BINARY: &str = env!("CARGO_BIN_EXE_kizuna");
/// After how many bytes from the server a connection breaks: within the handshake, the hello or another frame.
const CUTS: std::ops::Range<usize> = 1..16_000;
const KILLS: usize = 3;
/// The longest time for the whole test.
const WITHIN: Duration = Duration::from_secs(90);

fn launch(database: &TestDatabase) -> Launch {
    Kizuna::launch(BINARY)
        .database(&database.url)
        .env("KIZUNA_JWT_SECRET", SECRET)
        .env("KIZUNA_ADMIN_PASSWORD", PASSWORD)
        // The server notices a cut connection a moment later than its client.
        .args(["--user-sockets", "1000", "--login-rate", "1000/m"])
}

/// A reader whose token is valid on every server.
struct Reader {
    id: Id,
    token: String,
    /// The cursor before the first notification.
    cursor: String,
}

impl Reader {
    async fn hire(admin: &Member, number: usize) -> Self {
        let member = admin.hire("MANAGER", &format!("manager{number}"), None).await;
        let (_, cursor) = Client::at(&member, "/api/ws").await;
        let token = member.access_token().expect("signed in").to_owned();
        Self { id: Id::parse(&member.id).expect("an id"), token, cursor }
    }

    /// Its notifications as the log has them.
    async fn expected(&self, database: &TestDatabase) -> Vec<String> {
        let db = database.open().await;
        let events = log::after(&db, partition_of(self.id), 0, 100_000).await.expect("a log");
        db.close().await;
        let mine = events.iter().filter(|event| {
            event.event.event_type.name() == "notification.created" && event.event.partition_key == self.id
        });
        mine.map(|event| event.event.subject.to_string()).collect()
    }

    /// Follows the feed over several connections until it has `count` notifications and all are written; then waits a
    /// while for notifications that must not come.
    async fn read(&self, base: &str, count: usize, is_written: &AtomicBool) -> Vec<String> {
        let (mut seen, mut cursor) = (Vec::new(), self.cursor.clone());
        let bearer = format!("Bearer {}", self.token);
        let mut quiet = 0;
        while quiet < 2 {
            let path = format!("/api/ws?cursor={cursor}");
            let opened = Client::open(base, &path, &[("authorization", &bearer)]).await;
            let Ok(mut client) = opened else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            loop {
                let frame = match tokio::time::timeout(Duration::from_millis(500), client.hear()).await {
                    Ok(Heard::Frame(frame)) => frame,
                    Ok(_) => break,
                    Err(_) if is_written.load(Ordering::SeqCst) && seen.len() >= count => {
                        quiet += 1;
                        break;
                    }
                    Err(_) => continue,
                };
                assert_ne!(frame["type"], "reset", "{frame}");
                cursor = cursor_of(&frame);
                if frame["type"] == "notification" {
                    seen.push(frame["notification"]["id"].as_str().expect("an id").to_owned());
                }
            }
        }
        seen
    }
}

/// Creates customers, each once, across the server's deaths.
async fn write(proxy: &Proxy, token: &str, names: std::ops::Range<usize>) {
    let api = Api::new(proxy.base()).token(token);
    for number in names {
        let api = api.idempotency_key(format!("customer-{number}"));
        loop {
            let body = json!({"name": format!("顧客 {number}")});
            match api.attempt(Method::POST, "/api/customers", Some(body)).await {
                Ok(answer) if answer.status == 201 => break,
                Ok(answer) => assert!(matches!(answer.status, 409 | 503), "{answer}"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// `managers` with `clients` each; each of `customers` is a notification for every manager.
async fn run(on: Database, managers: usize, clients: usize, customers: usize) {
    let database = TestDatabase::fresh(on);
    let mut server = launch(&database).start().await;
    let admin = Member::sign_in(&Api::new(server.base_url()), ADMIN, PASSWORD).await;
    let sales = admin.hire("SALES", "sales", None).await;
    let readers = join_all((0..managers).map(|number| Reader::hire(&admin, number))).await;
    let cutting = Proxy::to(server.base_url(), CUTS).await;
    let straight = Proxy::to(server.base_url(), 0..0).await;
    let is_written = Arc::new(AtomicBool::new(false));
    let writing = async {
        let token = sales.access_token().expect("signed in");
        let part = customers / (KILLS + 1);
        for round in 0..=KILLS {
            let end = if round == KILLS { customers } else { (round + 1) * part };
            let killed = async {
                if round < KILLS {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                    server.kill_9();
                    server = launch(&database).start().await;
                    cutting.aim(server.base_url());
                    straight.aim(server.base_url());
                }
            };
            tokio::join!(write(&straight, token, round * part..end), killed);
        }
        is_written.store(true, Ordering::SeqCst);
    };
    let base = cutting.base();
    let reading = join_all(readers.iter().flat_map(|reader| {
        let (base, is_written) = (&base, &is_written);
        (0..clients).map(move |_| reader.read(base, customers, is_written))
    }));
    let ((), seen) = tokio::time::timeout(WITHIN, async { tokio::join!(writing, reading) })
        .await
        .expect("all of it is over in time");
    for (reader, seen) in readers.iter().zip(seen.chunks(clients)) {
        let expected = reader.expected(&database).await;
        assert_eq!(expected.len(), customers, "each customer is one notification of each manager");
        for client in seen {
            assert_eq!(*client, expected);
        }
    }
}

#[rstest]
#[case::sqlite(Sqlite, 10, 20, 200)]
#[case::postgres(Postgres, 5, 4, 60)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_are_cut_off_and_a_server_that_is_killed_lose_repeat_and_disorder_nothing(
    #[case] on: Database,
    #[case] managers: usize,
    #[case] clients: usize,
    #[case] customers: usize,
) {
    run(on, managers, clients, customers).await;
}
