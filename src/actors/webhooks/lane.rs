//! The lane of an endpoint on one node: makes deliveries of the events of this node's partitions, and sends them.
//!
//! A position in the log moves in the unit of work that stores the deliveries of the events before it, so each event becomes one
//! delivery. A delivery is sent when the one before it of its partition key has ended and that is stored; so it is sent at least
//! once, and in order. What has no room here waits in the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::actors::webhooks::attempt::attempt;
use crate::actors::webhooks::courier::Message;
use crate::actors::webhooks::endpoint::{Endpoint, EndpointParts};
use crate::actors::webhooks::queue::Queue;
use crate::persistence::webhook_deliveries as deliveries;
use crate::persistence::webhooks as webhooks_db;
use crate::persistence::webhooks::Position;
use domain::webhook::delivery::{Delivery, DeliveryState};
use domain::webhook::rules::WebhookCommand;
use domain::webhook::schedule::{Outcome, Tried, wait_after};
use kernel::clock::Timestamp;
use kernel::context::Context;
use kernel::error::Error;
use kernel::event::LoggedEvent;
use kernel::failpoint;
use kernel::ids::Id;
use runtime::breaker::CircuitBreaker;
use runtime::cluster::placement::PartitionSet;
use runtime::positions::Positions;
use runtime::registry::Batch;
use store::unit_of_work::{CommitError, UnitOfWork, Write};
use store::{StoreError, log};

/// The most deliveries of a webhook that wait in a partition; further events wait in the log.
pub const WAITING_MAX: usize = 500;
/// The most requests to an endpoint at the same time.
const AT_ONCE: usize = 32;
/// The most events that are read from a partition at a time.
const PAGE: usize = 128;
/// So far positions may advance over events that nobody wants before they are stored: a restart reads those again.
const UNSAVED_MAX: i64 = 1_000;
/// How often heads and positions are read from the database: for events of other nodes, and for what is sent again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest pause while a delivery waits for its time.
const TICK: Duration = Duration::from_millis(200);
/// How long an endpoint rests whose breaker is open, before the breaker is asked again.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// A try under way that has ended.
pub struct Sent {
    delivery: Delivery,
    event: Arc<LoggedEvent>,
    /// The error of the breaker, if it let nothing through.
    tried: Result<Tried, Error>,
}

/// What woke a lane up.
pub enum Woken {
    Delivered(Batch),
    Sent(Box<Sent>),
    Time,
}

/// Whether a lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Go,
    /// Somebody else has changed its rows: it begins again from the database.
    Reload,
}

/// The lane of an endpoint on this node. All of it can be read again from the database.
pub struct Lane {
    parts: EndpointParts,
    endpoint: Arc<Endpoint>,
    breaker: CircuitBreaker,
    partitions: PartitionSet,
    /// The stored positions, in the order of partitions.
    positions: Vec<Position>,
    /// The last number of each partition of which all deliveries are in the queue.
    seen: Positions,
    /// The last number of each partition, as far as it is known.
    heads: Positions,
    queue: Queue,
    pub sends: JoinSet<Sent>,
    looked: Instant,
    /// The endpoint has asked to be left alone until then.
    held_until: Option<Timestamp>,
    /// The breaker has refused a request a moment ago: one at a time from then on, until one succeeds.
    refused_until: Option<Instant>,
    is_probing: bool,
    /// The endpoint has answered 410: nothing is read or sent any more.
    is_gone: bool,
}

impl Lane {
    /// # Errors
    /// The database's.
    pub async fn load(
        parts: EndpointParts,
        endpoint: Arc<Endpoint>,
        breaker: CircuitBreaker,
        partitions: PartitionSet,
    ) -> Result<Self, StoreError> {
        let webhook = endpoint.webhook.id;
        let positions = webhooks_db::positions(&parts.db, webhook).await?;
        if positions.len() != usize::try_from(kernel::event::PARTITIONS).unwrap_or_default() {
            return Err(StoreError::Unavailable(format!("the webhook {webhook} is being deleted")));
        }
        let mut queue = Queue::default();
        for delivery in deliveries::pending(&parts.db, webhook, partitions.iter()).await? {
            queue.push(delivery, None);
        }
        let seen = positions.iter().map(|it| (it.partition, it.position)).collect();
        let heads = log::heads(&parts.db).await?.into_iter().collect();
        Ok(Self {
            parts,
            endpoint,
            breaker,
            partitions,
            positions,
            seen,
            heads,
            queue,
            sends: JoinSet::new(),
            looked: Instant::now(),
            held_until: None,
            refused_until: None,
            is_probing: false,
            is_gone: false,
        })
    }

