//! A consumer of the event log: cursor and effect in one transaction, so that each event takes effect
//! exactly once and in order per aggregate, whatever crashes when (SPEC §8.2).
//!
//! Deliveries of the registry are the fast way, the log is the truth: a gap in the numbers, a restart, or
//! another holder of the cursor sends the feed back to the log. In a cluster each node works on the slices that its
//! placement gives it; two that work on one for a moment are told apart by the cursor's compare-and-set.

mod effect;
mod state;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::watch;
use tokio::time::Instant;

use self::state::{Feed, Next};
use super::backoff::Backoff;
use super::cluster::members::Members;
use super::cluster::placement::{Membership, SliceSet};
use super::journal::Journal;
use super::registry::{Filter, Registry};
use super::stats::ActorStats;
use super::supervisor::Life;
use crate::actors::event::LoggedEvent;
use crate::actors::service_name::ServiceName;
use crate::clock::Clock;
use crate::persistence::unit::Unit;
use crate::persistence::{Db, StoreError};

/// What a service does about events.
pub trait Consumer: Send + Sync + 'static {
    /// `service.purpose`: the name of its cursors, its actor and its dead letters.
    const NAME: &'static str;
    /// The types it takes, each of `actors/catalogue.rs`.
    const TYPES: &'static [&'static str];

    /// The effect of these events, in their order, as one unit. Reads, but writes nothing itself; commands that it
    /// sends on the way must do no harm when they come again.
    fn effect(
        &self,
        db: &Db,
        events: &[Arc<LoggedEvent>],
    ) -> impl Future<Output = Result<Unit, EffectError>> + Send;

    /// What is committed when an event becomes a dead letter, because of `error`.
    fn given_up(
        &self,
        _db: &Db,
        _event: &LoggedEvent,
        _error: &str,
    ) -> impl Future<Output = Result<Unit, StoreError>> + Send {
        std::future::ready(Ok(Unit::default()))
    }
}

/// Why a consumer could not take an event.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// Not the event's fault: tried again, nothing is parked.
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

/// What every feed needs.
#[derive(Clone)]
pub struct FeedParts {
    pub db: Db,
    pub journal: Journal,
    pub registry: Registry,
    /// Who shares the slices.
    pub members: Members,
    pub clock: Clock,
    pub retry: Backoff,
    /// Events of one unit at most.
    pub batch: usize,
    /// How often the log is looked at without a delivery.
    pub poll: Duration,
    /// Events that may be parked; the consumer stands still when there is no room for another.
    pub parking: usize,
}

/// How long to wait where more is coming: the next batch is larger and cheaper for it.
const LINGER: Duration = Duration::from_millis(30);

/// When to start again after a failure: the database is away, or another node works on the slice still.
const AGAIN: Backoff =
    Backoff { initial: Duration::from_millis(50), factor: 2.0, max: Duration::from_secs(5), times: u32::MAX };

/// Runs a consumer for as long as it lives; its supervisor makes it anew from the stored cursors.
pub struct FeedActor<C: Consumer> {
    parts: FeedParts,
    consumer: Arc<C>,
    stats: Arc<ActorStats>,
    _life: Life,
}

impl<C: Consumer> FeedActor<C> {
    pub fn new(parts: FeedParts, consumer: Arc<C>, life: Life, stats: Arc<ActorStats>) -> Self {
        Self { parts, consumer, stats, _life: life }
    }
}

impl<C: Consumer> Actor for FeedActor<C> {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let run = run(self.parts.clone(), self.consumer.clone(), self.stats.clone());
        // It ends only when the registry went away: then it begins anew, from the cursors.
        ctx.spawn(run.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Applies what the log has beyond the consumer's cursors, parks what can't be applied, and ends: for commands. A server
/// may run the same consumer beside it.
///
/// # Errors
/// `Unavailable` if the database is, or if a server's feed was faster: what was applied stands, go on from there.
pub async fn run_to_head<C: Consumer>(parts: FeedParts, consumer: Arc<C>) -> Result<(), StoreError> {
    Feed::load(parts, consumer, SliceSet::ALL).await?.save_positions().await
}

/// Works on this node's slices, whichever they are at the time.
async fn run<C: Consumer>(parts: FeedParts, consumer: Arc<C>, stats: Arc<ActorStats>) {
    let mut members = parts.members.watch();
    let mut failures = 0;
    loop {
        let slices = slices_of::<C>(&parts, &mut members);
        if slices.is_empty() {
            // The sender lives as long as the parts do.
            let _ = members.changed().await;
            continue;
        }
        let begun = Instant::now();
        match work(&parts, &consumer, slices, &mut members, &stats).await {
            Ok(Next::RegistryGone) => return,
            Ok(_) => {}
            Err(error) => {
                stats.failed();
                if begun.elapsed() > 2 * AGAIN.max {
                    failures = 0;
                }
                tracing::warn!(consumer = C::NAME, %error, "a consumer starts again from its cursors");
                tokio::time::sleep(AGAIN.jittered(failures)).await;
                failures = failures.saturating_add(1);
            }
        }
    }
}

/// The slices that this node works on for the consumer now.
fn slices_of<C: Consumer>(parts: &FeedParts, members: &mut watch::Receiver<Arc<Membership>>) -> SliceSet {
    let incarnation = parts.members.node().incarnation;
    members.borrow_and_update().slices_of(incarnation, ServiceName::of_consumer(C::NAME))
}

/// Works on these slices until they are others.
async fn work<C: Consumer>(
    parts: &FeedParts,
    consumer: &Arc<C>,
    slices: SliceSet,
    members: &mut watch::Receiver<Arc<Membership>>,
    stats: &ActorStats,
) -> Result<Next, StoreError> {
    let filter = Filter(C::TYPES.iter().map(|t| (*t).to_owned()).collect());
    let Ok(mut deliveries) = parts.registry.subscribe(filter, parts.batch).await else {
        return Ok(Next::RegistryGone);
    };
    let mut feed = Feed::load(parts.clone(), consumer.clone(), slices).await?;
    loop {
        match feed.step(&mut deliveries, members, stats).await? {
            Next::Go => {}
            Next::Linger => tokio::time::sleep(LINGER).await,
            Next::Moved if slices_of::<C>(parts, members) == slices => {}
            over => return Ok(over),
        }
    }
}
