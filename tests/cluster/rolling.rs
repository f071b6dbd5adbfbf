//! Every node is restarted behind a load balancer, and no client notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::ledger::some;
use crate::plan::Plan;
use crate::proxy::Proxy;
use crate::watcher::Watcher;

/// The interval between requests: 200 per second, whether earlier ones have ended or not.
const EVERY: Duration = Duration::from_millis(5);
/// One of this many requests is a write.
const WRITE_EVERY: usize = 4;
/// Longer than the checks of the load balancer need.
const DRAIN_DELAY: &str = "2s";
/// How long until the load balancer sends requests to a node again.
const TAKEN_UP: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_behind_a_load_balancer_fails_no_request_of_200_a_second() {
    let mut cluster = Cluster::of(Plan::of(3).set("KIZUNA_DRAIN_DELAY", DRAIN_DELAY)).await;
    let proxy = Proxy::start(&cluster).await;
    let watcher = Watcher::start(&cluster.staff.manager, vec![proxy.url().to_owned()]).await;
    let steady = Steady::start(&cluster, &proxy);
    tokio::time::sleep(TAKEN_UP).await;
    for node in 0..cluster.size() {
        cluster.stop(node).await;
        cluster.restart(node).await;
        tokio::time::sleep(TAKEN_UP).await;
    }
    let done = steady.stop().await;
    println!("{} requests, {} of them writes, slowest {:?}", done.requests, done.written.len(), done.slowest);
    assert!(done.failed.is_empty(), "of {} requests failed {}", done.requests, some(&done.failed));
    // Nothing is done twice either, as by a load balancer that repeats a request.
    let stored = cluster.staff.sales.at(0).get("/api/customers?limit=1&count=true").await;
    assert_eq!(stored.header("x-total-count"), Some(done.written.len().to_string().as_str()));
    cluster.integrity().await;
    watcher.all_received(&cluster).await;
}

/// Requests at a steady rate.
struct Steady {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Done>,
}

/// The results of the requests.
#[derive(Default)]
struct Done {
    requests: usize,
    written: Vec<String>,
    failed: Vec<String>,
    slowest: Duration,
}

impl Steady {
    fn start(cluster: &Cluster, proxy: &Proxy) -> Self {
        let token = cluster.staff.sales.at(0).access_token().expect("signed in").to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(requests(proxy.url().to_owned(), token, stop.clone()));
        Self { stop, task }
    }

    async fn stop(self) -> Done {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("no panic")
    }
}

async fn requests(url: String, token: String, stop: Arc<AtomicBool>) -> Done {
    // Without retries, so that a failure is seen.
    let client =
        reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().expect("a client");
    let mut ticks = tokio::time::interval(EVERY);
    let mut under_way = JoinSet::new();
    let mut done = Done::default();
    let latest = Arc::new(AtomicUsize::new(0));
    while !stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        let writes = done.requests.is_multiple_of(WRITE_EVERY);
        let read = done.written.get(latest.load(Ordering::Relaxed)).cloned();
        under_way.spawn(request(client.clone(), url.clone(), token.clone(), writes, read, done.requests));
        done.requests += 1;
        while let Some(ended) = under_way.try_join_next() {
            done.note(ended.expect("no panic"));
            latest.store(done.written.len().saturating_sub(1), Ordering::Relaxed);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        done.note(ended.expect("no panic"));
    }
    done
}

impl Done {
    fn note(&mut self, (ended, time): (Result<Option<String>, String>, Duration)) {
        self.slowest = self.slowest.max(time);
        match ended {
            Ok(written) => self.written.extend(written),
            Err(failed) => self.failed.push(failed),
        }
    }
}

/// A creation, whose answer is the new id; or a read of that customer, or of the list.
async fn request(
    client: reqwest::Client,
    url: String,
    token: String,
    writes: bool,
    read: Option<String>,
    number: usize,
) -> (Result<Option<String>, String>, Duration) {
    let began = std::time::Instant::now();
    let request = match (writes, read) {
        (true, _) => {
            client.post(format!("{url}/api/customers")).json(&json!({"name": format!("customer {number}")}))
        }
        (_, Some(id)) => client.get(format!("{url}/api/customers/{id}")),
        (_, None) => client.get(format!("{url}/api/customers?limit=5")),
    };
    let answered = async {
        let answer =
            request.bearer_auth(token).send().await.map_err(|error| format!("{number}: {error:?}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{number}: {error:?}"))?;
        if !status.is_success() {
            return Err(format!("{number}: {status} {text}"));
        }
        let body: Value = serde_json::from_str(&text).map_err(|error| format!("{number}: {error} {text}"))?;
        Ok(writes.then(|| body["id"].as_str().expect("an id").to_owned()))
    };
    (answered.await, began.elapsed())
}
