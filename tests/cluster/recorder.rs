//! Clients that record what they ask, what they are answered, and when: the crate `history` says afterwards whether each
//! customer behaved as one copy, and whether all readers of the log saw every event once and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use history::log::{Acknowledged, Seen, check_alike, check_reader};
use history::operation::Operation;
use history::record::{Answer as Shown, Call, RecordOperation, check_record};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::cluster::Cluster;
use crate::load::REQUEST_MAX;
use crate::log_readers::LogReaders;
use crate::staff::Known;
use testing::Answer;

/// Clients, and the customers that they share at a time.
const CLIENTS: usize = 4;
const SHARED: usize = 3;
/// The pause of a client between two requests.
const REST: Duration = Duration::from_millis(10);
/// The operations of a customer after which another one takes its place: so each history stays short.
const OPERATIONS_MAX: usize = 150;
/// The fewest operations that prove something, on the busiest machine.
const ENOUGH: usize = 50;

/// Running clients and readers.
pub struct Recorder {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Vec<Recorded>>>,
    readers: LogReaders,
}

/// What the clients share.
struct Shared {
    who: Known,
    begun: Instant,
    stop: AtomicBool,
    places: Mutex<Vec<Place>>,
}

/// A customer in use.
#[derive(Clone, Default)]
struct Place {
    id: String,
    /// The version seen last, for `If-Match`.
    version: i64,
    operations: usize,
}

/// An operation on a customer.
struct Recorded {
    id: String,
    operation: RecordOperation,
}

/// What a client does next.
enum Turn {
    Read,
    Change { is_conditional: bool },
    Replace,
}

impl Recorder {
    /// Starts clients on all nodes, and readers of the log.
    pub async fn start(cluster: &Cluster) -> Self {
        let readers = LogReaders::start(&cluster.staff.admin, cluster.urls()).await;
        let shared = Arc::new(Shared {
            who: cluster.staff.sales.clone(),
            begun: Instant::now(),
            stop: AtomicBool::new(false),
            places: Mutex::new(vec![Place::default(); SHARED]),
        });
        let start = |name| {
            tokio::spawn(Client { name, number: 0, random: seed(name), shared: shared.clone() }.work())
        };
        Self { clients: (0..CLIENTS).map(start).collect(), shared, readers }
    }

    /// Stops the clients once every node works again, and checks what they and the readers have seen.
    pub async fn check(self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut histories = BTreeMap::<String, Vec<RecordOperation>>::new();
        for client in self.clients {
            for Recorded { id, operation } in client.await.expect("a client that does not give up") {
                histories.entry(id).or_default().push(operation);
            }
        }
        let operations: usize = histories.values().map(Vec::len).sum();
        let unanswered = histories.values().flatten().filter(|operation| operation.answer.is_none()).count();
        for (id, history) in &histories {
            check_record(history).unwrap_or_else(|why| panic!("customer {id}: {why}"));
        }
        let acknowledged: Vec<Acknowledged> = histories
            .iter()
            .flat_map(|(id, history)| history.iter().filter_map(|one| change(id, one)))
            .collect();
        let ids: BTreeSet<String> = histories.into_keys().collect();
        let seen = self.readers.read(&ids).await;
        for (place, seen) in seen.iter().enumerate() {
            check_reader(seen, &acknowledged).unwrap_or_else(|why| panic!("reader {place}: {why}"));
        }
        check_alike(&seen).unwrap_or_else(|why| panic!("{why}"));
        println!(
            "history: {operations} operations on {} customers, {unanswered} without an answer; \
             {} readers saw {} events each",
            ids.len(),
            seen.len(),
            seen[0].len()
        );
        assert!(operations >= ENOUGH, "too little work: {operations} operations");
    }
}

/// A change that was acknowledged, with the version that it made.
fn change(id: &str, operation: &RecordOperation) -> Option<Acknowledged> {
    let is_write = matches!(operation.call, Call::Create { .. } | Call::Change { .. });
    let (answer, answered) = operation.answer.as_ref().filter(|_| is_write)?;
    let Shown::Record { version, text } = answer else { return None };
    Some(Acknowledged {
        key: id.to_owned(),
        sequence: *version,
        text: Some(text.clone()),
        called: operation.called,
        answered: *answered,
    })
}

/// An event of a customer as the log shows it; `None` for another's.
pub fn seen(event: &Value, ids: &BTreeSet<String>) -> Option<Seen> {
    let key = event["subject"].as_str().filter(|key| ids.contains(*key))?;
    let is_deleted = event["type"] == "customer.deleted";
    let text = event["data"]["customer"]["notes"].as_str().filter(|_| !is_deleted);
    Some(Seen {
        id: event["id"].as_str().expect("an id").to_owned(),
        key: key.to_owned(),
        sequence: event["sequence"].as_i64().expect("a number"),
        text: text.map(str::to_owned),
    })
}

