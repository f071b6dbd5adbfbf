//! PostgreSQL crashes or hangs under load and comes back.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::ledger::some;
use crate::load::Load;
use crate::plan::Plan;
use crate::watcher::Watcher;
use testing::{eventually, postgres};

/// How long the load runs before the outage.
const BEFORE: Duration = Duration::from_secs(2);
/// The longest that a request may wait for the database.
const ANSWERED_WITHIN: Duration = Duration::from_secs(6);

/// What happens to PostgreSQL and for how long, and how it is restored.
type Outage = (fn(&mut postgres::Server), Duration, fn(&mut postgres::Server));
const CRASH: Outage = (postgres::Server::crash, Duration::from_secs(3), postgres::Server::recover);
/// Longer than any request may wait for it.
const HANG: Outage = (postgres::Server::pause, Duration::from_secs(7), postgres::Server::resume);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_postgresql_is_503_until_it_is_back_and_no_node_needs_a_restart() {
    under_load(Plan::of(3), &[CRASH, CRASH]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgresql_hangs_calls_between_nodes_end_as_soon() {
    let plan = Plan::of(2).services(0, "auth,customer").services(1, "sales,opportunity,analytics");
    // The outage opens breakers; the half minute for which they stay open is not part of the test.
    under_load(plan.set("KIZUNA_BREAKER_RESET", "1s"), &[HANG]).await;
}

async fn under_load(plan: Plan, outages: &[Outage]) {
    let mut cluster = Cluster::of(plan.own_postgres()).await;
    let nodes = cluster.size();
    let pids: Vec<u32> = (0..nodes).map(|node| cluster.node(node).pid()).collect();
    let watcher = Watcher::start(&cluster.staff.manager, cluster.urls()).await;
    let load = Load::with_limit(&cluster, 3, Duration::from_millis(30), ANSWERED_WITHIN);
    for (number, (begin, away, end)) in outages.iter().enumerate() {
        tokio::time::sleep(BEFORE).await;
        begin(cluster.postgres.as_mut().expect("an own one"));
        join_all((0..nodes).map(|node| refuses(&cluster, node))).await;
        tokio::time::sleep(*away).await;
        end(cluster.postgres.as_mut().expect("an own one"));
        let name = |node| format!("after outage {number} through node {node}");
        join_all((0..nodes).map(|node| serves(&cluster, node, name(node)))).await;
    }
    tokio::time::sleep(BEFORE).await;
    let ledger = load.stop().await;
    assert!(ledger.silent.is_empty(), "not 503 with Retry-After: {}", some(&ledger.silent));
    for (node, pid) in pids.into_iter().enumerate() {
        assert!(cluster.is_running(node) && cluster.node(node).pid() == pid, "node {node} was lost");
    }
    cluster.all_alive().await;
    cluster.integrity().await;
    watcher.all_received(&cluster).await;
    ledger.is_kept(&cluster).await;
}

/// A write while there is no database.
async fn refuses(cluster: &Cluster, node: usize) {
    let body = Some(json!({"name": "nowhere"}));
    let sent = cluster.staff.sales.at(node).attempt(Method::POST, "/api/customers", body);
    let answer =
        tokio::time::timeout(ANSWERED_WITHIN, sent).await.expect("an answer in time").expect("an answer");
    let answer = answer.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert_eq!(cluster.nobody(node).get("/readyz").await.status, 503);
    assert_eq!(cluster.nobody(node).get("/healthz").await.status, 200);
}

/// Waits until this node writes again.
async fn serves(cluster: &Cluster, node: usize, name: String) {
    let sales = cluster.staff.sales.at(node).idempotency_key(&name);
    eventually(SETTLED_WITHIN, async || match sales.post("/api/customers", json!({"name": name})).await {
        answer if answer.status == 201 => Ok(()),
        answer => Err(answer.to_string()),
    })
    .await;
}
