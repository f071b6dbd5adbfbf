//! A consumer of the event log: cursor and effect in one transaction, so that each event takes effect
//! exactly once and in order per aggregate, whatever crashes when (SPEC §8.2).
//!
//! Deliveries of the registry are the fast way, the log is the truth: a gap in the numbers, a restart, or
//! another holder of the cursor sends the feed back to the log.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::sync::mpsc::Receiver;

use super::backoff::Backoff;
use super::journal::Journal;
use super::parking::Parking;
use super::registry::{Batch, Filter, Registry};
use super::stats::ActorStats;
use super::supervisor::Life;
use crate::actors::event::LoggedEvent;
use crate::clock::Clock;
use crate::failpoint;
use crate::persistence::cursors::{self, Cursor};
use crate::persistence::unit::{Rejection, Unit};
use crate::persistence::{Db, StoreError, log};

/// What a service does about events.
pub trait Consumer: Send + Sync + 'static {
    /// `service.purpose`: the name of its cursors, its actor and its dead letters.
    const NAME: &'static str;
    /// The types it takes, each of `actors/catalogue.rs`.
    const TYPES: &'static [&'static str];

    /// The effect of these events, in their order, as one unit. Reads, but writes nothing itself.
    fn effect(
        &self,
        db: &Db,
        events: &[Arc<LoggedEvent>],
    ) -> impl Future<Output = Result<Unit, EffectError>> + Send;

    /// What is committed when an event becomes a dead letter, because of `error`.
    fn given_up(
        &self,
        db: &Db,
        event: &LoggedEvent,
        error: &str,
    ) -> impl Future<Output = Result<Unit, StoreError>> + Send {
        let _ = (db, event, error);
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
}

/// After a batch this large more is coming: waiting a moment makes the next one larger and cheaper.
const BUSY_BATCH: usize = 8;
const LINGER: Duration = Duration::from_millis(30);

/// How often retries are looked at while there are any: the seed's first one comes after 100 ms.
const RETRY_POLL: Duration = Duration::from_millis(25);

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

enum Next {
    Go,
    Linger,
    RegistryGone,
}

/// A consumer's state of mind; all of it can be read again from the database.
struct Feed<C: Consumer> {
    parts: FeedParts,
    consumer: Arc<C>,
    /// As stored, one a slice.
    cursors: Vec<Cursor>,
    /// The last number of each slice that was taken into `pending`, or needs no effect.
    seen: Vec<i64>,
    pending: VecDeque<Arc<LoggedEvent>>,
    parking: Parking,
}

impl<C: Consumer> Feed<C> {
    async fn load(parts: FeedParts, consumer: Arc<C>) -> Result<Self, StoreError> {
        let cursors = cursors::load(&parts.db, C::NAME).await?;
        let parking = Parking::load(&parts.db, C::NAME).await?;
        let seen = cursors.iter().map(|cursor| cursor.position).collect();
        let mut feed = Self { parts, consumer, cursors, seen, pending: VecDeque::new(), parking };
        feed.catch_up().await?;
        Ok(feed)
    }

    /// One round: whatever is delivered, or else a look at the log; then the retries that are due.
    async fn step(
        &mut self,
        deliveries: &mut Receiver<Batch>,
        stats: &ActorStats,
    ) -> Result<Next, StoreError> {
        let mut applied = 0;
        let wait = if self.parking.is_retrying() { RETRY_POLL } else { self.parts.poll };
        match tokio::time::timeout(wait, deliveries.recv()).await {
            Ok(None) => return Ok(Next::RegistryGone),
            Ok(Some(first)) => {
                let mut gap = self.take(&first);
                while self.pending.len() < self.parts.batch {
                    let Ok(more) = deliveries.try_recv() else { break };
                    gap |= self.take(&more);
                }
                stats.step();
                applied = self.apply().await?;
                if gap {
                    self.catch_up().await?;
                }
            }
            Err(_) => {
                self.catch_up().await?;
                self.save_positions().await?;
            }
        }
        self.retry_parked().await?;
        Ok(if applied >= BUSY_BATCH { Next::Linger } else { Next::Go })
    }

    /// Takes a delivery; true if numbers are missing before it.
    fn take(&mut self, batch: &Batch) -> bool {
        let before = self.seen.clone();
        let mut gap = false;
        for range in batch.ranges.iter() {
            let seen = &mut self.seen[range.slice as usize];
            if range.from > *seen + 1 {
                gap = true;
            } else {
                *seen = (*seen).max(range.to);
            }
        }
        let fresh = |event: &&Arc<LoggedEvent>| {
            let slice = event.slice as usize;
            event.slice_seq > before[slice] && event.slice_seq <= self.seen[slice]
        };
        self.pending.extend(batch.events.iter().filter(fresh).cloned());
        gap
    }

