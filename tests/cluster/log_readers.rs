//! Readers of the log from one moment on: of `/api/events` through each node, and of the live feed. When a node is gone they
//! go on at the next one, by their cursor.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use history::log::Seen;
use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::cluster::SETTLED_WITHIN;
use crate::recorder::seen;
use crate::staff::Known;
use crate::watcher::open;
use testing::eventually;
use testing::live_client::{Client, Heard, cursor_of};

const TYPES: &str = "customer.created,customer.updated,customer.deleted";
/// How long a request for events may take, and how long it waits for some.
const REQUEST_MAX: Duration = Duration::from_secs(3);
const WAIT: &str = "1s";
/// The pause after a request that failed.
const REST: Duration = Duration::from_millis(50);
/// How long a socket is listened to before the reader looks whether it is time to end.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Until which event readers go on, as soon as that is known: others may write for longer.
#[derive(Clone, Default)]
struct End(Arc<OnceLock<Option<String>>>);

impl End {
    /// Whether these events go as far; without an event there is nothing to wait for.
    fn is_reached(&self, events: &[Value]) -> bool {
        let last = self.0.get();
        last.is_some_and(|last| {
            last.is_none() || events.iter().any(|event| event["id"].as_str() == last.as_deref())
        })
    }
}

/// Running readers.
pub struct LogReaders {
    admin: Known,
    /// The log's end when they began.
    begin: String,
    end: End,
    readers: Vec<JoinHandle<Vec<Value>>>,
}

impl LogReaders {
    /// Starts a reader at each node, and one of the live feed.
    pub async fn start(admin: &Known, addresses: Vec<String>) -> Self {
        let end = End::default();
        let (socket, begin) = open(&addresses[0], admin, "topics=customers", None).await.expect("a socket");
        let reader = |node| tokio::spawn(read(admin.clone(), node, begin.clone(), end.clone()));
        let mut readers: Vec<_> = (0..admin.nodes()).map(reader).collect();
        readers.push(tokio::spawn(listen(admin.clone(), addresses, (socket, begin.clone()), end.clone())));
        Self { admin: admin.clone(), begin, end, readers }
    }

    /// Waits until the readers have seen all that the log has now of these customers, and tells what each saw of them.
    pub async fn read(self, ids: &BTreeSet<String>) -> Vec<Vec<Seen>> {
        // Without a wait an empty page is the end of the log.
        let whole = eventually(SETTLED_WITHIN, || all(&self.admin, &self.begin)).await;
        let last = whole.iter().rev().find_map(|event| seen(event, ids));
        assert!(self.end.0.set(last.map(|event| event.id)).is_ok(), "set once");
        let mut readers = vec![whole];
        for reader in self.readers {
            readers.push(reader.await.expect("a reader that did not panic"));
        }
        readers.iter().map(|events| events.iter().filter_map(|event| seen(event, ids)).collect()).collect()
    }
}

/// All events after a cursor, read at once through the first node.
async fn all(admin: &Known, begin: &str) -> Result<Vec<Value>, String> {
    let (mut events, mut cursor) = (Vec::new(), begin.to_owned());
    loop {
        let path = format!("/api/events?after={cursor}&types={TYPES}&limit=200");
        let page = admin.at(0).attempt(Method::GET, &path, None).await.map_err(|error| error.to_string())?;
        let next = page.header("x-next-cursor").ok_or_else(|| page.to_string())?;
        if page.items().is_empty() && next == cursor {
            return Ok(events);
        }
        cursor = next.to_owned();
        events.extend(page.items().iter().cloned());
    }
}

/// Reads page after page, each as soon as there is something.
async fn read(admin: Known, mut node: usize, mut cursor: String, end: End) -> Vec<Value> {
    let mut events = Vec::new();
    while !end.is_reached(&events) {
        let path = format!("/api/events?after={cursor}&types={TYPES}&limit=50&wait={WAIT}");
        let asked = admin.at(node).attempt(Method::GET, &path, None);
        match tokio::time::timeout(REQUEST_MAX, asked).await {
            Ok(Ok(page)) if page.status == 200 => {
                cursor = page.header("x-next-cursor").expect("a cursor").to_owned();
                events.extend(page.items().iter().cloned());
            }
            _ => {
                node = (node + 1) % admin.nodes();
                tokio::time::sleep(REST).await;
            }
        }
    }
    events
}

/// Listens to the live feed.
async fn listen(
    admin: Known,
    addresses: Vec<String>,
    (mut socket, mut cursor): (Client, String),
    end: End,
) -> Vec<Value> {
    let (mut events, mut turn) = (Vec::new(), 0);
    while !end.is_reached(&events) {
        match tokio::time::timeout(LOOK_EVERY, socket.hear()).await {
            Err(_) => continue,
            Ok(Heard::Frame(frame)) => {
                if frame["type"] == "event" {
                    events.push(frame["event"].clone());
                }
                // Only what is sent again to a client that resumes has a cursor.
                if frame["cursor"].is_string() {
                    cursor = cursor_of(&frame);
                }
                continue;
            }
            Ok(Heard::Closed(_) | Heard::Gone) => {}
        }
        loop {
            turn += 1;
            let address = &addresses[turn % addresses.len()];
            if let Some((opened, begins)) = open(address, &admin, "topics=customers", Some(&cursor)).await {
                assert_eq!(begins, cursor, "another beginning than was asked for");
                socket = opened;
                break;
            }
            tokio::time::sleep(REST).await;
        }
    }
    events
}
