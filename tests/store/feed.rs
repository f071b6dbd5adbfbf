//! Consumers: retries in time and order, dead letters, and a slow consumer that loses nothing.

use kernel::event::EventType;
use kernel::service_id::ServiceId;
use kizuna::persistence::analytics;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::customer::record::Customer;
use domain::events::CUSTOMER_CREATED;
use futures_util::future::join_all;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use kizuna::persistence::customer_replicas::{CustomerReplica, SALES_CUSTOMERS};
use rstest::rstest;
use runtime::consumer::{Consumer, EffectError};
use runtime::registry::Filter;
use store::Db;
use store::cursors;
use store::cursors::ParkedStatus;
use store::unit_of_work::{UnitOfWork, Write};

use crate::common::{count, customer, renamed, store};
use crate::copier::{Copier, WITHIN, applied, becomes_due, copied, others_flow_on, parked, publish, tried};
use crate::node::run;
use testing::{Database, Postgres, Sqlite, eventually};

/// The default intervals of retries in milliseconds.
const SPACING: [u64; 8] = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800];

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_event_is_retried_at_the_seeds_spacing_and_then_a_dead_letter(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        let event = publish(&node, &one).await;
        for (n, wait) in SPACING.into_iter().enumerate() {
            let parked = tried(&node, n as i64).await;
            assert_eq!((parked.status, parked.event_id), (ParkedStatus::Retrying, event));
            let waits = parked.next_attempt_at.since(node.clock.now());
            let wait = Duration::from_millis(wait);
            assert!(waits <= wait && waits >= wait.mul_f64(0.799), "retry {n} comes after {waits:?}");
            let calls = copier.calls(event);
            becomes_due(&node, &copier, &parked).await;
            eventually(WITHIN, async || copier.calls(event) == calls + 1).await;
        }
        let dead = tried(&node, 8).await;
        assert_eq!((dead.status, dead.error.as_str()), (ParkedStatus::Dead, "it breaks over this one"));
        let (calls, later) = (copier.calls(event), renamed(&one, "later"));
        publish(&node, &later).await;
        node.clock.advance(Duration::from_secs(3_600));
        others_flow_on(&node).await;
        assert_eq!(copier.calls(event), calls, "a dead letter rests");
        let states: Vec<ParkedStatus> = parked(&node.db).await.iter().map(|parked| parked.status).collect();
        assert_eq!(states, [ParkedStatus::Dead, ParkedStatus::Waiting]);
        assert_eq!(copied(&node.db, one.id).await, 0);
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_failed_twice_is_applied_once_and_before_what_came_later(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        let (two, three) = (renamed(&one, "two"), renamed(&renamed(&one, "two"), "three"));
        for attempts in 0..2 {
            let parked = tried(&node, attempts).await;
            becomes_due(&node, &copier, &parked).await;
        }
        let first = tried(&node, 2).await;
        publish(&node, &two).await;
        publish(&node, &three).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 3).await;
        let waiting = parked(&node.db).await;
        let states: Vec<_> = waiting.iter().map(|parked| (parked.status, parked.attempts)).collect();
        let behind = (ParkedStatus::Waiting, 0);
        assert_eq!(states, [(ParkedStatus::Retrying, 2), behind, behind]);
        assert_eq!(copied(&node.db, one.id).await, 0, "nothing overtakes");
        copier.heals();
        becomes_due(&node, &copier, &first).await;
        eventually(WITHIN, async || copied(&node.db, one.id).await == 3).await;
        assert!(parked(&node.db).await.is_empty());
        assert_eq!(analytics::activity_count(&node.db, one.id, None).await.unwrap(), 3);
        publish(&node, &renamed(&three, "four")).await;
        eventually(WITHIN, async || copied(&node.db, one.id).await == 4).await;
        assert_eq!(applied(&node.db).await, count(&node.db, "events").await);
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn parked_events_keep_their_turn_across_a_restart(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        publish(&node, &renamed(&one, "two")).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        drop(node);
        let (node, healthy) = (fixture.node().await, Copier::new());
        publish(&node, &renamed(&renamed(&one, "two"), "three")).await;
        node.feed(healthy, 100);
        eventually(WITHIN, async || parked(&node.db).await.len() == 3).await;
        assert_eq!(copied(&node.db, one.id).await, 0);
        node.clock.advance(Duration::from_secs(1));
        eventually(WITHIN, async || copied(&node.db, one.id).await == 3).await;
        assert!(parked(&node.db).await.is_empty());
        assert_eq!(count(&node.db, "customer_activity").await, 3);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_is_too_much_at_once_is_done_in_smaller_parts(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        copier.bears(2);
        let one = customer("0");
        let mut last = one.clone();
        publish(&node, &one).await;
        for name in 1..40 {
            last = renamed(&last, &name.to_string());
            publish(&node, &last).await;
        }
        node.feed(copier.clone(), 100);
        eventually(4 * WITHIN, async || copied(&node.db, one.id).await == 40).await;
        assert_eq!(analytics::activity_count(&node.db, one.id, None).await.unwrap(), 40);
        assert!(parked(&node.db).await.is_empty(), "no event is to blame");
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_slow_subscriber_loses_deliveries_and_misses_nothing(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 2);
        others_flow_on(&node).await;
        let filter = Filter::Types([CUSTOMER_CREATED, domain::events::CUSTOMER_UPDATED].into());
        let mut sluggish = node.registry.subscribe(filter, 2).await.unwrap();
        // The consumer is paused during the burst, so its queue of two deliveries must overflow.
        let standstill = copier.gate.acquire().await.unwrap();
        let made: Vec<Customer> = (0..500).map(|n| customer(&n.to_string())).collect();
        join_all(made.iter().map(|one| publish(&node, one))).await;
        join_all(made.iter().map(|one| async { publish(&node, &renamed(one, "again")).await })).await;
        let mut delivered = 0;
        while let Ok(batch) = sluggish.try_recv() {
            delivered += batch.events.len();
        }
        assert!(delivered <= 2 * 10, "{delivered} events were delivered to who did not take them");
        drop(standstill);
        eventually(WITHIN * 3, async || match applied(&node.db).await {
            1_002 => Ok(()),
            applied => Err(format!("{applied} applied")),
        })
        .await;
        assert_eq!(count(&node.db, "customer_activity").await, 1_002, "each exactly once");
        for one in &made {
            assert_eq!(copied(&node.db, one.id).await, 2);
        }
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn two_nodes_apply_each_event_once_between_them(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let other = if on == Postgres { fixture.node().await } else { fixture.node_on(node.db.clone()) };
        node.feed(Copier::new(), 20);
        other.feed(Copier::new(), 20);
        let made: Vec<Customer> = (0..100).map(|n| customer(&n.to_string())).collect();
        join_all(made.iter().enumerate().map(|(n, one)| publish([&node, &other][n % 2], one))).await;
        eventually(WITHIN * 3, async || match applied(&node.db).await {
            100 => Ok(()),
            applied => Err(format!("{applied} applied")),
        })
        .await;
        assert_eq!(count(&node.db, "customer_activity").await, 100);
        assert!(parked(&node.db).await.is_empty());
    });
}

/// Counts every new customer in one row, while rivals do the same.
struct Counter {
    row: Id,
    /// How often another writer is faster.
    rivals: AtomicUsize,
}

impl Counter {
    fn counted(&self, version: i64) -> CustomerReplica {
        let name = "how many".to_owned();
        CustomerReplica { id: self.row, version, name, owner_id: self.row, deleted_at: None }
    }
}

impl Consumer for Counter {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "tests.counter";
    const TYPES: &'static [EventType] = &[CUSTOMER_CREATED];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let read = copied(db, self.row).await;
        let rival = |left: usize| left.checked_sub(1);
        if self.rivals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, rival).is_ok() {
            store(db, vec![Write::put(&SALES_CUSTOMERS, self.row, &self.counted(read + 1))]).await;
        }
        let counted = self.counted(read + events.len() as i64);
        let write = Write::put(&SALES_CUSTOMERS, self.row, &counted).expecting(read);
        Ok(UnitOfWork { writes: vec![write], ..UnitOfWork::default() })
    }
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_effect_that_lost_to_another_writer_is_computed_anew(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let (row, rivals) = (customer("row").id, 3);
        node.feed(Counter { row, rivals: AtomicUsize::new(rivals) }, 100);
        publish(&node, &customer("one")).await;
        eventually(WITHIN, async || copied(&node.db, row).await == 1 + rivals as i64).await;
        publish(&node, &customer("two")).await;
        eventually(WITHIN, async || copied(&node.db, row).await == 2 + rivals as i64).await;
        assert!(cursors::parked(&node.db, Counter::NAME, 1).await.unwrap().is_empty());
        assert_eq!(node.reading(Counter::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn an_effect_that_loses_again_and_again_is_parked_and_ends_nothing(#[case] on: Database) {
    run(on, async |fixture| {
        let node = fixture.node().await;
        let row = customer("row").id;
        // Five attempts for the new customer; the sixth rival meets its retry, which then wins.
        node.feed(Counter { row, rivals: AtomicUsize::new(6) }, 100);
        let event = publish(&node, &customer("one")).await;
        let lost = eventually(WITHIN, async || {
            cursors::parked(&node.db, Counter::NAME, 1).await.unwrap().into_iter().next()
        })
        .await;
        assert_eq!((lost.event_id, lost.status), (event, ParkedStatus::Retrying));
        assert!(lost.error.contains("sales_customers"), "{}", lost.error);
        node.clock.advance(Duration::from_secs(1));
        eventually(WITHIN, async || copied(&node.db, row).await == 7).await;
        eventually(WITHIN, async || cursors::parked(&node.db, Counter::NAME, 1).await.unwrap().is_empty())
            .await;
        assert_eq!(node.reading(Counter::NAME).restarts, 0);
    });
}
