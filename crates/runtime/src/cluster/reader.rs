//! Reads the events that other nodes committed from Redis, and publishes them to this node's registry. After an outage
//! of Redis it continues where it was. Consumers see missed events as a gap and read them from the log.

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

/// How long a read waits for entries.
const BLOCK: Duration = Duration::from_secs(1);
/// The most entries of one partition per read.
const PAGE: usize = 512;
/// The pause before another try while Redis or the database is away.
const READ_RETRY: Duration = Duration::from_millis(200);

/// The parts of a node that the reader uses.
#[derive(Clone)]
pub struct ReaderParts {
    pub db: Db,
    pub redis: Redis,
    pub registry: Registry,
    /// The incarnation of this process: its own events are skipped, because the journal has published them.
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
    /// The last sequence number per partition that was read.
    positions: Positions,
}

impl Reader {
    async fn run(mut self, stats: Arc<ActorStats>) {
        while let Err(error) = stats.progress().watch(self.begin()).await {
            tracing::warn!(%error, "can't read the heads of the log; trying again");
            tokio::time::sleep(READ_RETRY).await;
        }
        loop {
            match stats.progress().watch(self.parts.redis.reader(BLOCK)).await {
                Ok(connection) => {
                    tracing::info!("reading the events of other nodes from Redis");
                    let error = self.listen(connection, &stats).await;
                    tracing::warn!(%error, "can't read other nodes' events from Redis; reading the log instead");
                }
                Err(error) => tracing::debug!(%error, "Redis is away"),
            }
            tokio::time::sleep(READ_RETRY).await;
        }
    }

    /// Starts at the heads of the log. Consumers read older events from the log.
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.positions = log::heads(&self.parts.db).await?.into_iter().collect();
        Ok(())
    }

    /// Reads until Redis fails.
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

    /// Waits for new entries and returns them; none after the timeout.
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

    /// The event of an entry; `None` for this node's own. An entry that can't be read, as of a newer version, is
    /// skipped, and consumers see a gap.
    fn take(&mut self, partition: i64, entry: &Entry) -> Option<LoggedEvent> {
        let number = entry.id.split('-').next()?.parse().unwrap_or(i64::MAX);
        self.positions.advance(partition, number);
        if entry.text(FROM)? == self.parts.incarnation.to_string() {
            return None;
        }
        match log::from_json(&self.parts.db, &entry.text(EVENT)?) {
            Ok(event) => (event.partition == partition && event.partition_seq == number).then_some(event),
            Err(error) => {
                tracing::warn!(partition, entry = entry.id, %error, "skipping a malformed entry of an event stream");
                None
            }
        }
    }
}
