//! Load on all nodes, by workers that repeat their requests and record what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::cluster::Cluster;
use crate::ledger::Ledger;
use crate::staff::{Known, approval, meeting, task};
use testing::Answer;
use testing::app::PASSWORD;

/// How long a request may hang, as at a paused node, before it is sent to another node.
pub const REQUEST_MAX: Duration = Duration::from_secs(3);
/// How long a request may take with all its repetitions.
const GIVES_UP_AFTER: Duration = Duration::from_secs(60);
/// The pause before a refused request is repeated.
const REST: Duration = Duration::from_millis(50);
/// The fewest requests of each worker: enough to have each kind among them.
const ENOUGH: u32 = 10;
/// One of this many requests creates and deletes a user.
const USERS_EVERY: u32 = 25;

/// Running workers.
pub struct Load {
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Ledger>>,
}

impl Load {
    /// Starts workers that pause between two requests.
    pub fn start(cluster: &Cluster, workers: usize, pause: Duration) -> Self {
        Self::with_limit(cluster, workers, pause, REQUEST_MAX)
    }

    /// Starts workers that wait up to `limit` for an answer.
    pub fn with_limit(cluster: &Cluster, workers: usize, pause: Duration, limit: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |name| {
            let worker = Worker {
                name,
                urls: cluster.urls(),
                admin: cluster.staff.admin.clone(),
                manager: cluster.staff.manager.clone(),
                sales: cluster.staff.sales.clone(),
                limit,
                node: name,
                orders: 0,
                ledger: Ledger::default(),
            };
            tokio::spawn(worker.work(stop.clone(), pause))
        };
        Self { workers: (0..workers).map(start).collect(), stop }
    }

    /// Stops the workers after their current request, and returns all that was acknowledged.
    pub async fn stop(self) -> Ledger {
        self.stop.store(true, Ordering::SeqCst);
        let mut ledger = Ledger::default();
        for worker in self.workers {
            ledger.add(worker.await.expect("a worker that does not give up"));
        }
        ledger
    }
}

/// Who a request is for.
enum Who {
    Sales,
    Admin,
    User(Known),
}

struct Worker {
    name: usize,
    urls: Vec<String>,
    admin: Known,
    manager: Known,
    sales: Known,
    limit: Duration,
    /// Where the next request goes.
    node: usize,
    orders: u32,
    ledger: Ledger,
}

impl Worker {
    async fn work(mut self, stop: Arc<AtomicBool>, pause: Duration) -> Ledger {
        let mut before = None;
        while !stop.load(Ordering::SeqCst) || self.orders < ENOUGH {
            self.orders += 1;
            let name = format!("{} {}", self.name, self.orders);
            let customer = self.customer(&Who::Sales, &name).await;
            self.records(&customer, &name).await;
            if self.orders.is_multiple_of(3) {
                self.change(&customer).await;
            }
            if self.orders.is_multiple_of(10)
                && let Some(before) = before
            {
                self.delete_customer(before).await;
            }
            if self.orders % USERS_EVERY == 1 {
                self.user(&name).await;
            }
            before = Some(customer);
            tokio::time::sleep(pause).await;
        }
        self.ledger
    }

    /// Creates a customer and looks at it through another node.
    async fn customer(&mut self, who: &Who, name: &str) -> String {
        let customer = json!({"name": name});
        let id = self.order(who, Method::POST, "/api/customers", Some(customer), name).await.expect(201).id();
        self.ledger.customer(&id, 1);
        self.see(&id, 1).await;
        id
    }

    /// Creates a record of a customer, each time of another kind.
    async fn records(&mut self, customer: &str, name: &str) {
        let (path, body) = match self.orders % 4 {
            0 => ("/api/meetings", meeting(customer, name)),
            1 => ("/api/tasks", task(name)),
            2 => ("/api/approvals", approval(customer, name)),
            _ => return,
        };
        let id = self.order(&Who::Sales, Method::POST, path, Some(body), &format!("{name} {path}")).await;
        self.ledger.record(path, id.expect(201).id());
    }

