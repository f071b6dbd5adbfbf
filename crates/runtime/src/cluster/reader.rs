//! Reads the events that other nodes committed from Redis, and publishes them to this node's registry. After an outage
//! of Redis it continues where it was. Consumers see missed events as a gap and read them from the log.
//!
//! An entry is sealed for its partition and sequence number. One that does not open moves nothing here. Its id might
//! still be in the way: Redis takes no entry with a smaller one. So its stream is deleted, and left alone for a moment,
//! in case that somebody keeps on writing there.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, WrapFuture};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};
use tokio::time::Instant;

use crate::cluster::relay::SENDER_BYTES;
use crate::positions::Positions;
use crate::registry::{Batch, Origin, Registry};
use crate::stats::ActorStats;
use crate::supervisor::LivenessGuard;
use kernel::event::{LoggedEvent, PARTITIONS};
use kernel::ids::Id;
use store::redis::{Redis, RedisKey, is_foreign};
use store::redis_connection::Connection;
use store::streams;
use store::streams::Entry;
use store::{Db, StoreError, log};

/// How long a read waits for entries.
const BLOCK: Duration = Duration::from_secs(1);
/// The most entries of one partition per read.
const PAGE: usize = 512;
/// How long a stream is left alone after something in it was refused.
const LEFT_ALONE: Duration = Duration::from_secs(1);
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
        let reader = Reader {
            parts: self.parts.clone(),
            positions: Positions::default(),
            left_alone: [None; PARTITIONS as usize],
        };
        ctx.spawn(reader.run(self.stats.clone()).into_actor(self));
    }
}

struct Reader {
    parts: ReaderParts,
    /// The last sequence number per partition that was read.
    positions: Positions,
    /// Until when the stream of a partition is not read.
    left_alone: [Option<Instant>; PARTITIONS as usize],
}

/// An entry that no node of this cluster has made for its place.
struct Refused;

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
    async fn listen(
        &mut self,
        mut connection: Connection<MultiplexedConnection>,
        stats: &ActorStats,
    ) -> RedisError {
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
    async fn read(
        &mut self,
        connection: &mut Connection<MultiplexedConnection>,
    ) -> RedisResult<Option<Batch>> {
        let streams = self.streams();
        if streams.is_empty() {
            tokio::time::sleep(LEFT_ALONE).await;
            return Ok(None);
        }
        let names: Vec<&str> = streams.iter().map(|(_, key)| key.name.as_str()).collect();
        let after: Vec<String> =
            streams.iter().map(|(partition, _)| format!("{}-0", self.positions.at(*partition))).collect();
        let mut read = redis::cmd("XREAD");
        read.arg("COUNT")
            .arg(PAGE)
            .arg("BLOCK")
            .arg(BLOCK.as_millis() as u64)
            .arg("STREAMS")
            .arg(names)
            .arg(after);
        let found = match read.query_async(connection).await {
            Err(error) if is_foreign(&error) => return self.delete_foreign(connection, &streams).await,
            found => streams::read(found?),
        };
        let mut events = Vec::new();
        for (name, entries) in found {
            let Some((partition, key)) = streams.iter().find(|(_, key)| key.name == name) else { continue };
            let mut is_sound = true;
            for entry in &entries {
                match self.take(*partition, key, entry) {
                    Ok(event) => events.extend(event.map(Arc::new)),
                    Err(Refused) => is_sound = false,
                }
            }
            if !is_sound {
                self.delete(connection, *partition, key).await?;
            }
        }
        Ok((!events.is_empty()).then(|| Batch::of(events, Origin::Remote)))
    }

    /// The streams to read now, with their partitions.
    fn streams(&self) -> Vec<(i64, RedisKey)> {
        let now = Instant::now();
        let is_read = |partition: &i64| self.left_alone[*partition as usize].is_none_or(|until| until <= now);
        let partitions = (0..PARTITIONS).filter(is_read);
        partitions.map(|partition| (partition, self.parts.redis.events(partition))).collect()
    }

    /// The event of an entry; `None` for this node's own. An event that can't be read, as of a newer version, is skipped,
    /// and consumers see a gap.
    fn take(
        &mut self,
        partition: i64,
        key: &RedisKey,
        entry: &Entry,
    ) -> Result<Option<LoggedEvent>, Refused> {
        let Some(number) = entry.id.strip_suffix("-0").and_then(|number| number.parse().ok()) else {
            self.parts.redis.refuse(key);
            return Err(Refused);
        };
        let text = self.parts.redis.open(key, number, &entry.sealed).ok_or(Refused)?;
        self.positions.advance(partition, number);
        let Some((sender, event)) = text.split_first_chunk::<SENDER_BYTES>() else { return Ok(None) };
        if u128::from_be_bytes(*sender) == self.parts.incarnation.bits() {
            return Ok(None);
        }
        match log::from_json(&self.parts.db, &String::from_utf8_lossy(event)) {
            Ok(event) => Ok((event.partition == partition && event.partition_seq == number).then_some(event)),
            Err(error) => {
                tracing::warn!(partition, entry = entry.id, %error, "skipping a malformed entry of an event stream");
                Ok(None)
            }
        }
    }

    /// Deletes a stream in which something was refused. What other nodes had not read of it yet they read from the log.
    async fn delete(
        &mut self,
        connection: &mut Connection<MultiplexedConnection>,
        partition: i64,
        key: &RedisKey,
    ) -> RedisResult<()> {
        self.left_alone[partition as usize] = Some(Instant::now() + LEFT_ALONE);
        redis::cmd("DEL").arg(&key.name).exec_async(connection).await
    }

    /// Deletes the keys of streams that hold something else.
    async fn delete_foreign(
        &mut self,
        connection: &mut Connection<MultiplexedConnection>,
        streams: &[(i64, RedisKey)],
    ) -> RedisResult<Option<Batch>> {
        for (partition, key) in streams {
            let found: String = redis::cmd("TYPE").arg(&key.name).query_async(connection).await?;
            if found != "stream" && found != "none" {
                self.parts.redis.refuse(key);
                self.delete(connection, *partition, key).await?;
            }
        }
        Ok(None)
    }
}
