//! Leases of a cluster's nodes, by PostgreSQL's clock.

use std::time::Duration;

use domain::service_name::ServiceName;
use kernel::ids::new_id;
use store::Db;
use store::leases as nodes;
use store::leases::Member;

use crate::common::begin;
use testing::{Postgres, TestDatabase, eventually};

const LONG: Duration = Duration::from_secs(60);

fn member(id: &str) -> Member {
    Member {
        id: id.into(),
        incarnation: new_id(),
        address: Some("127.0.0.1:8080".into()),
        services: vec![ServiceName::Auth.to_string(), ServiceName::Sales.to_string()],
        version: "1.2.3".into(),
        started_at: begin(),
    }
}

async fn names(db: &Db) -> Vec<String> {
    nodes::living(db).await.unwrap().into_iter().map(|member| member.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_lives_as_long_as_its_lease() {
    let db = TestDatabase::fresh(Postgres).migrated().await;
    let (a, b) = (member("a"), Member { address: None, ..member("b") });
    assert!(nodes::renew(&db, &b, LONG).await.unwrap());
    assert!(nodes::renew(&db, &a, Duration::from_millis(300)).await.unwrap());
    assert_eq!(nodes::living(&db).await.unwrap(), [a.clone(), b.clone()], "every field comes back");
    let left: Vec<Duration> = nodes::leases(&db).await.unwrap().iter().map(nodes::Lease::left).collect();
    assert!(left[0] <= Duration::from_millis(300) && left[1] > Duration::from_secs(50), "{left:?}");
    eventually(Duration::from_secs(5), async || names(&db).await == ["b"]).await;
    assert!(nodes::renew(&db, &a, LONG).await.unwrap(), "who was stopped for a while comes back");
    nodes::release(&db, &b).await.unwrap();
    assert_eq!(names(&db).await, ["a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_held_by_one_process_until_its_lease_runs_out() {
    let db = TestDatabase::fresh(Postgres).migrated().await;
    let (first, second) = (member("a"), member("a"));
    assert!(nodes::renew(&db, &first, Duration::from_millis(500)).await.unwrap());
    assert!(!nodes::renew(&db, &second, LONG).await.unwrap());
    nodes::release(&db, &second).await.unwrap();
    assert_eq!(
        nodes::living(&db).await.unwrap(),
        std::slice::from_ref(&first),
        "nobody gives up what is another's"
    );
    eventually(Duration::from_secs(5), async || nodes::renew(&db, &second, LONG).await.unwrap()).await;
    assert!(!nodes::renew(&db, &first, LONG).await.unwrap(), "it has been replaced");
    assert_eq!(nodes::living(&db).await.unwrap(), [second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_database_is_a_cluster_of_its_own() {
    let (one, other) = (TestDatabase::fresh(Postgres), TestDatabase::fresh(Postgres));
    let (one, other) = (one.migrated().await, other.migrated().await);
    let id = nodes::cluster(&one).await.unwrap();
    assert_eq!(nodes::cluster(&one).await.unwrap(), id);
    assert_ne!(nodes::cluster(&other).await.unwrap(), id);
}
