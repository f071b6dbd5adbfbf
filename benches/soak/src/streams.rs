//! Readers of what happens: the live feed, a subscription and a webhook. Each must have heard of every customer, and of each
//! change once and in order; a webhook may be sent a change again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testing::cluster::Cluster;
use testing::live_client::{Client, Heard, cursor_of};
use testing::{Api, Receiver};
use tokio::task::JoinHandle;

use crate::noted::Notes;
use crate::table::Table;

const TYPES: [&str; 3] = ["customer.created", "customer.updated", "customer.deleted"];
const NAME: &str = "soak";
/// How long a request or the opening of a socket may take.
const REQUEST_MAX: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_millis(200);
/// How long after the end the readers may be behind: a webhook waits longer after each failure.
const CATCHES_UP_WITHIN: Duration = Duration::from_mins(4);

/// What a reader has heard: the versions of each customer, in the order in which they came.
type Heards = BTreeMap<String, Vec<i64>>;

/// Running readers.
pub struct Streams {
    stop: Arc<AtomicBool>,
    live: JoinHandle<Heards>,
    subscription: JoinHandle<Heards>,
    webhook: Receiver,
}

impl Streams {
    pub async fn start(cluster: &Cluster, proxy: &str) -> Self {
        let token = cluster.staff.admin.at(0).access_token().expect("signed in");
        let admin = Api::new(proxy).token(token);
        let webhook = Receiver::start().await;
        let body = json!({"url": webhook.url(), "event_types": TYPES});
        admin.post("/api/webhooks", body).await.expect(201);
        let path = format!("/api/subscriptions/{NAME}");
        let body = json!({"types": TYPES}).to_string();
        admin.header("content-type", "application/json").raw("PUT", &path, body).await.expect(201);
        let stop = Arc::<AtomicBool>::default();
        let first = Client::at(&admin, "/api/ws?topics=customers").await;
        Self {
            live: tokio::spawn(listen(admin.clone(), first, stop.clone())),
            subscription: tokio::spawn(lease(admin, stop.clone())),
            stop,
            webhook,
        }
    }

    /// Waits until all readers have caught up, and says what each has missed or heard wrongly.
    pub async fn report(self, cluster: &Cluster, notes: &Notes, table: &mut Table) {
        let log = log(cluster).await;
        let customers = notes.customers();
        let strangers = customers.iter().filter(|id| !log.contains_key(*id)).cloned().collect::<Vec<_>>();
        table.none("customers without an event", &strangers);
        let until = Instant::now() + CATCHES_UP_WITHIN;
        let mut delivered = self.delivered();
        while delivered != log && Instant::now() < until {
            tokio::time::sleep(5 * REST).await;
            delivered = self.delivered();
        }
        self.stop.store(true, Ordering::SeqCst);
        let live = self.live.await.expect("a reader that did not panic");
        let subscription = self.subscription.await.expect("a reader that did not panic");
        table.figure("changes of customers in the log", log.values().map(Vec::len).sum::<usize>());
        for (name, heard) in [("live feed", live), ("subscription", subscription), ("webhook", delivered)] {
            table.none(&format!("{name}: customers heard of wrongly"), &different(&log, &heard));
        }
    }

    /// The versions that the webhook was sent, each where it was sent first.
    fn delivered(&self) -> Heards {
        let mut heard = Heards::new();
        for one in self.webhook.received() {
            let (key, sequence) = of_event(&one.body);
            let versions = heard.entry(key).or_default();
            if !versions.contains(&sequence) {
                versions.push(sequence);
            }
        }
        heard
    }
}

/// The customers of which something else was heard than the log has.
fn different(log: &Heards, heard: &Heards) -> Vec<String> {
    let keys: BTreeSet<&String> = log.keys().chain(heard.keys()).collect();
    let wrong = keys.into_iter().filter(|key| log.get(*key) != heard.get(*key));
    wrong.map(|key| format!("{key}: {:?}, and the log has {:?}", heard.get(key), log.get(key))).collect()
}

