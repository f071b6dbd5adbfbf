//! Due alerts with three nodes (SPEC §5, flow 5).

use std::time::Duration;

use serde_json::json;
use store::Db;
use store::sql::Sql;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::Plan;
use testing::eventually;

const ROUNDS: usize = 12;
const TASKS_A_ROUND: usize = 10;
/// Long overdue.
const DUE: &str = "2020-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_alerts_once_however_often_the_scheduling_node_is_killed() {
    let mut cluster = Cluster::of(Plan::of(3).set("KIZUNA_DUE_SCAN_EVERY", "1s")).await;
    let mut tasks = Vec::new();
    for round in 0..ROUNDS {
        for number in 0..TASKS_A_ROUND {
            let task = json!({"title": format!("task {round}.{number}"), "due_at": DUE});
            let made = cluster.staff.sales.at(number % 3).post("/api/tasks", task).await.expect(201);
            tasks.push(made.id());
        }
        // Three nodes, a scan each second: in the end a node is killed during its scan.
        tokio::time::sleep(Duration::from_millis(370 * (round as u64 % 3))).await;
        cluster.kill(round % 3);
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.restart(round % 3).await;
    }
    let db = cluster.open().await;
    eventually(SETTLED_WITHIN, async || {
        let alerted = count(&db, "DISTINCT subject) AS TEXT) FROM events WHERE type = 'task.due_soon'").await;
        if alerted == tasks.len() as i64 {
            Ok(())
        } else {
            Err(format!("{alerted} of {} alerts", tasks.len()))
        }
    })
    .await;
    // Two more scans find nothing.
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.integrity().await;
    for (what, sql) in [
        ("alerts", "*) AS TEXT) FROM events WHERE type = 'task.due_soon'"),
        ("notifications", "*) AS TEXT) FROM notifications WHERE kind = 'task.due_soon'"),
        ("tasks told of", "DISTINCT subject_id) AS TEXT) FROM notifications WHERE kind = 'task.due_soon'"),
    ] {
        assert_eq!(count(&db, sql).await, tasks.len() as i64, "{what}");
    }
    db.close().await;
}

async fn count(db: &Db, what: &str) -> i64 {
    db.number(Sql::new(format!("SELECT CAST(count({what}"))).await.expect("a table")
}