    async fn change(&mut self, customer: &str) {
        let path = format!("/api/customers/{customer}");
        let notes = json!({"notes": format!("{} {}", self.name, self.orders)});
        let version =
            self.order(&Who::Sales, Method::PATCH, &path, Some(notes), "").await.expect(200).version();
        let version = version.expect("an ETag");
        self.ledger.customer(customer, version);
        self.see(customer, version).await;
    }

    async fn delete_customer(&mut self, customer: String) {
        let gone =
            self.order(&Who::Sales, Method::DELETE, &format!("/api/customers/{customer}"), None, "").await;
        // 404: an earlier try succeeded, but was not answered.
        assert!(matches!(gone.status, 200 | 404), "{gone}");
        self.ledger.deleted(customer);
    }

    /// Creates a user with a customer, and deletes the user.
    async fn user(&mut self, name: &str) {
        let email = format!("{}-{}@example.com", self.name, self.orders);
        let manager = &self.manager.id;
        let user = json!({"email": email, "name": name, "role": "SALES", "manager_id": manager, "password": PASSWORD});
        let id = self
            .order(&Who::Admin, Method::POST, "/api/auth/users", Some(user), &email)
            .await
            .expect(201)
            .id();
        let login = json!({"email": email, "password": PASSWORD});
        let token =
            self.order(&Who::Admin, Method::POST, "/api/auth/login", Some(login), "").await.expect(200);
        let user = Known::new(&id, &email, &token.text_at("/access_token"), &self.urls);
        self.customer(&Who::User(user), &format!("{name} {email}")).await;
        let gone = self.order(&Who::Admin, Method::DELETE, &format!("/api/auth/users/{id}"), None, "").await;
        assert!(matches!(gone.status, 200 | 404), "{gone}");
        self.ledger.users.push(id);
    }

    /// Reads a customer through the next node: it must have at least this version. A node that is down is skipped.
    async fn see(&mut self, id: &str, version: i64) {
        let node = self.next_node();
        let path = format!("/api/customers/{id}");
        // The ADMIN also sees customers that a successor has received.
        let read = self.admin.at(node).attempt(Method::GET, &path, None);
        let Ok(Ok(answer)) = tokio::time::timeout(self.limit, read).await else { return };
        let seen = answer.version().unwrap_or(0);
        if answer.status == 404 || answer.status == 200 && seen < version {
            self.ledger.stale.push(format!("node {node} shows {id} as {seen}, not {version}"));
        }
        self.ledger.reads += 1;
    }

    /// Sends a request until it gets a final answer, each time through another node with the same key.
    async fn order(
        &mut self,
        who: &Who,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: &str,
    ) -> Answer {
        let began = Instant::now();
        loop {
            let node = self.next_node();
            let known = match who {
                Who::Sales => &self.sales,
                Who::Admin => &self.admin,
                Who::User(user) => user,
            };
            let api = known.at(node).clone();
            let api = if key.is_empty() { api } else { api.idempotency_key(format!("{} {key}", self.name)) };
            let sent = Instant::now();
            let (is_polite, said) =
                match tokio::time::timeout(self.limit, api.attempt(method.clone(), path, body.clone())).await
                {
                    Ok(Ok(answer)) if !is_later(&answer) => {
                        self.ledger.took(sent.elapsed());
                        return answer;
                    }
                    Ok(Ok(answer)) => (answer.header("retry-after").is_some(), answer.to_string()),
                    Ok(Err(error)) => (false, format!("{error:?}")),
                    Err(_) => (false, format!("no answer within {:?}", self.limit)),
                };
            assert!(began.elapsed() < GIVES_UP_AFTER, "{method} {path} is not done yet: {said}");
            let said = format!("node {node}: {method} {path}: {said}");
            if !is_polite {
                self.ledger.silent.push(said.clone());
            }
            self.ledger.hiccups.push(said);
            tokio::time::sleep(REST).await;
        }
    }

    fn next_node(&mut self) -> usize {
        self.node = (self.node + 1) % self.sales.nodes();
        self.node
    }
}

/// Whether to try again: overload, an outage, the same request under way on another node, or a node that hung for longer
/// than it waits for the head of a request, and did nothing with this one.
fn is_later(answer: &Answer) -> bool {
    matches!(answer.status, 408 | 503) || answer.status == 409 && answer.code() == Some("request_in_flight")
}