fn of_event(event: &Value) -> (String, i64) {
    let key = event["subject"].as_str().unwrap_or_default().to_owned();
    (key, event["sequence"].as_i64().unwrap_or_default())
}

fn note(heard: &mut Heards, event: &Value) {
    let (key, sequence) = of_event(event);
    heard.entry(key).or_default().push(sequence);
}

/// All that the log has.
async fn log(cluster: &Cluster) -> Heards {
    let (mut heard, mut cursor) = (Heards::new(), "start".to_owned());
    loop {
        let path = format!("/api/events?after={cursor}&types={}&limit=200", TYPES.join(","));
        let page = cluster.staff.admin.at(0).get(&path).await.expect(200);
        let next = page.header("x-next-cursor").expect("a cursor").to_owned();
        if page.items().is_empty() && next == cursor {
            return heard;
        }
        page.items().iter().for_each(|event| note(&mut heard, event));
        cursor = next;
    }
}

/// Listens to the live feed, and goes on by the cursor when the socket ends.
async fn listen(admin: Api, (mut socket, mut cursor): (Client, String), stop: Arc<AtomicBool>) -> Heards {
    let mut heard = Heards::new();
    loop {
        let is_last = stop.load(Ordering::SeqCst);
        match tokio::time::timeout(10 * REST, socket.hear()).await {
            Err(_) if is_last => return heard,
            Err(_) => continue,
            Ok(Heard::Frame(frame)) => {
                let is_change = TYPES.iter().any(|name| frame["event"]["type"] == *name);
                if is_change {
                    note(&mut heard, &frame["event"]);
                }
                if frame["cursor"].is_string() {
                    cursor = cursor_of(&frame);
                }
                continue;
            }
            Ok(Heard::Closed(_) | Heard::Gone) => {}
        }
        loop {
            let path = format!("/api/ws?topics=customers&cursor={cursor}");
            let bearer = format!("Bearer {}", admin.access_token().expect("signed in"));
            let headers = [("authorization", bearer.as_str())];
            let opened = Client::open(admin.base(), &path, &headers);
            if let Ok(Ok(opened)) = tokio::time::timeout(REQUEST_MAX, opened).await {
                socket = opened;
                break;
            }
            tokio::time::sleep(REST).await;
        }
    }
}

/// Leases batch after batch of the subscription, and acknowledges each. A batch whose acknowledgement was not answered may
/// come again; what came twice counts once.
async fn lease(admin: Api, stop: Arc<AtomicBool>) -> Heards {
    let (mut heard, mut known) = (Heards::new(), BTreeSet::new());
    loop {
        let is_last = stop.load(Ordering::SeqCst);
        let path = format!("/api/subscriptions/{NAME}/events?limit=100&wait=1s");
        let answer = tokio::time::timeout(REQUEST_MAX, admin.attempt(Method::GET, &path, None)).await;
        let Ok(Ok(answer)) = answer else { continue };
        let Some(lease) = answer.body["lease"].as_str() else {
            if is_last && answer.status == 200 {
                return heard;
            }
            tokio::time::sleep(REST).await;
            continue;
        };
        for event in answer.body["events"].as_array().into_iter().flatten() {
            if known.insert(event["id"].to_string()) {
                note(&mut heard, event);
            }
        }
        let path = format!("/api/subscriptions/{NAME}/ack");
        let ack = admin.attempt(Method::POST, &path, Some(json!({"lease": lease})));
        let _ = tokio::time::timeout(REQUEST_MAX, ack).await;
    }
}

#[test]
fn what_is_missing_doubled_or_in_another_order_is_different() {
    let log = Heards::from([("a".to_owned(), vec![1, 2]), ("b".to_owned(), vec![1])]);
    assert!(different(&log, &log).is_empty());
    for wrong in [vec![1], vec![2, 1], vec![1, 2, 2]] {
        let heard = Heards::from([("a".to_owned(), wrong), ("b".to_owned(), vec![1])]);
        assert_eq!(different(&log, &heard).len(), 1);
    }
}
