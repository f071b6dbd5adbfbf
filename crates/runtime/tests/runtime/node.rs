//! A node without services, on a database of its own, and a consumer that counts what it applies.

use std::sync::Arc;
use std::time::Duration;

use actix::System;
use kernel::clock::Clock;
use kernel::context::Context;
use kernel::event::{Catalogue, DomainEvent, Event, EventType, LoggedEvent, raw};
use kernel::ids::{Id, new_id};
use kizuna_runtime::arbiters::Arbiters;
use kizuna_runtime::cluster::members::Members;
use kizuna_runtime::cluster::node::Node as Identity;
use kizuna_runtime::consumer::{Consumer, ConsumerActor, ConsumerParts};
use kizuna_runtime::journal::{Journal, JournalLimits};
use kizuna_runtime::registry::Registry;
use kizuna_runtime::retry::Backoff;
use kizuna_runtime::stats::{ActorReading, ActorStatsRegistry};
use kizuna_runtime::supervisor::{Intensity, Supervisor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::migrate::Migrator;
use store::settings::{DatabaseSettings, Schema};
use store::table::{Kind, OnConflict, Table};
use store::unit_of_work::{UnitOfWork, Write};
use store::{Db, StoreError};
use tempfile::TempDir;

static MIGRATIONS: Migrator = sqlx::migrate!("examples/migrations");
const SCHEMA: Schema = Schema { sqlite: &MIGRATIONS, postgres: &MIGRATIONS, events: Catalogue(&[RANG]) };
/// The one type of event.
pub const RANG: EventType = EventType::new("bell.rang", "/services/bell");
/// How many events the consumer has applied.
static TOTALS: Table = Table {
    name: "totals",
    columns: &[("id", Kind::Id), ("version", Kind::Int), ("value", Kind::Int)],
    on_conflict: OnConflict::Replace,
    fence: "version",
};

/// What comes within this time is in time.
const SOON: Duration = Duration::from_secs(20);

/// Its actors end when it is dropped.
pub struct Node {
    pub db: Db,
    pub journal: Journal,
    pub registry: Registry,
    pub supervisor: Supervisor,
    pub arbiters: Arbiters,
    pub actor_stats: ActorStatsRegistry,
    _files: TempDir,
}

/// Runs `body` within an actix system, with the runtime that outlives the actors.
pub fn run<T>(body: impl AsyncFnOnce(tokio::runtime::Handle) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let done = System::new().block_on(body(runtime.handle().clone()));
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

impl Node {
    /// A node whose database's connections live on `runtime`; an actor without progress for `stuck_after` is stuck.
    pub async fn start(runtime: &tokio::runtime::Handle, stuck_after: Duration) -> Self {
        let files = TempDir::with_prefix("kizuna-runtime.").expect("a temporary folder");
        let url = format!("sqlite://{}/node.db", files.path().display());
        let opened = runtime.spawn(async move {
            let db = Db::connect(&DatabaseSettings { url, pool_size: 2 }, SCHEMA).await?;
            db.migrate().await.map(|_| db)
        });
        let db = opened.await.expect("no panic").expect("a database that opens");
        let (actor_stats, arbiters) = (ActorStatsRegistry::default(), Arbiters::start(2));
        let supervisor = Supervisor::watching(actor_stats.clone(), Intensity::default(), stuck_after);
        let registry = Registry::start(&supervisor, &arbiters.feeding());
        let (writer, tells, limits) = (db.clone(), registry.clone(), JournalLimits::default());
        let journal = Journal::start(&supervisor, &arbiters.serving(), writer, tells, limits);
        Self { db, journal, registry, supervisor, arbiters, actor_stats, _files: files }
    }

    /// What its consumers need.
    pub fn consumer_parts(&self) -> ConsumerParts {
        ConsumerParts {
            db: self.db.clone(),
            journal: self.journal.clone(),
            registry: self.registry.clone(),
            members: Members::alone(Arc::new(Identity::new(None, &[], Clock::System.now()))),
            clock: Clock::System,
            retry: Backoff::default(),
            batch: 256,
            poll: Duration::from_millis(50),
            parking: 100,
        }
    }

    /// Starts a consumer.
    pub fn feed<C: Consumer>(&self, consumer: C) {
        ConsumerActor::start(&self.supervisor, &self.arbiters.feeding(), self.consumer_parts(), consumer);
    }

    /// What an actor shows of itself.
    pub fn reading(&self, actor: &str) -> ActorReading {
        let readings = self.actor_stats.read();
        readings.into_iter().find(|reading| reading.name == actor).expect("an actor of this name")
    }

    /// Commits an event of a bell of its own.
    pub async fn ring(&self) {
        self.journal.commit(ringing()).await.expect("a commit");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.supervisor.stop();
        self.arbiters.stop();
    }
}

#[derive(Serialize)]
struct Rang {}

impl DomainEvent for Rang {
    fn event_type(&self) -> EventType {
        RANG
    }

    fn data(&self) -> Box<RawValue> {
        raw(self)
    }
}

/// A unit of one event.
pub fn ringing() -> UnitOfWork {
    let event = Event::new(&Rang {}, new_id(), 1, Clock::System.now(), &Context::system());
    UnitOfWork { events: vec![event], ..UnitOfWork::default() }
}

/// The stored count of what was applied; its version counts units.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Total {
    id: Option<Id>,
    version: i64,
    value: i64,
}

/// How many events have been counted by [`counting`].
pub async fn counted(db: &Db) -> i64 {
    total(db).await.expect("a database that answers").value
}

async fn total(db: &Db) -> Result<Total, StoreError> {
    Ok(db.row(&TOTALS, Id::nil()).await?.unwrap_or_default())
}

/// The effect that counts these events: twice, were they applied twice.
pub async fn counting(db: &Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, StoreError> {
    let Total { version, value, .. } = total(db).await?;
    let after = Total { id: Some(Id::nil()), version: version + 1, value: value + events.len() as i64 };
    let write = Write::put(&TOTALS, Id::nil(), &after).expecting(version);
    Ok(UnitOfWork { writes: vec![write], ..UnitOfWork::default() })
}

/// Waits until `holds`, and fails if it does not soon.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < SOON, "{what}: not within {SOON:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
