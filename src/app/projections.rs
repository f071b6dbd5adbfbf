//! Folding the projections again from the event log, by the consumers that keep them.
//!
//! Notifications are none: they have states of their own (read, archived), and are made anew only for new events.

use std::sync::Arc;
use std::time::Duration;

use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::metrics::MetricsConsumer;
use crate::actors::analytics::notifications::NotificationsConsumer;
use crate::actors::customer_replicas::{OpportunityReplica, SalesReplica};
use crate::domain::notification::user_directory as people;
use crate::domain::notification::user_directory::UserDirectory;
use crate::persistence::analytics::{ACTIVITY, METRICS, PEOPLE};
use crate::persistence::customer_replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use kernel::clock::Clock;
use runtime::arbiters::Arbiters;
use runtime::cluster::members::Members;
use runtime::cluster::node::Node;
use runtime::consumer::{Consumer, ConsumerParts, Interrupted, run_to_head};
use runtime::journal::{Journal, JournalActor, JournalLimits};
use runtime::registry::{Registry, RegistryActor};
use runtime::retry::Backoff;
use runtime::stats::ActorStatsRegistry;
use runtime::supervisor::{Intensity, Supervisor};
use store::table::Table;
use store::{Db, StoreError, cursors, log, projections};

/// Events of one unit at most.
const BATCH: usize = 512;
/// How often a fold that gets no further is tried again, and how far apart.
const ATTEMPTS: usize = 50;
const WAIT: Duration = Duration::from_millis(100);
/// Retries of what can't be applied are the server's business; this says when it begins.
const RETRY: Backoff = Backoff { initial: WAIT, factor: 2.0, max: Duration::from_secs(30), times: 8 };
/// Events that may be parked, as in a server by default.
const PARKED_MAX: i64 = 10_000;

/// A projection that was folded again.
#[derive(Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub table: &'static str,
    pub rows: i64,
    /// Events that could not be applied: a server tries them again.
    pub parked: usize,
}

/// Folds every projection again, one after the other. A server may run on the database: its feeds go on where the fold
/// is. Who asks meanwhile sees less than there was. Call within an actix system.
///
/// # Errors
/// When the database is away. What was not folded by then, a server's feeds fold when they start.
pub async fn rebuild(db: &Db) -> Result<Vec<Rebuilt>, StoreError> {
    let folder = Folder::start(db);
    let done = folder.all().await;
    folder.stop();
    done
}

/// The machinery of a node, without its services.
struct Folder {
    parts: ConsumerParts,
    supervisor: Supervisor,
    arbiters: Arbiters,
}

impl Folder {
    fn start(db: &Db) -> Self {
        let supervisor = Supervisor::start(ActorStatsRegistry::default(), Intensity::default());
        let arbiters = Arbiters::start(1);
        let registry = Registry::new(supervisor.spawn("registry", &arbiters.feeding(), RegistryActor::new));
        let (writer, told) = (db.clone(), registry.clone());
        let journal = supervisor.spawn("journal", &arbiters.serving(), move |liveness, stats| {
            let limits = JournalLimits { group: 1, queue: 1 };
            JournalActor::new(writer.clone(), told.clone(), limits, liveness, stats)
        });
        let parts = ConsumerParts {
            db: db.clone(),
            journal: Journal::new(journal),
            registry,
            members: Members::alone(Arc::new(Node::new(None, &[], Clock::System.now()))),
            clock: Clock::System,
            retry: RETRY,
            batch: BATCH,
            poll: WAIT,
            parking: PARKED_MAX as usize,
        };
        Self { parts, supervisor, arbiters }
    }

    fn stop(&self) {
        self.supervisor.stop();
        self.arbiters.stop();
    }

    async fn all(&self) -> Result<Vec<Rebuilt>, StoreError> {
        Ok(vec![
            self.people().await?,
            self.fold(SalesReplica, &SALES_CUSTOMERS).await?,
            self.fold(OpportunityReplica, &OPPORTUNITY_CUSTOMERS).await?,
            self.fold(MetricsConsumer, &METRICS).await?,
            self.fold(ActivityConsumer, &ACTIVITY).await?,
        ])
    }

    /// Throws away what the consumer keeps, and lets it run to the head of the log.
    async fn fold<C: Consumer>(&self, consumer: C, table: &'static Table) -> Result<Rebuilt, StoreError> {
        let (db, consumer) = (&self.parts.db, Arc::new(consumer));
        self.cursors(C::NAME).await?;
        projections::reset(db, C::NAME, table).await?;
        let (mut best, mut idle) = (0, 0);
        loop {
            match run_to_head(self.parts.clone(), consumer.clone()).await {
                Ok(()) => break,
                Err(error @ (Interrupted::Overtaken | Interrupted::Store(StoreError::Unavailable(_)))) => {
                    // A server's feed was faster; as long as one of the two gets further, all is well.
                    let position = self.cursors(C::NAME).await?;
                    idle = if position > best { 0 } else { idle + 1 };
                    best = best.max(position);
                    if idle == ATTEMPTS {
                        return Err(StoreError::Unavailable(error.to_string()));
                    }
                    tokio::time::sleep(WAIT).await;
                }
                Err(Interrupted::Store(error)) => return Err(error),
            }
        }
        let parked = cursors::parked(db, C::NAME, PARKED_MAX).await?.len();
        self.rebuilt(table, parked).await
    }

    /// How far the consumer is, all partitions together.
    async fn cursors(&self, consumer: &str) -> Result<i64, StoreError> {
        let cursors = cursors::load(&self.parts.db, consumer).await?;
        Ok(cursors.iter().map(|cursor| cursor.position).sum())
    }

    /// Whom analytics knows is kept by the consumer of notifications, whose cursors must not go back: everything would
    /// be told again. They are few, so they are folded first and put in place at once; nobody sees them gone.
    async fn people(&self) -> Result<Rebuilt, StoreError> {
        let db = &self.parts.db;
        self.cursors(NotificationsConsumer::NAME).await?;
        for _ in 0..ATTEMPTS {
            let events = log::of_types(db, &people::TYPES).await?;
            let mut people = UserDirectory::default();
            let mut strange = 0;
            for event in &events {
                strange += usize::from(people.learn(event).is_err());
            }
            let rows =
                people.0.values().map(|person| serde_json::to_string(person).map_err(StoreError::from));
            let rows = rows.collect::<Result<_, _>>()?;
            let consumer = NotificationsConsumer::NAME;
            if projections::replace(db, consumer, &PEOPLE, rows, &people::TYPES, events.len()).await? {
                return self.rebuilt(&PEOPLE, strange).await;
            }
        }
        Err(StoreError::Unavailable("users change too fast to be counted".into()))
    }

    async fn rebuilt(&self, table: &'static Table, parked: usize) -> Result<Rebuilt, StoreError> {
        let rows = projections::rows(&self.parts.db, table).await?;
        Ok(Rebuilt { table: table.name, rows, parked })
    }
}
