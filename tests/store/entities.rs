//! Aggregates: one message after another, bounded in number, passivated when idle, and fenced between nodes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::customer::record::Customer;
use domain::customer::record::{CustomerChanges, NewCustomer};
use domain::customer::rules::{CustomerCommand, check_changes, check_new};
use futures_util::future::join_all;
use kernel::context::{Context, IdempotencyClaim, Versions};
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kizuna::actors::customer::aggregate::CustomerAggregate;
use rstest::rstest;
use runtime::entity::{Aggregate, Entities};
use store::Db;
use store::log;
use store::log::AuditFilter;

use crate::common::{count, stored};
use crate::node::{Fixture, Node, run};
use testing::{Database, Postgres, Sqlite, eventually};

const WITHIN: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(60);
const MANY: usize = 10_000;
const KIND: &str = CustomerAggregate::KIND;

type Customers = Entities<CustomerAggregate>;
type Answer = Result<Arc<Customer>, Error>;

async fn create(customers: &Customers, id: Id) -> Answer {
    create_under(customers, id, None).await
}

/// Under this idempotency key, if any.
async fn create_under(customers: &Customers, id: Id, key: Option<&str>) -> Answer {
    let claim = key.map(|key| IdempotencyClaim {
        id: key.to_owned(),
        fingerprint: "f".to_owned(),
        status: 201,
        location: Some("/api/customers".into()),
    });
    let new = NewCustomer { name: "new".to_owned(), ..NewCustomer::default() };
    let new = check_new(new).expect("a right customer");
    let context = Context { claim, ..Context::system() };
    customers.create(id, CustomerCommand::Create(new), context).await
}

/// Gives the customer this name, if it still has the version.
async fn rename(customers: &Customers, id: Id, name: &str, if_match: Option<i64>) -> Answer {
    let changes = CustomerChanges { name: Some(name.to_owned()), ..CustomerChanges::default() };
    let changes = check_changes(changes).expect("right changes");
    let context = Context { if_match: if_match.map(Versions::from), ..Context::system() };
    customers.execute(id, CustomerCommand::Change(changes), context).await
}

async fn versions_in_the_log(db: &Db, id: Id) -> Vec<i64> {
    let filter = AuditFilter { subject: Some(id), ..AuditFilter::default() };
    let events = log::audit(db, &filter, None, 10_000).await.unwrap();
    let mut versions: Vec<i64> = events.iter().map(|event| event.event.sequence).collect();
    versions.sort_unstable();
    versions
}

