//! A consumer of the event log: cursor and effect in one transaction, so that each event takes effect
//! exactly once and in order per aggregate, whatever crashes when (SPEC §8.2).
//!
//! Deliveries of the registry are the fast way. After a gap in the sequence numbers, a restart, or a conflict on the
//! cursor, the runner reads the log. In a cluster each node works on the partitions of its placement. If two nodes work
//! on one partition for a moment, the compare-and-set of the cursor lets only one of them commit.

mod effect;
mod effect_spans;
mod pace;
pub mod parking;
mod runner;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, ArbiterHandle, AsyncContext, Context, WrapFuture};
use tokio::time::Instant;

use crate::cluster::members::Members;
use crate::cluster::placement::{Membership, PartitionSet};
use crate::cluster::watched::Watcher;
use crate::consumer::pace::Pace;
use crate::consumer::runner::{ConsumerRunner, Next};
use crate::journal::Journal;
use crate::registry::{Filter, Registry};
use crate::retry::Backoff;
use crate::stats::ActorStats;
use crate::supervisor::{LivenessGuard, Supervisor};
use kernel::clock::Clock;
use kernel::error::Error;
use kernel::event::{EventType, LoggedEvent};
use kernel::service_id::ServiceId;
use store::unit_of_work::{CommitError, UnitOfWork};
use store::{Db, StoreError};

/// The effect of events on a service.
///
/// ```
/// use std::sync::Arc;
/// use kernel::{event::{EventType, LoggedEvent}, service_id::ServiceId};
/// use kizuna_runtime::consumer::{Consumer, EffectError};
/// use store::table::{Kind, OnConflict, Table};
/// use store::unit_of_work::{UnitOfWork, Write};
///
/// const RANG: EventType = EventType::new("bell.rang", "/services/bell");
/// static RINGS: Table = Table {
///     name: "rings",
///     columns: &[("id", Kind::Id), ("count", Kind::Int)],
///     on_conflict: OnConflict::Add("count"),
///     fence: "count",
/// };
///
/// /// Counts the rings of each bell.
/// struct Rings;
///
/// impl Consumer for Rings {
///     const SERVICE: Option<ServiceId> = None;
///     const NAME: &'static str = "bell.rings";
///     const TYPES: &'static [EventType] = &[RANG];
///
///     async fn effect(&self, _: &store::Db, events: &[Arc<LoggedEvent>]) -> Result<UnitOfWork, EffectError> {
///         let mut counts = std::collections::BTreeMap::new();
///         events.iter().for_each(|event| *counts.entry(event.event.subject).or_insert(0) += 1);
///         let row = |(id, count): (&_, &i32)| Write::put(&RINGS, id, &serde_json::json!({"id": id, "count": count}));
///         Ok(UnitOfWork { writes: counts.iter().map(row).collect(), ..UnitOfWork::default() })
///     }
/// }
/// ```
pub trait Consumer: Send + Sync + 'static {
    /// The service whose nodes run it; `None`: every node does.
    const SERVICE: Option<ServiceId>;
    /// `service.purpose`: the name of its cursors, its actor and its dead letters.
    const NAME: &'static str;
    /// The types of event that it handles.
    const TYPES: &'static [EventType];

    /// Computes the effect of these events, in order, as one unit of work. It may read, but writes only by that unit.
    /// Commands that it sends meanwhile may be repeated and must then do no harm.
    fn effect(
        &self,
        db: &Db,
        events: &[Arc<LoggedEvent>],
    ) -> impl Future<Output = Result<UnitOfWork, EffectError>> + Send;

    /// The unit of work to commit when an event becomes a dead letter because of `error`.
    fn given_up(
        &self,
        _db: &Db,
        _event: &LoggedEvent,
        _error: &str,
    ) -> impl Future<Output = Result<UnitOfWork, StoreError>> + Send {
        std::future::ready(Ok(UnitOfWork::default()))
    }
}

/// The constants of a consumer.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerSpec {
    pub name: &'static str,
    /// The service whose nodes run it; `None`: every node does.
    pub service: Option<ServiceId>,
    /// The types of event that it handles.
    pub types: &'static [EventType],
}

impl ConsumerSpec {
    /// The specification of `C`.
    pub const fn of<C: Consumer>() -> Self {
        Self { name: C::NAME, service: C::SERVICE, types: C::TYPES }
    }
}

/// Why a consumer could not apply events.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The event is not the cause: the consumer tries again, and nothing is parked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event itself can't be applied.
    #[error("{0}")]
    Event(String),
}

impl From<serde_json::Error> for EffectError {
    fn from(error: serde_json::Error) -> Self {
        Self::Event(error.to_string())
    }
}

/// Why a runner must start again from its stored cursors.
#[derive(Debug, thiserror::Error)]
pub enum Interrupted {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another runner has moved a cursor, as when partitions move to another node.
    #[error("another feed of this consumer was faster")]
    Overtaken,
}

impl From<Error> for EffectError {
    fn from(error: Error) -> Self {
        if error.is_passing() {
            Self::Store(StoreError::Unavailable(error.to_string()))
        } else {
            Self::Event(error.to_string())
        }
    }
}

