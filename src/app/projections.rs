//! Rebuilds the projections from the event log, with the consumers that write them.
//!
//! Notifications are not projections: they have states of their own (read, archived).

use std::sync::Arc;
use std::time::Duration;

use crate::actors::analytics::activity::ActivityConsumer;
use crate::actors::analytics::metrics::MetricsConsumer;
use crate::actors::analytics::notifications::NotificationsConsumer;
use crate::actors::customer_replicas::{OpportunityReplica, SalesReplica};
use crate::actors::opportunity::progress::DealProgressConsumer;
use crate::persistence::analytics::{ACTIVITY, METRICS, USER_COPIES};
use crate::persistence::customer_replicas::{OPPORTUNITY_CUSTOMERS, SALES_CUSTOMERS};
use crate::persistence::deal_reports::DEAL_PROGRESS;
use crate::persistence::tallies::TALLIES;
use crate::persistence::tally_folds;
use domain::notification::user_directory::{TYPES as USER_TYPES, UserDirectory};
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

/// Events per unit of work, at most.
const BATCH: usize = 512;
/// How often a rebuild that makes no progress is tried again, and the pause between two tries.
const ATTEMPTS: usize = 50;
const WAIT: Duration = Duration::from_millis(100);
/// Events that may be parked: a server's default.
const PARKED_MAX: i64 = 10_000;

/// A projection that was rebuilt.
#[derive(Debug, PartialEq, Eq)]
pub struct Rebuilt {
    pub table: &'static str,
    pub rows: i64,
    /// Events that could not be applied; a server tries them again.
    pub parked: usize,
}

/// Rebuilds every projection, one after the other. A server may run on the database: its consumers continue from
/// where this is. Answers are incomplete meanwhile. Call within an actix system.
///
/// # Errors
/// When the database is away. A server's consumers do the rest when they start.
pub async fn rebuild(db: &Db) -> Result<Vec<Rebuilt>, StoreError> {
    let folder = Folder::start(db);
    let done = folder.all().await;
    folder.stop();
    done
}

/// The actors of a node, without its services.
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
        let (writer, publisher) = (db.clone(), registry.clone());
        let journal = supervisor.spawn("journal", &arbiters.serving(), move |liveness, stats| {
            // One unit at a time: there is nothing to gather.
            let limits = JournalLimits { group: 1, queue: 1, gathering: Duration::ZERO };
            JournalActor::new(writer.clone(), publisher.clone(), limits, liveness, stats)
        });
        let parts = ConsumerParts {
            db: db.clone(),
            journal: Journal::new(journal),
            registry,
            members: Members::alone(Arc::new(Node::new(None, &[], Clock::System.now()))),
            clock: Clock::System,
            retry: Backoff::default(),
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
            self.user_copies().await?,
            self.fold(SalesReplica, &SALES_CUSTOMERS).await?,
            self.fold(OpportunityReplica, &OPPORTUNITY_CUSTOMERS).await?,
            self.fold(DealProgressConsumer, &DEAL_PROGRESS).await?,
            self.fold(MetricsConsumer, &METRICS).await?,
            self.fold(ActivityConsumer, &ACTIVITY).await?,
            self.tallies().await?,
        ])
    }

    /// Empties the consumer's table, and runs the consumer to the head of the log.
    async fn fold<C: Consumer>(&self, consumer: C, table: &'static Table) -> Result<Rebuilt, StoreError> {
        let (db, consumer) = (&self.parts.db, Arc::new(consumer));
        self.cursors(C::NAME).await?;
        projections::reset(db, C::NAME, table).await?;
        let (mut best, mut idle) = (0, 0);
        loop {
            match run_to_head(self.parts.clone(), consumer.clone()).await {
                Ok(()) => break,
                Err(error @ (Interrupted::Overtaken | Interrupted::Store(StoreError::Unavailable(_)))) => {
                    // A server's consumer was faster. That is fine as long as one of the two makes progress.
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

    /// The sum of the consumer's positions.
    async fn cursors(&self, consumer: &str) -> Result<i64, StoreError> {
        let cursors = cursors::load(&self.parts.db, consumer).await?;
        Ok(cursors.iter().map(|cursor| cursor.position).sum())
    }

    /// The copy of the users is written by the consumer of notifications, whose cursors must not go back, or every
    /// notification would be created again. Users are few, so the copy is made in memory first and replaced at once.
    async fn user_copies(&self) -> Result<Rebuilt, StoreError> {
        let db = &self.parts.db;
        self.cursors(NotificationsConsumer::NAME).await?;
        for _ in 0..ATTEMPTS {
            let events = log::of_types(db, &USER_TYPES).await?;
            let mut users = UserDirectory::default();
            let mut unreadable = 0;
            for event in &events {
                unreadable += usize::from(users.apply(event).is_err());
            }
            let rows = users.0.values().map(|user| serde_json::to_string(user).map_err(StoreError::from));
            let rows = rows.collect::<Result<_, _>>()?;
            let consumer = NotificationsConsumer::NAME;
            if projections::replace(db, consumer, &USER_COPIES, rows, &USER_TYPES, events.len()).await? {
                return self.rebuilt(&USER_COPIES, unreadable).await;
            }
        }
        Err(StoreError::Unavailable(
            "users changed during each attempt to rebuild their copies; try again".into(),
        ))
    }

    /// The tallies are made of the records, not of the log. A server that writes meanwhile waits, or the recount does.
    async fn tallies(&self) -> Result<Rebuilt, StoreError> {
        let mut tries = 1;
        loop {
            match tally_folds::recount(&self.parts.db).await {
                Err(StoreError::Unavailable(_)) if tries < ATTEMPTS => tokio::time::sleep(WAIT).await,
                done => break done?,
            }
            tries += 1;
        }
        self.rebuilt(&TALLIES, 0).await
    }

    async fn rebuilt(&self, table: &'static Table, parked: usize) -> Result<Rebuilt, StoreError> {
        let rows = projections::rows(&self.parts.db, table).await?;
        Ok(Rebuilt { table: table.name, rows, parked })
    }
}