fn live(node: &Node) -> i64 {
    node.reading(KIND).live
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_aggregate_takes_one_command_after_another(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let customers: Customers = node.entities(MANY, IDLE);
        let ids = [new_id(), new_id()];
        for id in ids {
            create(&customers, id).await.unwrap();
        }
        let names: Vec<String> = (0..60).map(|n| format!("name {n}")).collect();
        let changes = names.iter().flat_map(|name| ids.map(|id| rename(&customers, id, name, None)));
        let answers: Vec<_> = join_all(changes).await.into_iter().map(|answer| answer.unwrap()).collect();
        for id in ids {
            let of: Vec<_> = answers.iter().filter(|answer| answer.id == id).collect();
            let versions: HashSet<i64> = of.iter().map(|answer| answer.version).collect();
            assert_eq!(versions, (2..=61).collect(), "no version twice, none left out");
            assert_eq!(versions_in_the_log(&node.db, id).await, (1..=61).collect::<Vec<_>>());
            let last = of.iter().find(|answer| answer.version == 61).unwrap();
            assert_eq!(stored(&node.db, id).await, ***last);
        }
        assert_eq!(live(&node), 2);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn children_are_bounded_and_no_command_is_lost(#[case] on: Database) {
    const CHILDREN: usize = 8;
    run(on, async |fixture| {
        let node = fixture.node().await;
        let customers: Customers = node.entities(CHILDREN, IDLE);
        let mut left: Vec<Id> = (0..200).map(|_| new_id()).collect();
        let mut rounds = 0;
        while !left.is_empty() {
            let before = live(&node);
            let tasks = left.iter().map(|id| {
                let (customers, id) = (customers.clone(), *id);
                fixture.runtime.spawn(async move { create(&customers, id).await })
            });
            let answers = join_all(tasks.collect::<Vec<_>>()).await;
            let mut refused = Vec::new();
            for (id, answer) in left.iter().zip(answers) {
                match answer.expect("no panic") {
                    Ok(made) => assert_eq!((made.id, made.version), (*id, 1)),
                    Err(error) => {
                        assert_eq!(error.code, ErrorCode::Overloaded, "{error}");
                        refused.push(*id);
                    }
                }
            }
            let made = left.len() - refused.len();
            assert!((1..=CHILDREN).contains(&made), "round {rounds} had room for {made}");
            assert!(live(&node) <= before + CHILDREN as i64);
            left = refused;
            rounds += 1;
            // A child that worked a second ago is idle now and may be passivated.
            node.clock.advance(Duration::from_secs(1));
        }
        eventually(WITHIN, async || live(&node) <= CHILDREN as i64).await;
        assert_eq!(count(&node.db, "customers").await, 200);
        assert_eq!(count(&node.db, "events").await, 200);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn who_is_idle_is_put_to_rest_and_comes_back_as_it_was(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let customers: Customers = node.entities(MANY, IDLE);
        let (idle, busy) = (new_id(), new_id());
        create(&customers, idle).await.unwrap();
        create(&customers, busy).await.unwrap();
        node.clock.advance(IDLE - Duration::from_secs(1));
        customers.sweep();
        rename(&customers, busy, "busy", None).await.unwrap();
        assert_eq!(live(&node), 2, "a second is left");
        node.clock.advance(Duration::from_secs(1));
        customers.sweep();
        let again = rename(&customers, idle, "during the farewell", None).await.unwrap();
        assert_eq!(again.version, 2, "a new child takes over at once");
        node.clock.advance(IDLE);
        customers.sweep();
        eventually(WITHIN, async || live(&node) == 0).await;
        let state = customers.get(idle).await.unwrap().unwrap();
        assert_eq!((state.version, state.name.as_str()), (2, "during the farewell"));
        assert_eq!(rename(&customers, busy, "awake", None).await.unwrap().version, 3);
        assert_eq!(versions_in_the_log(&node.db, busy).await, [1, 2, 3]);
        assert!(customers.get(new_id()).await.unwrap().is_none());
    });
}

/// Two nodes; SQLite has one writer, which they share.
async fn two_nodes(fixture: &Fixture, on: Database) -> [Node; 2] {
    let one = fixture.node().await;
    let two = if on == Postgres { fixture.node().await } else { fixture.node_on(one.db.clone()) };
    [one, two]
}

/// Repeats a rename until it succeeds: after five lost commits in a row the command fails.
async fn insist(customers: &Customers, id: Id, name: String) -> Arc<Customer> {
    loop {
        match rename(customers, id, &name, None).await {
            Ok(state) => return state,
            Err(error) => assert_eq!(error.code, ErrorCode::Overloaded, "{error}"),
        }
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn two_nodes_lose_no_change_of_the_same_aggregate(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = two_nodes(fixture, on).await;
        let both: [Customers; 2] = [nodes[0].entities(MANY, IDLE), nodes[1].entities(MANY, IDLE)];
        let ids = [new_id(), new_id(), new_id()];
        for id in ids {
            create(&both[0], id).await.unwrap();
        }
        let changes = (0..30).flat_map(|n| {
            let both = &both;
            ids.map(|id| insist(&both[n % 2], id, format!("name {n}")))
        });
        let answers = join_all(changes.collect::<Vec<_>>()).await;
        for id in ids {
            let versions: HashSet<i64> =
                answers.iter().filter(|answer| answer.id == id).map(|answer| answer.version).collect();
            assert_eq!(versions, (2..=31).collect(), "each change is a version of its own");
            assert_eq!(versions_in_the_log(&nodes[0].db, id).await, (1..=31).collect::<Vec<_>>());
            assert_eq!(stored(&nodes[0].db, id).await.version, 31);
        }
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn of_two_changes_of_the_same_version_one_is_stale(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = two_nodes(fixture, on).await;
        let both: [Customers; 2] = [nodes[0].entities(MANY, IDLE), nodes[1].entities(MANY, IDLE)];
        let id = new_id();
        create(&both[0], id).await.unwrap();
        for version in 1..=10 {
            let names = [format!("one {version}"), format!("two {version}")];
            let (one, two) = tokio::join!(
                rename(&both[0], id, &names[0], Some(version)),
                rename(&both[version as usize % 2], id, &names[1], Some(version)),
            );
            let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
            assert_eq!(won.unwrap().version, version + 1);
            assert_eq!(lost.unwrap_err().code, ErrorCode::StaleVersion);
        }
        assert_eq!(versions_in_the_log(&nodes[0].db, id).await, (1..=11).collect::<Vec<_>>());
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn of_two_creations_under_one_key_on_two_nodes_one_is_made(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = two_nodes(fixture, on).await;
        let both: [Customers; 2] = [nodes[0].entities(MANY, IDLE), nodes[1].entities(MANY, IDLE)];
        for n in 0..30 {
            let key = format!("somebody/{n}");
            let (one, two) = tokio::join!(
                create_under(&both[0], new_id(), Some(&key)),
                create_under(&both[1], new_id(), Some(&key)),
            );
            let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
            won.expect("one is made");
            assert_eq!(lost.unwrap_err().code, ErrorCode::RequestInFlight, "key {n}");
        }
        assert_eq!(count(&nodes[0].db, "customers").await, 30);
    });
}
