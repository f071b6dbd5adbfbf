//! Clients that work through the load balancer, each as one of the users, and send again what was not answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use testing::app::PASSWORD;
use testing::browser::{cookie, post_form};
use testing::cluster::Cluster;
use testing::{Answer, Api, upload};
use tokio::task::JoinHandle;

use crate::Options;
use crate::noted::Notes;
use crate::random::Random;
use crate::samples::Samples;

/// How long a request may hang before it is sent again.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// How long a request may take with all its repetitions.
const GIVES_UP_AFTER: Duration = Duration::from_mins(2);
/// The pause before a request is sent again, and between two requests.
const REST: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(50);

/// Running clients.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub async fn start(
        cluster: &Cluster,
        proxy: &str,
        options: &Options,
        (notes, samples, stop): (&Arc<Notes>, &Arc<Samples>, &Arc<AtomicBool>),
    ) -> Self {
        let api = |known: &testing::cluster::staff::Known| {
            Api::new(proxy).token(known.at(0).access_token().expect("signed in"))
        };
        let console = console(proxy, &cluster.staff.sales.email).await;
        let mut clients = Vec::new();
        for number in 0..options.clients {
            let client = Client {
                number,
                requests: 0,
                sales: api(&cluster.staff.sales),
                manager: api(&cluster.staff.manager),
                console: console.clone(),
                random: Random::new(options.seed.wrapping_mul(1_000) + number as u64),
                notes: notes.clone(),
                samples: samples.clone(),
                customers: Vec::new(),
            };
            clients.push(tokio::spawn(client.work(stop.clone())));
        }
        Self { stop: stop.clone(), clients }
    }

    /// Stops the clients after their current work.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.await.expect("a client that does not give up");
        }
    }
}

/// The console of a user, as their browser has it.
async fn console(proxy: &str, email: &str) -> Api {
    let api = Api::new(proxy).header("accept", "text/html");
    let answer = post_form(&api, "/login", &[("email", email), ("password", PASSWORD)]).await.expect(303);
    let session = cookie(&answer, "kizuna_session").or_else(|| cookie(&answer, "__Host-kizuna_session"));
    let name =
        if cookie(&answer, "kizuna_session").is_some() { "kizuna_session" } else { "__Host-kizuna_session" };
    api.header("cookie", format!("{name}={}", session.expect("a session")))
}

/// One client.
pub struct Client {
    pub number: usize,
    pub requests: usize,
    pub sales: Api,
    pub manager: Api,
    pub console: Api,
    pub random: Random,
    pub notes: Arc<Notes>,
    pub samples: Arc<Samples>,
    /// Customers of this client alone, and the versions that it knows.
    pub customers: Vec<(String, i64)>,
}

impl Client {
    async fn work(mut self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::SeqCst) {
            self.turn().await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A key that no other request has.
    pub fn key(&mut self) -> String {
        self.requests += 1;
        format!("{} {}", self.number, self.requests)
    }

    /// Sends a write until it gets a final answer, each time with the same key. With `null` as its body it is sent without one.
    pub async fn write(&mut self, by: &Api, method: Method, path: &str, body: Value) -> Answer {
        let api = by.idempotency_key(self.key());
        let body = (!body.is_null()).then_some(body);
        self.until_final("a write, ms", path, || api.attempt(method.clone(), path, body.clone())).await
    }

    /// Reads until it gets an answer.
    pub async fn read(&mut self, path: &str) -> Answer {
        let api = self.sales.clone();
        self.until_final("a read, ms", path, || api.attempt(Method::GET, path, None)).await
    }

    /// Reads a page of the console.
    pub async fn page(&mut self, path: &str) -> Answer {
        let api = self.console.clone();
        self.until_final("a page, ms", path, || api.attempt(Method::GET, path, None)).await
    }

    /// Uploads a file; it is uploaded once more if no answer came, for an upload writes no record.
    pub async fn upload(&mut self, form: &[u8]) -> Answer {
        let sales = self.sales.clone();
        self.until_final("an upload, ms", "/api/imports", || {
            upload::attempt(&sales, "/api/imports", form.to_vec())
        })
        .await
    }

    async fn until_final<F: Future<Output = reqwest::Result<Answer>>>(
        &self,
        kind: &'static str,
        path: &str,
        send: impl Fn() -> F,
    ) -> Answer {
        let began = Instant::now();
        loop {
            let sent = Instant::now();
            let said = match tokio::time::timeout(REQUEST_MAX, send()).await {
                Ok(Ok(answer)) if !is_later(&answer) => {
                    self.samples.request(kind, sent);
                    return answer;
                }
                Ok(Ok(answer)) => answer.to_string(),
                Ok(Err(error)) => format!("{error:?}"),
                Err(_) => "no answer".to_owned(),
            };
            self.notes.hiccup();
            assert!(began.elapsed() < GIVES_UP_AFTER, "{path} is not done yet: {said}");
            tokio::time::sleep(REST).await;
        }
    }
}

/// Whether to try again: overload, an outage, a node that is gone behind the load balancer, or the same request under way.
fn is_later(answer: &Answer) -> bool {
    matches!(answer.status, 408 | 429 | 502 | 503 | 504) || answer.code() == Some("request_in_flight")
}
