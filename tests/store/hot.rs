//! Hot customers in a real Redis, which is paused, killed, emptied and full: no node is ever answered with what an
//! acknowledged change has replaced.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use domain::customer::record::Customer;
use kernel::clock::Clock;
use kernel::context::{Context, IdempotencyClaim};
use kernel::error::ErrorCode;
use kernel::ids::{Id, new_id};
use kizuna::actors::customer::aggregate::CustomerAggregate;
use kizuna::actors::customer::hot::{ENTRY_TTL, HotCustomers, MARGIN, text};
use kizuna::actors::first_answers::FirstAnswers;
use runtime::cluster::clock::{ClusterClock, ClusterTime};
use runtime::entity::{Entities, EntityParts};
use store::redis::{Redis as Way, RedisKey, RedisSettings};

use crate::common::stored;
use crate::copier::WITHIN;
use crate::node::{Fixture, Node, run};
use crate::shared::{Customers, annotate, change, create, nodes, rename};
use testing::app::SECRET;
use testing::{Postgres, Redis, eventually};

/// Longer than any value.
const LONGEST: usize = 100_000;

/// Changes that are enough; each of the six readers reads twice as often.
const ENOUGH: usize = 21;

/// The same cluster's Redis for each node, each with a connection of its own.
fn connections(fixture: &Fixture, server: &Redis, cluster: Id, count: usize) -> Vec<Way> {
    let _lasting = fixture.runtime.enter();
    (0..count)
        .map(|_| Way::new(&RedisSettings::new(&server.url()), cluster, &[SECRET.into()]).expect("a URL"))
        .collect()
}

/// The cluster's time when this process first looked at it; all nodes here go by it.
const BEGUN: ClusterTime = ClusterTime(1_772_442_000_000_000);
static BEGUN_AT: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> ClusterTime {
    BEGUN.plus(BEGUN_AT.elapsed())
}

/// What stands under a key, opened.
async fn held(redis: &Way, key: &RedisKey) -> Option<Vec<u8>> {
    let entry = redis.look(key, LONGEST).await.unwrap()?;
    Some(redis.open(key, 0, &entry).expect("what a node has sealed"))
}

/// Whether there is a value, and not only a token, under a key.
async fn is_filled(redis: &Way, key: &RedisKey) -> bool {
    held(redis, key).await.is_some_and(|text| text.len() > self::text(now(), None).len())
}

/// Puts a value under a key, which is sealed for the key `of` and has this time.
fn put(server: &Redis, redis: &Way, key: &RedisKey, of: &RedisKey, made: ClusterTime, customer: &Customer) {
    let entry = redis.seal(of, 0, &text(made, Some(customer)));
    server.set(&key.name, &entry);
}

fn hot(fixture: &Fixture, redis: &Way) -> HotCustomers {
    let clock = ClusterClock::default();
    clock.learn(now(), Instant::now().into());
    HotCustomers::new(redis.clone(), fixture.runtime.clone(), clock, Clock::System)
}

/// Nodes with a directory of customers each, on one Redis.
struct Site {
    nodes: Vec<Node>,
    server: Redis,
    redis: Vec<Way>,
    all: Vec<Customers>,
}

async fn site(fixture: &Fixture, count: usize) -> Site {
    let (nodes, server) = (nodes(fixture, Postgres).await, Redis::start());
    let redis = connections(fixture, &server, new_id(), count);
    let all = redis.iter().zip(&nodes).map(|(redis, node)| beside(fixture, node, redis)).collect();
    Site { nodes, server, redis, all }
}

fn beside(fixture: &Fixture, node: &Node, redis: &Way) -> Customers {
    let hot = Arc::new(hot(fixture, redis));
    // What Redis forgets, it forgets by a clock that goes on.
    let parts = EntityParts { clock: Clock::System, ..node.shared_parts() };
    Entities::<CustomerAggregate>::beside(parts, Some(hot))
}

