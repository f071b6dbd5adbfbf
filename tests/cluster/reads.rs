//! Every node shows at once what another node has acknowledged (SPEC §8.4).

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::staff::{Known, approval, meeting, task, timed};
use testing::Answer;
use testing::app::PASSWORD;

const PAIRS: usize = 10_000;
const WORKERS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_through_any_node_sees_a_write_through_another_10_000_times() {
    let mut cluster = Cluster::start(3).await;
    let workers = (0..WORKERS).map(|name| {
        let [admin, manager, sales] =
            [&cluster.staff.admin, &cluster.staff.manager, &cluster.staff.sales].map(Known::clone);
        let worker = Worker { name, admin, manager, sales, pairs: 0 };
        tokio::spawn(worker.work())
    });
    let (workers, time) = timed(join_all(workers)).await;
    let pairs: usize = workers.into_iter().map(|pairs| pairs.expect("no stale read")).sum();
    println!("{pairs} pairs in {time:?}");
    assert!(pairs >= PAIRS, "only {pairs}");
    cluster.integrity().await;
    for node in 0..cluster.size() {
        cluster.stop(node).await;
    }
}

struct Worker {
    name: usize,
    admin: Known,
    manager: Known,
    sales: Known,
    pairs: usize,
}

impl Worker {
    /// Its share of the pairs; each write goes through another node than the one before.
    async fn work(mut self) -> usize {
        let mut round = 0;
        while self.pairs < PAIRS.div_ceil(WORKERS) {
            round += 1;
            let name = format!("{} {round}", self.name);
            let customer = self.create(&self.sales.clone(), "/api/customers", json!({"name": name})).await;
            let path = format!("/api/customers/{customer}");
            for notes in ["一", "二", "三"] {
                self.change(&self.sales.clone(), &path, json!({"notes": notes, "status": "ACTIVE"})).await;
            }
            match round % 4 {
                0 => self.meeting(&customer, &name).await,
                1 => self.task(&name).await,
                2 => self.approval(&customer, &name).await,
                // Hashing a password is slow, so only a few.
                _ if round % 12 == 3 => self.user(&name).await,
                _ => self.deletion(&customer).await,
            }
        }
        self.pairs
    }

    async fn meeting(&mut self, customer: &str, title: &str) {
        let sales = self.sales.clone();
        let id = self.create(&sales, "/api/meetings", meeting(customer, title)).await;
        self.change(&sales, &format!("/api/meetings/{id}"), json!({"outcome": "合意"})).await;
    }

    async fn task(&mut self, title: &str) {
        let sales = self.sales.clone();
        let id = self.create(&sales, "/api/tasks", task(title)).await;
        self.change(&sales, &format!("/api/tasks/{id}"), json!({"status": "DONE"})).await;
    }

    async fn approval(&mut self, customer: &str, title: &str) {
        let id = self.create(&self.sales.clone(), "/api/approvals", approval(customer, title)).await;
        let path = format!("/api/approvals/{id}");
        let decided =
            self.manager.at(self.writer()).patch(&format!("{path}/approve"), json!({})).await.expect(200);
        self.compare(&self.manager.clone(), &path, decided).await;
    }

    async fn user(&mut self, name: &str) {
        let email = format!("{}@example.com", name.replace(' ', "-"));
        let user = json!({"email": email, "name": name, "role": "SALES", "password": PASSWORD});
        let admin = self.admin.clone();
        let id = self.create(&admin, "/api/auth/users", user).await;
        self.change(&admin, &format!("/api/auth/users/{id}"), json!({"role": "MANAGER"})).await;
    }

    async fn deletion(&mut self, customer: &str) {
        let path = format!("/api/customers/{customer}");
        self.sales.at(self.writer()).delete(&path).await.expect(200);
        self.sales.at(self.reader()).get(&path).await.expect(404);
        self.pairs += 1;
    }

    async fn create(&mut self, who: &Known, path: &str, body: Value) -> String {
        let written = who.at(self.writer()).post(path, body).await.expect(201);
        let id = written.id();
        self.compare(who, &format!("{path}/{id}"), written).await;
        id
    }

    async fn change(&mut self, who: &Known, path: &str, body: Value) {
        let written = who.at(self.writer()).patch(path, body).await.expect(200);
        self.compare(who, path, written).await;
    }

    /// The other node shows exactly what was answered.
    async fn compare(&mut self, who: &Known, path: &str, written: Answer) {
        let (writer, reader) = (self.writer(), self.reader());
        let read = who.at(reader).get(path).await.expect(200);
        assert_eq!(read.body, written.body, "written through node {writer}, read through node {reader}");
        assert_eq!(read.version(), written.version());
        self.pairs += 1;
    }

    fn writer(&self) -> usize {
        (self.name + self.pairs) % self.sales.nodes()
    }

    /// Each of the other nodes in turn.
    fn reader(&self) -> usize {
        let nodes = self.sales.nodes();
        (self.writer() + 1 + self.pairs / nodes % (nodes - 1)) % nodes
    }
}
