//! Services on chosen nodes: the whole API through each of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cluster::{Cluster, SETTLED_WITHIN};
use crate::plan::Plan;
use crate::staff::{Known, approval, meeting, task};
use testing::app::PASSWORD;
use testing::eventually;
use testing::live_client::Client;

/// Which node hosts what.
const PARTS: [&str; 3] = ["auth", "customer,sales", "opportunity,analytics"];

/// SPEC §8.6, on every node but the one where it was done.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

fn plan() -> Plan {
    PARTS
        .iter()
        .enumerate()
        .fold(Plan::of(PARTS.len()), |plan, (node, services)| plan.services(node, services))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_api_works_through_every_node_whatever_it_hosts() {
    let cluster = Cluster::of(plan()).await;
    for node in 0..PARTS.len() {
        everything(&cluster, node).await;
    }
    cluster.integrity().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_node_says_what_it_hosts_and_works_on_that_alone() {
    let cluster = Cluster::of(plan()).await;
    for node in 0..PARTS.len() {
        let seen = cluster.seen_by(node).await.expect("a node that answers");
        for (other, services) in PARTS.iter().enumerate() {
            let shown = seen["nodes"][other]["services"].as_array().expect("a list");
            let shown: Vec<&str> = shown.iter().filter_map(Value::as_str).collect();
            assert_eq!(shown.join(","), *services, "{seen}");
        }
        for consumer in seen["consumers"].as_array().expect("a list") {
            let name = consumer["name"].as_str().expect("a name");
            let service = name.split('.').next().expect("a service");
            let workers: Vec<&String> = consumer["nodes"].as_object().expect("an object").keys().collect();
            match PARTS.iter().position(|services| services.contains(service)) {
                Some(host) => assert_eq!(workers, [&format!("node-{}", host + 1)], "{name}"),
                None => assert_eq!(workers.len(), PARTS.len(), "{name} runs everywhere: {workers:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_where_auth_is_elsewhere_ends_within_a_second_of_its_session() {
    let cluster = Cluster::of(plan()).await;
    for nth in 0..6 {
        let who = cluster.staff.admin.hire(&cluster.urls(), "MANAGER", &format!("socket-{nth}"), None).await;
        let mut sockets = [Client::of(who.at(1)).await, Client::of(who.at(2)).await];
        // At another moment between two looks each time.
        tokio::time::sleep(Duration::from_millis(700 + 83 * nth)).await;
        who.at(0).post("/api/auth/logout", json!({})).await.expect(204);
        let over = Instant::now();
        for socket in &mut sockets {
            assert_eq!(socket.closed().await, 4401);
            assert!(over.elapsed() < ENDS_WITHIN, "after {:?} (SPEC §8.6)", over.elapsed());
        }
    }
}

/// Each service, read and written through one node.
async fn everything(cluster: &Cluster, node: usize) {
    let [admin, manager, sales] = [&cluster.staff.admin, &cluster.staff.manager, &cluster.staff.sales];
    let mut socket = Client::of(manager.at(node)).await;
    let customer = sales.customer(node, &format!("絆商事 {node}")).await.id();
    let told = socket.next("notification").await;
    assert_eq!(told["notification"]["subject"]["id"], *customer);
    let (admin, manager, sales) = (admin.at(node), manager.at(node), sales.at(node));

    // customer
    let path = format!("/api/customers/{customer}");
    sales.patch(&path, json!({"status": "ACTIVE"})).await.expect(200);
    sales.if_match(1).patch(&path, json!({"status": "LEAD"})).await.expect(412);
    sales.patch(&path, json!({"name": ""})).await.expect_problem(422, "invalid_fields");
    assert!(
        sales.get(&format!("/api/customers?q=絆商事 {node}&count=true")).await.expect(200).items().len() == 1
    );
    for path in ["/api/customers/stats", "/api/meetings/stats", "/api/tasks/stats", "/api/approvals/stats"] {
        sales.get(path).await.expect(200);
    }
    sales.get("/api/customers/01980000-0000-7000-8000-000000000000").await.expect_problem(404, "not_found");

    // sales, which asks customer and auth
    let made =
        sales.post("/api/meetings", meeting(&customer, &format!("商談 {node}"))).await.expect(201).id();
    sales.patch(&format!("/api/meetings/{made}"), json!({"outcome": "合意"})).await.expect(200);
    let done = sales.post("/api/tasks", task(&format!("見積 {node}"))).await.expect(201).id();
    sales.patch(&format!("/api/tasks/{done}"), json!({"status": "DONE"})).await.expect(200);
    let nowhere = meeting("01980000-0000-7000-8000-000000000000", "商談");
    sales.post("/api/meetings", nowhere).await.expect_problem(404, "customer_not_found");

    // opportunity
    let asked =
        sales.post("/api/approvals", approval(&customer, &format!("値引 {node}"))).await.expect(201).id();
    manager.patch(&format!("/api/approvals/{asked}/approve"), json!({})).await.expect(200);
    manager
        .patch(&format!("/api/approvals/{asked}/reject"), json!({"comment": "遅い"}))
        .await
        .expect_problem(409, "approval_not_pending");

    // analytics
    let unread = manager.get("/api/notifications/unread").await.expect(200);
    let first = unread.items()[0]["id"].as_str().expect("an id").to_owned();
    manager.patch(&format!("/api/notifications/{first}/read"), json!({})).await.expect(200);
    let summary = manager.get("/api/reports/sales-summary").await.expect(200);
    for section in ["customers", "meetings", "tasks", "approvals"] {
        assert_eq!(summary.body[section]["source"], "live", "node {node}: {summary}");
    }
    manager.get("/api/reports/metrics").await.expect(200);
    sales.get(&format!("{path}/activity")).await.expect(200);

    // auth, and the sagas that ask all
    let email = format!("user-{node}@example.com");
    let user = json!({"email": email, "name": "someone", "role": "SALES", "password": PASSWORD});
    let user = admin.post("/api/auth/users", user).await.expect(201).id();
    let someone = Known::sign_in(&cluster.urls()[node..=node], &email).await;
    someone.customer(0, &format!("引継 {node}")).await;
    assert_eq!(someone.at(0).get("/api/auth/me").await.expect(200).id(), user);
    let preview = admin.get(&format!("/api/auth/users/{user}/deletion-preview")).await.expect(200);
    assert!(preview.text.contains("\"customers\":1"), "{preview}");
    let ended = async |saga: String| {
        eventually(SETTLED_WITHIN, async || match admin.get(&format!("/api/sagas/{saga}")).await {
            answer if answer.body["status"] == "completed" => Ok(saga.clone()),
            answer => Err(answer.to_string()),
        })
        .await
    };
    let other =
        sales.post("/api/customers", json!({"name": format!("別会社 {node}")})).await.expect(201).id();
    sales.get(&format!("/api/customers/{other}/matches")).await.expect(200);
    let merge = sales.post(&format!("{path}/merge"), json!({"other_id": other})).await.expect(202);
    let merge = ended(merge.text_at("/saga/id")).await;
    let undone = sales.post(&format!("/api/sagas/{merge}/undo"), json!({})).await.expect(202);
    ended(undone.text_at("/saga/id")).await;
    sales.get(&format!("/api/customers/{other}")).await.expect(200);
    for (path, is_undone) in [(format!("/api/auth/users/{user}"), true), (path, false)] {
        let saga = ended(admin.delete(&path).await.expect(200).text_at("/saga/id")).await;
        if is_undone {
            let undone = admin.post(&format!("/api/sagas/{saga}/undo"), json!({})).await.expect(202);
            let undone = ended(undone.text_at("/saga/id")).await;
            let again = admin.post(&format!("/api/sagas/{undone}/undo"), json!({})).await.expect(202);
            ended(again.text_at("/saga/id")).await;
        }
    }
    someone.at(0).get("/api/auth/me").await.expect(401);
    sales.get(&format!("/api/meetings/{made}")).await.expect(404);
}
