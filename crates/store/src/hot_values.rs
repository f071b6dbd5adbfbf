//! The Redis commands for values that nodes share for a second. Their user decides when a value is stale.
//!
//! A key is absent, or holds a token (of the node that is about to fill it), or a value. Tokens and values expire.

use std::time::Duration;

use redis::RedisResult;

use crate::redis::Redis;

/// Replaces a token by the value that was read under it, for the time that the token has left: a value is never older
/// than its token. It is one script, so that no other command comes in between.
const FILL: &str =
    "return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')";

impl Redis {
    /// Reads a key.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn look(&self, key: &str) -> RedisResult<Option<String>> {
        redis::cmd("GET").arg(key).query_async(&mut self.shared()).await
    }

    /// Sets a token under an absent key; returns whether it did.
    ///
    /// # Errors
    /// When Redis is away or full.
    pub async fn claim(&self, key: &str, token: &str, lives: Duration) -> RedisResult<bool> {
        let lives = u64::try_from(lives.as_millis()).unwrap_or(u64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(key).arg(token).arg("NX").arg("PX").arg(lives);
        let done: Option<String> = set.query_async(&mut self.shared()).await?;
        Ok(done.is_some())
    }

    /// Replaces a token by a value, if the token is still there.
    ///
    /// # Errors
    /// When Redis is away or full.
    pub async fn fill(&self, key: &str, token: &str, value: &str) -> RedisResult<()> {
        redis::cmd("EVAL")
            .arg(FILL)
            .arg(1)
            .arg(key)
            .arg(token)
            .arg(value)
            .query_async(&mut self.shared())
            .await
    }

    /// Deletes a key, whether it holds a token or a value.
    ///
    /// # Errors
    /// When Redis is away: the key may be deleted or not.
    pub async fn clear(&self, key: &str) -> RedisResult<()> {
        redis::cmd("DEL").arg(key).query_async(&mut self.shared()).await
    }
}
