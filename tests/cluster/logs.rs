//! One request in the logs of two nodes: its id is in the lines of both.

use serde_json::json;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::Plan;
use testing::{LogLine, eventually};

/// The first command to a customer panics, on the node that hosts customers; both nodes log each call that they answer.
fn plan() -> Plan {
    Plan::of(2)
        .services(0, "auth,sales,opportunity,analytics")
        .services(1, "customer")
        .set("KIZUNA_LOG_FORMAT", "json")
        .set("RUST_LOG", "info,kizuna_runtime::remote=debug")
        .set("KIZUNA_FAILPOINTS", "entity.execute=fail@1/customer.customer")
}

/// Waits for the line with this message that a node writes for a request.
async fn line(cluster: &mut Cluster, node: usize, request_id: &str, message: &str) -> LogLine {
    let node = cluster.node(node);
    eventually(SETTLED_WITHIN, async || {
        let is_it =
            |line: &LogLine| line.in_spans("request_id") == Some(request_id) && line.message() == message;
        node.log().into_iter().find(is_it).ok_or_else(|| format!("no {message:?} in {}", node.output()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_two_nodes_work_on_has_its_id_in_the_log_of_both() {
    let mut cluster = Cluster::of(plan()).await;
    let sales = cluster.staff.sales.at(0).clone();

    let command = sales.header("x-request-id", "a-command-elsewhere");
    command.post("/api/customers", json!({"name": "絆商事"})).await.expect_problem(503, "unavailable");
    let told = line(&mut cluster, 0, "a-command-elsewhere", "a request could not be served").await;
    assert_eq!((told.level(), told.in_spans("route")), ("WARN", Some("/api/customers")), "{told:?}");
    assert!(told.field("cause").contains("customer.customer"), "the cause came along: {told:?}");
    let panic = line(&mut cluster, 1, "a-command-elsewhere", "a thread panicked").await;
    let spans = ["service", "call", "kind"].map(|field| panic.in_spans(field));
    assert_eq!(spans, [Some("customer"), Some("CreateCustomer"), Some("customer.customer")], "{panic:?}");

    // A read has no context, but its lines have the request's id.
    let read = sales.header("x-request-id", "a-read-elsewhere");
    let nowhere = "/api/customers/01980000-0000-7000-8000-000000000000";
    read.get(nowhere).await.expect_problem(404, "not_found");
    let answered = line(&mut cluster, 1, "a-read-elsewhere", "answered a call of another node").await;
    assert_eq!(answered.field("code"), "not_found", "{answered:?}");
}
