//! The only node of the customer service is gone or can't be reached: other services answer from their replicas. If it
//! can't be reached, its breaker opens, and closes when it is reached again.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::{Plan, name_of};
use crate::staff::meeting;
use testing::{Answer, eventually};

const OTHERS: &str = "auth,sales,opportunity,analytics";
const RESET: Duration = Duration::from_secs(2);
/// Enough for a breaker to open: `--breaker-volume` is five.
const MEETINGS: usize = 8;
/// No node is called, so the answer comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);

fn plan() -> Plan {
    let plan = Plan::of(3).services(0, OTHERS).services(1, OTHERS).services(2, "customer");
    plan.set("KIZUNA_BREAKER_RESET", "2s")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_is_recorded_from_the_replica_while_the_customer_service_has_no_node() {
    let mut cluster = Cluster::of(plan()).await;
    let sales = cluster.staff.sales.clone();
    let customer = sales.customer(0, "絆商事").await.id();
    cluster.integrity().await;

    cluster.kill(2);
    eventually(SETTLED_WITHIN, async || {
        let living = [cluster.living(0).await, cluster.living(1).await].concat();
        !living.is_empty() && !living.contains(&name_of(2))
    })
    .await;
    for number in 0..MEETINGS {
        for node in 0..2 {
            let (body, began) = (meeting(&customer, &format!("{number} at {node}")), Instant::now());
            sales.at(node).post("/api/meetings", body).await.expect(201);
            assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
        }
    }
    for node in 0..2 {
        // A missing node does not count as a failed call.
        let breaker = breaker(&cluster, node).await;
        assert_eq!((&breaker["state"], &breaker["failures"]), (&"closed".into(), &0.into()), "{breaker}");
        assert_ne!(source(&cluster, node).await, "live");
    }

    cluster.restart(2).await;
    cluster.all_alive().await;
    for node in 0..2 {
        sales.at(node).post("/api/meetings", meeting(&customer, "back")).await.expect(201);
        assert_eq!(source(&cluster, node).await, "live");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_meeting_is_recorded_from_the_replica_while_the_customer_service_is_not_reached() {
    let mut cluster = Cluster::of(plan()).await;
    let sales = cluster.staff.sales.clone();
    let customer = sales.customer(0, "絆商事").await.id();
    cluster.integrity().await;
    for node in 0..2 {
        assert_eq!(source(&cluster, node).await, "live");
        assert_eq!(breaker(&cluster, node).await["state"], "closed");
    }

    // Its node is alive, but no call reaches it.
    cluster.redis.pause();
    for number in 0..MEETINGS {
        for node in 0..2 {
            let body = meeting(&customer, &format!("{number} at {node}"));
            sales.at(node).post("/api/meetings", body).await.expect(201);
        }
    }
    // While the replica answers, the service is not called any more.
    let open = breaker(&cluster, 0).await;
    assert_ne!(open["state"], "closed", "{open}");
    eventually(SETTLED_WITHIN, async || {
        let before = breaker(&cluster, 0).await;
        sales.at(0).post("/api/meetings", meeting(&customer, "open")).await.expect(201);
        let after = breaker(&cluster, 0).await;
        let stopped = before["state"] == "open" && ended_calls(&before) == ended_calls(&after);
        if stopped { Ok(()) } else { Err(format!("{before} {after}")) }
    })
    .await;
    for node in 0..2 {
        assert_eq!(source(&cluster, node).await, "cached");
    }

    // The first call after the reset is let through as a probe: half open. It fails, and another must wait as long.
    let retry_at = breaker(&cluster, 0).await["retry_at"].clone();
    tokio::time::sleep(RESET).await;
    sales.at(0).post("/api/meetings", meeting(&customer, "probe")).await.expect(201);
    let opened = breaker(&cluster, 0).await;
    assert!(opened["state"] == "open" && opened["retry_at"] != retry_at, "{opened}");

    cluster.redis.resume();
    for node in 0..2 {
        eventually(SETTLED_WITHIN, async || {
            sales.at(node).post("/api/meetings", meeting(&customer, "back")).await.expect(201);
            let breaker = breaker(&cluster, node).await;
            if breaker["state"] == "closed" { Ok(()) } else { Err(breaker.to_string()) }
        })
        .await;
        eventually(SETTLED_WITHIN, async || source(&cluster, node).await == "live").await;
    }
}

/// The `source` of the customers' figures in the summary.
async fn source(cluster: &Cluster, node: usize) -> String {
    cluster
        .staff
        .manager
        .at(node)
        .get("/api/reports/sales-summary")
        .await
        .expect(200)
        .text_at("/customers/source")
}

async fn breakers(cluster: &Cluster, node: usize) -> Answer {
    cluster.staff.admin.at(node).get("/api/admin/breakers").await.expect(200)
}

/// The breaker of the customer service, as a node has it.
async fn breaker(cluster: &Cluster, node: usize) -> Value {
    let breakers = breakers(cluster, node).await;
    let customer = breakers.items().iter().find(|breaker| breaker["name"] == "breaker.customer");
    customer.unwrap_or_else(|| panic!("{breakers}")).clone()
}

/// How many calls through this breaker have succeeded and failed.
fn ended_calls(breaker: &Value) -> [Value; 2] {
    ["success", "failure"].map(|event| breaker["counters"][event].clone())
}
