//! Partitions move to the nodes that are alive.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::plan::name_of;
use testing::eventually;

/// After a `kill -9`, when the lease must expire first.
const AFTER_A_KILL: Duration = Duration::from_secs(3);
/// After SIGTERM, which deletes the lease.
const AFTER_A_STOP: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slices_leave_a_node_that_is_killed_or_stopped_and_come_to_one_that_joins() {
    let mut cluster = Cluster::start(3).await;
    for node in 0..3 {
        shared_by(&cluster, node, &[0, 1, 2], SOON).await;
    }

    cluster.kill(1);
    let killed = Instant::now();
    shared_by(&cluster, 0, &[0, 2], AFTER_A_KILL).await;
    println!("slices of a killed node moved after {:?}", killed.elapsed());
    shared_by(&cluster, 2, &[0, 2], AFTER_A_KILL.saturating_sub(killed.elapsed())).await;

    cluster.restart(1).await;
    shared_by(&cluster, 0, &[0, 1, 2], SOON).await;

    cluster.node(2).signal("TERM");
    let stopped = Instant::now();
    shared_by(&cluster, 0, &[0, 1], AFTER_A_STOP).await;
    println!("slices of a stopped node moved after {:?}", stopped.elapsed());
    cluster.stopped(2).await;

    cluster.restart(2).await;
    for node in 0..3 {
        shared_by(&cluster, node, &[0, 1, 2], SOON).await;
    }
    for number in 0..30 {
        cluster.staff.sales.customer(number % 3, &format!("customer {number}")).await;
    }
    cluster.integrity().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_seen_with_its_name_address_and_services() {
    let cluster = Cluster::start(2).await;
    for node in 0..2 {
        let seen = cluster.seen_by(node).await.expect("a node that answers");
        let nodes = seen["nodes"].as_array().expect("a list");
        assert_eq!(nodes.len(), 2, "{seen}");
        for (other, reading) in nodes.iter().enumerate() {
            assert_eq!(reading["id"], name_of(other));
            assert_eq!(reading["self"], other == node, "{seen}");
            // Known from the first renewal on after it listens.
            eventually(SOON, async || {
                let seen = cluster.seen_by(node).await.expect("a node that answers");
                let address = seen["nodes"][other]["address"].as_str().unwrap_or_default().to_owned();
                if format!("http://{address}") == cluster.url(other) { Ok(()) } else { Err(seen.to_string()) }
            })
            .await;
            assert_eq!(reading["services"].as_array().map(Vec::len), Some(5), "{seen}");
        }
    }
}

/// Waits until this node sees that these nodes, and no others, work on partitions.
async fn shared_by(cluster: &Cluster, seen_by: usize, nodes: &[usize], within: Duration) {
    let expected: BTreeSet<String> = nodes.iter().map(|node| name_of(*node)).collect();
    eventually(within, async || {
        let owners = cluster.owners(seen_by).await;
        let distinct: BTreeSet<String> = owners.iter().cloned().collect();
        if distinct == expected { Ok(()) } else { Err(format!("{expected:?} was expected, but {owners:?}")) }
    })
    .await;
}
