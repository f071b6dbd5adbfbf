//! Events for readers outside, through any node: long polls, and readers of one subscription on different nodes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::Cluster;
use testing::Api;

const NODES: usize = 3;
/// A second is how often a node looks at the log that Redis tells nothing of; and the machine does other things, too.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

async fn put(api: &Api, name: &str, body: Value) {
    let path = format!("/api/subscriptions/{name}");
    api.header("content-type", "application/json").raw("PUT", &path, body.to_string()).await.expect(201);
}

async fn lease(api: &Api, name: &str, query: &str) -> (Option<String>, Vec<Value>) {
    let answer = api.get(&format!("/api/subscriptions/{name}/events?{query}")).await.expect(200);
    let events = answer.body["events"].as_array().expect("events").clone();
    (answer.body["lease"].as_str().map(str::to_owned), events)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_poll_on_any_node_hears_of_a_commit_of_any_other_also_without_redis() {
    let mut cluster = Cluster::start(NODES).await;
    let (admin, sales) = (cluster.staff.admin.clone(), cluster.staff.sales.clone());
    for with_redis in [true, false] {
        if !with_redis {
            cluster.redis.stop();
        }
        for from in 0..NODES {
            let end = admin.at(from).get("/api/events?after=now").await.expect(200);
            let end = end.header("x-next-cursor").expect("a cursor").to_owned();
            let path = format!("/api/events?after={end}&types=customer.created&wait=30s");
            let readers: Vec<_> = (0..NODES)
                .map(|node| {
                    let (api, path) = (admin.at(node).clone(), path.clone());
                    tokio::spawn(async move { api.get(&path).await.expect(200) })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(300)).await;
            let made = sales.customer(from, &format!("{with_redis} {from}")).await.id();
            let begun = Instant::now();
            for reader in readers {
                let answer = reader.await.expect("an answer");
                assert_eq!(answer.items()[0]["subject"], json!(made));
            }
            assert!(begun.elapsed() < HEARD_WITHIN, "{:?}, redis: {with_redis}", begun.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_on_different_nodes_share_a_subscription_and_any_node_takes_the_acknowledgement() {
    let mut cluster = Cluster::start(NODES).await;
    let (admin, sales) = (cluster.staff.admin.clone(), cluster.staff.sales.clone());
    put(admin.at(0), "shared", json!({"types": ["customer.created"]})).await;
    let mut made = BTreeSet::new();
    for number in 0..60 {
        made.insert(sales.customer(number % NODES, &number.to_string()).await.id());
    }
    let reader = |node: usize| {
        let admin = admin.clone();
        async move {
            let mut read = Vec::new();
            while read.len() < 60 {
                let (lease, events) = lease(admin.at(node), "shared", "limit=5&wait=2s").await;
                let Some(lease) = lease else { break };
                read.extend(events);
                let body = json!({"lease": lease});
                // Through the next node than the one that has leased it.
                admin.at((node + 1) % NODES).post("/api/subscriptions/shared/ack", body).await.expect(200);
            }
            read
        }
    };
    let read = tokio::join!(reader(0), reader(1), reader(2));
    let read: Vec<Value> = [read.0, read.1, read.2].concat();
    let subjects: BTreeSet<_> =
        read.iter().map(|event| event["subject"].as_str().expect("an id").to_owned()).collect();
    assert_eq!((read.len(), subjects), (60, made), "each once");
    // A lease outlives the node that gave it.
    sales.customer(0, "last").await;
    let (held, events) = lease(admin.at(0), "shared", "").await;
    assert_eq!(events.len(), 1);
    cluster.kill(0);
    assert_eq!(lease(admin.at(1), "shared", "").await.0, None);
    let body = json!({"lease": held});
    admin.at(2).post("/api/subscriptions/shared/ack", body.clone()).await.expect(200);
    admin.at(1).post("/api/subscriptions/shared/ack", body).await.expect(200);
}
