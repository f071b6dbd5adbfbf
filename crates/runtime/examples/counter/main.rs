//! Counters that people add to, and the sum of all of them: one aggregate, one consumer, one SQLite file.
//!
//! `cargo run -p kizuna-runtime --example counter`

mod counter;

use std::sync::Arc;
use std::time::Duration;

use kernel::clock::Clock;
use kernel::context::Context;
use kernel::event::{Catalogue, EventType, LoggedEvent};
use kernel::ids::{Id, new_id};
use kernel::service_id::ServiceId;
use kizuna_runtime::arbiters::Arbiters;
use kizuna_runtime::cluster::{members::Members, node::Node};
use kizuna_runtime::consumer::{Consumer, ConsumerActor, ConsumerParts, EffectError};
use kizuna_runtime::entity::{Entities, EntityLimits, EntityParts};
use kizuna_runtime::journal::{Journal, JournalLimits};
use kizuna_runtime::registry::Registry;
use kizuna_runtime::retry::Backoff;
use kizuna_runtime::stats::ActorStatsRegistry;
use kizuna_runtime::supervisor::{Intensity, Supervisor};
use sqlx::migrate::Migrator;
use store::settings::{DatabaseSettings, Schema};
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};

use crate::counter::{ADDED, Add, Added, Counter, TOTALS};

// What is stored: the event log's tables, and two of our own.
static MIGRATIONS: Migrator = sqlx::migrate!("examples/migrations");
const SCHEMA: Schema = Schema { sqlite: &MIGRATIONS, postgres: &MIGRATIONS, events: Catalogue(&[ADDED]) };

// The consumer: it answers what is to be committed because of some events, together with its place in the log.
struct Totals;

impl Consumer for Totals {
    const SERVICE: Option<ServiceId> = None;
    const NAME: &'static str = "counter.totals";
    const TYPES: &'static [EventType] = &[ADDED];

    async fn effect(&self, db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
        let before = total(db).await?;
        let mut after = Counter { version: before.version + events.len() as i64, ..before };
        for event in events {
            after.value += event.payload::<Added>()?.by;
        }
        let write = Write::put(&TOTALS, after.id, &after).expecting(before.version);
        Ok(UnitOfWork { writes: vec![write], ..UnitOfWork::default() })
    }
}

/// The sum so far; its version is the number of events that were added up.
async fn total(db: &Db) -> Result<Counter, StoreError> {
    let stored = db.row(&TOTALS, Id::nil()).await?;
    Ok(stored.unwrap_or(Counter { id: Id::nil(), version: 0, value: 0 }))
}

/// Starts everything on this database, adds 1 to 10 to a counter, and waits for the consumer.
async fn run(url: &str, id: Id, events: i64) -> Result<Counter, Box<dyn std::error::Error>> {
    let db = Db::connect(&DatabaseSettings { url: url.into(), pool_size: 2 }, SCHEMA).await?;
    db.migrate().await?;
    let (clock, actor_stats, arbiters) = (Clock::System, ActorStatsRegistry::default(), Arbiters::start(2));
    let supervisor = Supervisor::start(actor_stats.clone(), Intensity::default());
    let registry = Registry::start(&supervisor, &arbiters.feeding());
    let (to, tells) = (db.clone(), registry.clone());
    let journal = Journal::start(&supervisor, &arbiters.serving(), to, tells, JournalLimits::default());
    let counters = Entities::<Counter>::new(EntityParts {
        db: db.clone(),
        journal: journal.clone(),
        clock: clock.clone(),
        arbiters: arbiters.clone(),
        actor_stats,
        limits: EntityLimits::default(),
        intensity: Intensity::default(),
        shared: false,
    });
    let parts = ConsumerParts {
        db: db.clone(),
        journal,
        registry,
        members: Members::alone(Arc::new(Node::new(None, &[], clock.now()))),
        clock,
        retry: Backoff::default(),
        batch: 256,
        poll: Duration::from_secs(1),
        parking: 100,
    };
    ConsumerActor::start(&supervisor, &arbiters.feeding(), parts, Totals);
    for by in 1..=10 {
        counters.execute(id, Add(by), Context::system()).await?;
    }
    let refused = counters.execute(id, Add(-1_000), Context::system()).await;
    println!("ten commands were carried out; one more is refused: {}", refused.expect_err("below zero"));
    // No command waits for a consumer: it follows.
    while total(&db).await?.version < events {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    supervisor.stop();
    arbiters.stop();
    let total = total(&db).await?;
    db.close().await;
    Ok(total)
}

#[actix::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (url, id) = (format!("sqlite://{}/counter.db", folder.path().display()), new_id());
    for (start, events, sum) in [("first", 10, 55), ("second", 20, 110)] {
        let total = run(&url, id, events).await?;
        println!("{start} start: the sum is {} after {} events", total.value, total.version);
        assert_eq!((total.version, total.value), (events, sum), "each event is applied once");
    }
    Ok(())
}
