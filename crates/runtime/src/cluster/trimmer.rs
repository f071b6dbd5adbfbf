//! Keeps the streams short: removes the entries that every consumer has taken, and old ones, which can be read from the
//! log. The node that works on a partition trims its stream.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use redis::{Pipeline, RedisResult};

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
                    let bounds = bounds(&db, &members).await.map_err(|error| error.to_string())?;
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

/// The first sequence number to keep, per partition of this node.
async fn bounds(db: &Db, members: &Members) -> Result<Vec<(i64, i64)>, StoreError> {
    let mine = members.my_partitions(None);
    let taken = cursors::lowest(db).await?;
    let heads = log::heads(db).await?;
    let bound = |(partition, head): (i64, i64)| {
        let lowest = taken.iter().find(|(of, _)| *of == partition).map_or(0, |(_, lowest)| *lowest);
        (partition, lowest.max(head - STREAM_ENTRIES_MAX) + 1)
    };
    Ok(heads.into_iter().filter(|(partition, _)| mine.contains(*partition)).map(bound).collect())
}

async fn trim(redis: &Redis, bounds: &[(i64, i64)]) -> RedisResult<()> {
    let mut pipeline = Pipeline::with_capacity(bounds.len());
    for (partition, first) in bounds {
        pipeline.cmd("XTRIM").arg(redis.events(*partition)).arg("MINID").arg(first).ignore();
    }
    if bounds.is_empty() { Ok(()) } else { pipeline.query_async(&mut redis.shared()).await }
}
