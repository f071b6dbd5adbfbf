//! Nodes that are one system: real processes on a real PostgreSQL and a real Redis.
//!
//! `plan`: how they are started; `staff`: the users that they know; `proxy`: HAProxy before them

mod links;
pub mod plan;
pub mod proxy;
pub mod staff;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use store::Db;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::promises;
use crate::{Api, Kizuna, Launch, Redis, TestDatabase, eventually, postgres};
pub use links::Links;
use plan::{Plan, name_of};
use staff::Staff;

/// How long effects may take after the last kill.
pub const SETTLED_WITHIN: Duration = Duration::from_secs(30);
/// One cluster at a time: two would slow each other down on two cores, and these tests measure time.
static TURN: Semaphore = Semaphore::const_new(1);

/// A running cluster. Dropping it ends its processes and deletes their data.
pub struct Cluster {
    pub staff: Staff,
    pub redis: Redis,
    /// Only with [`Plan::own_postgres`].
    pub postgres: Option<postgres::Server>,
    pub database: TestDatabase,
    /// Of each node, only with [`Plan::own_links`].
    pub links: Vec<Links>,
    nodes: Vec<Node>,
    _turn: SemaphorePermit<'static>,
}

/// One node, running or not. It restarts with the same address and id.
struct Node {
    launch: Launch,
    url: String,
    process: Option<Kizuna>,
}

impl Cluster {
    /// Starts nodes that host every service, and creates the users.
    pub async fn start(nodes: usize) -> Self {
        Self::of(Plan::of(nodes)).await
    }