#[test]
fn a_hot_customer_is_read_from_redis_until_it_is_changed() {
    run(Postgres, async |fixture| {
        let Site { nodes: _running, server, redis, all } = site(fixture, 2).await;
        let id = create(&all[0]).await;
        let key = redis[0].hot("customer", id);
        assert_eq!(held(&redis[0], &key).await, None);
        all[0].get(id).await.unwrap().unwrap();
        let began = Instant::now();
        while !is_filled(&redis[0], &key).await {
            assert!(began.elapsed() < ENTRY_TTL, "it is filled");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // What is there is what is answered.
        let mut shown = all[1].get(id).await.unwrap().unwrap().as_ref().clone();
        shown.name = "as it is held".to_owned();
        put(&server, &redis[0], &key, &key, now(), &shown);
        assert_eq!(all[1].get(id).await.unwrap().unwrap().name, "as it is held");
        rename(&all[1], id, "renamed").await.unwrap();
        assert_eq!(held(&redis[0], &key).await, None);
        assert_eq!(all[0].get(id).await.unwrap().unwrap().name, "renamed");
        // A token that was taken away is not filled.
        server.command(&["DEL", &key.name]);
        assert!(redis[0].claim(&key, b"one", ENTRY_TTL).await.unwrap());
        assert!(!redis[1].claim(&key, b"other", ENTRY_TTL).await.unwrap(), "one at a time");
        redis[0].delete(&key).await.unwrap();
        assert!(!redis[0].fill(&key, b"one", b"{}").await.unwrap());
        assert_eq!(redis[0].look(&key, LONGEST).await.unwrap(), None);
        // A value runs out with its token.
        assert!(redis[0].claim(&key, b"two", Duration::from_secs(2)).await.unwrap());
        assert!(redis[0].fill(&key, b"two", b"{}").await.unwrap());
        assert_eq!(redis[0].look(&key, LONGEST).await.unwrap().as_deref(), Some(b"{}".as_slice()));
        eventually(WITHIN, async || redis[0].look(&key, LONGEST).await.unwrap().is_none()).await;
        // What is long is not kept.
        annotate(&all[0], id, &"絆".repeat(10_000)).await.unwrap();
        all[0].get(id).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!is_filled(&redis[0], &key).await);
    });
}

#[test]
fn what_somebody_puts_into_redis_is_not_shown_and_is_deleted() {
    run(Postgres, async |fixture| {
        let (nodes, server) = (nodes(fixture, Postgres).await, Redis::start());
        let redis = connections(fixture, &server, new_id(), 1).remove(0);
        let customers = beside(fixture, &nodes[0], &redis);
        let [id, other] = [create(&customers).await, create(&customers).await];
        let [key, others] = [id, other].map(|id| redis.hot("customer", id));
        let forged = Customer {
            name: "forged".to_owned(),
            ..customers.get(id).await.unwrap().unwrap().as_ref().clone()
        };
        let stranger = connections(fixture, &server, new_id(), 1).remove(0);
        let json = serde_json::to_vec(&forged).unwrap();
        let ago = |by: Duration| ClusterTime(now().0 - i64::try_from(by.as_micros()).unwrap());
        for amiss in [
            "plain",
            "token",
            "zero",
            "cut",
            "of another cluster",
            "of another customer",
            "old",
            "very old",
            "of the future",
            "long",
            "list",
            "stream",
        ] {
            server.command(&["DEL", &key.name]);
            let at = |made| put(&server, &redis, &key, &key, made, &forged);
            match amiss {
                "plain" => server.set(&key.name, &json),
                "token" => server.set(&key.name, format!("?{id}").as_bytes()),
                "zero" => server.set(&key.name, &[0]),
                "cut" => server.set(&key.name, &redis.seal(&key, 0, &text(now(), Some(&forged)))[..40]),
                "of another cluster" => put(&server, &stranger, &key, &key, now(), &forged),
                "of another customer" => put(&server, &redis, &key, &others, now(), &forged),
                "old" => at(ago(3 * ENTRY_TTL)),
                "very old" => at(ago(100 * ENTRY_TTL)),
                "of the future" => at(now().plus(3 * ENTRY_TTL)),
                "long" => server.set(&key.name, &vec![b'{'; 1 << 20]),
                "list" => drop(server.command(&["RPUSH", &key.name, "forged"])),
                _ => drop(server.command(&["XADD", &key.name, "*", "sealed", "forged"])),
            }
            assert_eq!(customers.get(id).await.unwrap().unwrap().name, "new", "{amiss}");
            eventually(WITHIN, async || redis.look(&key, LONGEST).await.unwrap().is_none()).await;
            // It does not keep the next readers from sharing the customer.
            eventually(WITHIN, async || {
                assert_eq!(customers.get(id).await.unwrap().unwrap().name, "new", "{amiss}");
                is_filled(&redis, &key).await
            })
            .await;
        }
    });
}