    /// How long there is nothing to do, unless something happens.
    pub fn pause(&self) -> Duration {
        if self.is_gone {
            return LOOK_EVERY;
        }
        if self.partitions.iter().any(|partition| self.can_read(partition)) {
            return Duration::ZERO;
        }
        let look = LOOK_EVERY.saturating_sub(self.looked.elapsed());
        let Some(due) = self.queue.next_due() else { return look };
        if self.sends.len() >= self.at_once() {
            return look;
        }
        let now = self.parts.clock.now();
        let due = self.held_until.map_or(due, |held| held.max(due));
        let rest = self.refused_until.map_or(Duration::ZERO, |until| until - Instant::now());
        look.min(due.since(now).max(rest).min(TICK))
    }

    /// Does what there is to do after `woken`.
    ///
    /// # Errors
    /// The database's.
    pub async fn round(
        &mut self,
        woken: Woken,
        deliveries: &mut Receiver<Batch>,
    ) -> Result<Next, StoreError> {
        let (mut sent, mut batches) = (Vec::new(), Vec::new());
        match woken {
            Woken::Sent(one) => sent.push(*one),
            Woken::Delivered(batch) => batches.push(batch),
            Woken::Time => {}
        }
        while let Some(done) = self.sends.try_join_next() {
            sent.push(done.map_err(|error| StoreError::Unavailable(error.to_string()))?);
        }
        while let Ok(batch) = deliveries.try_recv() {
            batches.push(batch);
        }
        if self.settle(sent).await? == Next::Reload {
            return Ok(Next::Reload);
        }
        if self.is_gone {
            return Ok(Next::Go);
        }
        if self.take(&batches).await? == Next::Reload {
            return Ok(Next::Reload);
        }
        if self.looked.elapsed() >= LOOK_EVERY && self.look().await? == Next::Reload {
            return Ok(Next::Reload);
        }
        if self.read().await? == Next::Reload {
            return Ok(Next::Reload);
        }
        self.launch().await?;
        Ok(Next::Go)
    }

    /// Waits for the tries under way and stores what came of them.
    ///
    /// # Errors
    /// The database's.
    pub async fn drain(&mut self) -> Result<(), StoreError> {
        while let Some(done) = self.sends.join_next().await {
            let sent = done.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            self.settle(vec![sent]).await?;
        }
        Ok(())
    }

    fn at_once(&self) -> usize {
        if self.is_probing { 1 } else { AT_ONCE }
    }

    /// Whether a partition has events to read, and there is room for them.
    fn can_read(&self, partition: i64) -> bool {
        self.seen.at(partition) < self.heads.at(partition)
            && self.queue.waiting(partition) + PAGE / 2 <= WAITING_MAX
    }

    /// Makes deliveries of what the registry delivers. A partition that lags behind, or has no room, is read from the log later.
    async fn take(&mut self, batches: &[Batch]) -> Result<Next, StoreError> {
        let mut fresh: Vec<Arc<LoggedEvent>> = Vec::new();
        for batch in batches {
            let open = self.partitions.iter().filter(|partition| {
                let new = fresh.iter().filter(|event| event.partition == *partition).count();
                self.seen.at(*partition) >= self.heads.at(*partition)
                    && self.queue.waiting(*partition) + new < WAITING_MAX
            });
            let open: PartitionSet = open.collect();
            fresh.extend(self.seen.take(batch, open).fresh);
            batch.ranges.iter().for_each(|range| self.heads.advance(range.partition, range.to));
        }
        let moved: Vec<i64> = self.partitions.iter().filter(|it| self.must_save(*it, &fresh)).collect();
        self.add(fresh, &moved).await
    }

    fn must_save(&self, partition: i64, fresh: &[Arc<LoggedEvent>]) -> bool {
        fresh.iter().any(|event| event.partition == partition)
            || self.seen.at(partition) - self.positions[partition as usize].position > UNSAVED_MAX
    }

    /// Makes deliveries of the log's events, as far as there is room.
    async fn read(&mut self) -> Result<Next, StoreError> {
        let types = self.endpoint.webhook.types();
        let (mut fresh, mut moved) = (Vec::new(), Vec::new());
        let readable: Vec<i64> = self.partitions.iter().filter(|it| self.can_read(*it)).collect();
        for partition in readable {
            let (after, head) = (self.seen.at(partition), self.heads.at(partition));
            let limit = (WAITING_MAX - self.queue.waiting(partition)).min(PAGE);
            let (db, limit) = (&self.parts.db, limit as i64);
            let page = log::after_of_types(db, partition, after, types.as_deref(), limit).await?;
            runtime::progress::made();
            let last = page.last().map_or(after, |event| event.partition_seq);
            let is_whole = (page.len() as i64) < limit;
            self.seen.advance(partition, if is_whole { head.max(last) } else { last });
            fresh.extend(page.into_iter().map(Arc::new));
            moved.push(partition);
        }
        if moved.is_empty() {
            return Ok(Next::Go);
        }
        let moved: Vec<i64> = moved.into_iter().filter(|it| self.must_save(*it, &fresh)).collect();
        self.add(fresh, &moved).await
    }

