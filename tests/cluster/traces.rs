//! One request on two nodes as one trace.

use serde_json::json;

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::Plan;
use testing::otlp::SpanKind;
use testing::{OtlpReceiver, ReceivedSpan, eventually};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// The one span of this name, kind and node below `parent`.
#[track_caller]
fn below<'a>(trace: &'a [ReceivedSpan], parent: &str, what: (&str, SpanKind, &str)) -> &'a ReceivedSpan {
    let (name, kind, node) = what;
    let is_it = |span: &&ReceivedSpan| {
        let on = span.resource.get("service.instance.id").map(String::as_str);
        (span.parent_id.as_str(), span.name.as_str(), span.kind, on) == (parent, name, kind, Some(node))
    };
    let found: Vec<_> = trace.iter().filter(is_it).collect();
    let [span] = found[..] else { panic!("{} spans {what:?} below {parent}: {trace:#?}", found.len()) };
    span
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_two_nodes_work_on_is_one_trace() {
    let receiver = OtlpReceiver::http().await;
    let plan = Plan::of(2)
        .services(0, "auth,sales,opportunity,analytics")
        .services(1, "customer")
        .set("KIZUNA_OTLP_ENDPOINT", &receiver.endpoint());
    let cluster = Cluster::of(plan).await;
    let sales = cluster.staff.sales.at(0).header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    sales.post("/api/customers", json!({"name": "絆商事"})).await.expect(201);

    let trace = eventually(SETTLED_WITHIN, async || {
        let trace = receiver.trace(TRACE);
        let awaited = ["POST /api/customers", "customer/CreateCustomer", "apply analytics.metrics"];
        let is_there = |name: &&str| trace.iter().any(|span| span.name == **name);
        let all = awaited.iter().all(is_there)
            && trace.iter().filter(|span| span.name == "customer/CreateCustomer").count() == 2;
        if all { Ok(trace) } else { Err(format!("{trace:#?}")) }
    })
    .await;
    let request = below(&trace, CALLER, ("POST /api/customers", SpanKind::Server, "node-1"));
    let asked = below(&trace, &request.span_id, ("customer/CreateCustomer", SpanKind::Client, "node-1"));
    let answered = below(&trace, &asked.span_id, ("customer/CreateCustomer", SpanKind::Server, "node-2"));
    let message = below(&trace, &answered.span_id, ("CreateCustomer customer", SpanKind::Internal, "node-2"));
    let commit = below(&trace, &message.span_id, ("COMMIT", SpanKind::Client, "node-2"));
    // The figures are kept where analytics is, from the event that came through the log.
    below(&trace, &commit.span_id, ("apply analytics.metrics", SpanKind::Consumer, "node-1"));
}