#[test]
fn while_redis_is_away_changes_wait_until_nothing_old_is_left_and_reads_do_not() {
    run(Postgres, async |fixture| {
        let Site { nodes: _running, mut server, redis: _ways, all } = site(fixture, 2).await;
        let id = create(&all[0]).await;
        all[0].get(id).await.unwrap();
        server.pause();
        let began = Instant::now();
        rename(&all[0], id, "paused").await.unwrap();
        assert!((ENTRY_TTL + MARGIN..2 * ENTRY_TTL).contains(&began.elapsed()), "{:?}", began.elapsed());
        let began = Instant::now();
        create(&all[1]).await;
        for _ in 0..20 {
            assert_eq!(all[1].get(id).await.unwrap().unwrap().name, "paused");
        }
        // Each read that asked a Redis that hangs would take a twentieth of this.
        assert!(began.elapsed() < ENTRY_TTL, "{:?}", began.elapsed());
        server.resume();
        assert_eq!(all[1].get(id).await.unwrap().unwrap().name, "paused");
        server.restart_empty();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        rename(&all[1], id, "back").await.unwrap();
        assert!(began.elapsed() < ENTRY_TTL, "as soon as it is back: {:?}", began.elapsed());
        server.command(&["CONFIG", "SET", "maxmemory", "1"]);
        for n in 0..5 {
            all[n % 2].get(id).await.unwrap();
            let (name, began) = (format!("full {n}"), Instant::now());
            rename(&all[n % 2], id, &name).await.unwrap();
            assert!(began.elapsed() < ENTRY_TTL, "a full one deletes");
            assert_eq!(all[1 - n % 2].get(id).await.unwrap().unwrap().name, name);
        }
    });
}

/// What is found under a key if a node has died between a commit and the deletion of the key.
enum Left {
    /// A reader has filled it before the commit.
    OldValue,
    /// A reader is about to fill it with what it read before the commit.
    Token,
}

#[test]
fn whoever_is_told_of_a_commit_whose_node_died_is_followed_by_nobody_who_reads_the_state_before() {
    run(Postgres, async |fixture| {
        let Site { nodes: _running, server, redis, all } = site(fixture, 2).await;
        for left in [Left::OldValue, Left::Token] {
            let id = create(&all[0]).await;
            let key = redis[0].hot("customer", id);
            let old = all[0].get(id).await.unwrap().unwrap();
            rename(&all[0], id, "renamed").await.unwrap();
            let token = redis[0].seal(&key, 0, &text(now(), None));
            match left {
                Left::OldValue => put(&server, &redis[0], &key, &key, now(), &old),
                Left::Token => assert!(redis[0].claim(&key, &token, ENTRY_TTL).await.unwrap()),
            }
            match left {
                // Refused, because the version is another one by now.
                Left::OldValue => {
                    let built_on_the_first = Context { if_match: Some(1.into()), ..Context::system() };
                    let refused = change(&all[1], id, "lost", built_on_the_first).await.unwrap_err();
                    assert_eq!(refused.code, ErrorCode::StaleVersion);
                }
                Left::Token => assert_eq!(all[1].get(id).await.unwrap().unwrap().name, "renamed"),
            }
            let value = redis[0].seal(&key, 0, &text(now(), Some(&old)));
            assert!(!redis[0].fill(&key, &token, &value).await.unwrap(), "the token is gone");
            for customers in &all {
                assert_eq!(customers.get(id).await.unwrap().unwrap().name, "renamed");
            }
        }
    });
}

