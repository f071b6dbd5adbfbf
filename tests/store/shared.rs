//! What a node has in memory while other nodes commit: three directories that know of each other, on PostgreSQL three nodes.

use runtime::prepared::Prepared;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::customer::record::Customer;
use domain::customer::record::{CustomerChanges, NewCustomer};
use domain::customer::rules::{CustomerCommand, check_changes, check_new};
use futures_util::future::join_all;
use kernel::context::Context;
use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kizuna::actors::customer::aggregate::CustomerAggregate;
use rstest::rstest;
use runtime::entity::Entities;
use store::unit_of_work::Write;

use crate::common::{stored, user, user_write};
use crate::node::{Fixture, Node, run};
use testing::{Database, Postgres, Sqlite};

pub type Customers = Entities<CustomerAggregate>;

pub async fn nodes(fixture: &Fixture, on: Database) -> Vec<Node> {
    let first = fixture.node().await;
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(if on == Postgres { fixture.node().await } else { fixture.node_on(first.db.clone()) });
    }
    nodes.insert(0, first);
    nodes
}

pub async fn create(customers: &Customers) -> Id {
    let new = NewCustomer { name: "new".to_owned(), ..NewCustomer::default() };
    let new = check_new(new).expect("a right customer");
    let id = new_id();
    customers.create(id, CustomerCommand::Create(new), Context::system()).await.expect("a customer");
    id
}

async fn execute(
    customers: &Customers,
    id: Id,
    changes: CustomerChanges,
    context: impl Into<Prepared>,
) -> Result<Arc<Customer>, Error> {
    let changes = check_changes(changes).expect("right changes");
    customers.execute(id, CustomerCommand::Change(changes), context).await
}

pub async fn change(
    customers: &Customers,
    id: Id,
    name: &str,
    context: impl Into<Prepared>,
) -> Result<Arc<Customer>, Error> {
    let changes = CustomerChanges { name: Some(name.to_owned()), ..CustomerChanges::default() };
    execute(customers, id, changes, context).await
}

pub async fn annotate(customers: &Customers, id: Id, notes: &str) -> Result<Arc<Customer>, Error> {
    let changes = CustomerChanges { notes: Some(Some(notes.to_owned())), ..CustomerChanges::default() };
    execute(customers, id, changes, Context::system()).await
}

pub async fn rename(customers: &Customers, id: Id, name: &str) -> Result<Arc<Customer>, Error> {
    change(customers, id, name, Context::system()).await
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn every_node_reads_what_any_node_wrote(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let all: Vec<Customers> = nodes.iter().map(Node::shared).collect();
        let id = create(&all[0]).await;
        for n in 0..60 {
            let name = format!("name {n}");
            rename(&all[n % 3], id, &name).await.unwrap();
            for customers in &all {
                assert_eq!(customers.get(id).await.unwrap().unwrap().name, name);
                assert!(customers.cached(id).is_none());
            }
            assert_eq!(all[n % 3].recent(id).await.unwrap().unwrap().name, name, "at once where it was done");
        }
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_old_memory_refuses_nothing(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let all: Vec<Customers> = nodes.iter().map(Node::shared).collect();
        let id = create(&all[0]).await;
        for customers in &all {
            rename(customers, id, &new_id().to_string()).await.unwrap();
        }
        // The first one's memory is two versions behind.
        let matching = Context { if_match: Some(4.into()), ..Context::system() };
        assert_eq!(change(&all[0], id, "matching", matching).await.unwrap().version, 5);
        // What is not so any more: "matching" is what all but the first remember otherwise.
        rename(&all[1], id, "another").await.unwrap();
        let again = rename(&all[0], id, "matching").await.unwrap();
        assert_eq!((again.version, again.name.as_str()), (7, "matching"), "not nothing to do");
        assert_eq!(stored(&nodes[0].db, id).await, *again);
        let old = Context { if_match: Some(6.into()), ..Context::system() };
        assert_eq!(change(&all[1], id, "x", old).await.unwrap_err().code, ErrorCode::StaleVersion);
        // A customer that was made elsewhere after it was looked for here.
        let later = new_id();
        assert_eq!(rename(&all[2], later, "x").await.unwrap_err().code, ErrorCode::NotFound);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn three_nodes_change_one_record_and_nobody_is_sent_away(#[case] on: Database) {
    const CHANGES: usize = 90;
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let all: Vec<Customers> = nodes.iter().map(Node::shared).collect();
        let id = create(&all[0]).await;
        let names: Vec<String> = (0..CHANGES).map(|n| format!("name {n}")).collect();
        let changes = names.iter().enumerate().map(|(n, name)| rename(&all[n % 3], id, name));
        let answers: Vec<_> = join_all(changes).await.into_iter().map(|answer| answer.unwrap()).collect();
        let versions: HashSet<i64> = answers.iter().map(|answer| answer.version).collect();
        assert_eq!(versions, (2..=CHANGES as i64 + 1).collect());
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_is_recent_is_less_than_a_second_old(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let all: Vec<Customers> = nodes.iter().map(Node::shared).collect();
        let id = create(&all[0]).await;
        for n in 0..3 {
            all[1].recent(id).await.unwrap();
            let name = format!("name {n}");
            rename(&all[0], id, &name).await.unwrap();
            let done = Instant::now();
            while all[1].recent(id).await.unwrap().unwrap().name != name {
                assert!(done.elapsed() < Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_condition_that_no_longer_holds_is_its_sender_s_to_mend(#[case] on: Database) {
    run(on, async |fixture| {
        let nodes = nodes(fixture, on).await;
        let customers: Customers = nodes[0].shared();
        let id = create(&customers).await;
        let somebody = user("somebody");
        crate::common::store(&nodes[0].db, vec![user_write(&somebody)]).await;
        let mut prepared = Prepared::from(Context::system());
        let check = Write::check(&kizuna::persistence::auth::USERS, somebody.user.id);
        prepared.with.writes.push(check.expecting(7));
        let began = Instant::now();
        let refused = change(&customers, id, "x", prepared.clone()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(began.elapsed() < Duration::from_secs(2), "at once");
        prepared.with.writes[0].expects = Some(1);
        assert_eq!(change(&customers, id, "x", prepared).await.unwrap().version, 2);
    });
}
