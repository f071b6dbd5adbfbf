//! Publishes this node's events to the other nodes: one Redis stream per partition, with the event's sequence number as
//! the id of the entry, so that Redis refuses a late or repeated entry. An entry is sealed for this place.
//!
//! No commit waits for this, and an event that Redis does not take is not sent again: readers see the gap and read the
//! log.

use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, WrapFuture};
use redis::{Pipeline, RedisResult, Value};

use crate::registry::{Batch, Filter, Origin, Registry};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use kernel::event::LoggedEvent;
use kernel::ids::Id;
use store::log;
use store::redis::Redis;
use store::streams::FIELD;

/// Commits that may wait to be published.
const QUEUE: usize = 1_024;
/// Events published at once.
const TOGETHER: usize = 1_024;
/// The bytes of an entry before its event: the incarnation of the sender.
pub(super) const SENDER_BYTES: usize = 16;

/// The actor that publishes this node's commits to Redis.
pub struct RelayActor {
    redis: Redis,
    registry: Registry,
    incarnation: Id,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl RelayActor {
    /// `incarnation`: the incarnation of this process.
    pub fn new(
        redis: Redis,
        registry: Registry,
        incarnation: Id,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { redis, registry, incarnation, stats, _liveness: liveness }
    }
}

impl Actor for RelayActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let tell = tell(self.redis.clone(), self.registry.clone(), self.incarnation, self.stats.clone());
        // The loop ends only if the registry has ended: then both start again.
        ctx.spawn(tell.into_actor(self).map(|(), _, ctx| ctx.stop()));
    }
}

async fn tell(redis: Redis, registry: Registry, incarnation: Id, stats: Arc<ActorStats>) {
    let Ok(mut commits) = registry.subscribe(Filter::All, QUEUE).await else { return };
    while let Some(first) = commits.recv().await {
        let mut events = own(first);
        while events.len() < TOGETHER {
            let Ok(more) = commits.try_recv() else { break };
            events.extend(own(more));
        }
        if events.is_empty() {
            continue;
        }
        stats.step();
        match stats.progress().watch(publish(&redis, incarnation, &events)).await {
            Ok(0) => {}
            Ok(refused) => not_published(refused, "Redis refused"),
            Err(error) => not_published(events.len(), &error.to_string()),
        }
    }
}

fn own(batch: Batch) -> Vec<Arc<LoggedEvent>> {
    if batch.origin == Origin::Local { batch.events } else { Vec::new() }
}

fn not_published(events: usize, why: &str) {
    metrics::counter!("kizuna_relay_untold_events_total").increment(events as u64);
    tracing::debug!(events, why, "can't publish events to Redis; other nodes will read them from the log");
}

/// Adds events to the streams of their partitions; returns how many Redis refused.
async fn publish(redis: &Redis, incarnation: Id, events: &[Arc<LoggedEvent>]) -> RedisResult<usize> {
    let mut pipeline = Pipeline::with_capacity(events.len());
    pipeline.ignore_errors();
    let sender: [u8; SENDER_BYTES] = incarnation.bits().to_be_bytes();
    for event in events {
        let (key, number) = (redis.events(event.partition), event.partition_seq);
        let text = [sender.as_slice(), log::to_json(event).as_bytes()].concat();
        let add = pipeline.cmd("XADD").arg(&key.name).arg(format!("{number}-0"));
        add.arg(FIELD).arg(redis.seal(&key, number, &text));
    }
    let answers: Vec<RedisResult<Value>> = pipeline.query_async(&mut redis.shared()).await?;
    Ok(answers.iter().filter(|answer| answer.as_ref().is_err_and(|error| !is_late(error))).count())
}

/// Another node has published a later event of the partition before. Readers have seen a gap and read this event from
/// the log.
fn is_late(error: &redis::RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.contains("equal or smaller"))
}
