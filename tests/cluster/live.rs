//! Notifications across nodes (SPEC §6): created, received and resumed on any node.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::cluster::Cluster;
use crate::staff;
use testing::Api;
use testing::live_client::{Client, cursor_of, name_of};

const NODES: usize = 3;
const FOLLOWED: &str = "/api/ws?topics=customers,meetings,tasks";
/// The slowest of a quiet cluster; a debug build on a machine that does other things, too.
const HEARD_WITHIN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_on_any_node_gets_what_was_made_through_any_other_in_order() {
    let cluster = Cluster::start(NODES).await;
    let (manager, sales) = (&cluster.staff.manager, &cluster.staff.sales);
    let mut sockets = Vec::new();
    for node in 0..NODES {
        sockets.push(Client::of(manager.at(node)).await);
    }
    let mut waits = Vec::new();
    for number in 0..30 {
        let name = format!("customer {number}");
        sales.customer(number % NODES, &name).await;
        let made = Instant::now();
        for socket in &mut sockets {
            assert_eq!(name_of(&socket.next("notification").await), name);
            waits.push(made.elapsed());
        }
    }
    waits.sort_unstable();
    println!(
        "answered to heard on three nodes: median {:?}, worst {:?}",
        waits[waits.len() / 2],
        waits[waits.len() - 1]
    );
    assert!(waits[waits.len() - 1] < HEARD_WITHIN, "{waits:?}");
    for socket in &mut sockets {
        socket.assert_quiet().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_goes_on_at_another_node_with_nothing_missed_and_nothing_twice() {
    let mut cluster = Cluster::start(NODES).await;
    let (manager, sales) = (cluster.staff.manager.clone(), cluster.staff.sales.clone());
    let mut socket = Client::of(manager.at(0)).await;
    for number in 0..10 {
        sales.customer(number % NODES, &number.to_string()).await;
    }
    // Their consumers run on three nodes: notifications may be made in another order than the customers.
    let (mut cursors, mut order) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let frame = socket.next("notification").await;
        order.push(name_of(&frame));
        cursors.push(cursor_of(&frame));
    }
    drop(socket);
    // Its node dies, too; and more happens before the client is back.
    cluster.kill(0);
    for number in 10..20 {
        sales.customer(1 + number % 2, &number.to_string()).await;
    }
    order.extend(resume(manager.at(1), &cursors[9], 10).await);
    let distinct: BTreeSet<&String> = order.iter().collect();
    assert_eq!((order.len(), distinct.len()), (20, 20), "something came twice: {order:?}");
    for node in [1, 2] {
        for heard in [0, 4, 9] {
            let rest = resume(manager.at(node), &cursors[heard], 20 - heard - 1).await;
            assert_eq!(rest, order[heard + 1..], "node {node}, after {heard}");
        }
    }
    cluster.restart(0).await;
    assert_eq!(resume(manager.at(0), &cursors[4], 15).await, order[5..]);
    cluster.integrity().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_shows_the_commits_of_all_nodes_in_one_order_live_and_resumed() {
    let cluster = Cluster::start(NODES).await;
    let (admin, sales) = (&cluster.staff.admin, &cluster.staff.sales);
    let (mut sockets, mut cursor) = (Vec::new(), String::new());
    for node in 0..NODES {
        let (socket, begin) = Client::at(admin.at(node), FOLLOWED).await;
        sockets.push(socket);
        cursor = begin;
    }
    // One after another, each through another node than the one before: the order is known.
    let mut did = Vec::new();
    for number in 0..10 {
        let customer = sales.customer(number % NODES, &number.to_string()).await.id();
        let node = sales.at((number + 1) % NODES);
        let meeting =
            node.post("/api/meetings", staff::meeting(&customer, &number.to_string())).await.expect(201).id();
        let node = sales.at((number + 2) % NODES);
        did.extend([
            customer,
            meeting,
            node.post("/api/tasks", staff::task(&number.to_string())).await.expect(201).id(),
        ]);
    }
    // At the same time through every node: the order is what the nodes make it.
    join_all((0..NODES).map(|node| async move {
        for number in 0..20 {
            sales.customer(node, &format!("{node} {number}")).await;
        }
    }))
    .await;
    let count = did.len() + NODES * 20;
    let mut orders = Vec::new();
    for socket in &mut sockets {
        orders.push(subjects(socket, count).await);
    }
    for node in 0..NODES {
        let path = format!("{FOLLOWED}&cursor={cursor}");
        let (mut socket, _) = Client::at(admin.at(node), &path).await;
        orders.push(subjects(&mut socket, count).await);
    }
    for order in &orders {
        assert_eq!(order[..did.len()], did, "what was done one after another");
        assert_eq!(*order, orders[0]);
    }
    cluster.integrity().await;
}

/// The subjects of the next `count` events, which are all that come.
async fn subjects(socket: &mut Client, count: usize) -> Vec<String> {
    let mut subjects = Vec::new();
    while subjects.len() < count {
        let frame = socket.frame().await;
        if frame["type"] == "event" {
            subjects.push(frame["event"]["subject"].as_str().expect("a subject").to_owned());
        }
    }
    socket.assert_quiet().await;
    subjects
}

/// The customers of the next `count` notifications after this cursor.
async fn resume(api: &Api, cursor: &str, count: usize) -> Vec<String> {
    let (mut socket, begins) = Client::at(api, &format!("/api/ws?cursor={cursor}")).await;
    assert_eq!(begins, cursor);
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(name_of(&socket.next("notification").await));
    }
    socket.assert_quiet().await;
    names
}
