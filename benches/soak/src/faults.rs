//! What happens to the cluster while it works. Each round every fault happens once, in an order of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use testing::cluster::Cluster;
use testing::{RawHttp, eventually, postgres};

use crate::random::Random;
use crate::samples::Samples;
use crate::table::Table;

/// The node that is neither killed nor restarted, so that it shows what grows.
pub const SPARED: usize = 2;
/// How long a fault lasts, and the calm after it.
const LASTS: Duration = Duration::from_secs(3);
const CALM: Duration = Duration::from_secs(3);
/// More than twice a lease.
const HANGS: Duration = Duration::from_secs(5);
/// How often memory and descriptors are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const SLOW_CLIENTS: usize = 40;
/// How soon nodes may take traffic after a fault.
const READY_WITHIN: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    NodeKilled,
    NodeHangs,
    NodeRestarts,
    RedisKilled,
    RedisFlushed,
    RedisHangs,
    RedisFull,
    PostgresCrashes,
    PostgresHangs,
    LinkToRedisCut,
    LinkToPostgresCut,
    SlowClients,
}

const ALL: [Fault; 12] = [
    Fault::NodeKilled,
    Fault::NodeHangs,
    Fault::NodeRestarts,
    Fault::RedisKilled,
    Fault::RedisFlushed,
    Fault::RedisHangs,
    Fault::RedisFull,
    Fault::PostgresCrashes,
    Fault::PostgresHangs,
    Fault::LinkToRedisCut,
    Fault::LinkToPostgresCut,
    Fault::SlowClients,
];

pub struct Faults {
    random: Random,
    happened: BTreeMap<Fault, usize>,
}

impl Faults {
    pub fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), happened: BTreeMap::new() }
    }

    /// Lets faults happen until then. At the end every node works.
    pub async fn happen(&mut self, cluster: &mut Cluster, proxy: &str, until: Instant, samples: &Samples) {
        let mut order = Vec::new();
        while Instant::now() + 2 * CALM < until {
            self.wait(cluster, CALM, samples).await;
            if order.is_empty() {
                order = ALL.to_vec();
                self.random.shuffle(&mut order);
            }
            let Some(fault) = order.pop() else { continue };
            println!("{:4} s left: {fault:?}", until.saturating_duration_since(Instant::now()).as_secs());
            self.one(fault, cluster, proxy, samples).await;
            *self.happened.entry(fault).or_default() += 1;
            ready(cluster).await;
        }
        self.wait(cluster, until.saturating_duration_since(Instant::now()), samples).await;
        cluster.all_alive().await;
    }

    async fn one(&mut self, fault: Fault, cluster: &mut Cluster, proxy: &str, samples: &Samples) {
        let other = self.random.below(SPARED);
        let any = self.random.below(cluster.size());
        match fault {
            Fault::NodeKilled => {
                cluster.kill(other);
                self.wait(cluster, LASTS, samples).await;
                cluster.restart(other).await;
            }
            Fault::NodeHangs => {
                cluster.pause(any);
                self.wait(cluster, HANGS, samples).await;
                cluster.resume(any);
            }
            Fault::NodeRestarts => {
                cluster.stop(other).await;
                cluster.restart(other).await;
            }
            Fault::RedisKilled => {
                cluster.redis.kill();
                self.wait(cluster, LASTS, samples).await;
                cluster.redis.restart_empty();
            }
            Fault::RedisFlushed => cluster.redis.flush(),
            Fault::RedisHangs => {
                cluster.redis.pause();
                self.wait(cluster, HANGS, samples).await;
                cluster.redis.resume();
            }
            Fault::RedisFull => {
                cluster.redis.limit_memory(1);
                self.wait(cluster, LASTS, samples).await;
                cluster.redis.limit_memory(0);
            }
            Fault::PostgresCrashes => {
                database(cluster).crash();
                self.wait(cluster, LASTS, samples).await;
                database(cluster).recover();
            }
            Fault::PostgresHangs => {
                database(cluster).pause();
                self.wait(cluster, LASTS, samples).await;
                database(cluster).resume();
            }
            Fault::LinkToRedisCut => {
                cluster.links[any].redis.cut();
                self.wait(cluster, HANGS, samples).await;
                cluster.links[any].redis.mend();
            }
            Fault::LinkToPostgresCut => {
                cluster.links[any].postgres.cut();
                self.wait(cluster, HANGS, samples).await;
                cluster.links[any].postgres.mend();
            }
            Fault::SlowClients => {
                let slow = slow_clients(proxy).await;
                self.wait(cluster, HANGS, samples).await;
                drop(slow);
            }
        }
    }

    /// Waits, and looks at the spared node meanwhile.
    async fn wait(&self, cluster: &mut Cluster, time: Duration, samples: &Samples) {
        let until = Instant::now() + time;
        loop {
            samples.process(cluster.node(SPARED).pid());
            samples.machine();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
        }
    }

    pub fn report(&self, table: &mut Table) {
        let each: Vec<String> =
            self.happened.iter().map(|(fault, count)| format!("{fault:?} {count}")).collect();
        println!("\nfaults: {}", each.join(", "));
        table.figure("faults", self.happened.values().sum::<usize>());
        table.figure("kinds of faults", self.happened.len());
    }
}

fn database(cluster: &mut Cluster) -> &mut postgres::Server {
    cluster.postgres.as_mut().expect("an own one")
}

/// Waits until every node may take traffic.
async fn ready(cluster: &Cluster) {
    for node in 0..cluster.size() {
        let nobody = cluster.nobody(node);
        eventually(READY_WITHIN, async || {
            let answer = nobody.attempt(reqwest::Method::GET, "/readyz", None).await;
            match answer {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(answer.to_string()),
                Err(error) => Err(format!("node {node}: {error:?}")),
            }
        })
        .await;
    }
}

/// Clients that begin requests and do not end them.
async fn slow_clients(proxy: &str) -> Vec<RawHttp> {
    let mut slow = Vec::new();
    for number in 0..SLOW_CLIENTS {
        let mut client = RawHttp::open(proxy).await;
        let beginning = match number % 3 {
            0 => "GET /api/customers HT",
            1 => "POST /api/customers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
            _ => {
                "GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\nGET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
            }
        };
        client.send(beginning).await;
        slow.push(client);
    }
    slow
}
