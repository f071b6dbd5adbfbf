//! Webhooks while a node dies: what it would have sent, another sends.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::Plan;
use testing::{Receiver, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_node_dies_every_event_is_sent_and_in_order_by_the_others() {
    let plan = Plan::of(3).set("KIZUNA_WEBHOOK_ALLOW_PRIVATE", "true");
    let mut cluster = Cluster::of(plan).await;
    let receiver = Receiver::start().await;
    let webhook = json!({"url": receiver.url(), "event_types": ["customer.created", "customer.updated"]});
    cluster.staff.admin.at(0).post("/api/webhooks", webhook).await.expect(201);
    let mut customers = Vec::new();
    for n in 0..60 {
        // A third through each node, and then through those that live.
        let node = if n < 20 { n % 3 } else { n % 2 };
        let sales = cluster.staff.sales.at(node);
        let id = sales.post("/api/customers", json!({"name": format!("顧客 {n}")})).await.expect(201).id();
        sales.patch(&format!("/api/customers/{id}"), json!({"company": "絆"})).await.expect(200);
        customers.push(id);
        if n == 20 {
            cluster.kill(2);
        }
    }
    eventually(SETTLED_WITHIN, async || {
        let mut first: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for one in receiver.received() {
            let subject = one.body["subject"].as_str().unwrap_or_default().to_owned();
            let sequence = one.body["sequence"].as_i64().unwrap_or_default();
            let of = first.entry(subject).or_default();
            if !of.contains(&sequence) {
                of.push(sequence);
            }
        }
        match customers.iter().find(|id| first.get(*id).is_none_or(|of| *of != [1, 2])) {
            Some(id) => Err(format!("{id}: {:?}", first.get(id))),
            None => Ok(()),
        }
    })
    .await;
}
