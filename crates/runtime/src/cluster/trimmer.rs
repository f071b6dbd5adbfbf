//! Keeps the streams short: removes the entries that every consumer has taken, and old ones, which can be read from the
//! log. The node that works on a partition trims its stream. It also deletes a stream whose last id is beyond the log:
//! no node has added that, and Redis would take no event any more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use redis::{Pipeline, RedisResult, Value};

use crate::cluster::members::Members;
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use store::redis::Redis;
use store::{Db, StoreError, cursors, log};

const TRIM_EVERY: Duration = Duration::from_secs(5);
/// Entries kept per partition. A consumer that is further behind reads the log.
const STREAM_ENTRIES_MAX: i64 = 10_000;

/// The actor that trims at intervals.
pub struct TrimmerActor {
    db: Db,
    redis: Redis,
    members: Members,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl TrimmerActor {
    pub fn new(
        db: Db,
        redis: Redis,
        members: Members,
        liveness: LivenessGuard,
        stats: Arc<ActorStats>,
    ) -> Self {
        Self { db, redis, members, stats, _liveness: liveness }
    }
}

impl Actor for TrimmerActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (db, redis, members) = (self.db.clone(), self.redis.clone(), self.members.clone());
        let stats = self.stats.clone();
        let trim = async move {
            loop {
                tokio::time::sleep(TRIM_EVERY).await;
                stats.step();
                let round = async {
                    // Before the log: a node adds an event after its commit.
                    let last = last_ids(&redis, &members).await.map_err(|error| error.to_string())?;
                    let (bounds, heads) = bounds(&db, &members).await.map_err(|error| error.to_string())?;
                    delete_ahead(&redis, &last, &heads).await.map_err(|error| error.to_string())?;
                    trim(&redis, &bounds).await.map_err(|error| error.to_string())
                };
                if let Err(why) = stats.progress().watch(round).await {
                    tracing::debug!(why, "can't trim the event streams; trying again later");
                }
            }
        };
        ctx.spawn(trim.into_actor(self));
    }
}

/// The sequence number of the last entry that was ever added, per partition of this node that has a stream.
async fn last_ids(redis: &Redis, members: &Members) -> RedisResult<Vec<(i64, i64)>> {
    let mine: Vec<i64> = members.my_partitions(None).iter().collect();
    let mut pipeline = Pipeline::with_capacity(mine.len());
    pipeline.ignore_errors();
    for partition in &mine {
        pipeline.cmd("XINFO").arg("STREAM").arg(redis.events(*partition).name);
    }
    if mine.is_empty() {
        return Ok(Vec::new());
    }
    // A stream that is not there is an error.
    let answers: Vec<RedisResult<Value>> = pipeline.query_async(&mut redis.shared()).await?;
    let last = |answer: RedisResult<Value>| {
        let mut facts: HashMap<String, Value> = redis::from_redis_value(answer.ok()?).ok()?;
        let id: String = redis::from_redis_value(facts.remove("last-generated-id")?).ok()?;
        // Ids of Redis are unsigned.
        Some(id.split('-').next()?.parse().unwrap_or(i64::MAX))
    };
    Ok(mine.into_iter().zip(answers).filter_map(|(of, answer)| Some((of, last(answer)?))).collect())
}

/// Deletes the streams whose last id is greater than the last sequence number of the log.
async fn delete_ahead(redis: &Redis, last: &[(i64, i64)], heads: &[(i64, i64)]) -> RedisResult<()> {
    for (partition, number) in last {
        let head = heads.iter().find(|(of, _)| of == partition).map_or(0, |(_, head)| *head);
        if *number > head {
            let key = redis.events(*partition);
            redis.refuse(&key);
            redis.delete(&key).await?;
        }
    }
    Ok(())
}

/// Numbers of partitions.
type Numbers = Vec<(i64, i64)>;

/// The first sequence number to keep, per partition of this node; and the heads of the log.
async fn bounds(db: &Db, members: &Members) -> Result<(Numbers, Numbers), StoreError> {
    let mine = members.my_partitions(None);
    let taken = cursors::lowest(db).await?;
    let heads = log::heads(db).await?;
    let bound = |(partition, head): (i64, i64)| {
        let lowest = taken.iter().find(|(of, _)| *of == partition).map_or(0, |(_, lowest)| *lowest);
        (partition, lowest.max(head - STREAM_ENTRIES_MAX) + 1)
    };
    let bounds =
        heads.iter().copied().filter(|(partition, _)| mine.contains(*partition)).map(bound).collect();
    Ok((bounds, heads))
}

async fn trim(redis: &Redis, bounds: &[(i64, i64)]) -> RedisResult<()> {
    let mut pipeline = Pipeline::with_capacity(bounds.len());
    for (partition, first) in bounds {
        pipeline.cmd("XTRIM").arg(redis.events(*partition).name).arg("MINID").arg(first).ignore();
    }
    if bounds.is_empty() { Ok(()) } else { pipeline.query_async(&mut redis.shared()).await }
}
