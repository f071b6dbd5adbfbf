//! Tells the other nodes what was committed here: one stream a partition, the event's number in the partition as the entry's
//! id, so that Redis itself refuses what comes late or twice.
//!
//! No commit waits for this, and what Redis doesn't take is not kept: whoever misses a number reads the log.

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

/// Commits that may wait to be published.
const QUEUE: usize = 1_024;
/// Events published at once.
const TOGETHER: usize = 1_024;
/// The entry's fields: which process it is from, and the event.
pub(super) const FROM: &str = "from";
pub(super) const EVENT: &str = "event";

/// Passes commits of this node on to Redis.
pub struct RelayActor {
    redis: Redis,
    registry: Registry,
    incarnation: Id,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl RelayActor {
    /// `incarnation`: that of this node's process.
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
        // It ends only when the registry did: then both begin anew.
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

/// Adds events to the streams of their partitions; answers how many Redis had no room for.
async fn publish(redis: &Redis, incarnation: Id, events: &[Arc<LoggedEvent>]) -> RedisResult<usize> {
    let mut pipeline = Pipeline::with_capacity(events.len());
    pipeline.ignore_errors();
    let from = incarnation.to_string();
    for event in events {
        let (key, id) = (redis.events(event.partition), format!("{}-0", event.partition_seq));
        let add = pipeline.cmd("XADD").arg(key).arg(id);
        add.arg(FROM).arg(&from).arg(EVENT).arg(log::to_json(event));
    }
    let answers: Vec<RedisResult<Value>> = pipeline.query_async(&mut redis.shared()).await?;
    Ok(answers.iter().filter(|answer| answer.as_ref().is_err_and(|error| !is_late(error))).count())
}

/// Another node has told of a later event of the partition before: its readers have read this one from the log.
fn is_late(error: &redis::RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.contains("equal or smaller"))
}
