//! A cluster that is restored from a backup beside the Redis of before: what waits there is of another log.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::leases;

use crate::plan::Plan;
use crate::staff::Known;
use testing::app::ADMIN;
use testing::live_client::{Client, name_of};
use testing::{Kizuna, Redis, TestDatabase, eventually, postgres, promises};

/// Two nodes on this database, and their addresses.
async fn nodes(database: &TestDatabase, redis: &Redis) -> (Vec<Kizuna>, Vec<String>) {
    let plan = Plan::of(2);
    let (mut nodes, mut urls) = (Vec::new(), Vec::new());
    for node in 0..2 {
        let (launch, url) = plan.launch(node, &database.url, &redis.url());
        nodes.push(launch.start().await);
        urls.push(url);
    }
    (nodes, urls)
}

async fn command(args: &[&str]) -> String {
    let mut ended = Kizuna::command(env!("CARGO_BIN_EXE_kizuna")).args(args.iter().copied()).spawn();
    let status = ended.wait_exit(std::time::Duration::from_secs(60)).await;
    assert!(status.success(), "{args:?}: {}", ended.output());
    ended.output()
}

/// How many streams of events the cluster of this database has in Redis.
async fn streams(redis: &Redis, database: &TestDatabase) -> String {
    let db = database.open().await;
    let id = leases::cluster(&db).await.expect("an id");
    db.close().await;
    redis.command(&["EVAL", &format!("return #redis.call('KEYS', 'kizuna:2:{id}:events:*')"), "0"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_cluster_takes_nothing_from_the_redis_of_before() {
    let fresh = || TestDatabase::of(postgres::server().fresh_database());
    let (old, redis) = (fresh(), Redis::start());
    let (mut running, urls) = nodes(&old, &redis).await;
    let admin = Known::sign_in(&urls, ADMIN).await;
    let manager = admin.hire(&urls, "MANAGER", "manager", None).await;
    let sales = admin.hire(&urls, "SALES", "sales", Some(&manager)).await;
    for n in 0..20 {
        sales.customer(n % 2, &format!("before {n}")).await;
    }
    let folder = tempfile::TempDir::with_prefix("kizuna-backup.").expect("a folder");
    let file = folder.path().join("a.backup");
    let file = file.to_str().expect("text");
    command(&["backup", file, "--database-url", &old.url]).await;
    // Entries with the numbers that the restored log gives next.
    for n in 0..60 {
        sales.customer(n % 2, &format!("lost {n}")).await;
    }
    let (_, cursor) = Client::at(manager.at(0), "/api/ws").await;
    for node in &mut running {
        node.kill_9();
    }
    let before = streams(&redis, &old).await;
    assert_ne!(before, ":0");

    let database = fresh();
    let said = command(&["restore", file, "--database-url", &database.url]).await;
    assert!(said.contains("up to event"), "{said}");
    let (_nodes, urls) = nodes(&database, &redis).await;
    let admin = Known::sign_in(&urls, ADMIN).await;
    let manager = Known::sign_in(&urls, &manager.email).await;
    let sales = Known::sign_in(&urls, &sales.email).await;
    let (mut socket, _) = Client::at(manager.at(1), &format!("/api/ws?cursor={cursor}")).await;
    socket.next("reset").await;
    let names: Vec<String> = (0..20).map(|n| format!("after {n}")).collect();
    for name in &names {
        sales.customer(0, name).await;
    }
    // The other node hears of these alone, and of each once.
    let mut heard = BTreeSet::new();
    for _ in &names {
        heard.insert(name_of(&socket.next("notification").await));
    }
    assert_eq!(heard, names.iter().cloned().collect());
    socket.assert_quiet().await;
    let db = database.open().await;
    eventually(crate::cluster::SETTLED_WITHIN, || promises::kept(&db)).await;
    db.close().await;
    let report = admin.at(1).get("/api/admin/integrity").await.expect(200);
    for consumer in report.body["consumers"].as_array().expect("an array") {
        let sound = ["lost", "duplicated", "out_of_order"].iter().all(|what| consumer[what] == json!(0));
        assert!(sound, "{consumer}");
    }
    let listed = sales.at(1).get("/api/customers?count=true&limit=200").await.expect(200);
    let is_lost = |item: &&Value| item["name"].as_str().is_some_and(|name| name.starts_with("lost"));
    assert_eq!((listed.items().len(), listed.items().iter().find(is_lost)), (40, None));
    assert_eq!(streams(&redis, &old).await, before, "what waits there still");
    assert_ne!(streams(&redis, &database).await, ":0", "and is not what the nodes exchange");
}
