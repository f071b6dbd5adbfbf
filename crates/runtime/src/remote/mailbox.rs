//! A Redis stream that one node reads and other nodes write to. Entries are deleted after they are read, so each read
//! starts at the beginning: no entry is missed if Redis was emptied or its clock went back. Entries are sealed for the
//! stream; one that does not open is refused before anything in it is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value};

use crate::remote::calls::{Fields, Message, pack};
use crate::stats::ActorStats;
use store::redis::{Redis, RedisKey, is_foreign};
use store::redis_connection::Connection;
use store::streams;
use store::streams::{Entry, FIELD};

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

/// The stream of one node.
pub struct Mailbox {
    pub redis: Redis,
    pub key: RedisKey,
    /// Set as soon as Redis has answered.
    pub reached: Arc<AtomicBool>,
}

impl Mailbox {
    /// Passes every message to `take`. Runs for ever; it waits while Redis is away.
    pub async fn read_on(self, stats: Arc<ActorStats>, mut take: impl FnMut(&Message)) {
        loop {
            match stats.progress().watch(self.redis.reader(BLOCK)).await {
                Ok(connection) => {
                    let error = self.listen(connection, &stats, &mut take).await;
                    if is_foreign(&error) {
                        self.redis.refuse(&self.key);
                        let _ = self.redis.delete(&self.key).await;
                    }
                    tracing::warn!(%error, key = self.key.name, "can't read calls or replies of other nodes from Redis; trying again");
                }
                Err(error) => tracing::debug!(%error, "Redis is away"),
            }
            tokio::time::sleep(REDIS_RETRY).await;
        }
    }

    /// Passes messages to `take` until Redis fails.
    async fn listen(
        &self,
        mut connection: Connection<MultiplexedConnection>,
        stats: &ActorStats,
        take: &mut impl FnMut(&Message),
    ) -> RedisError {
        if let Err(error) = redis::cmd("PING").exec_async(&mut connection).await {
            return error;
        }
        self.reached.store(true, Ordering::Relaxed);
        let mut taken = Vec::new();
        loop {
            match stats.progress().watch(self.read(&mut connection, &taken)).await {
                Ok(entries) => {
                    taken.clear();
                    for entry in entries {
                        stats.step();
                        if let Some(message) = self.open(&entry) {
                            take(&message);
                        }
                        taken.push(entry.id);
                    }
                }
                Err(error) => return error,
            }
        }
    }

    fn open(&self, entry: &Entry) -> Option<Message> {
        let message = Message::unpack(&self.redis.open(&self.key, 0, &entry.sealed)?);
        if message.is_none() {
            tracing::warn!(entry = entry.id, "ignoring a call or reply of another form");
        }
        message
    }

    /// Deletes the entries that were read, extends the life of the stream, and waits for new entries.
    async fn read(
        &self,
        connection: &mut Connection<MultiplexedConnection>,
        taken: &[String],
    ) -> RedisResult<Vec<Entry>> {
        let mut commands = redis::pipe();
        if !taken.is_empty() {
            commands.cmd("XDEL").arg(&self.key.name).arg(taken).ignore();
        }
        commands.cmd("PEXPIRE").arg(&self.key.name).arg(TTL.as_millis() as u64).ignore();
        let read = commands.cmd("XREAD").arg("COUNT").arg(PAGE).arg("BLOCK").arg(BLOCK.as_millis() as u64);
        read.arg("STREAMS").arg(&self.key.name).arg("0");
        let (found,): (Value,) = commands.query_async(connection).await?;
        Ok(streams::read(found).into_iter().flat_map(|(_, entries)| entries).collect())
    }
}

/// Seals a call or reply for a node's stream and adds it. If it is unknown whether Redis has it, it is added once more;
/// the reader ignores a repeated one.
///
/// # Errors
/// When Redis is away or full.
pub async fn post(redis: &Redis, key: &RedisKey, fields: &Fields) -> RedisResult<()> {
    let mut commands = redis::pipe();
    commands.atomic();
    let add = commands.cmd("XADD").arg(&key.name).arg("MAXLEN").arg("~").arg(ENTRIES_MAX).arg("*");
    add.arg(FIELD).arg(redis.seal(key, 0, &pack(fields))).ignore();
    // The reader may be gone.
    commands.cmd("PEXPIRE").arg(&key.name).arg(TTL.as_millis() as u64).ignore();
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
