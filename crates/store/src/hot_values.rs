//! The Redis commands for values that nodes share for a second. Their user decides when a value is stale.
//!
//! A key is absent, or holds a token (of the node that is about to fill it), or a value. Tokens and values are sealed by
//! their user, and expire.

use std::time::Duration;

use redis::RedisResult;

use crate::redis::{Redis, RedisKey, is_foreign};

/// Replaces a token by the value that was read under it, for the time that the token has left: a value is never older
/// than its token. It is one script, so that no other command comes in between.
const FILL: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') return 1";

impl Redis {
    /// Reads a key: the token or the value, at most `longest` bytes of it; `None` if it is absent. Something of another
    /// type is read as one zero byte, which is neither.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn look(&self, key: &RedisKey, longest: usize) -> RedisResult<Option<Vec<u8>>> {
        // Unlike GET, it does not carry a value over the wire that somebody else made as long as Redis allows.
        let mut read = redis::cmd("GETRANGE");
        read.arg(&key.name).arg(0).arg(longest);
        match read.query_async::<Vec<u8>>(&mut self.shared()).await {
            Ok(bytes) => Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
            Err(error) if is_foreign(&error) => Ok(Some(vec![0])),
            Err(error) => Err(error),
        }
    }

    /// Sets a token under an absent key; returns whether it did.
    ///
    /// # Errors
    /// When Redis is away or full.
    pub async fn claim(&self, key: &RedisKey, token: &[u8], lives: Duration) -> RedisResult<bool> {
        let lives = u64::try_from(lives.as_millis()).unwrap_or(u64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(&key.name).arg(token).arg("NX").arg("PX").arg(lives);
        let done: Option<String> = set.query_async(&mut self.shared()).await?;
        Ok(done.is_some())
    }

    /// Replaces a token by a value, if the token is still there; returns whether it was.
    ///
    /// # Errors
    /// When Redis is away or full, or the key holds something of another type.
    pub async fn fill(&self, key: &RedisKey, token: &[u8], value: &[u8]) -> RedisResult<bool> {
        redis::cmd("EVAL")
            .arg(FILL)
            .arg(1)
            .arg(&key.name)
            .arg(token)
            .arg(value)
            .query_async(&mut self.shared())
            .await
    }
}