    /// Stores the deliveries of these events with the new positions of partitions.
    async fn add(&mut self, events: Vec<Arc<LoggedEvent>>, moved: &[i64]) -> Result<Next, StoreError> {
        if moved.is_empty() {
            return Ok(Next::Go);
        }
        let (now, webhook) = (self.parts.clock.now(), &self.endpoint.webhook);
        let wanted = events.into_iter().filter(|event| webhook.wants(event) && self.is_replayed(event));
        let new: Vec<_> = wanted.map(|event| (Delivery::new(webhook.id, &event, now), event)).collect();
        let (new, mut writes) = self.beside_those_before(new, now).await?;
        let positions: Vec<Position> = moved
            .iter()
            .map(|partition| self.positions[*partition as usize].moved(self.seen.at(*partition)))
            .collect();
        writes.extend(positions.iter().map(Position::write));
        failpoint::hit("webhook.before_queued");
        match self.parts.journal.commit(UnitOfWork { writes, ..UnitOfWork::default() }).await {
            Ok(_) => {}
            Err(CommitError::Stale(_)) => return Ok(Next::Reload),
            Err(error) => return Err(StoreError::Unavailable(error.to_string())),
        }
        failpoint::hit("webhook.after_queued");
        for position in positions {
            let place = position.partition as usize;
            self.positions[place] = position;
        }
        for (delivery, event) in new {
            self.queue.push(delivery, Some(event));
        }
        Ok(Next::Go)
    }

    /// Whether an event is not passed over by a replay, which has a time to begin with.
    fn is_replayed(&self, event: &LoggedEvent) -> bool {
        let position = &self.positions[event.partition as usize];
        event.partition_seq > position.queued
            || position.replay_from.is_none_or(|from| event.event.time >= from)
    }

    /// The deliveries to store. Of replayed events they may be there: those that wait stay as they are, those that have ended begin
    /// again.
    async fn beside_those_before(
        &self,
        new: Vec<(Delivery, Arc<LoggedEvent>)>,
        now: Timestamp,
    ) -> Result<(Vec<(Delivery, Arc<LoggedEvent>)>, Vec<Write>), StoreError> {
        let replayed = |delivery: &Delivery| {
            delivery.partition_seq <= self.positions[delivery.partition as usize].queued
        };
        let ids: Vec<Id> = new.iter().map(|(it, _)| it).filter(|it| replayed(it)).map(|it| it.id).collect();
        if ids.is_empty() {
            let writes = new.iter().map(|(delivery, _)| deliveries::add(delivery)).collect();
            return Ok((new, writes));
        }
        let before = deliveries::by_ids(&self.parts.db, &ids).await?;
        let before: HashMap<Id, Delivery> = before.into_iter().map(|it| (it.id, it)).collect();
        let mut kept = Vec::with_capacity(new.len());
        for (delivery, event) in new {
            match before.get(&delivery.id) {
                None => kept.push((delivery, event)),
                Some(ended) if ended.state != DeliveryState::Pending => kept.push((ended.again(now), event)),
                Some(_) => {}
            }
        }
        let writes = kept.iter().map(|(delivery, _)| deliveries::replace(delivery)).collect();
        Ok((kept, writes))
    }

    /// Reads how far the log is, and whether somebody has changed the positions.
    async fn look(&mut self) -> Result<Next, StoreError> {
        self.looked = Instant::now();
        let stored = webhooks_db::positions(&self.parts.db, self.endpoint.webhook.id).await?;
        let is_mine = |position: &&Position| self.partitions.contains(position.partition);
        let known = |position: &Position| self.positions.get(position.partition as usize) == Some(position);
        if stored.is_empty() || !stored.iter().filter(is_mine).all(known) {
            return Ok(Next::Reload);
        }
        for (partition, head) in log::heads(&self.parts.db).await? {
            self.heads.advance(partition, head);
        }
        Ok(Next::Go)
    }

    /// Sends what is due, as many at once as may be.
    async fn launch(&mut self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        self.held_until = self.held_until.filter(|held| now < *held);
        self.refused_until = self.refused_until.filter(|until| Instant::now() < *until);
        if self.held_until.is_some() || self.refused_until.is_some() {
            return Ok(());
        }
        let mut due = Vec::new();
        while self.sends.len() + due.len() < self.at_once() {
            let Some(waiting) = self.queue.take(now) else { break };
            due.push(waiting);
        }
        let unknown: Vec<Id> =
            due.iter().filter(|it| it.event.is_none()).map(|it| it.delivery.event_id).collect();
        let read =
            if unknown.is_empty() { Vec::new() } else { log::by_ids(&self.parts.db, &unknown).await? };
        let mut read: HashMap<Id, _> = read.into_iter().map(|it| (it.event.id, Arc::new(it))).collect();
        for waiting in due {
            let event = waiting.event.or_else(|| read.remove(&waiting.delivery.event_id));
            let Some(event) = event else {
                let lost = waiting.delivery.event_id;
                return Err(StoreError::Failed(format!("the log has lost event {lost}")));
            };
            self.send(waiting.delivery, event);
        }
        Ok(())
    }