    /// All nodes start at the same time, on an empty database.
    pub async fn of(plan: Plan) -> Self {
        let turn = TURN.acquire().await.expect("nobody closes it");
        let mut postgres = plan.own_postgres.then(postgres::Server::start);
        let database = postgres.as_mut().map(|own| own.fresh_database());
        let database = TestDatabase::of(database.unwrap_or_else(|| postgres::server().fresh_database()));
        let redis = Redis::start();
        let between = |_| Links::between(&database.url, &redis.url());
        let links: Vec<Links> = (0..plan.nodes).filter(|_| plan.own_links).map(between).collect();
        let planned = (0..plan.nodes).map(|node| match links.get(node) {
            Some(own) => plan.launch(node, &own.database_url, &own.redis_url),
            None => plan.launch(node, &database.url, &redis.url()),
        });
        let started = planned.map(async |(launch, url)| {
            let process = Some(launch.start().await);
            Node { launch, url, process }
        });
        let nodes = join_all(started).await;
        let urls: Vec<String> = nodes.iter().map(|node| node.url.clone()).collect();
        let staff = Staff::hire(&urls).await;
        let cluster = Self { staff, redis, postgres, database, links, nodes, _turn: turn };
        cluster.all_alive().await;
        cluster
    }

    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The address of this node's API, whether it runs or not.
    pub fn url(&self, node: usize) -> &str {
        &self.nodes[node].url
    }

    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.url.clone()).collect()
    }

    /// A node's API without a token.
    pub fn nobody(&self, node: usize) -> Api {
        Api::new(self.url(node))
    }

    /// The process of a node that runs.
    pub fn node(&mut self, node: usize) -> &mut Kizuna {
        self.nodes[node].process.as_mut().expect("a node that runs")
    }

    pub fn is_running(&mut self, node: usize) -> bool {
        self.nodes[node].process.as_mut().is_some_and(Kizuna::is_running)
    }

    /// `kill -9`.
    pub fn kill(&mut self, node: usize) {
        self.node(node).kill_9();
        self.nodes[node].process = None;
    }

    /// SIGTERM, and waits until the process has ended.
    pub async fn stop(&mut self, node: usize) {
        self.node(node).signal("TERM");
        self.stopped(node).await;
    }

    /// Waits until a node has ended after SIGTERM.
    pub async fn stopped(&mut self, node: usize) {
        let ended = self.node(node).wait_exit(SETTLED_WITHIN).await;
        assert!(ended.success(), "{ended}:\n{}", self.node(node).output());
        self.nodes[node].process = None;
    }

    /// SIGSTOP: the node hangs, its connections stay open.
    pub fn pause(&mut self, node: usize) {
        self.node(node).signal("STOP");
    }

    pub fn resume(&mut self, node: usize) {
        self.node(node).signal("CONT");
    }

    /// Starts a node that is down, and waits until it may take traffic.
    pub async fn restart(&mut self, node: usize) {
        let process = self.nodes[node].launch.start().await;
        self.nodes[node].process = Some(process);
        let nobody = self.nobody(node);
        eventually(SETTLED_WITHIN, async || match nobody.get("/readyz").await.status {
            200 => Ok(()),
            status => Err(format!("/readyz answers {status}")),
        })
        .await;
    }

    /// The cluster as a node reports it; `None` while it does not answer.
    pub async fn seen_by(&self, node: usize) -> Option<Value> {
        let asked = self.staff.admin.at(node).attempt(reqwest::Method::GET, "/api/admin/cluster", None);
        match tokio::time::timeout(Duration::from_secs(2), asked).await {
            Ok(Ok(answer)) if answer.status == 200 => Some(answer.body),
            _ => None,
        }
    }

    /// The ids of the living nodes, as this node sees them.
    pub async fn living(&self, node: usize) -> Vec<String> {
        names(&self.seen_by(node).await.unwrap_or_default()["nodes"], "id")
    }

    /// The id of the node that works on each partition, as this node sees it.
    pub async fn owners(&self, node: usize) -> Vec<String> {
        names(&self.seen_by(node).await.unwrap_or_default()["slices"], "node")
    }

    /// Waits until every node that runs sees every other.
    pub async fn all_alive(&self) {
        let running = (0..self.size()).filter(|node| self.nodes[*node].process.is_some());
        let running: Vec<usize> = running.collect();
        let expected: Vec<String> = running.iter().map(|node| name_of(*node)).collect();
        for node in running {
            eventually(SETTLED_WITHIN, async || {
                let mut living = self.living(node).await;
                living.sort();
                if living == expected { Ok(()) } else { Err(format!("node {node} sees {living:?}")) }
            })
            .await;
        }
    }

    /// Waits until nothing is pending, and checks that every event has taken effect once and in order in every
    /// consumer, and the other promises (`promises`).
    pub async fn integrity(&self) {
        let node =
            (0..self.size()).find(|node| self.nodes[*node].process.is_some()).expect("a node that runs");
        let admin = self.staff.admin.at(node);
        let report = eventually(SETTLED_WITHIN, async || {
            let answer = admin.get("/api/admin/integrity").await;
            let consumers = answer.body["consumers"].as_array().ok_or_else(|| answer.to_string())?;
            let behind = consumers.iter().find(|consumer| consumer["pending"] != 0);
            behind.map_or(Ok(answer.body.clone()), |consumer| Err(consumer.to_string()))
        })
        .await;
        let consumers = report["consumers"].as_array().expect("a list");
        assert!(!consumers.is_empty(), "{report}");
        for consumer in consumers {
            for amiss in ["lost", "duplicated", "out_of_order"] {
                assert_eq!(consumer[amiss], 0, "{consumer}");
            }
        }
        let db = self.open().await;
        eventually(SETTLED_WITHIN, || promises::kept(&db)).await;
        db.close().await;
    }

    /// Sends what begins a saga through a node that is killed as soon as it has answered; the saga's id.
    pub async fn begin_and_kill(&mut self, node: usize, path: &str, body: Value) -> String {
        let saga = self.staff.sales.at(node).post(path, body).await.expect(202).text_at("/saga/id");
        self.kill(node);
        saga
    }

    /// Waits until a saga is completed, as a node says.
    pub async fn ended(&self, node: usize, saga: &str) -> Value {
        let sales = self.staff.sales.at(node);
        eventually(SETTLED_WITHIN, async || match sales.get(&format!("/api/sagas/{saga}")).await {
            answer if answer.body["status"] == "completed" => Ok(answer.body),
            answer => Err(answer.to_string()),
        })
        .await
    }

    /// A connection to the database beside the nodes.
    pub async fn open(&self) -> Db {
        self.database.open().await
    }
}

/// The texts under `field` of a list; none if it is no list.
fn names(list: &Value, field: &str) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|item| item[field].as_str().map(ToOwned::to_owned)).collect()
}
