//! Sessions, roles and the login throttle hold on every node (SPEC §8.6).

use std::time::Duration;

use serde_json::json;

use crate::cluster::Cluster;
use crate::staff::Known;
use testing::app::PASSWORD;
use testing::eventually;
use testing::live_client::Client;

/// The limit on the nodes where the change was not made.
const WITHIN: Duration = Duration::from_secs(1);
const NODES: usize = 3;
/// The default of `--login-rate`.
const GUESSES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_session_holds_on_every_node_within_a_second_also_without_redis() {
    let mut cluster = Cluster::start(NODES).await;
    for (redis, done_at) in [("with Redis", 0), ("with Redis", 1), ("without Redis", 2)] {
        if redis == "without Redis" {
            cluster.redis.stop();
        }
        let [out, lowered, changed, deleted] =
            ["out", "lowered", "changed", "deleted"].map(|name| format!("{name}-{done_at}"));
        let out = hire(&cluster, &out).await;
        let lowered = hire(&cluster, &lowered).await;
        let changed = hire(&cluster, &changed).await;
        let elsewhere = Known::sign_in(&cluster.urls(), &changed.email).await;
        let deleted = hire(&cluster, &deleted).await;
        let mut sockets = Vec::new();
        for node in 0..NODES {
            // Every node knows them by now.
            for who in [&out, &lowered, &changed, &elsewhere, &deleted] {
                who.at(node).get("/api/audit/events?limit=1").await.expect(200);
            }
            for who in [&out, &elsewhere, &deleted] {
                sockets.push(Client::of(who.at(node)).await);
            }
        }
        let admin = cluster.staff.admin.at(done_at);

        out.at(done_at).post("/api/auth/logout", json!({})).await.expect(204);
        holds(&out, done_at, 401, "logout").await;

        admin.patch(&format!("/api/auth/users/{}", lowered.id), json!({"role": "SALES"})).await.expect(200);
        holds(&lowered, done_at, 403, "a lowered role").await;

        let passwords = json!({"current_password": PASSWORD, "new_password": "another one"});
        changed.at(done_at).post("/api/auth/password", passwords).await.expect(204);
        holds(&elsewhere, done_at, 401, "a changed password").await;
        holds(&changed, done_at, 200, "one's own session after a change of password").await;

        admin.delete(&format!("/api/auth/users/{}", deleted.id)).await.expect(200);
        holds(&deleted, done_at, 401, "a deletion").await;

        for socket in &mut sockets {
            assert_eq!(socket.closed().await, 4401, "{redis}");
        }
    }
    cluster.redis.restart_empty();
    cluster.integrity().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_stops_on_every_node_within_a_second_also_without_redis() {
    let mut cluster = Cluster::start(NODES).await;
    for done_at in 0..NODES {
        if done_at == 2 {
            cluster.redis.stop();
        }
        let admin = cluster.staff.admin.at(done_at);
        let body = json!({"name": "連携", "scopes": ["customers:read"], "role": "ADMIN"});
        let made = admin.post("/api/api-keys", body).await.expect(201);
        let (id, text) = (made.id(), made.text_at("/key"));
        let by_key = |node: usize| cluster.nobody(node).token(&text);
        for node in 0..NODES {
            by_key(node).get("/api/customers?limit=1").await.expect(200);
        }
        let mut socket = Client::of(&by_key((done_at + 1) % NODES)).await;
        admin.delete(&format!("/api/api-keys/{id}")).await.expect(200);
        by_key(done_at).get("/api/customers?limit=1").await.expect_problem(401, "key_revoked");
        for node in 0..NODES {
            eventually(WITHIN, async || match by_key(node).get("/api/customers?limit=1").await {
                answer if answer.status == 401 => Ok(()),
                answer => Err(format!("revoked at {done_at}, on node {node}: {answer}")),
            })
            .await;
        }
        assert_eq!(socket.closed().await, 4401);
    }
    cluster.redis.restart_empty();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_of_a_password_are_counted_over_all_nodes() {
    let cluster = Cluster::start(NODES).await;
    let email = &cluster.staff.sales.email;
    for guess in 0..GUESSES {
        let wrong = json!({"email": email, "password": format!("guess {guess}")});
        cluster
            .nobody(guess % NODES)
            .post("/api/auth/login", wrong)
            .await
            .expect_problem(401, "invalid_credentials");
    }
    for node in 0..NODES {
        let right = json!({"email": email, "password": PASSWORD});
        let refused = cluster.nobody(node).post("/api/auth/login", right).await.expect(429);
        assert!(refused.header("retry-after").is_some(), "{refused}");
    }
    // Another user can sign in.
    let other = json!({"email": cluster.staff.manager.email, "password": PASSWORD});
    cluster.nobody(1).post("/api/auth/login", other).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_good_once_whichever_node_it_is_shown_to() {
    let cluster = Cluster::start(NODES).await;
    let login = json!({"email": cluster.staff.sales.email, "password": PASSWORD});
    let mut signed_in = cluster.nobody(0).post("/api/auth/login", login).await.expect(200);
    let first = signed_in.text_at("/refresh_token");
    for node in [1, 2, 0, 1] {
        let token = json!({"refresh_token": signed_in.text_at("/refresh_token")});
        signed_in = cluster.nobody(node).post("/api/auth/refresh", token).await.expect(200);
    }
    cluster.nobody(2).post("/api/auth/refresh", json!({"refresh_token": first})).await.expect(401);
    // The whole family is gone.
    let last = json!({"refresh_token": signed_in.text_at("/refresh_token")});
    cluster.nobody(0).post("/api/auth/refresh", last).await.expect(401);
}

/// A MANAGER: may read the audit log.
async fn hire(cluster: &Cluster, name: &str) -> Known {
    cluster.staff.admin.hire(&cluster.urls(), "MANAGER", name, None).await
}

/// At once on the node of the change, within the limit on the others.
async fn holds(who: &Known, done_at: usize, status: u16, what: &str) {
    who.at(done_at).get("/api/audit/events?limit=1").await.expect(status);
    for node in 0..who.nodes() {
        eventually(WITHIN, async || match who.at(node).get("/api/audit/events?limit=1").await {
            answer if answer.status == status => Ok(()),
            answer => Err(format!("{what}, done at {done_at}, on node {node}: {answer}")),
        })
        .await;
    }
}
