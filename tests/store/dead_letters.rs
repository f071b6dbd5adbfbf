//! Dead letters: redriven from any node, applied once and in order; and the bounds of parking.

use kizuna::persistence::analytics;
use std::time::Duration;

use kernel::error::{Error, ErrorCode};
use kernel::ids::{Id, new_id};
use kizuna::actors::operations::dead_letters;
use kizuna::actors::operations::messages::DeadLetter;
use kizuna::persistence::analytics::activity_write;
use kizuna::persistence::customer_replicas::{CustomerReplica, SALES_CUSTOMERS};
use rstest::rstest;
use runtime::consumer::Consumer;
use runtime::consumer::parking;
use store::cursors;
use store::cursors::{PARKED, Parked, ParkedStatus};
use store::unit_of_work::Write;

use crate::common::{commit_one, count, customer, first, renamed, store, unit};
use crate::copier::{Copier, WITHIN, applied, copied, others_flow_on, parked, publish, tried};
use crate::node::{Node, run};
use testing::{Database, Postgres, Sqlite, eventually};

/// A consumer checks once per second whether an event was redriven.
const NOTICED_WITHIN: Duration = Duration::from_secs(4);

/// Moves the clock until the first parked event is a dead letter.
async fn dies(node: &Node) -> Parked {
    eventually(WITHIN, async || {
        node.clock.advance(Duration::from_secs(30));
        parked(&node.db).await.into_iter().next().filter(|one| one.status == ParkedStatus::Dead)
    })
    .await
}

