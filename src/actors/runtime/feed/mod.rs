//! A consumer of the event log: cursor and effect in one transaction, so that each event takes effect
//! exactly once and in order per aggregate, whatever crashes when (SPEC §8.2).
//!
//! Deliveries of the registry are the fast way, the log is the truth: a gap in the numbers, a restart, or
//! another holder of the cursor sends the feed back to the log.

mod effect;
mod state;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};

use self::state::{Feed, Next};
use super::backoff::Backoff;
use super::journal::Journal;
use super::registry::{Filter, Registry};
use super::stats::ActorStats;
use super::supervisor::Life;
use crate::actors::event::LoggedEvent;
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
        // It ends only when the database or the registry went away: then it begins anew, from the cursors.
        ctx.spawn(run.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

/// Applies what the log has beyond the consumer's cursors, parks what can't be applied, and ends: for commands. A server
/// may run the same consumer beside it.
///
/// # Errors
/// `Unavailable` if the database is, or if the server's feed was faster: what was applied stands, go on from there.
pub async fn run_to_head<C: Consumer>(parts: FeedParts, consumer: Arc<C>) -> Result<(), StoreError> {
    Feed::load(parts, consumer).await?.save_positions().await
}

async fn run<C: Consumer>(parts: FeedParts, consumer: Arc<C>, stats: Arc<ActorStats>) {
    let filter = Filter(C::TYPES.iter().map(|t| (*t).to_owned()).collect());
    let Ok(mut deliveries) = parts.registry.subscribe(filter, parts.batch).await else { return };
    let mut feed = match Feed::load(parts, consumer).await {
        Ok(feed) => feed,
        Err(error) => return tracing::warn!(consumer = C::NAME, %error, "a consumer can't start"),
    };
    loop {
        let step = feed.step(&mut deliveries, &stats).await;
        match step {
            Ok(Next::Go) => {}
            Ok(Next::Linger) => tokio::time::sleep(LINGER).await,
            Ok(Next::RegistryGone) => return,
            Err(error) => {
                return tracing::warn!(consumer = C::NAME, %error, "a consumer starts again from its cursors");
            }
        }
    }
}
