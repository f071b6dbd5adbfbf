//! The runner of a consumer: its state in memory, and its rounds over deliveries, the log and parked events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use crate::cluster::placement::{Membership, PartitionSet};
use crate::cluster::watched::Watcher;
use crate::consumer::effect::Attempt;
use crate::consumer::pace::Pace;
use crate::consumer::parking;
use crate::consumer::parking::Parking;
use crate::consumer::{Consumer, ConsumerParts, Interrupted};
use crate::positions::Positions;
use crate::progress;
use crate::registry::Batch;
use crate::stats::ActorStats;
use crate::trace::Trace;
use kernel::clock::Timestamp;
use kernel::event::LoggedEvent;
use kernel::simulation::mutant;
use store::cursors;
use store::cursors::{Cursor, Parked, ParkedStatus};
use store::unit_of_work::CommitError;
use store::{StoreError, log};

/// After a batch of this size more events are likely to come.
const BUSY_BATCH: usize = 8;

/// How often due retries are checked while events are parked: the first retry comes after 100 ms.
const RETRY_POLL: Duration = Duration::from_millis(25);
/// The most retries before deliveries are read again.
const RETRIES_A_ROUND: usize = 64;
/// How often the parked events are read from the database again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What follows a round.
pub(super) enum Next {
    Go,
    /// More events are coming: wait for them.
    Linger,
    RegistryGone,
    /// The partitions of this node have changed.
    Moved,
}

/// The state of a runner. All of it can be read again from the database.
pub(super) struct ConsumerRunner<C: Consumer> {
    pub(super) parts: ConsumerParts,
    pub(super) consumer: Arc<C>,
    /// The partitions that this node works on.
    partitions: PartitionSet,
    /// The stored cursors: one per partition, in order.
    pub(super) cursors: Vec<Cursor>,
    /// The last sequence number per partition that is in `pending` or needs no effect.
    pub(super) seen: Positions,
    pending: VecDeque<Arc<LoggedEvent>>,
    pace: Pace,
    parking: Parking,
    /// When the parked events were last read from the database.
    looked: Instant,
    /// The failpoint of its effects.
    pub(super) failpoint: String,
}

impl<C: Consumer> ConsumerRunner<C> {
    pub(super) async fn load(
        parts: ConsumerParts,
        consumer: Arc<C>,
        partitions: PartitionSet,
        pace: Pace,
    ) -> Result<Self, Interrupted> {
        let cursors = cursors::load(&parts.db, C::NAME).await?;
        let parking = Parking::load(&parts.db, C::NAME, parts.parking, partitions).await?;
        let mut runner = Self {
            seen: cursors.iter().map(|cursor| (cursor.partition, cursor.position)).collect(),
            parts,
            consumer,
            partitions,
            cursors,
            pending: VecDeque::new(),
            pace,
            parking,
            looked: Instant::now(),
            failpoint: format!("feed.{}.effect", C::NAME),
        };
        if runner.parking.has_room() {
            runner.catch_up().await?;
        } else {
            tracing::error!(consumer = C::NAME, "paused: the limit of parked events is reached");
        }
        Ok(runner)
    }

    /// One round: applies a delivery, or reads the log; then the retries that are due.
    pub(super) async fn step(
        &mut self,
        deliveries: &mut Receiver<Batch>,
        members: &mut Watcher<Arc<Membership>>,
        stats: &ActorStats,
    ) -> Result<Next, Interrupted> {
        if !self.parking.has_room() {
            // Deliveries overflow meanwhile; their events are read from the log later.
            tokio::time::sleep(RETRY_POLL).await;
            stats.progress().watch(self.retry_parked()).await?;
            return Ok(Next::Go);
        }
        let wait = self.wait();
        let delivered = tokio::select! {
            biased;
            // Checked only between rounds, so that no effect is interrupted.
            _ = members.changed() => return Ok(Next::Moved),
            delivered = tokio::time::timeout(wait, deliveries.recv()) => delivered,
        };
        match delivered {
            Ok(None) => Ok(Next::RegistryGone),
            Ok(Some(first)) => stats.progress().watch(self.round(Some(first), deliveries, stats)).await,
            Err(_) => stats.progress().watch(self.round(None, deliveries, stats)).await,
        }
    }