#[test]
fn a_first_answer_is_repeated_once_every_node_shows_what_it_tells_of() {
    run(Postgres, async |fixture| {
        let (nodes, server) = (nodes(fixture, Postgres).await, Redis::start());
        let redis = connections(fixture, &server, new_id(), 1).remove(0);
        let (node, customers) = (&nodes[0], beside(fixture, &nodes[0], &redis));
        let id = create(&customers).await;
        let key = redis.hot("customer", id);
        let old = customers.get(id).await.unwrap().unwrap();
        let claim = IdempotencyClaim {
            id: "somebody/a key".to_owned(),
            fingerprint: "of the request".to_owned(),
            status: 200,
            location: None,
        };
        let keyed = Context { claim: Some(claim.clone()), ..Context::system() };
        change(&customers, id, "renamed", keyed).await.unwrap();
        put(&server, &redis, &key, &key, now(), &old);
        let hot = Arc::new(hot(fixture, &redis));
        let answers = FirstAnswers::new(node.db.clone(), node.clock.clone(), Some(hot));
        let first = answers.take(claim).unwrap().find().await.unwrap().expect("an answer");
        assert!(first.body.get().contains("renamed"), "{}", first.body.get());
        assert_eq!(customers.get(id).await.unwrap().unwrap().name, "renamed");
    });
}

#[test]
fn while_redis_is_away_a_change_is_not_shown_before_every_older_value_has_expired() {
    run(Postgres, async |fixture| {
        let Site { nodes, mut server, redis: _ways, all } = site(fixture, 2).await;
        let id = create(&all[0]).await;
        server.pause();
        let began = Instant::now();
        let renaming = fixture.runtime.spawn({
            let customers = all[0].clone();
            async move { rename(&customers, id, "renamed").await }
        });
        // Committed, and not acknowledged.
        eventually(WITHIN, async || stored(&nodes[0].db, id).await.name == "renamed").await;
        assert_eq!(all[1].get(id).await.unwrap().unwrap().name, "renamed");
        assert!(began.elapsed() >= ENTRY_TTL + MARGIN, "{:?}", began.elapsed());
        renaming.await.unwrap().unwrap();
        server.resume();
    });
}

/// Reads without a pause; each must be at least as new as what was acknowledged when it began.
async fn reads(customers: Customers, id: Id, acknowledged: Arc<AtomicUsize>, done: Arc<AtomicBool>) {
    let mut count = 0;
    while !done.load(Ordering::SeqCst) || count < 2 * ENOUGH {
        let at_least = acknowledged.load(Ordering::SeqCst);
        let found = customers.get(id).await.expect("a database that answers").expect("a customer");
        assert!(found.version as usize >= at_least, "{} after {at_least}", found.version);
        count += 1;
    }
}

#[test]
fn no_read_is_older_than_what_was_acknowledged_whatever_befalls_redis() {
    run(Postgres, async |fixture| {
        let Site { nodes: _running, mut server, redis: _ways, all } = site(fixture, 3).await;
        let id = create(&all[0]).await;
        let acknowledged = Arc::new(AtomicUsize::new(1));
        // For the writer, and then for the readers.
        let [done, over] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let readers: Vec<_> = (0..6)
            .map(|n| fixture.runtime.spawn(reads(all[n % 3].clone(), id, acknowledged.clone(), over.clone())))
            .collect();
        let (writer, told, stop) = (all.clone(), acknowledged.clone(), done.clone());
        let writes = fixture.runtime.spawn(async move {
            let mut n = 0;
            // However slow the machine: as many changes as it takes for this to mean something.
            while !stop.load(Ordering::SeqCst) || n < ENOUGH {
                n += 1;
                let written = rename(&writer[n % 3], id, &format!("name {n}")).await.expect("a change");
                told.fetch_max(written.version as usize, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        });
        let pause = |millis| tokio::time::sleep(Duration::from_millis(millis));
        pause(1_000).await;
        for _ in 0..2 {
            server.command(&["FLUSHALL"]);
            pause(200).await;
            server.pause();
            pause(700).await;
            server.resume();
            pause(300).await;
            server.restart_empty();
            pause(700).await;
        }
        done.store(true, Ordering::SeqCst);
        writes.await.expect("no refusal");
        over.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.await.expect("nothing old");
        }
    });
}