    fn send(&mut self, delivery: Delivery, event: Arc<LoggedEvent>) {
        let (parts, endpoint, breaker) = (self.parts.clone(), self.endpoint.clone(), self.breaker.clone());
        self.sends.spawn(async move {
            let now = parts.clock.now();
            let message =
                Message::new(&endpoint.webhook.url, delivery.id, &event, &endpoint.secrets_at(now), now);
            let tried = attempt(&parts.courier, &parts.clock, &breaker, &message, &event).await;
            Sent { delivery, event, tried }
        });
    }

    /// Stores what came of tries.
    async fn settle(&mut self, sent: Vec<Sent>) -> Result<Next, StoreError> {
        let mut ended = Vec::with_capacity(sent.len());
        for Sent { delivery, event, tried } in sent {
            match tried {
                Ok(tried) => {
                    self.note(&tried);
                    let after = delivery.after(&tried, |failures| self.wait(failures));
                    ended.push((after, event, tried.outcome));
                }
                Err(error) => {
                    let rest = error.retry_after.unwrap_or(REFUSED_FOR).min(REFUSED_FOR);
                    self.refused_until = Some(Instant::now() + rest);
                    self.is_probing = true;
                    self.queue.put_back(delivery);
                }
            }
        }
        if ended.is_empty() {
            return Ok(Next::Go);
        }
        failpoint::hit("webhook.before_outcome");
        let unit = |of: &[(Delivery, Arc<LoggedEvent>, Outcome)]| UnitOfWork {
            writes: of.iter().map(|(after, ..)| deliveries::replace(after)).collect(),
            ..UnitOfWork::default()
        };
        let next = match self.parts.journal.commit(unit(&ended)).await {
            Ok(_) => Next::Go,
            // One of them was sent again meanwhile, or is deleted.
            Err(CommitError::Stale(_)) => {
                for one in ended.chunks(1) {
                    match self.parts.journal.commit(unit(one)).await {
                        Ok(_) | Err(CommitError::Stale(_)) => {}
                        Err(error) => return Err(StoreError::Unavailable(error.to_string())),
                    }
                }
                Next::Reload
            }
            Err(error) => return Err(StoreError::Unavailable(error.to_string())),
        };
        failpoint::hit("webhook.after_outcome");
        for (after, event, outcome) in ended {
            self.ended(after, &event, outcome).await;
        }
        Ok(next)
    }

    /// Takes note of what a try says about the endpoint.
    fn note(&mut self, tried: &Tried) {
        if !tried.is_endpoint_s_fault() {
            self.is_probing = false;
        }
        if let Some(hold) = tried.hold.filter(|hold| !hold.is_zero()) {
            let until = self.parts.clock.now().plus(hold);
            self.held_until = Some(self.held_until.map_or(until, |held| held.max(until)));
        }
    }

    fn wait(&self, failures: u32) -> Option<Duration> {
        let retry = &self.parts.retry;
        wait_after(failures, retry.times, |n| retry.jittered(n))
    }

    async fn ended(&mut self, after: Delivery, event: &LoggedEvent, outcome: Outcome) {
        let word = match (after.state, outcome) {
            (DeliveryState::Delivered, _) => "delivered",
            (DeliveryState::Pending, _) => "failed",
            (DeliveryState::Dead, _) => "dead",
        };
        metrics::counter!("kizuna_webhook_tries_total", "outcome" => word).increment(1);
        let (id, webhook) = (after.id, after.webhook_id);
        if after.state == DeliveryState::Dead {
            tracing::warn!(%webhook, delivery = %id, "a delivery to a webhook is dead: its tries are used up");
        }
        match after.state {
            DeliveryState::Pending => self.queue.put_back(after),
            DeliveryState::Delivered | DeliveryState::Dead => self.queue.done(after.partition_key),
        }
        if outcome == Outcome::Gone {
            let gone = WebhookCommand::Gone { url: self.endpoint.webhook.url.clone() };
            let context = Context::caused_by(&event.event);
            match self.parts.webhooks.execute(webhook, gone, context).await {
                Ok(state) => {
                    // The address may be another by now; then this lane ends for that.
                    self.is_gone = !state.is_enabled();
                    tracing::warn!(%webhook, "a webhook is disabled: its endpoint answered 410");
                }
                Err(error) => tracing::warn!(%webhook, %error, "a webhook could not be disabled after a 410"),
            }
        }
    }
}