/// Reproducible, and of no zeros.
fn seed(name: usize) -> u32 {
    0x9e37_79b9_u32.wrapping_mul(name as u32 + 1)
}

struct Client {
    name: usize,
    number: u64,
    random: u32,
    shared: Arc<Shared>,
}

impl Client {
    async fn work(mut self) -> Vec<Recorded> {
        let mut recorded = Vec::new();
        while !self.shared.stop.load(Ordering::SeqCst) {
            let at = self.below(SHARED);
            let place = self.places()[at].clone();
            if place.id.is_empty() {
                recorded.extend(self.create(at).await);
            } else {
                recorded.extend(self.turn(at, place).await);
            }
            tokio::time::sleep(REST).await;
        }
        recorded
    }

    async fn turn(&mut self, at: usize, place: Place) -> Option<Recorded> {
        let turn = match self.below(100) {
            _ if place.operations >= OPERATIONS_MAX => Turn::Replace,
            0..50 => Turn::Read,
            50..75 => Turn::Change { is_conditional: true },
            75..99 => Turn::Change { is_conditional: false },
            _ => Turn::Replace,
        };
        let path = format!("/api/customers/{}", place.id);
        let (call, method, body) = match turn {
            Turn::Read => (Call::Read, Method::GET, None),
            Turn::Change { is_conditional } => {
                let text = self.text();
                let body = json!({"notes": text});
                (
                    Call::Change { text, on: is_conditional.then_some(place.version) },
                    Method::PATCH,
                    Some(body),
                )
            }
            Turn::Replace => {
                self.set(at, Place::default());
                (Call::Delete, Method::DELETE, None)
            }
        };
        let called = self.now();
        let answer = self.send(&call, method, &path, body).await;
        let shown = answer.and_then(|answer| shown(&call, &answer));
        if let Some(Shown::Record { version, .. }) = &shown {
            self.note(at, &place.id, *version);
        }
        let operation = match shown {
            Some(shown) => Operation::answered(call, called, shown, self.now()),
            // A read without an answer has no effect that could be seen.
            None if call == Call::Read => return None,
            None => Operation::unanswered(call, called),
        };
        Some(Recorded { id: place.id, operation })
    }

    /// Creates a customer: one operation, however often it is sent under its key. A customer whose creation is never
    /// answered is nobody's.
    async fn create(&mut self, at: usize) -> Option<Recorded> {
        let text = self.text();
        let (body, called) = (json!({"name": format!("history {text}"), "notes": text}), self.now());
        while !self.shared.stop.load(Ordering::SeqCst) {
            let node = self.below(self.shared.who.nodes());
            let api = self.shared.who.at(node).idempotency_key(format!("history {text}"));
            let sent = api.attempt(Method::POST, "/api/customers", Some(body.clone()));
            if let Ok(Ok(answer)) = tokio::time::timeout(REQUEST_MAX, sent).await
                && answer.status == 201
            {
                let id = answer.id();
                let call = Call::Create { text };
                let shown = shown(&call, &answer).expect("a created customer");
                self.set(at, Place { id: id.clone(), version: 1, operations: 1 });
                return Some(Recorded {
                    id,
                    operation: Operation::answered(call, called, shown, self.now()),
                });
            }
            tokio::time::sleep(REST).await;
        }
        None
    }

    /// Sends a request to some node, once.
    async fn send(&mut self, call: &Call, method: Method, path: &str, body: Option<Value>) -> Option<Answer> {
        let node = self.below(self.shared.who.nodes());
        let api = self.shared.who.at(node);
        let api = match call {
            Call::Change { on: Some(version), .. } => api.if_match(*version),
            _ => api.clone(),
        };
        tokio::time::timeout(REQUEST_MAX, api.attempt(method, path, body)).await.ok()?.ok()
    }

    fn places(&self) -> std::sync::MutexGuard<'_, Vec<Place>> {
        self.shared.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: usize, place: Place) {
        self.places()[at] = place;
    }

    fn note(&self, at: usize, id: &str, version: i64) {
        let place = &mut self.places()[at];
        if place.id == id {
            place.version = place.version.max(version);
            place.operations += 1;
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.shared.begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// A text that no other change has.
    fn text(&mut self) -> String {
        self.number += 1;
        format!("{} {}", self.name, self.number)
    }

    fn below(&mut self, most: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random as usize % most
    }
}

/// What an answer says of the customer; `None` where it leaves open whether the call took effect.
fn shown(call: &Call, answer: &Answer) -> Option<Shown> {
    match (answer.status, call) {
        (200, Call::Delete) => Some(Shown::Deleted),
        (200 | 201, _) => Some(Shown::Record {
            version: answer.version().expect("an ETag"),
            text: answer.text_at("/notes"),
        }),
        (404, _) => Some(Shown::Missing),
        (412, Call::Change { on: Some(_), .. }) => Some(Shown::Stale),
        (408 | 503, _) => None,
        _ => panic!("{call:?} is answered by {answer}"),
    }
}
