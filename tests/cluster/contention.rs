//! One record is changed through all nodes at the same time.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use crate::cluster::Cluster;
use crate::staff::Known;
use testing::Api;

const NODES: usize = 3;
/// Clients of each node.
const CLIENTS: usize = 4;
/// Changes of each client.
const CHANGES: i64 = 20;
const ALL: i64 = NODES as i64 * CLIENTS as i64 * CHANGES;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_of_one_record_through_three_nodes_lose_no_update() {
    let cluster = Cluster::start(NODES).await;
    let sales = &cluster.staff.sales;
    let id = sales.customer(0, "絆商事").await.id();
    let path = format!("/api/customers/{id}");
    let plain = everybody(|node, client| changes(sales.at(node).clone(), path.clone(), client)).await;
    let versions: BTreeSet<i64> = plain.into_iter().flatten().collect();
    assert!(
        versions.into_iter().eq(2..=ALL + 1),
        "two changes were answered with one version, or one was lost"
    );
    let sequences = history(&cluster.staff.admin, &id).await;
    assert!(sequences.into_iter().eq(1..=ALL + 1), "the log has a gap, or an event twice");

    // A counter that clients build on `If-Match`.
    sales.at(1).patch(&path, json!({"notes": "0"})).await.expect(200);
    everybody(|node, _| increments(sales.at(node).clone(), path.clone())).await;
    for node in 0..NODES {
        let counter = sales.at(node).get(&path).await.expect(200).text_at("/notes");
        assert_eq!(counter, ALL.to_string(), "node {node}");
    }
    cluster.integrity().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_idempotency_key_sent_to_three_nodes_at_once_is_one_effect_and_one_answer() {
    let cluster = Cluster::start(NODES).await;
    let sales = &cluster.staff.sales;
    for round in 0..50 {
        let key = format!("key {round}");
        let send = |node: usize| {
            let api = sales.at(node).idempotency_key(&key);
            let body = json!({"name": format!("customer {round}")});
            async move {
                loop {
                    let answer = api.post("/api/customers", body.clone()).await;
                    // The same request is under way on another node: the client repeats it.
                    if answer.code() != Some("request_in_flight") {
                        return answer.expect(201);
                    }
                }
            }
        };
        let answers = join_all((0..2 * NODES).map(|n| send(n % NODES))).await;
        let bodies: BTreeSet<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
        assert_eq!(bodies.len(), 1, "round {round}: {bodies:?}");
        let replayed = |node: usize| answers[node].header("idempotency-replayed") == Some("true");
        assert_eq!((0..2 * NODES).filter(|n| !replayed(*n)).count(), 1, "round {round}: who was first?");
        let other = sales
            .at(round % NODES)
            .idempotency_key(&key)
            .post("/api/customers", json!({"name": "other"}))
            .await;
        other.expect_problem(422, "idempotency_key_reused");
    }
    let count = sales.at(0).get("/api/customers?limit=1&count=true").await;
    assert_eq!(count.header("x-total-count"), Some("50"));
    cluster.integrity().await;
}

/// Every client of every node at the same time.
async fn everybody<T, F: Future<Output = T>>(client: impl Fn(usize, usize) -> F) -> Vec<T> {
    join_all((0..NODES * CLIENTS).map(|n| client(n % NODES, n))).await
}

/// Changes without a condition; the versions that were answered.
async fn changes(api: Api, path: String, client: usize) -> Vec<i64> {
    let mut versions = Vec::new();
    for change in 0..CHANGES {
        let answer = api.patch(&path, json!({"notes": format!("{client} {change}")})).await.expect(200);
        versions.push(answer.version().expect("an ETag"));
    }
    versions
}

async fn increments(api: Api, path: String) {
    let mut done = 0;
    while done < CHANGES {
        let read = api.get(&path).await.expect(200);
        let counter: i64 = read.text_at("/notes").parse().expect("a number");
        let if_match = api.if_match(read.version().expect("an ETag"));
        let answer = if_match.patch(&path, json!({"notes": (counter + 1).to_string()})).await;
        match answer.status {
            200 => done += 1,
            412 => {}
            _ => panic!("{answer}"),
        }
    }
}

/// The versions of all events about a record.
async fn history(admin: &Known, id: &str) -> BTreeSet<i64> {
    let mut sequences = Vec::new();
    let mut next = Some(format!("/api/audit/events?subject={id}&limit=200"));
    while let Some(page) = next {
        let page = admin.at(2).get(&page).await.expect(200);
        sequences.extend(page.items().iter().map(|event| event["sequence"].as_i64().expect("a number")));
        next = page.next().map(ToOwned::to_owned);
    }
    let distinct: BTreeSet<i64> = sequences.iter().copied().collect();
    assert_eq!(distinct.len(), sequences.len(), "an event twice");
    distinct
}
