//! A Redis stream that one node reads and other nodes write to. Entries are deleted after they are read, so each read
//! starts at the beginning: no entry is missed if Redis was emptied or its clock went back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value};

use crate::remote::calls::{Fields, RedisTime};
use crate::stats::ActorStats;
use store::redis::Redis;
use store::streams;
use store::streams::Entry;

/// How long a read waits for entries.
const BLOCK: Duration = Duration::from_secs(1);
/// The most entries per read.
const PAGE: usize = 256;
/// The pause before another try while Redis is away.
const REDIS_RETRY: Duration = Duration::from_millis(200);
/// How long Redis keeps a stream that nobody reads.
const TTL: Duration = Duration::from_secs(30);
/// Entries that a stream keeps, approximately; beyond, the oldest are dropped.
const ENTRIES_MAX: usize = 4_096;

/// Redis's clock, as this process has read it; clones share it.
#[derive(Clone, Debug)]
pub struct RedisClock {
    begun: Instant,
    /// Redis's time at `begun`, in microseconds since 1970; 0 if it is not read yet.
    offset: Arc<AtomicI64>,
}

impl Default for RedisClock {
    fn default() -> Self {
        Self { begun: Instant::now(), offset: Arc::default() }
    }
}

impl RedisClock {
    /// The time of Redis; `None` before it was read.
    pub fn now(&self) -> Option<RedisTime> {
        let offset = self.offset.load(Ordering::Relaxed);
        (offset != 0).then(|| RedisTime(offset).plus(self.begun.elapsed()))
    }

    /// Sets the time that Redis has just returned.
    fn learn(&self, (seconds, micros): (i64, i64)) {
        let now = seconds.saturating_mul(1_000_000).saturating_add(micros);
        let elapsed = i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.offset.store(now.saturating_sub(elapsed), Ordering::Relaxed);
    }
}

/// The stream of one node.
pub struct Mailbox {
    pub redis: Redis,
    pub key: String,
    pub clock: RedisClock,
}

impl Mailbox {
    /// Passes every entry to `take`. Runs for ever; it waits while Redis is away.
    pub async fn read_on(self, stats: Arc<ActorStats>, mut take: impl FnMut(&Entry)) {
        loop {
            match stats.progress().watch(self.redis.reader(BLOCK)).await {
                Ok(connection) => {
                    let error = self.listen(connection, &stats, &mut take).await;
                    tracing::warn!(%error, key = self.key, "can't read calls or replies of other nodes from Redis; trying again");
                }
                Err(error) => tracing::debug!(%error, "Redis is away"),
            }
            tokio::time::sleep(REDIS_RETRY).await;
        }
    }

    /// Passes entries to `take` until Redis fails.
    async fn listen(
        &self,
        mut connection: MultiplexedConnection,
        stats: &ActorStats,
        take: &mut impl FnMut(&Entry),
    ) -> RedisError {
        match redis::cmd("TIME").query_async(&mut connection).await {
            Ok(time) => self.clock.learn(time),
            Err(error) => return error,
        }
        let mut taken = Vec::new();
        loop {
            match stats.progress().watch(self.read(&mut connection, &taken)).await {
                Ok(entries) => {
                    taken.clear();
                    for entry in entries {
                        stats.step();
                        take(&entry);
                        taken.push(entry.id);
                    }
                }
                Err(error) => return error,
            }
        }
    }

    /// Deletes the entries that were read, extends the life of the stream, and waits for new entries.
    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        taken: &[String],
    ) -> RedisResult<Vec<Entry>> {
        let mut commands = redis::pipe();
        if !taken.is_empty() {
            commands.cmd("XDEL").arg(&self.key).arg(taken).ignore();
        }
        commands.cmd("PEXPIRE").arg(&self.key).arg(TTL.as_millis() as u64).ignore();
        let read = commands.cmd("XREAD").arg("COUNT").arg(PAGE).arg("BLOCK").arg(BLOCK.as_millis() as u64);
        read.arg("STREAMS").arg(&self.key).arg("0");
        commands.cmd("TIME");
        let (found, time): (Value, _) = commands.query_async(connection).await?;
        self.clock.learn(time);
        Ok(streams::read(found).into_iter().flat_map(|(_, entries)| entries).collect())
    }
}

/// Adds an entry to a node's stream. If it is unknown whether Redis has it, it is added once more; the reader ignores a
/// repeated one.
///
/// # Errors
/// When Redis is away or full.
pub async fn post(redis: &Redis, key: &str, fields: &Fields) -> RedisResult<()> {
    let mut commands = redis::pipe();
    commands.atomic();
    let add = commands.cmd("XADD").arg(key).arg("MAXLEN").arg("~").arg(ENTRIES_MAX).arg("*");
    for (name, value) in fields {
        add.arg(*name).arg(value);
    }
    add.ignore();
    // The reader may be gone.
    commands.cmd("PEXPIRE").arg(key).arg(TTL.as_millis() as u64).ignore();
    match commands.exec_async(&mut redis.shared()).await {
        Err(error) if is_unsure(&error) => commands.exec_async(&mut redis.shared()).await,
        answer => answer,
    }
}

/// Whether Redis may have executed the command in spite of this error.
fn is_unsure(error: &RedisError) -> bool {
    (error.is_io_error() || error.is_timeout() || error.is_connection_dropped())
        && !error.is_connection_refusal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_tells_its_time_before_anybody_goes_by_it() {
        let clock = RedisClock::default();
        assert_eq!(clock.now(), None);
        clock.learn((1_764_068_400, 5));
        let since = RedisTime(1_764_068_400_000_005).until(clock.now().expect("a time"));
        assert!(since < Duration::from_secs(1), "{since:?}");
        clock.learn((i64::MAX, i64::MAX));
        assert!(clock.now().is_some(), "nothing overflows");
    }
}