    /// Applies deliveries, or else events of the log; then the parked events that are due.
    async fn round(
        &mut self,
        delivered: Option<Batch>,
        deliveries: &mut Receiver<Batch>,
        stats: &ActorStats,
    ) -> Result<Next, Interrupted> {
        let mut applied = 0;
        match delivered {
            Some(first) => {
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
            None => {
                self.catch_up().await?;
                self.save_positions().await?;
            }
        }
        self.retry_parked().await?;
        Ok(if applied >= BUSY_BATCH { Next::Linger } else { Next::Go })
    }

    /// How long a round waits for deliveries.
    fn wait(&self) -> Duration {
        if self.parking.is_retrying() {
            RETRY_POLL
        } else if self.parking.is_empty() {
            self.parts.poll
        } else {
            self.parts.poll.min(LOOK_EVERY.saturating_sub(self.looked.elapsed()))
        }
    }

    /// Takes a delivery; returns true if sequence numbers are missing before it.
    fn take(&mut self, batch: &Batch) -> bool {
        let taken = self.seen.take(batch, self.partitions);
        self.pending.extend(taken.fresh);
        taken.gap
    }

    /// Reads and applies the events after `seen` in the log, partition by partition.
    async fn catch_up(&mut self) -> Result<(), Interrupted> {
        for (partition, head) in log::heads(&self.parts.db).await? {
            while self.partitions.contains(partition) && self.seen.at(partition) < head {
                let limit = self.parts.batch as i64;
                let after = self.seen.at(partition) + i64::from(mutant("resume-skips-one"));
                let events = log::after(&self.parts.db, partition, after, limit).await?;
                progress::made();
                let Some(last) = events.last() else { break };
                self.seen.advance(partition, last.partition_seq);
                let wanted = events.into_iter().filter(|event| C::TYPES.contains(&event.event.event_type));
                self.pending.extend(wanted.map(Arc::new));
                self.apply().await?;
            }
        }
        Ok(())
    }

    /// Applies the pending events; returns how many they were.
    async fn apply(&mut self) -> Result<usize, Interrupted> {
        let count = self.pending.len();
        while !self.pending.is_empty() {
            let next = self.pace.now().min(self.pending.len());
            let events: Vec<_> = self.pending.drain(..next).collect();
            self.apply_some(&events).await?;
            self.pace.committed();
        }
        Ok(count)
    }

    /// Applies the first of the pending events, which are no longer there: together or, if that fails or some must wait, one
    /// by one.
    async fn apply_some(&mut self, events: &[Arc<LoggedEvent>]) -> Result<(), Interrupted> {
        let all_seen = self.pending.is_empty();
        let together = events.len() > 1 && !events.iter().any(|event| self.parking.blocks(event));
        let applied = together && {
            let trace = Trace::of_effect(C::NAME, events);
            trace.run(self.try_apply(events, all_seen)).await?.is_none()
        };
        if !applied {
            for event in events {
                let trace = Trace::of_effect(C::NAME, std::slice::from_ref(event));
                trace.run(self.apply_alone(event)).await?;
            }
        }
        Ok(())
    }

    /// Handles one event: parks it behind parked ones of its aggregate, or applies it, or parks it after a failure.
    async fn apply_alone(&mut self, event: &Arc<LoggedEvent>) -> Result<(), Interrupted> {
        let one = std::slice::from_ref(event);
        let why = if self.parking.blocks(event) {
            String::new()
        } else {
            match self.try_apply(one, false).await? {
                None => return Ok(()),
                Some(why) => why,
            }
        };
        let (mut unit, parked) = self.parking.park(event, why, self.parts.clock.now(), &self.parts.retry)?;
        let moved = self.moved(one, false);
        unit.writes.extend(self.moves(&moved));
        self.commit(unit).await?;
        self.keep(moved);
        self.parking.add(parked);
        if !self.parking.has_room() {
            tracing::error!(consumer = C::NAME, "paused: the limit of parked events is reached");
        }
        Ok(())
    }

    /// Retries the parked events that are due.
    async fn retry_parked(&mut self) -> Result<(), Interrupted> {
        self.look_again().await?;
        let now = self.parts.clock.now();
        for _ in 0..RETRIES_A_ROUND {
            let Some(parked) = self.parking.due(now) else { break };
            let event = log::by_ids(&self.parts.db, &[parked.event_id]).await?.pop();
            let lost = || StoreError::Failed(format!("the log has lost event {}", parked.event_id));
            let event = Arc::new(event.ok_or_else(lost)?);
            let trace = Trace::of_effect(C::NAME, std::slice::from_ref(&event));
            if !trace.run(self.retry(&parked, &event, now)).await? {
                return Ok(self.load_parking().await?);
            }
        }
        Ok(())
    }

    /// Retries a parked event; returns false if another runner was faster.
    async fn retry(
        &mut self,
        parked: &Parked,
        event: &Arc<LoggedEvent>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.attempt(std::slice::from_ref(event), &[parking::release(parked)]).await? {
            Attempt::Done => self.parking.released(parked),
            Attempt::AtFault(why) => self.postpone(parked, event, why, now).await?,
            Attempt::Overtaken => return Ok(false),
        }
        Ok(true)
    }

    async fn postpone(
        &mut self,
        parked: &Parked,
        event: &LoggedEvent,
        why: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (mut unit, again) = self.parking.postpone(parked, why, now, &self.parts.retry);
        if again.status == ParkedStatus::Dead {
            unit.join(self.consumer.given_up(&self.parts.db, event, &again.error).await?);
        }
        match self.commit(unit).await {
            Ok(_) => self.parking.postponed(again),
            Err(CommitError::Stale(_)) => self.load_parking().await?,
            Err(why) => return Err(StoreError::Unavailable(why.to_string())),
        }
        Ok(())
    }

    /// While events are parked, or there is no room: reads them again, because a dead letter may have been redriven on any
    /// node or by the CLI, and because other nodes may have made room.
    async fn look_again(&mut self) -> Result<(), StoreError> {
        let has_nothing = self.parking.is_empty() && self.parking.has_room();
        if has_nothing || self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.load_parking().await
    }

    async fn load_parking(&mut self) -> Result<(), StoreError> {
        self.parking = Parking::load(&self.parts.db, C::NAME, self.parts.parking, self.partitions).await?;
        self.looked = Instant::now();
        Ok(())
    }
}
