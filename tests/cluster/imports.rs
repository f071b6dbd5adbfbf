//! Imports and changes of many, in a cluster whose nodes are killed meanwhile: each row and each record once.

use serde_json::json;

use crate::cluster::Cluster;
use testing::upload::{form, send};

/// Rows of each file: two batches and some, so that a node dies in the middle of them.
const ROWS: usize = 410;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_and_bulk_changes_end_as_foreseen_though_the_node_that_began_them_dies() {
    let mut cluster = Cluster::start(3).await;
    let mut imported = Vec::new();
    for node in 0..3 {
        let import = previewed(&cluster, node).await;
        let saga = cluster.begin_and_kill(node, &format!("/api/imports/{import}/commit"), json!({})).await;
        let next = (node + 1) % 3;
        let ended = cluster.ended(next, &saga).await;
        assert_eq!((&ended["bulk"]["changed"], &ended["bulk"]["refused"]), (&json!(ROWS), &json!(0)));
        cluster.restart(node).await;
        assert_eq!(count(&cluster, node, "q=組").await, ROWS * (node + 1));
        imported.push(saga);
    }
    let change = json!({"filter": {"q": "組1"}, "change": {"status": "DORMANT"}});
    let changed = cluster.begin_and_kill(1, "/api/customers/bulk", change).await;
    assert_eq!(cluster.ended(2, &changed).await["bulk"]["changed"], json!(ROWS));
    cluster.restart(1).await;
    assert_eq!(count(&cluster, 1, "status=DORMANT").await, ROWS);
    let undone = cluster.begin_and_kill(2, &format!("/api/sagas/{}/undo", imported[0]), json!({})).await;
    assert_eq!(cluster.ended(0, &undone).await["bulk"]["changed"], json!(ROWS));
    cluster.restart(2).await;
    assert_eq!(count(&cluster, 2, "q=組").await, 2 * ROWS);
    cluster.integrity().await;
}

/// Uploads a file of new customers to a node; the import's id.
async fn previewed(cluster: &Cluster, node: usize) -> String {
    let rows = (0..ROWS).map(|n| format!("組{node} 番{n},c{n}@{node}.example.com\n"));
    let file = format!("name,email\n{}", rows.collect::<String>());
    let form = form(&[("kind", "customers")], "a.csv", file.as_bytes());
    let import = send(cluster.staff.sales.at(node), "/api/imports", form).await.expect(201);
    assert_eq!(import.body["counts"], json!({"new": ROWS, "changed": 0, "same": 0, "wrong": 0}));
    import.id()
}

/// How many customers a node lists.
async fn count(cluster: &Cluster, node: usize, filter: &str) -> usize {
    let list = cluster
        .staff
        .sales
        .at(node)
        .get(&format!("/api/customers?limit=1&count=true&{filter}"))
        .await
        .expect(200);
    list.header("x-total-count").and_then(|total| total.parse().ok()).unwrap_or_else(|| panic!("{list}"))
}