impl From<CommitError> for Interrupted {
    fn from(why: CommitError) -> Self {
        match why {
            CommitError::Stale(table) if effect::OWN.contains(&table) => Self::Overtaken,
            why => Self::Store(StoreError::Unavailable(why.to_string())),
        }
    }
}

/// The parts of a node that runners use.
#[derive(Clone)]
pub struct ConsumerParts {
    pub db: Db,
    pub journal: Journal,
    pub registry: Registry,
    /// The nodes that share the partitions.
    pub members: Members,
    pub clock: Clock,
    pub retry: Backoff,
    /// The most events of one unit of work.
    pub batch: usize,
    /// How often the log is read without a delivery.
    pub poll: Duration,
    /// The most events that may be parked; the consumer pauses when there are that many.
    pub parking: usize,
}

/// How long to wait when more events are coming, so that the next batch is larger and cheaper.
const LINGER: Duration = Duration::from_millis(30);

/// The pauses before a restart after a failure: the database is away, or another node still has the partition.
const RESTART_BACKOFF: Backoff =
    Backoff { initial: Duration::from_millis(50), factor: 2.0, max: Duration::from_secs(5), times: u32::MAX };

/// Runs a consumer. After a restart it continues from the stored cursors.
pub struct ConsumerActor<C: Consumer> {
    parts: ConsumerParts,
    consumer: Arc<C>,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl<C: Consumer> ConsumerActor<C> {
    pub fn new(
        parts: ConsumerParts,
        consumer: Arc<C>,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { parts, consumer, stats, _liveness: liveness }
    }

    /// Starts the consumer's actor under supervision.
    pub fn start(supervisor: &Supervisor, arbiter: &ArbiterHandle, parts: ConsumerParts, consumer: C) {
        let (name, consumer) = (format!("feed.{}", C::NAME), Arc::new(consumer));
        supervisor.spawn(&name, arbiter, move |liveness, stats| {
            Self::new(parts.clone(), consumer.clone(), liveness, stats)
        });
    }
}

impl<C: Consumer> Actor for ConsumerActor<C> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let run = run(self.parts.clone(), self.consumer.clone(), self.stats.clone());
        // The loop ends only if the registry has ended: then it starts again from the cursors.
        ctx.spawn(run.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Applies the events after the consumer's cursors, parks events that can't be applied, and returns. For commands of
/// the CLI; a server may run the same consumer meanwhile.
///
/// # Errors
/// If the database is away, or a server's runner was faster. Applied events stay applied; call again to continue.
pub async fn run_to_head<C: Consumer>(parts: ConsumerParts, consumer: Arc<C>) -> Result<(), Interrupted> {
    let pace = Pace::new(parts.batch);
    ConsumerRunner::load(parts, consumer, PartitionSet::ALL, pace).await?.save_positions().await
}

/// Works on this node's partitions, which may change.
async fn run<C: Consumer>(parts: ConsumerParts, consumer: Arc<C>, stats: Arc<ActorStats>) {
    let mut members = parts.members.watch();
    let pace = Pace::new(parts.batch);
    let mut failures = 0;
    loop {
        let partitions = partitions_of::<C>(&parts, &mut members);
        if partitions.is_empty() {
            members.changed().await;
            continue;
        }
        let begun = Instant::now();
        match work(&parts, &consumer, partitions, &pace, &mut members, &stats).await {
            Ok(Next::RegistryGone) => return,
            Ok(_) => {}
            Err(error) => {
                stats.failed();
                if pace.failed() || begun.elapsed() > 2 * RESTART_BACKOFF.max {
                    failures = 0;
                }
                tracing::warn!(consumer = C::NAME, %error, "a consumer was interrupted and starts again from its cursors");
                tokio::time::sleep(RESTART_BACKOFF.jittered(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

/// The partitions that this node works on for the consumer now.
fn partitions_of<C: Consumer>(parts: &ConsumerParts, members: &mut Watcher<Arc<Membership>>) -> PartitionSet {
    let incarnation = parts.members.node().incarnation;
    members.get().partitions_of(incarnation, C::SERVICE)
}

/// Works on these partitions until they change.
async fn work<C: Consumer>(
    parts: &ConsumerParts,
    consumer: &Arc<C>,
    partitions: PartitionSet,
    pace: &Pace,
    members: &mut Watcher<Arc<Membership>>,
    stats: &ActorStats,
) -> Result<Next, Interrupted> {
    let filter = Filter::Types(C::TYPES.into());
    let Ok(mut deliveries) = parts.registry.subscribe(filter, parts.batch).await else {
        return Ok(Next::RegistryGone);
    };
    let load = ConsumerRunner::load(parts.clone(), consumer.clone(), partitions, pace.clone());
    let mut runner = stats.progress().watch(load).await?;
    loop {
        match runner.step(&mut deliveries, members, stats).await? {
            Next::Go => {}
            Next::Linger => tokio::time::sleep(LINGER).await,
            Next::Moved if partitions_of::<C>(parts, members) == partitions => {}
            over => return Ok(over),
        }
    }
}