/// Redrives it beside the consumer's node, on other connections, as the CLI does.
async fn redrive(elsewhere: &Node, id: Id) -> Result<DeadLetter, Error> {
    let commit = async |unit| commit_one(&elsewhere.db, unit).await;
    dead_letters::redrive(&elsewhere.db, id, None, elsewhere.clock.now(), commit).await
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_redriven_dead_letter_is_applied_once_and_what_waited_goes_on_after_it(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, elsewhere, copier) = (fixture.node().await, fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        let event = publish(&node, &one).await;
        let dead = dies(&node).await;
        let (two, three) = (renamed(&one, "two"), renamed(&renamed(&one, "two"), "three"));
        publish(&node, &two).await;
        publish(&node, &three).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 3).await;
        copier.heals();
        others_flow_on(&node).await;
        let listed = dead_letters::list(&node.db, Some(Copier::NAME), &first(10)).await.unwrap().items;
        let [letter] = &listed[..] else { panic!("one dead letter: {listed:?}") };
        assert_eq!((letter.parked.id, letter.event.event.id), (dead.id, event));
        let calls = copier.calls(event);
        let again = redrive(&elsewhere, dead.id).await.unwrap();
        assert_eq!((again.parked.status, again.parked.attempts), (ParkedStatus::Retrying, 0));
        assert_eq!(again.parked.error, "it breaks over this one", "until another takes its place");
        eventually(NOTICED_WITHIN, async || copied(&node.db, one.id).await == 3).await;
        eventually(WITHIN, async || parked(&node.db).await.is_empty()).await;
        assert_eq!(copier.calls(event), calls + 1);
        assert_eq!(analytics::activity_count(&node.db, one.id, None).await.unwrap(), 3, "each once");
        publish(&node, &renamed(&three, "four")).await;
        eventually(WITHIN, async || copied(&node.db, one.id).await == 4).await;
        assert_eq!(applied(&node.db).await, count(&node.db, "events").await);
        assert_eq!(node.reading(Copier::NAME).restarts, 0);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_redriven_dead_letter_that_fails_again_has_all_its_retries(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        let event = publish(&node, &one).await;
        let dead = dies(&node).await;
        let calls = copier.calls(event);
        redrive(&node, dead.id).await.unwrap();
        let again = tried(&node, 1).await;
        assert_eq!(again.status, ParkedStatus::Retrying);
        let dead_again = dies(&node).await;
        assert_eq!((dead_again.id, dead_again.attempts), (dead.id, 8));
        assert_eq!(copier.calls(event), calls + 8);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_busy_feed_notices_a_redrive(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, elsewhere, copier) = (fixture.node().await, fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        let dead = dies(&node).await;
        copier.heals();
        redrive(&elsewhere, dead.id).await.unwrap();
        eventually(NOTICED_WITHIN, async || {
            publish(&node, &customer("other")).await;
            copied(&node.db, one.id).await == 1
        })
        .await;
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn only_what_is_dead_is_redriven_and_only_once(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        publish(&node, &renamed(&one, "two")).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        for alive in parked(&node.db).await {
            let error = redrive(&node, alive.id).await.unwrap_err();
            assert_eq!(error.code, ErrorCode::NotADeadLetter, "{alive:?}");
        }
        assert_eq!(redrive(&node, new_id()).await.unwrap_err().code, ErrorCode::NotFound);
        assert!(dead_letters::list(&node.db, None, &first(10)).await.unwrap().items.is_empty());
        let dead = dies(&node).await;
        drop(node);
        let node = fixture.node().await;
        let both = tokio::join!(redrive(&node, dead.id), redrive(&node, dead.id));
        let won = [&both.0, &both.1].into_iter().filter(|done| done.is_ok()).count();
        assert_eq!(won, 1, "{both:?}");
        assert_eq!(redrive(&node, dead.id).await.unwrap_err().code, ErrorCode::NotADeadLetter);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn a_consumer_with_a_full_parking_stands_still_and_forgets_no_order(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed_within(copier.clone(), 100, 2);
        let broken = ["one", "two", "three"].map(customer);
        for one in &broken {
            copier.breaks_over(one.id);
        }
        for one in &broken[..2] {
            publish(&node, one).await;
        }
        // Partitions have no order among each other: what is published at once may be read in any.
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        publish(&node, &broken[2]).await;
        let healthy = customer("healthy");
        publish(&node, &healthy).await;
        let last = publish(&node, &renamed(&broken[2], "again")).await;
        // Retries go on, and nothing else: two rounds of them have passed over what was published.
        for attempts in [1, 2] {
            node.clock.advance(Duration::from_secs(1));
            eventually(WITHIN, async || parked(&node.db).await.iter().all(|one| one.attempts == attempts))
                .await;
        }
        let subjects: Vec<Id> = parked(&node.db).await.iter().map(|parked| parked.subject).collect();
        assert_eq!(subjects.len(), 2);
        assert!(broken[..2].iter().all(|one| subjects.contains(&one.id)), "the first two: {subjects:?}");
        assert_eq!((copied(&node.db, broken[2].id).await, copier.calls(last)), (0, 0));
        drop(node);
        let (node, healed) = (fixture.node().await, Copier::new());
        healed.breaks_over(broken[0].id);
        healed.breaks_over(broken[1].id);
        node.feed_within(healed.clone(), 100, 2);
        node.clock.advance(Duration::from_secs(1));
        eventually(WITHIN, async || parked(&node.db).await.iter().all(|one| one.attempts == 3)).await;
        assert_eq!(copied(&node.db, healthy.id).await, 0, "also after a restart");
        healed.heals();
        node.clock.advance(Duration::from_secs(30));
        eventually(WITHIN, async || copied(&node.db, broken[2].id).await == 2).await;
        eventually(WITHIN, async || copied(&node.db, healthy.id).await == 1).await;
        eventually(WITHIN, async || parked(&node.db).await.is_empty()).await;
        assert_eq!(count(&node.db, "customer_activity").await, 5, "each once");
        assert_eq!(applied(&node.db).await, 5);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_is_parked_beyond_the_limit_is_not_overtaken(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed_within(copier.clone(), 100, 10);
        let mut one = customer("broken");
        copier.breaks_over(one.id);
        publish(&node, &one).await;
        for name in ["two", "three", "four"] {
            one = renamed(&one, name);
            publish(&node, &one).await;
        }
        eventually(WITHIN, async || parked(&node.db).await.len() == 4).await;
        drop(node);
        // Several nodes can park more than the limit between them; here it is lower than it was.
        let (node, healed) = (fixture.node().await, Copier::new());
        node.feed_within(healed.clone(), 100, 2);
        let last = publish(&node, &renamed(&one, "five")).await;
        node.clock.advance(Duration::from_secs(30));
        eventually(WITHIN, async || copied(&node.db, one.id).await == 5).await;
        assert_eq!(healed.calls(last), 1, "in its turn");
        assert_eq!((parked(&node.db).await.len(), applied(&node.db).await), (0, 5));
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn what_waits_behind_an_event_that_another_node_applied_has_its_turn(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, copier) = (fixture.node().await, Copier::new());
        node.feed(copier.clone(), 100);
        let one = customer("broken");
        copier.breaks_over(one.id);
        let event = publish(&node, &one).await;
        dies(&node).await;
        publish(&node, &renamed(&one, "two")).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        copier.heals();
        // Another node knew the first alone: it applies and releases it, and nobody calls the second.
        let first = parked(&node.db).await.remove(0);
        let (id, owner_id) = (one.id, one.owner_id);
        let copy = CustomerReplica { id, version: 1, name: one.name.clone(), owner_id, deleted_at: None };
        let applied_elsewhere = vec![
            activity_write(event, one.id, &[]),
            Write::put(&SALES_CUSTOMERS, one.id, &copy).expecting(0),
            parking::release(&first),
        ];
        store(&node.db, applied_elsewhere).await;
        eventually(NOTICED_WITHIN, async || copied(&node.db, one.id).await == 2).await;
        eventually(WITHIN, async || parked(&node.db).await.is_empty()).await;
        assert_eq!(analytics::activity_count(&node.db, one.id, None).await.unwrap(), 2);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
fn two_nodes_apply_a_parked_event_once_between_them(#[case] on: Database) {
    run(on, async |fixture| {
        let (node, other) = (fixture.node().await, fixture.node().await);
        let copiers = [Copier::new(), Copier::new()];
        let one = customer("broken");
        copiers.iter().for_each(|copier| copier.breaks_over(one.id));
        node.feed(copiers[0].clone(), 100);
        other.feed(copiers[1].clone(), 100);
        publish(&node, &one).await;
        publish(&other, &renamed(&one, "two")).await;
        eventually(WITHIN, async || parked(&node.db).await.len() == 2).await;
        copiers.iter().for_each(Copier::heals);
        eventually(WITHIN, async || {
            node.clock.advance(Duration::from_millis(100));
            copied(&node.db, one.id).await == 2
        })
        .await;
        eventually(WITHIN, async || parked(&node.db).await.is_empty()).await;
        assert_eq!(count(&node.db, "customer_activity").await, 2);
        assert_eq!(applied(&node.db).await, 2);
    });
}

#[rstest]
#[case(Sqlite)]
#[case(Postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_parked_once_for_a_consumer(#[case] on: Database) {
    let database = testing::TestDatabase::fresh(on);
    let db = database.migrated().await;
    let event_id = new_id();
    let row = |consumer: &str| Parked {
        id: new_id(),
        consumer: consumer.to_owned(),
        event_id,
        subject: new_id(),
        partition: 0,
        partition_seq: 1,
        version: 1,
        status: ParkedStatus::Retrying,
        attempts: 0,
        next_attempt_at: crate::common::begin(),
        error: String::new(),
        parked_at: crate::common::begin(),
    };
    let park = async |parked: Parked| {
        let write = Write::put(&PARKED, parked.id, &parked).expecting(0);
        commit_one(&db, unit(vec![write])).await.map(drop)
    };
    park(row("tests.one")).await.unwrap();
    park(row("tests.two")).await.unwrap();
    assert!(park(row("tests.one")).await.is_err());
    assert_eq!(cursors::parked(&db, "tests.one", 10).await.unwrap().len(), 1);
}
