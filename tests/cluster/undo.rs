//! Merges and undos of a cluster whose nodes are killed meanwhile: each ends, and every record is where the preview says.

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;

use crate::cluster::Cluster;

/// Records of each customer: enough that a node dies in the middle of them.
const MEETINGS: usize = 60;

async fn customer_with_meetings(cluster: &Cluster, name: &str) -> (String, Vec<String>) {
    let sales = &cluster.staff.sales;
    let customer = sales.customer(0, name).await.id();
    let made = (0..MEETINGS).map(|n| {
        let customer = customer.clone();
        async move {
            let meeting =
                json!({"customer_id": customer, "title": format!("{name} {n}"), "met_at": "2026-03-01T10:00:00Z"});
            sales.at(n % 3).post("/api/meetings", meeting).await.expect(201).id()
        }
    });
    let made = iter(made).buffer_unordered(8).collect().await;
    (customer, made)
}

async fn are_of(cluster: &Cluster, node: usize, meetings: &[String], customer: &str) {
    let sales = cluster.staff.sales.at(node);
    for id in meetings {
        let meeting = sales.get(&format!("/api/meetings/{id}")).await.expect(200);
        assert_eq!(meeting.text_at("/customer_id"), customer, "{meeting}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn merges_and_undos_end_as_foreseen_though_the_node_that_began_them_dies() {
    let mut cluster = Cluster::start(3).await;
    let (one, mine) = customer_with_meetings(&cluster, "甲").await;
    let (other, theirs) = customer_with_meetings(&cluster, "乙").await;
    cluster.integrity().await;
    let path = format!("/api/customers/{one}/merge");
    let merge = cluster.begin_and_kill(0, &path, json!({"other_id": other})).await;
    let merged = cluster.ended(1, &merge).await;
    assert_eq!(merged["steps"][0]["counts"], json!({"meetings": MEETINGS}));
    let gone = cluster.staff.sales.at(2).get(&format!("/api/customers/{other}")).await;
    assert_eq!(gone.expect_problem(404, "not_found").text_at("/merged_into"), one);
    are_of(&cluster, 1, &theirs, &one).await;
    cluster.restart(0).await;
    let undone = cluster.begin_and_kill(1, &format!("/api/sagas/{merge}/undo"), json!({})).await;
    let undone = cluster.ended(2, &undone).await;
    assert_eq!(undone["steps"][1]["counts"], json!({"meetings": MEETINGS}), "{undone}");
    are_of(&cluster, 0, &theirs, &other).await;
    are_of(&cluster, 0, &mine, &one).await;
    cluster.restart(1).await;
    let deletion = cluster.staff.sales.at(2).delete(&format!("/api/customers/{one}")).await.expect(200);
    let deletion = deletion.text_at("/saga/id");
    cluster.kill(2);
    cluster.ended(0, &deletion).await;
    cluster.restart(2).await;
    let back = cluster.begin_and_kill(0, &format!("/api/sagas/{deletion}/undo"), json!({})).await;
    let back = cluster.ended(1, &back).await;
    assert_eq!(back["steps"][1]["counts"], json!({"meetings": MEETINGS}), "{back}");
    are_of(&cluster, 2, &mine, &one).await;
    cluster.restart(0).await;
    cluster.integrity().await;
}
