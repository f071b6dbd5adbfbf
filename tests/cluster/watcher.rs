//! A user who receives every notification, over a socket that is opened on another node whenever it ends.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::{Connection, PgConnection, Row};
use tokio::task::JoinHandle;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::staff::Known;
use testing::eventually;
use testing::live_client::{Client, Heard, cursor_of};

/// How long a socket may take to open before another node is tried.
const OPENED_WITHIN: Duration = Duration::from_secs(1);
/// How often the watcher checks whether it should stop.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A notification that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub at: Instant,
    pub id: String,
    /// The record it is about.
    pub subject: String,
}

/// A watcher whose socket moves from node to node by its cursor.
pub struct Watcher {
    who: Known,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Opens a socket at the first of these addresses, and at the next when it ends. Returns when the first socket is
    /// open.
    pub async fn start(who: &Known, addresses: Vec<String>) -> Self {
        let (received, stop) = (Arc::<Mutex<Vec<Received>>>::default(), Arc::<AtomicBool>::default());
        let (client, cursor) = open(&addresses[0], who, "", None).await.expect("a socket");
        let task =
            tokio::spawn(watch(who.clone(), addresses, client, cursor, received.clone(), stop.clone()));
        Self { who: who.clone(), received, stop, task }
    }

    /// The notifications that have arrived so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic while it is held").clone()
    }

    /// Waits until the user knows of every customer that exists now.
    pub async fn has_caught_up(&self, cluster: &Cluster) {
        let created = customers(cluster).await;
        eventually(SETTLED_WITHIN, async || {
            let known: HashSet<String> =
                self.received().into_iter().map(|received| received.subject).collect();
            let missing = created.iter().filter(|id| !known.contains(*id)).count();
            if missing == 0 { Ok(()) } else { Err(format!("{missing} customers are not known")) }
        })
        .await;
    }

    /// How many notifications the log has for the user.
    pub async fn in_log(&self, cluster: &Cluster) -> usize {
        notifications(cluster, &self.who).await.len()
    }

    /// Waits for as many notifications as the log has, and compares: nothing missed, nothing twice, in order.
    pub async fn all_received(self, cluster: &Cluster) -> Vec<Received> {
        let expected = notifications(cluster, &self.who).await;
        assert!(!expected.is_empty(), "no notification to receive");
        eventually(SETTLED_WITHIN, async || {
            let count = self.received().len();
            if count >= expected.len() { Ok(()) } else { Err(format!("{count} of {} came", expected.len())) }
        })
        .await;
        self.stop.store(true, Ordering::SeqCst);
        let received = self.received();
        self.task.await.expect("a watcher that did not panic");
        let ids: Vec<&str> = received.iter().map(|received| received.id.as_str()).collect();
        let differ = ids.iter().zip(&expected).position(|(received, expected)| received != expected);
        assert_eq!(differ, None, "the sequence differs from the log's there");
        assert_eq!(ids.len(), expected.len(), "something came twice");
        received
    }
}

async fn watch(
    who: Known,
    addresses: Vec<String>,
    mut client: Client,
    mut cursor: String,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Arc<AtomicBool>,
) {
    let mut turn = 0;
    while !stop.load(Ordering::SeqCst) {
        match tokio::time::timeout(LOOK_EVERY, client.hear()).await {
            Err(_) => continue,
            Ok(Heard::Frame(frame)) if frame["type"] == "notification" => {
                cursor = cursor_of(&frame);
                let text = |value: &Value| value.as_str().expect("an id").to_owned();
                let notification = &frame["notification"];
                let (id, subject) = (text(&notification["id"]), text(&notification["subject"]["id"]));
                received.lock().expect("no panic while it is held").push(Received {
                    at: Instant::now(),
                    id,
                    subject,
                });
                continue;
            }
            // It was read or archived, as by the deletion of its customer.
            Ok(Heard::Frame(frame)) if frame["type"] == "notification_state" => continue,
            Ok(Heard::Frame(frame)) => panic!("an unexpected frame: {frame}"),
            Ok(Heard::Closed(_) | Heard::Gone) => {}
        }
        while !stop.load(Ordering::SeqCst) {
            turn += 1;
            let address = &addresses[turn % addresses.len()];
            if let Some((opened, begins)) = open(address, &who, "", Some(&cursor)).await {
                assert_eq!(begins, cursor, "another beginning than was asked for");
                client = opened;
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Opens a socket with these parameters after a cursor, and reads its hello; `None` if the node is down or refuses it.
pub async fn open(
    address: &str,
    who: &Known,
    params: &str,
    cursor: Option<&str>,
) -> Option<(Client, String)> {
    let bearer = format!("Bearer {}", who.at(0).access_token().expect("signed in"));
    let cursor = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
    let query = format!("{params}{cursor}");
    let path = format!("/api/ws?{}", query.trim_start_matches('&'));
    let opened = async {
        let mut client = Client::open(address, &path, &[("authorization", &bearer)]).await.ok()?;
        let Heard::Frame(hello) = client.hear().await else { return None };
        assert_eq!(hello["type"], "hello", "{hello}");
        let cursor = hello["cursor"].as_str().map(ToOwned::to_owned).expect("a cursor");
        Some((client, cursor))
    };
    tokio::time::timeout(OPENED_WITHIN, opened).await.ok().flatten()
}

/// The ids of the customers that the log knows to be created.
async fn customers(cluster: &Cluster) -> Vec<String> {
    let mut connection = PgConnection::connect(&cluster.database.url).await.expect("a server that answers");
    sqlx::query_scalar("SELECT CAST(subject AS TEXT) FROM events WHERE type = 'customer.created'")
        .fetch_all(&mut connection)
        .await
        .expect("a log")
}

/// The ids of a user's notifications in the order of the log.
async fn notifications(cluster: &Cluster, who: &Known) -> Vec<String> {
    let mut connection = PgConnection::connect(&cluster.database.url).await.expect("a server that answers");
    let rows = sqlx::query(
        "SELECT CAST(e.subject AS TEXT) FROM events AS e JOIN notifications AS n ON n.id = e.subject
         WHERE e.type = 'notification.created' AND CAST(n.user_id AS TEXT) = $1 ORDER BY e.slice, e.slice_seq",
    )
    .bind(&who.id)
    .fetch_all(&mut connection)
    .await
    .expect("a log");
    rows.iter().map(|row| row.get(0)).collect()
}
