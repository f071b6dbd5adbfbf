//! A step of a saga that two nodes carry out at once, for a moment: one has lost its partition and does not know it yet. Both
//! find the same sum, whichever of them changed a record.

use std::time::Duration;

use domain::bulk::change::{BulkChange, CustomersChange};
use domain::bulk::progress::BulkPayload;
use domain::customer::record::{CustomerStatus, NewCustomer};
use domain::customer::rules::{CustomerCommand, check_new};
use domain::deletion::Deletion;
use domain::undo::messages::RevertMany;
use kernel::context::Context;
use kernel::event::LoggedEvent;
use kernel::ids::{Id, new_id};
use kizuna::actors::bulk::BulkParts;
use kizuna::actors::customer::aggregate::CustomerAggregate;
use kizuna::actors::customer::bulk::Customers;
use kizuna::actors::deletions::Deletions;
use kizuna::actors::undo::{Undo, revert_all};
use kizuna::persistence::deletions::{CUSTOMER_DELETIONS, CUSTOMERS_OF_OWNER};
use kizuna::persistence::saga_items::CUSTOMER_ITEMS;
use kizuna::persistence::sagas;
use rstest::rstest;
use runtime::entity::Entities;
use store::log;
use store::sql::Sql;

use crate::node::{Fixture, Node, run};
use testing::{Database, Postgres, Sqlite};

const RECORDS: usize = 100;
const OWNER: Id = Id::nil();

struct Site {
    node: Node,
    customers: Entities<CustomerAggregate>,
    ids: Vec<Id>,
}

impl Site {
    /// A node with customers of one owner.
    async fn of(fixture: &Fixture) -> Self {
        let node = fixture.node().await;
        let customers: Entities<CustomerAggregate> = node.entities(1_000, Duration::from_secs(60));
        let ids: Vec<Id> = (0..RECORDS).map(|_| new_id()).collect();
        for id in &ids {
            let new = NewCustomer { name: "絆".to_owned(), owner_id: Some(OWNER), ..NewCustomer::default() };
            let create = CustomerCommand::Create(check_new(new).expect("a right customer"));
            customers.create(*id, create, Context::system()).await.expect("a customer");
        }
        Self { node, customers, ids }
    }

    fn parts(&self) -> BulkParts<Customers> {
        let Node { db, journal, clock, .. } = &self.node;
        let (db, journal, clock) = (db.clone(), journal.clone(), clock.clone());
        BulkParts { db, journal, clock, records: self.customers.clone() }
    }

    /// What two nodes say of the only batch of a saga that both carry out.
    async fn carried_out_twice(&self, saga: Id) -> [BulkPayload; 2] {
        let started = Sql::default()
            .filter("subject = ?", [saga.into()])
            .filter("type = ?", [domain::events::SAGA_STARTED.name().into()]);
        let started: Vec<LoggedEvent> = log::read(&self.node.db, started).await.expect("a log");
        let parts = self.parts();
        let (one, two) = tokio::join!(parts.effect(&started[0]), parts.effect(&started[0]));
        [one, two].map(|closed| {
            let closed = closed.expect("a batch that ends").expect("a batch that is due");
            serde_json::from_str(closed.data.get()).expect("a sum")
        })
    }
}

#[rstest]
#[case::changed(CustomersChange { status: Some(CustomerStatus::Dormant), ..CustomersChange::default() })]
#[case::deleted(CustomersChange::deletion())]
fn a_batch_that_two_carry_out_has_one_sum(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] change: CustomersChange,
) {
    run(on, async |fixture| {
        let site = Site::of(fixture).await;
        let parts = site.parts();
        let is_deletion = change.is_delete();
        let saga = parts.begin(site.ids.clone(), change, Context::system()).await.expect("a saga");
        let expect_all_changed = |sums: [BulkPayload; 2]| {
            for sum in sums {
                let told = (sum.count, sum.ids.len(), sum.unchanged, sum.refused.len());
                assert_eq!(told, (RECORDS as i64, RECORDS, 0, 0));
            }
        };
        expect_all_changed(site.carried_out_twice(saga).await);
        if is_deletion {
            // Its undo waits for what goes with the customers.
            return;
        }
        let saga = sagas::find(&site.node.db, saga).await.expect("a table").expect("a saga");
        let undo = RevertMany { saga, except: Vec::new(), context: Context::system() };
        let undo = parts.begin_undo(undo).await.expect("an undo");
        expect_all_changed(site.carried_out_twice(undo).await);
    });
}

#[rstest]
fn a_cascade_that_two_take_back_leaves_nothing(#[values(Sqlite, Postgres)] on: Database) {
    run(on, async |fixture| {
        let site = Site::of(fixture).await;
        let Node { db, journal, .. } = &site.node;
        let [undoes, saga_id, heir] = [(); 3].map(|()| new_id());
        let table = &CUSTOMER_DELETIONS;
        let gone = Deletions { db: db.clone(), journal: journal.clone(), table, items: CUSTOMER_ITEMS };
        let deletion =
            Deletion { id: OWNER, version: 1, successor_id: Some(heir), approver_id: None, saga_id: undoes };
        let hand_over = || CustomerCommand::HandOver { from: OWNER, to: heir };
        let context = Context::system();
        gone.each(&site.customers, CUSTOMERS_OF_OWNER, &deletion, &context, hand_over).await.expect("a step");
        let undo = Undo { saga_id, undoes };
        let back = || revert_all(db, CUSTOMER_ITEMS, &site.customers, undo, &context);
        let (one, two) = tokio::join!(back(), back());
        for reverted in [one.expect("an undo"), two.expect("an undo")] {
            assert_eq!((reverted.count, reverted.left_count, reverted.left.len()), (RECORDS as i64, 0, 0));
        }
    });
}