    /// Reads and applies what the log has beyond `seen`, slice by slice.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        for (slice, head) in log::heads(&self.parts.db).await? {
            while self.seen[slice as usize] < head {
                let limit = self.parts.batch as i64;
                let events = log::after(&self.parts.db, slice, self.seen[slice as usize], limit).await?;
                let Some(last) = events.last() else { break };
                self.seen[slice as usize] = last.slice_seq;
                let wanted = events.into_iter().filter(|event| C::TYPES.contains(&event.event.event_type));
                self.pending.extend(wanted.map(Arc::new));
                self.apply().await?;
            }
        }
        Ok(())
    }

    /// Applies what is pending; answers how many events that were.
    async fn apply(&mut self) -> Result<usize, StoreError> {
        let events: Vec<_> = std::mem::take(&mut self.pending).into();
        if events.is_empty() {
            return Ok(0);
        }
        let blocked = events.iter().any(|event| self.parking.blocks(event));
        if blocked || !self.try_apply(&events, true).await? {
            for event in &events {
                self.apply_alone(event).await?;
            }
        }
        Ok(events.len())
    }

    /// One event by itself: behind its parked predecessors, applied, or parked.
    async fn apply_alone(&mut self, event: &Arc<LoggedEvent>) -> Result<(), StoreError> {
        let one = std::slice::from_ref(event);
        if !self.parking.blocks(event) && self.try_apply(one, false).await? {
            return Ok(());
        }
        let why = match self.consumer.effect(&self.parts.db, one).await {
            Err(error) => error.to_string(),
            Ok(_) => "the database refused the effect".to_owned(),
        };
        let (unit, parked) = self.parking.park(event, why, self.parts.clock.now(), &self.parts.retry);
        self.commit(unit, one, false).await?.map_err(|why| StoreError::Failed(why.to_string()))?;
        self.parking.add(parked);
        Ok(())
    }

    /// True if the effect was committed, false if these events are at fault.
    async fn try_apply(&mut self, events: &[Arc<LoggedEvent>], all_seen: bool) -> Result<bool, StoreError> {
        let unit = match self.consumer.effect(&self.parts.db, events).await {
            Ok(unit) => unit,
            Err(EffectError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
            Err(_) => return Ok(false),
        };
        Ok(self.commit(unit, events, all_seen).await?.is_ok())
    }

    /// Commits an effect with its cursors' moves. The outer error sends the feed back to its cursors.
    async fn commit(
        &mut self,
        mut unit: Unit,
        events: &[Arc<LoggedEvent>],
        all_seen: bool,
    ) -> Result<Result<(), Rejection>, StoreError> {
        let moved = self.moved(events, all_seen);
        unit.writes
            .extend(moved.iter().map(|cursor| cursor.moved_from(&self.cursors[cursor.slice as usize])));
        failpoint::hit("feed.before_effect");
        match self.parts.journal.commit(unit).await {
            Ok(_) => {
                failpoint::hit("feed.after_effect");
                for cursor in moved {
                    let slice = cursor.slice as usize;
                    self.cursors[slice] = cursor;
                }
                Ok(Ok(()))
            }
            Err(why @ (Rejection::Duplicate(_) | Rejection::Refused(_))) => Ok(Err(why)),
            Err(why) => Err(StoreError::Unavailable(why.to_string())),
        }
    }

    /// Where the cursors of the events' slices stand after them.
    fn moved(&self, events: &[Arc<LoggedEvent>], all_seen: bool) -> Vec<Cursor> {
        let mut moved: Vec<Cursor> = Vec::new();
        for event in events {
            let slice = event.slice as usize;
            let place = moved.iter().position(|cursor| cursor.slice == event.slice).unwrap_or_else(|| {
                moved.push(self.cursors[slice].clone());
                moved.len() - 1
            });
            let cursor = &mut moved[place];
            debug_assert!(event.slice_seq > self.cursors[slice].position, "no event comes again");
            cursor.applied += 1;
            cursor.position = if all_seen { self.seen[slice] } else { event.slice_seq };
        }
        moved
    }

    /// Stores positions that moved over events of other types, so that a restart need not read them again.
    async fn save_positions(&mut self) -> Result<(), StoreError> {
        let moved: Vec<Cursor> = self
            .cursors
            .iter()
            .filter(|cursor| cursor.position < self.seen[cursor.slice as usize])
            .map(|cursor| Cursor { position: self.seen[cursor.slice as usize], ..cursor.clone() })
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let writes =
            moved.iter().map(|cursor| cursor.moved_from(&self.cursors[cursor.slice as usize])).collect();
        let unit = Unit { writes, ..Unit::default() };
        self.parts.journal.commit(unit).await.map_err(|why| StoreError::Unavailable(why.to_string()))?;
        for cursor in moved {
            let slice = cursor.slice as usize;
            self.cursors[slice] = cursor;
        }
        Ok(())
    }

    /// Tries the parked events whose time has come again.
    async fn retry_parked(&mut self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        for parked in self.parking.due(now) {
            let Some(event) = log::by_ids(&self.parts.db, &[parked.event_id]).await?.into_iter().next()
            else {
                return Err(StoreError::Failed(format!("the log has lost event {}", parked.event_id)));
            };
            let effect = self.consumer.effect(&self.parts.db, &[Arc::new(event)]).await;
            let attempt = match effect {
                Ok(unit) => {
                    let (unit, next) = self.parking.release(&parked, unit, now);
                    self.parts.journal.commit(unit).await.map(|_| next).map_err(|why| why.to_string())
                }
                Err(EffectError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
                Err(error) => Err(error.to_string()),
            };
            match attempt {
                Ok(next) => self.parking.released(&parked, next),
                Err(why) => {
                    let (unit, again) = self.parking.postpone(&parked, why, now, &self.parts.retry);
                    let done = self.parts.journal.commit(unit).await;
                    done.map_err(|why| StoreError::Unavailable(why.to_string()))?;
                    self.parking.replace(again);
                }
            }
        }
        Ok(())
    }
}
