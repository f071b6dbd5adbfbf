//! Hears what other nodes committed, and passes it on to the registry of this one: a shortcut, never the record. From
//! where it stood it reads on after Redis was away; what it has missed shows as a gap, and is read from the log.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use crate::cluster::relay::{EVENT, FROM};
use crate::positions::Positions;
use crate::registry::{Batch, Origin, Registry};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use kernel::event::{LoggedEvent, PARTITIONS};
use kernel::ids::Id;
use store::redis::Redis;
use store::streams;
use store::streams::Entry;
use store::{Db, StoreError, log};

/// How long a read waits for news.
const BLOCK: Duration = Duration::from_secs(1);
/// Entries of one partition read at once.
const PAGE: usize = 512;
/// The pause before another try while Redis or the database is away.
const READ_RETRY: Duration = Duration::from_millis(200);

/// What the reader works with.
#[derive(Clone)]
pub struct ReaderParts {
    pub db: Db,
    pub redis: Redis,
    pub registry: Registry,
    /// That of this node's process: its own events come by the shorter way.
    pub incarnation: Id,
}

/// Reads the streams of all partitions, for all consumers of the node.
pub struct ReaderActor {
    parts: ReaderParts,
    stats: Arc<ActorStats>,
    _liveness: LivenessGuard,
}

impl ReaderActor {
    pub fn new(parts: ReaderParts, liveness: LivenessGuard, stats: Arc<ActorStats>) -> Self {
        Self { parts, stats, _liveness: liveness }
    }
}

impl Actor for ReaderActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let reader = Reader { parts: self.parts.clone(), positions: Positions::default() };
        ctx.spawn(reader.run(self.stats.clone()).into_actor(self));
    }
}

struct Reader {
    parts: ReaderParts,
    /// The last number of each partition that was heard of.
    positions: Positions,
}

impl Reader {
    async fn run(mut self, stats: Arc<ActorStats>) {
        while let Err(error) = stats.progress().watch(self.begin()).await {
            tracing::warn!(%error, "the log's heads can't be read for the moment");
            tokio::time::sleep(READ_RETRY).await;
        }
        loop {
            match stats.progress().watch(self.parts.redis.reader(BLOCK)).await {
                Ok(connection) => {
                    tracing::info!("listening to the other nodes");
                    let error = self.listen(connection, &stats).await;
                    tracing::warn!(%error, "nothing is heard from other nodes: the log is read each second instead");
                }
                Err(error) => tracing::debug!(%error, "Redis is away"),
            }
            tokio::time::sleep(READ_RETRY).await;
        }
    }

    /// What lies behind the heads, consumers read from the log, each from its own cursor.
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.positions = log::heads(&self.parts.db).await?.into_iter().collect();
        Ok(())
    }

    /// Reads for as long as Redis answers.
    async fn listen(&mut self, mut connection: MultiplexedConnection, stats: &ActorStats) -> RedisError {
        loop {
            match stats.progress().watch(self.read(&mut connection)).await {
                Ok(None) => {}
                Ok(Some(batch)) => {
                    stats.step();
                    self.parts.registry.publish(batch).await;
                }
                Err(error) => return error,
            }
        }
    }

    /// What is new, once there is anything or the wait is over.
    async fn read(&mut self, connection: &mut MultiplexedConnection) -> RedisResult<Option<Batch>> {
        let keys: Vec<String> = (0..PARTITIONS).map(|partition| self.parts.redis.events(partition)).collect();
        let after: Vec<String> = self.positions.iter().map(|(_, number)| format!("{number}-0")).collect();
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT")
            .arg(PAGE)
            .arg("BLOCK")
            .arg(BLOCK.as_millis() as u64)
            .arg("STREAMS")
            .arg(&keys)
            .arg(after);
        let mut events = Vec::new();
        for (key, entries) in streams::read(read.query_async(connection).await?) {
            let Some(partition) =
                (0..PARTITIONS).zip(&keys).find_map(|(partition, of)| (key == *of).then_some(partition))
            else {
                continue;
            };
            events.extend(entries.iter().filter_map(|entry| self.take(partition, entry).map(Arc::new)));
        }
        Ok((!events.is_empty()).then(|| Batch::of(events, Origin::Remote)))
    }

    /// The event of an entry, unless it is this node's own. What can't be understood, as of a newer program, is passed
    /// over: it shows as a gap.
    fn take(&mut self, partition: i64, entry: &Entry) -> Option<LoggedEvent> {
        let number = entry.id.split('-').next()?.parse().unwrap_or(i64::MAX);
        self.positions.advance(partition, number);
        if entry.text(FROM)? == self.parts.incarnation.to_string() {
            return None;
        }
        match log::from_json(&self.parts.db, &entry.text(EVENT)?) {
            Ok(event) => (event.partition == partition && event.partition_seq == number).then_some(event),
            Err(error) => {
                tracing::warn!(partition, entry = entry.id, %error, "an entry of a stream is no event");
                None
            }
        }
    }
}
